// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// A View restricts searches of one index to a set of points. It closes with the index.
type View struct {
	*object
	Known int // how many of its points are in the index
}

// View makes a view of IDs, of SampleIDs, or of what a Filter accepts now.
func (x *Index) View(ctx context.Context, which Selection) (*View, error) {
	var opened struct {
		View  uint64 `key:"view"`
		Known int    `key:"known"`
	}
	if err := x.call(ctx, "view.create", request{}.and(which), &opened); err != nil {
		return nil, err
	}
	return &View{newObject(opened.View, x.object), opened.Known}, nil
}
