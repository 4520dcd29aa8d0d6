// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// Run is the record of an index.
type Run struct {
	Dataset  string         `key:"dataset"`
	BrainKey string         `key:"brain_key"`
	Config   map[string]any `key:"config"`
	Created  string         `key:"created"`
	Updated  string         `key:"updated"`
	Version  string         `key:"version"`
}

// RunsOptions are those of Runs.
type RunsOptions struct {
	Dataset string         `key:"dataset"` // "": all
	Where   map[string]any `key:"where"`   // configuration values that must be equal; nil: none is set
}

// Runs lists records. options may be nil.
func (s *Session) Runs(ctx context.Context, options *RunsOptions) ([]Run, error) {
	var result struct {
		Runs []Run `key:"runs"`
	}
	err := s.call(ctx, "runs.list", request{}.options(options), &result)
	return result.Runs, err
}

// RunOptions say which run is meant beside its key.
type RunOptions struct {
	Dataset string `key:"dataset"` // default "default"
}

func runOf(brainKey string, options any) request {
	return request{}.with("brain_key", brainKey).options(options)
}

// RunInfo is the record of one run. options may be nil, also below.
func (s *Session) RunInfo(ctx context.Context, brainKey string, options *RunOptions) (*Run, error) {
	var result Run
	if err := s.call(ctx, "runs.info", runOf(brainKey, options), &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// LoadOptions are those of LoadRun.
type LoadOptions struct {
	Dataset    string         `key:"dataset"`    // default "default"
	Parameters map[string]any `key:"parameters"` // credentials and settings of this session

	Embedder Embedder // makes vectors of text queries
}

// LoadRun opens the index of a run.
func (s *Session) LoadRun(ctx context.Context, brainKey string, options *LoadOptions) (*Index, error) {
	var embedder Embedder
	if options != nil {
		embedder = options.Embedder
	}
	return s.openIndex(ctx, "runs.load", runOf(brainKey, options), embedder)
}

// RenameRun gives a run another key.
func (s *Session) RenameRun(ctx context.Context, brainKey, newBrainKey string, options *RunOptions) error {
	return s.call(ctx, "runs.rename", runOf(brainKey, options).with("new_brain_key", newBrainKey), nil)
}

// DeleteRun deletes the record only, never the collection; Index.Cleanup does that.
func (s *Session) DeleteRun(ctx context.Context, brainKey string, options *RunOptions) error {
	return s.call(ctx, "runs.delete", runOf(brainKey, options), nil)
}
