// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"iter"
)

// A Query is what is searched for: Vectors, each row a query, IDs, each the vector of that point, or Text.
type Query interface {
	part
	isQuery()
}

// SearchOptions are those of Search.
type SearchOptions struct {
	K           int            `key:"k"`           // default 10
	Reverse     bool           `key:"reverse"`     // least similar first
	Aggregation string         `key:"aggregation"` // all queries become one: mean, post-mean, post-min or post-max
	View        *View          `key:"view"`
	Filter      Filter         `key:"filter"`
	ExcludeSelf bool           `key:"exclude_self"` // a query by id leaves that id out
	MaxDistance *float64       `key:"max_distance"`
	MinScore    *float64       `key:"min_score"`
	MMR         *MMR           `key:"mmr"`
	Fields      []string       `key:"fields"` // names
	AllFields   bool           `key:"fields"` // instead of names
	WithVectors bool           `key:"with_vectors"`
	Parameters  map[string]any `key:"parameters"` // the backend's for searches
}

// MMR asks for maximal marginal relevance.
type MMR struct {
	Lambda *float64 `key:"lambda"`  // 0..1, default 0.5
	FetchK int      `key:"fetch_k"` // default 4 k
}

// Search finds the nearest points of each query. options may be nil.
func (x *Index) Search(ctx context.Context, query Query, options *SearchOptions) (*Hits, error) {
	return x.search(ctx, "index.search", query, request{}.options(options))
}

// RadiusOptions are those of Radius.
type RadiusOptions struct {
	Limit       int            `key:"limit"`
	View        *View          `key:"view"`
	Filter      Filter         `key:"filter"`
	ExcludeSelf bool           `key:"exclude_self"`
	Fields      []string       `key:"fields"` // names
	AllFields   bool           `key:"fields"` // instead of names
	WithVectors bool           `key:"with_vectors"`
	Parameters  map[string]any `key:"parameters"`
}

// Radius finds all points within a distance of each query, nearest first. options may be nil.
func (x *Index) Radius(ctx context.Context, query Query, radius float64, options *RadiusOptions) (*Hits, error) {
	return x.search(ctx, "index.radius", query, request{}.with("radius", radius).options(options))
}

func (x *Index) search(ctx context.Context, method string, query Query, body request) (*Hits, error) {
	query, err := x.embed(ctx, query)
	if err != nil {
		return nil, err
	}
	var result Hits
	if err := x.call(ctx, method, body.and(query), &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Hits are the results of all queries in columns: those of query i are the entries Offsets[i] to Offsets[i+1]-1, nearest first.
type Hits struct {
	Offsets   []int64   `key:"offsets"`
	IDs       IDs       `key:"ids"`
	SampleIDs IDs       `key:"sample_ids"` // nil: not an index of patches
	Distances []float32 `key:"distances"`  // smaller is nearer, the same on every backend
	Scores    []float32 `key:"scores"`     // the backend's own
	Fields    Fields    `key:"fields"`     // nil: not asked for
	Vectors   Matrix    `key:"vectors"`    // empty: not asked for
}

// Hit is one entry of Hits.
type Hit struct {
	ID       string
	SampleID string // "": not an index of patches
	Distance float32
	Score    float32
	of       *Hits
	entry    int
}

// Field is the value of a field, nil if it is missing or was not asked for.
func (h Hit) Field(name string) any {
	if column, ok := h.of.Fields[name]; ok {
		return column.Value(h.entry)
	}
	return nil
}

// Vector is that of the point, nil if it was not asked for. It is not copied.
func (h Hit) Vector() []float32 {
	if h.of.Vectors.Data == nil {
		return nil
	}
	return h.of.Vectors.Row(h.entry)
}

// Len is the number of queries.
func (h *Hits) Len() int { return max(0, len(h.Offsets)-1) }

// Query are the hits of query i and their ranks, nearest first.
func (h *Hits) Query(i int) iter.Seq2[int, Hit] {
	return func(yield func(int, Hit) bool) {
		begin := int(h.Offsets[i])
		for entry := begin; entry < int(h.Offsets[i+1]); entry++ {
			if !yield(entry-begin, h.At(entry)) {
				return
			}
		}
	}
}

// All are the hits of all queries, each with the number of its query.
func (h *Hits) All() iter.Seq2[int, Hit] {
	return func(yield func(int, Hit) bool) {
		for query := range h.Len() {
			for _, hit := range h.Query(query) {
				if !yield(query, hit) {
					return
				}
			}
		}
	}
}

// At is an entry of the columns.
func (h *Hits) At(entry int) Hit {
	hit := Hit{ID: h.IDs[entry], Distance: h.Distances[entry], Score: h.Scores[entry], of: h, entry: entry}
	if h.SampleIDs != nil {
		hit.SampleID = h.SampleIDs[entry]
	}
	return hit
}
