// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

type backendOptions struct {
	Backend    string         `key:"backend"`
	Parameters map[string]any `key:"parameters"`
}

// Backend is one that is found.
type Backend struct {
	Name   string `key:"name"`
	File   string `key:"file"`
	Origin string `key:"origin"` // static, plugin_path, environment or installed
}

// Backends are those that are found, and the name of the configured one.
type Backends struct {
	Backends []Backend `key:"backends"`
	Default  string    `key:"default"`
}

// Backends lists the backends that are there.
func (s *Session) Backends(ctx context.Context) (*Backends, error) {
	var result Backends
	if err := s.call(ctx, "backends.list", nil, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Capabilities are what a backend can do.
type Capabilities struct {
	Name              string            `key:"name"`
	Version           string            `key:"version"`
	File              string            `key:"file"`
	Metrics           []string          `key:"metrics"` // the first is the default
	MetricAliases     map[string]string `key:"metric_aliases"`
	MaxK              int               `key:"max_k"`         // 0: no limit
	MaxDimension      int               `key:"max_dimension"` // 0: no limit
	Exact             bool              `key:"exact"`
	Methods           []string          `key:"methods"` // the optional and native ones
	Filters           []string          `key:"filters"` // the nodes it evaluates itself
	FieldTypes        []string          `key:"field_types"`
	Reverse           []string          `key:"reverse"`
	Radius            bool              `key:"radius"`
	Vectors           string            `key:"vectors"` // exact, rounded or normalised: how they come back
	CountsReplaced    bool              `key:"counts_replaced"`
	Nonfinite         bool              `key:"nonfinite"`
	RoundsFloats      bool              `key:"rounds_floats"`
	ConsistencyLevels []string          `key:"consistency_levels"`
	Parameters        []Parameter       `key:"parameters"`
	SearchParameters  []Parameter       `key:"search_parameters"`
	BatchBytes        int               `key:"batch_bytes"` // 0: no limit
	ConditionalUpsert bool              `key:"conditional_upsert"`
}

// Parameter is one that a backend declares.
type Parameter struct {
	Name       string   `key:"name"`
	Type       string   `key:"type"`
	Default    any      `key:"default"`
	Secret     bool     `key:"secret"`
	Connection bool     `key:"connection"` // of a connection, not of a collection
	Aliases    []string `key:"aliases"`
	Excludes   []string `key:"excludes"`
	Doc        string   `key:"doc"`
}

// Describe asks a backend ("": the configured one) what it can do; nothing is connected.
func (s *Session) Describe(ctx context.Context, backend string) (*Capabilities, error) {
	var result Capabilities
	body := request{}.options(backendOptions{Backend: backend})
	if err := s.call(ctx, "backends.describe", body, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Resolved is a backend's effective configuration, secrets masked.
type Resolved struct {
	Backend    string         `key:"backend"`
	Parameters map[string]any `key:"parameters"`
}

// Resolve says with which parameters a backend ("": the configured one) would be opened.
func (s *Session) Resolve(ctx context.Context, backend string, parameters map[string]any) (*Resolved, error) {
	var result Resolved
	body := request{}.options(backendOptions{backend, parameters})
	if err := s.call(ctx, "config.resolve", body, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// ExplainOptions are those of Explain.
type ExplainOptions struct {
	Backend    string         `key:"backend"`
	Parameters map[string]any `key:"parameters"`
	Load       *bool          `key:"load"` // whether the plugin may be loaded and asked; default true
}

// Explanation says where a configuration comes from.
type Explanation struct {
	Backend       string `key:"backend"`
	BackendSource string `key:"backend_source"`
	BackendWhere  string `key:"backend_where"`
	Plugin        *struct {
		Name string `key:"name"`
		File string `key:"file"`
	} `key:"plugin"` // nil: PluginError says why
	PluginError string   `key:"plugin_error"`
	Searched    []string `key:"searched"`
	ConfigFile  struct {
		Path   string `key:"path"`
		Exists bool   `key:"exists"`
	} `key:"config_file"`
	DataDir string           `key:"data_dir"`
	Values  []ExplainedValue `key:"values"`
}

// ExplainedValue is one value and its source: argument, environment, file or default.
type ExplainedValue struct {
	Name   string `key:"name"`
	Value  any    `key:"value"`
	Source string `key:"source"`
	Where  string `key:"where"`
	Secret bool   `key:"secret"`
}

// Explain says for every value of a configuration where it comes from. Nothing is connected. options may be nil.
func (s *Session) Explain(ctx context.Context, options *ExplainOptions) (*Explanation, error) {
	var result Explanation
	if err := s.call(ctx, "config.explain", request{}.options(options), &result); err != nil {
		return nil, err
	}
	return &result, nil
}
