// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"sync/atomic"
)

// An Index is one collection of a backend under a metric, with the semantics of FiftyOne's similarity indexes.
type Index struct {
	*object
	session  *Session
	settings Settings
	embedder atomic.Pointer[Embedder]
}

// Settings are what an index is.
type Settings struct {
	Backend         string `key:"backend"`
	CollectionName  string `key:"collection_name"`
	Dimension       int    `key:"dimension"` // 0: not known before the first vectors
	Metric          string `key:"metric"`
	BrainKey        string `key:"brain_key"` // "": no run is recorded
	Dataset         string `key:"dataset"`
	PatchesField    string `key:"patches_field"`
	Patches         bool   `key:"patches"` // points are labels, and have sample ids
	Model           string `key:"model"`
	SupportsPrompts bool   `key:"supports_prompts"`
	Existing        bool   `key:"existing"` // the collection was there
}

// IndexOptions say what index to create. What is zero is as configured.
type IndexOptions struct {
	Dataset         string            `key:"dataset"`         // default "default"
	BrainKey        string            `key:"brain_key"`       // "": no run is recorded
	Backend         string            `key:"backend"`         // default: the configured one
	CollectionName  string            `key:"collection_name"` // default: a new unique name
	Dimension       int               `key:"dimension"`       // default: that of the first vectors
	Metric          string            `key:"metric"`
	PatchesField    string            `key:"patches_field"` // the points are labels of that field
	Model           string            `key:"model"`
	SupportsPrompts *bool             `key:"supports_prompts"`
	Fields          map[string]string `key:"fields"`     // name and column type, for backends that want them declared
	Parameters      map[string]any    `key:"parameters"` // any of the backend's
	Overwrite       bool              `key:"overwrite"`  // replace a run of that key

	Embedder Embedder // makes vectors of text queries
}

// OpenOptions say which index to open: the run of BrainKey, or the collection of Backend and CollectionName.
type OpenOptions struct {
	Dataset        string         `key:"dataset"` // default "default"
	BrainKey       string         `key:"brain_key"`
	Backend        string         `key:"backend"`
	CollectionName string         `key:"collection_name"`
	Parameters     map[string]any `key:"parameters"` // credentials and settings of this session

	Embedder Embedder // makes vectors of text queries
}

// CreateIndex makes a collection, or connects to the one of that name. options may be nil.
func (s *Session) CreateIndex(ctx context.Context, options *IndexOptions) (*Index, error) {
	var embedder Embedder
	if options != nil {
		embedder = options.Embedder
	}
	return s.openIndex(ctx, "index.create", request{}.options(options), embedder)
}

// OpenIndex opens an index that is there.
func (s *Session) OpenIndex(ctx context.Context, options *OpenOptions) (*Index, error) {
	var embedder Embedder
	if options != nil {
		embedder = options.Embedder
	}
	return s.openIndex(ctx, "index.open", request{}.options(options), embedder)
}

func (s *Session) openIndex(ctx context.Context, method string, body request, embedder Embedder) (*Index, error) {
	var opened struct {
		Settings
		Index uint64 `key:"index"`
	}
	if err := s.call(ctx, method, body, &opened); err != nil {
		return nil, err
	}
	x := &Index{object: newObject(opened.Index, s.object), session: s, settings: opened.Settings}
	x.SetEmbedder(embedder)
	return x, nil
}

// Settings are those the index had when it was opened; Info asks for those it has now.
func (x *Index) Settings() Settings {
	if x == nil {
		return Settings{}
	}
	return x.settings
}

// Info is what an index is now.
type Info struct {
	Settings
	Size       int               `key:"size"`
	Fields     map[string]string `key:"fields"`     // of its collection, with their types
	Parameters map[string]any    `key:"parameters"` // that it was made with, but for secrets
}

// Info asks what the index is.
func (x *Index) Info(ctx context.Context) (*Info, error) {
	var result Info
	if err := x.call(ctx, "index.info", nil, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Size is the exact number of points, or of those that filter accepts.
func (x *Index) Size(ctx context.Context, filter Filter) (int, error) {
	var result struct {
		Size int `key:"size"`
	}
	var body request
	if filter != "" {
		body = body.and(filter)
	}
	err := x.call(ctx, "index.size", body, &result)
	return result.Size, err
}

// Capabilities are those of the index's backend.
func (x *Index) Capabilities(ctx context.Context) (*Capabilities, error) {
	if x == nil {
		return nil, never()
	}
	return x.session.Describe(ctx, x.settings.Backend)
}

// Health asks the backend whether it is well; the reply has its version.
func (x *Index) Health(ctx context.Context) (Reply, error) { return x.Call(ctx, "health", nil) }

// BackendCall calls a method of the backend protocol, native.* included. body may be nil.
func (x *Index) BackendCall(ctx context.Context, method string, body Body) (Reply, error) {
	return x.Call(ctx, "backend.call", backendBody(method, body))
}

// Cleanup drops the collection and says whether there was one; the run's record stays.
func (x *Index) Cleanup(ctx context.Context) (dropped bool, err error) {
	var result struct {
		Dropped bool `key:"dropped"`
	}
	err = x.call(ctx, "index.cleanup", nil, &result)
	return result.Dropped, err
}

// Check reads everything an embedded backend has stored, and says how many rows that are.
func (x *Index) Check(ctx context.Context) (rows int, err error) {
	var result struct {
		Rows int `key:"rows"`
	}
	err = x.call(ctx, "index.check", nil, &result)
	return result.Rows, err
}

// Compacted is what Compact gained.
type Compacted struct {
	BytesBefore int64 `key:"bytes_before"`
	BytesAfter  int64 `key:"bytes_after"`
}

// Compact gives back unused space of an embedded backend.
func (x *Index) Compact(ctx context.Context) (*Compacted, error) {
	var result Compacted
	if err := x.call(ctx, "index.compact", nil, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Backup copies the store of an embedded backend, while it is in use, to an absolute path that does not exist.
func (x *Index) Backup(ctx context.Context, path string) error {
	return x.call(ctx, "index.backup", request{}.with("path", path), nil)
}
