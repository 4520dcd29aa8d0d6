// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// CreateIndex is Session.CreateIndex in the default session.
func CreateIndex(ctx context.Context, options *IndexOptions) (*Index, error) {
	return defaultSession.CreateIndex(ctx, options)
}

// OpenIndex is Session.OpenIndex in the default session.
func OpenIndex(ctx context.Context, options *OpenOptions) (*Index, error) {
	return defaultSession.OpenIndex(ctx, options)
}

// Connect is Session.Connect in the default session.
func Connect(ctx context.Context, backend string, parameters map[string]any) (*Connection, error) {
	return defaultSession.Connect(ctx, backend, parameters)
}

// Runs is Session.Runs in the default session.
func Runs(ctx context.Context, options *RunsOptions) ([]Run, error) {
	return defaultSession.Runs(ctx, options)
}

// RunInfo is Session.RunInfo in the default session.
func RunInfo(ctx context.Context, brainKey string, options *RunOptions) (*Run, error) {
	return defaultSession.RunInfo(ctx, brainKey, options)
}

// LoadRun is Session.LoadRun in the default session.
func LoadRun(ctx context.Context, brainKey string, options *LoadOptions) (*Index, error) {
	return defaultSession.LoadRun(ctx, brainKey, options)
}

// RenameRun is Session.RenameRun in the default session.
func RenameRun(ctx context.Context, brainKey, newBrainKey string, options *RunOptions) error {
	return defaultSession.RenameRun(ctx, brainKey, newBrainKey, options)
}

// DeleteRun is Session.DeleteRun in the default session.
func DeleteRun(ctx context.Context, brainKey string, options *RunOptions) error {
	return defaultSession.DeleteRun(ctx, brainKey, options)
}

// ListBackends is Session.Backends in the default session.
func ListBackends(ctx context.Context) (*Backends, error) { return defaultSession.Backends(ctx) }

// Describe is Session.Describe in the default session.
func Describe(ctx context.Context, backend string) (*Capabilities, error) {
	return defaultSession.Describe(ctx, backend)
}

// Resolve is Session.Resolve in the default session.
func Resolve(ctx context.Context, backend string, parameters map[string]any) (*Resolved, error) {
	return defaultSession.Resolve(ctx, backend, parameters)
}

// Explain is Session.Explain in the default session.
func Explain(ctx context.Context, options *ExplainOptions) (*Explanation, error) {
	return defaultSession.Explain(ctx, options)
}

// Metrics is Session.Metrics in the default session.
func Metrics(ctx context.Context) (string, error) { return defaultSession.Metrics(ctx) }

// OpenCopy is Session.OpenCopy in the default session.
func OpenCopy(ctx context.Context, source *Index, target *CopyTarget, options *CopyOptions) (*Copy, error) {
	return defaultSession.OpenCopy(ctx, source, target, options)
}

// CopyIndex is Session.Copy in the default session.
func CopyIndex(ctx context.Context, source *Index, target *CopyTarget, options *CopyOptions) (*Index, CopyState, error) {
	return defaultSession.Copy(ctx, source, target, options)
}
