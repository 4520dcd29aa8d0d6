// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// NeighborsOptions are those of Neighbors.
type NeighborsOptions struct {
	K          int            `key:"k"`
	Radius     *float64       `key:"radius"` // instead of K
	View       *View          `key:"view"`
	Parameters map[string]any `key:"parameters"`
}

// Neighbors are those of point i at the entries Offsets[i] to Offsets[i+1]-1.
type Neighbors struct {
	IDs       IDs       `key:"ids"`
	Offsets   []int64   `key:"offsets"`
	Neighbors IDs       `key:"neighbors"`
	Distances []float32 `key:"distances"`
	Scores    []float32 `key:"scores"`
}

// Neighbors finds for every point of the index or a view its nearest others. options may be nil.
func (x *Index) Neighbors(ctx context.Context, options *NeighborsOptions) (*Neighbors, error) {
	var result Neighbors
	if err := x.call(ctx, "index.neighbors", request{}.options(options), &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// DuplicatesOptions are those of Duplicates: Threshold or Fraction.
type DuplicatesOptions struct {
	Threshold *float64 `key:"threshold"` // a distance
	Fraction  *float64 `key:"fraction"`  // 0..1: of the points, to be dropped
	View      *View    `key:"view"`
}

// Duplicates tells points that were kept from those near them.
type Duplicates struct {
	UniqueIDs    IDs       `key:"unique_ids"`
	DuplicateIDs IDs       `key:"duplicate_ids"`
	NeighborIDs  IDs       `key:"neighbor_ids"` // of each duplicate, the point kept; of Duplicates only
	Distances    []float32 `key:"distances"`    // to it
	Threshold    float64   `key:"threshold"`
}

// Duplicates drops each point that is near one kept before it, in the order of their ids.
func (x *Index) Duplicates(ctx context.Context, options *DuplicatesOptions) (*Duplicates, error) {
	return x.duplicates(ctx, "index.duplicates", request{}.options(options))
}

// Unique finds the threshold at which count points of the index, or of a view (nil: none), are kept.
func (x *Index) Unique(ctx context.Context, count int, view *View) (*Duplicates, error) {
	body := request{}.with("count", count)
	if view != nil {
		body = body.with("view", view)
	}
	return x.duplicates(ctx, "index.unique", body)
}

func (x *Index) duplicates(ctx context.Context, method string, body request) (*Duplicates, error) {
	var result Duplicates
	if err := x.call(ctx, method, body, &result); err != nil {
		return nil, err
	}
	return &result, nil
}
