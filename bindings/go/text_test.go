// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"simplugin"
)

// embed makes (number of a, number of b) of a text.
func embed(_ context.Context, texts []string) (simplugin.Vectors, error) {
	var data []float64
	for _, text := range texts {
		data = append(data, float64(strings.Count(text, "a")), float64(strings.Count(text, "b")))
	}
	return simplugin.Rows(data, 2), nil
}

// R282: text is embedded by the function that the user gives.
func TestR282TextQueries(t *testing.T) {
	index := newIndex(t, &simplugin.IndexOptions{BrainKey: "texts", Model: "counter", SupportsPrompts: simplugin.Ptr(true), Embedder: embed})
	hits, err := index.Search(ctx, simplugin.Text("an a", "b"), &simplugin.SearchOptions{K: 1})
	if err != nil || !slices.Equal(hits.IDs, simplugin.IDs{"a", "b"}) {
		t.Error(hits, err)
	}
	if hits, err = index.Radius(ctx, simplugin.Text("b"), 0.5, nil); err != nil || !slices.Equal(hits.IDs, simplugin.IDs{"b"}) {
		t.Error(hits, err)
	}
	index.SetEmbedder(nil)
	for _, text := range []simplugin.Query{simplugin.Text("a"), simplugin.Text("a", "b")} {
		_, err = index.Search(ctx, text, nil)
		if !errors.Is(err, simplugin.ErrPromptUnsupported) && !errors.Is(err, simplugin.ErrInvalidArgument) {
			t.Error(err)
		}
	}
	_, err = index.Search(ctx, simplugin.Text("a"), nil)
	if !errors.Is(err, simplugin.ErrPromptUnsupported) || !strings.Contains(err.Error(), "counter") {
		t.Error(err)
	}
	why := errors.New("the model is away")
	index.SetEmbedder(func(context.Context, []string) (simplugin.Vectors, error) { return simplugin.Vectors{}, why })
	if _, err = index.Search(ctx, simplugin.Text("a"), nil); err != why {
		t.Error(err)
	}
}

func TestR282EmbedderOfOpenedIndexes(t *testing.T) {
	session := newSession(t)
	made, err := session.CreateIndex(ctx, &simplugin.IndexOptions{BrainKey: "texts", Metric: "euclidean"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Add(ctx, []string{"a", "b"}, simplugin.Rows([]float32{1, 0, 0, 1}, 2), nil); err != nil {
		t.Fatal(err)
	}
	opened, err := session.OpenIndex(ctx, &simplugin.OpenOptions{BrainKey: "texts", Embedder: embed})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := session.LoadRun(ctx, "texts", &simplugin.LoadOptions{Embedder: embed})
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []*simplugin.Index{opened, loaded} {
		if hits, err := index.Search(ctx, simplugin.Text("b"), &simplugin.SearchOptions{K: 1}); err != nil || hits.IDs[0] != "b" {
			t.Error(hits, err)
		}
	}
}
