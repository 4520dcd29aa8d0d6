// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"iter"
)

// AddOptions are those of Add.
type AddOptions struct {
	SampleIDs     IDs            `key:"sample_ids"` // one for each id, in an index of patches
	Fields        Fields         `key:"fields"`
	Overwrite     *bool          `key:"overwrite"`      // default true: points that are there are replaced
	AllowExisting *bool          `key:"allow_existing"` // default true; false: without Overwrite they are an error, not skipped
	WarnExisting  bool           `key:"warn_existing"`
	Duplicates    string         `key:"duplicates"` // what a second row of an id means: fail, first or last; default fail
	Parameters    map[string]any `key:"parameters"`
}

// Added counts what Add did.
type Added struct {
	Added    int  `key:"added"`
	Updated  *int `key:"updated"` // nil: the backend cannot know, and Added counts all
	Skipped  int  `key:"skipped"`
	Existing IDs  `key:"existing"` // that were skipped
}

// Add writes points: a row of vectors for each id. options may be nil.
func (x *Index) Add(ctx context.Context, ids []string, vectors Vectors, options *AddOptions) (*Added, error) {
	var result Added
	body := request{}.and(IDs(ids)).and(vectors).options(options)
	if err := x.call(ctx, "index.add", body, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// FieldsSet is what SetFields did.
type FieldsSet struct {
	Updated int `key:"updated"`
	Missing IDs `key:"missing"`
}

// SetFields sets fields of points that are there, and leaves their others; a missing value takes the field away.
func (x *Index) SetFields(ctx context.Context, ids []string, fields Fields) (*FieldsSet, error) {
	var result FieldsSet
	if err := x.call(ctx, "index.set_fields", request{}.and(IDs(ids)).with("fields", fields), &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// A Selection says which points are meant: IDs, SampleIDs, a Filter or, for Remove, All.
type Selection interface {
	part
	isSelection()
}

// IDs are names of points, or queries: each by the vector of the point of that id.
type IDs []string

// SampleIDs mean every point of these samples, in an index of patches.
type SampleIDs []string

// Filter is a condition in the filter language, such as `page > 3 and color != "red"`.
type Filter string

type all struct{}

// All are all points of an index.
var All Selection = all{}

func (i IDs) part() field       { return field{"ids", i} }
func (i SampleIDs) part() field { return field{"sample_ids", IDs(i)} }
func (f Filter) part() field    { return field{"filter", f} }
func (all) part() field         { return field{"all", true} }

func (IDs) isSelection()       {}
func (SampleIDs) isSelection() {}
func (Filter) isSelection()    {}
func (all) isSelection()       {}
func (IDs) isQuery()           {}

// RemoveOptions are those of Remove.
type RemoveOptions struct {
	AllowMissing *bool `key:"allow_missing"` // default true; false: a missing id is an error, and nothing is removed
	WarnMissing  bool  `key:"warn_missing"`
}

// Removed is what Remove did.
type Removed struct {
	Removed int `key:"removed"`
	Missing IDs `key:"missing"`
}

// Remove removes points. options may be nil.
func (x *Index) Remove(ctx context.Context, which Selection, options *RemoveOptions) (*Removed, error) {
	var result Removed
	if err := x.call(ctx, "index.remove", request{}.and(which).options(options), &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// GetOptions are those of Get.
type GetOptions struct {
	Vectors      *bool    `key:"vectors"`       // default true
	Fields       []string `key:"fields"`        // names
	AllFields    bool     `key:"fields"`        // instead of names
	AllowMissing *bool    `key:"allow_missing"` // default true
	WarnMissing  bool     `key:"warn_missing"`
}

// Points are rows of an index, in columns.
type Points struct {
	IDs       IDs    `key:"ids"`
	SampleIDs IDs    `key:"sample_ids"` // nil: not an index of patches
	Vectors   Matrix `key:"vectors"`
	Fields    Fields `key:"fields"`
	Missing   IDs    `key:"missing"` // of the ids asked for
}

// Get reads points in the order asked for: IDs, SampleIDs, or nil for the whole index. options may be nil.
func (x *Index) Get(ctx context.Context, which Selection, options *GetOptions) (*Points, error) {
	var result Points
	if err := x.call(ctx, "index.get", request{}.and(which).options(options), &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Point is one row of Points.
type Point struct {
	ID       string
	SampleID string    // "": not an index of patches
	Vector   []float32 // nil: not asked for; not copied
	of       *Points
	row      int
}

// Field is the value of a field, nil if it is missing or was not asked for.
func (p Point) Field(name string) any {
	if column, ok := p.of.Fields[name]; ok {
		return column.Value(p.row)
	}
	return nil
}

// Len is the number of points.
func (p *Points) Len() int { return len(p.IDs) }

// At is row i.
func (p *Points) At(i int) Point {
	point := Point{ID: p.IDs[i], of: p, row: i}
	if p.SampleIDs != nil {
		point.SampleID = p.SampleIDs[i]
	}
	if p.Vectors.Data != nil {
		point.Vector = p.Vectors.Row(i)
	}
	return point
}

// All are the rows, one after the other.
func (p *Points) All() iter.Seq2[int, Point] {
	return func(yield func(int, Point) bool) {
		for i := range p.IDs {
			if !yield(i, p.At(i)) {
				return
			}
		}
	}
}
