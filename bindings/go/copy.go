// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// CopyTarget says where to copy: what is zero is as the source has it. Its Dimension is zero.
type CopyTarget struct {
	IndexOptions
	Merge bool `key:"merge"` // into a collection that is there
}

// CopyOptions are those of copies.
type CopyOptions struct {
	Verify      string `key:"verify"`       // what is compared: none, sample or all; default sample
	SampleSize  int    `key:"sample_size"`  // points of a sample; default 1000
	Resume      *bool  `key:"resume"`       // go on where an earlier copy stopped; default true
	BatchBytes  int    `key:"batch_bytes"`  // read at a time; default 32 MiB
	MixedFields string `key:"mixed_fields"` // what values of another type mean: fail or skip; default fail
	DryRun      bool   `key:"dry_run"`      // of OpenCopy: only tell what would be lost

	// Progress is called by Copy after each step of about a second. An error that it returns ends a
	// copy that is not done with that error; the same copy goes on from there later.
	Progress func(CopyState) error
}

// CopyState is how far a copy is.
type CopyState struct {
	Phase         string   `key:"phase"` // copying, verifying or done
	Copied        int      `key:"copied"`
	Total         int      `key:"total"`
	Bytes         int64    `key:"bytes"`
	RowsPerSecond *float64 `key:"rows_per_second"` // nil: not known yet
	SecondsLeft   *float64 `key:"seconds_left"`    // of the phase; nil: not known yet
	Verified      int      `key:"verified"`        // points compared
	Compared      string   `key:"compared"`        // exact, rounded or direction; "": nothing yet
	Differences   int      `key:"differences"`     // points that are not the same, or on one side only
	Difference    string   `key:"difference"`      // what is different about the first
	Different     []string `key:"different"`       // the first 100 of their ids
}

// Done says whether the copy is.
func (s CopyState) Done() bool { return s.Phase == "done" }

// Loss is something that a copy cannot keep.
type Loss struct {
	What   string `key:"what"`
	Name   string `key:"name"`
	Detail string `key:"detail"`
	Fatal  bool   `key:"fatal"`
}

// A Copy is the points of an index on their way into another.
type Copy struct {
	*object
	Index          *Index // the target, whose Settings are Backend and CollectionName only; nil in a dry run
	Backend        string
	CollectionName string
	Total          int // points of the source
	Resumed        int // of these, those that are copied already
	Losses         []Loss
}

// OpenCopy begins a copy, to be ended by calls of Next, or says of a dry run what it would do. options may be nil.
func (s *Session) OpenCopy(ctx context.Context, source *Index, target *CopyTarget, options *CopyOptions) (*Copy, error) {
	var opened struct {
		Copy           uint64 `key:"copy"`
		Index          uint64 `key:"index"`
		Backend        string `key:"backend"`
		CollectionName string `key:"collection_name"`
		Total          int    `key:"total"`
		Resumed        int    `key:"resumed"`
		Losses         []Loss `key:"losses"`
	}
	body := request{}.with("source", source).with("target", request{}.options(target)).options(options)
	if err := s.call(ctx, "copy.open", body, &opened); err != nil {
		return nil, err
	}
	c := &Copy{Backend: opened.Backend, CollectionName: opened.CollectionName, Total: opened.Total,
		Resumed: opened.Resumed, Losses: opened.Losses}
	if opened.Copy == 0 {
		c.object = &object{handle: noHandle, owner: s.object}
		c.closed.Store(true)
		return c, nil
	}
	c.object = newObject(opened.Copy, s.object)
	c.Index = &Index{object: newObject(opened.Index, s.object), session: s}
	c.Index.settings = Settings{Backend: opened.Backend, CollectionName: opened.CollectionName}
	if target != nil {
		c.Index.SetEmbedder(target.Embedder)
	}
	return c, nil
}

// Next does about a second's work, or as much as the context leaves time for, and says how far the copy is. After an
// error it goes on where it was.
func (c *Copy) Next(ctx context.Context) (CopyState, error) {
	var state CopyState
	err := c.call(ctx, "copy.next", nil, &state)
	return state, err
}

// Copy copies an index into a collection of any backend, and gives the target and what the last step said: look at its
// Differences. After an error, or when the process ends, the same call goes on where it stopped. options may be nil.
// With DryRun there is no target: OpenCopy says what would be lost.
func (s *Session) Copy(ctx context.Context, source *Index, target *CopyTarget, options *CopyOptions) (*Index, CopyState, error) {
	var state CopyState
	c, err := s.OpenCopy(ctx, source, target, options)
	if err != nil {
		return nil, state, err
	}
	defer c.Close()
	if c.Index == nil { // a dry run has no target
		return nil, CopyState{Total: c.Total}, nil
	}
	for !state.Done() {
		next, err := c.Next(ctx)
		if err == nil {
			state = next
			err = options.tell(state)
		}
		if err != nil && !state.Done() {
			c.Index.Close()
			return nil, state, err
		}
	}
	return c.Index, state, nil
}

func (o *CopyOptions) tell(state CopyState) error {
	if o == nil || o.Progress == nil {
		return nil
	}
	return o.Progress(state)
}
