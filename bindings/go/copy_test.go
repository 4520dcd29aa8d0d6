// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"simplugin"
)

// many has rows that make a copy of several steps, at the smallest batches.
func many(t *testing.T) (*simplugin.Session, *simplugin.Index) {
	session := newSession(t)
	index, err := session.CreateIndex(ctx, &simplugin.IndexOptions{BrainKey: "from", Metric: "euclidean"})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 2000)
	for i := range ids {
		ids[i] = fmt.Sprint("p", i)
	}
	if _, err := index.Add(ctx, ids, simplugin.Rows(numbers(2000*64), 64), nil); err != nil {
		t.Fatal(err)
	}
	return session, index
}

func TestR276Copy(t *testing.T) {
	session, source := many(t)
	var states []simplugin.CopyState
	target, last, err := session.Copy(ctx, source, &simplugin.CopyTarget{IndexOptions: simplugin.IndexOptions{BrainKey: "to", Embedder: nil}},
		&simplugin.CopyOptions{Verify: "all", Progress: func(s simplugin.CopyState) error {
			states = append(states, s)
			return nil
		}})
	if err != nil || !last.Done() || last.Copied != 2000 || last.Verified != 2000 || last.Differences != 0 || last.Compared != "exact" {
		t.Fatal(last, err)
	}
	if len(states) == 0 || !states[len(states)-1].Done() {
		t.Error(states)
	}
	if size, err := target.Size(ctx, ""); err != nil || size != 2000 {
		t.Error(size, err)
	}
	if _, err := session.RunInfo(ctx, "to", nil); err != nil {
		t.Error(err)
	}
}

// A copy stops when its progress function says so, when its context ends, and goes on later.
func TestR276CopyStopsAndGoesOn(t *testing.T) {
	session, source := many(t)
	to := &simplugin.CopyTarget{IndexOptions: simplugin.IndexOptions{BrainKey: "to"}}
	why := errors.New("enough")
	// one point at a time takes longer than a step
	options := &simplugin.CopyOptions{BatchBytes: 1, Progress: func(simplugin.CopyState) error { return why }}
	target, state, err := session.Copy(ctx, source, to, options)
	if err != why || target != nil || state.Done() || state.Copied == 0 {
		t.Error(target, state, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := session.Copy(cancelled, source, to, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c, err := session.OpenCopy(ctx, source, to, nil)
	if err != nil || c.Resumed != state.Copied {
		t.Fatal(c, err)
	}
	for state.Phase = ""; !state.Done(); {
		if state, err = c.Next(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if state.Copied != 2000 || state.Differences != 0 {
		t.Error(state)
	}
}

// The steps, one by one: closed halfway, and gone on with.
func TestR276CopyStepByStep(t *testing.T) {
	session, source := many(t)
	to := &simplugin.CopyTarget{IndexOptions: simplugin.IndexOptions{BrainKey: "to", Metric: "cosine"}}
	plan, err := session.OpenCopy(ctx, source, to, &simplugin.CopyOptions{DryRun: true})
	if err != nil || plan.Index != nil || plan.Total != 2000 || len(plan.Losses) == 0 || plan.Losses[0].What != "metric" {
		t.Fatal(plan, err)
	}
	if err := plan.Close(); err != nil {
		t.Error(err)
	}
	if _, err := plan.Next(ctx); !errors.Is(err, simplugin.ErrStaleHandle) {
		t.Error(err)
	}
	if _, err := plan.Call(ctx, "runs.list", nil); !errors.Is(err, simplugin.ErrStaleHandle) {
		t.Error("a plan is no session:", err)
	}
	if index, state, err := session.Copy(ctx, source, to, &simplugin.CopyOptions{DryRun: true}); index != nil || state.Total != 2000 || err != nil {
		t.Error(index, state, err)
	}
	c, err := session.OpenCopy(ctx, source, to, &simplugin.CopyOptions{BatchBytes: 1 << 16})
	if err != nil || c.Total != 2000 {
		t.Fatal(c, err)
	}
	if _, err := session.OpenCopy(ctx, source, to, nil); !errors.Is(err, simplugin.ErrBusy) {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Next(ctx); !errors.Is(err, simplugin.ErrStaleHandle) {
		t.Error(err)
	}
	target, state, err := session.Copy(ctx, source, to, nil)
	if err != nil || !state.Done() {
		t.Fatal(state, err)
	}
	if settings := target.Settings(); settings.Backend != "sklearn" || settings.CollectionName != c.CollectionName {
		t.Error(settings)
	}
}
