// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"iter"
)

// ScanOptions are those of scans.
type ScanOptions struct {
	Vectors   *bool    `key:"vectors"` // default true
	Fields    []string `key:"fields"`  // names
	AllFields bool     `key:"fields"`  // instead of names
	Filter    Filter   `key:"filter"`
	View      *View    `key:"view"`
	MaxRows   int      `key:"max_rows"` // of a page
}

// A Scan iterates over an index in constant memory. It closes with the index.
type Scan struct{ *object }

// Page is what Scan.Next answers.
type Page struct {
	Points
	Done bool `key:"done"` // it is the last
}

// OpenScan begins a scan. Scan and Pages are loops over one. options may be nil.
func (x *Index) OpenScan(ctx context.Context, options *ScanOptions) (*Scan, error) {
	var opened struct {
		Scan uint64 `key:"scan"`
	}
	if err := x.call(ctx, "scan.open", request{}.options(options), &opened); err != nil {
		return nil, err
	}
	return &Scan{newObject(opened.Scan, x.object)}, nil
}

// Next reads the next page.
func (s *Scan) Next(ctx context.Context) (*Page, error) {
	var result Page
	if err := s.call(ctx, "scan.next", nil, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Pages iterates over the index page by page. Every point that is there from the beginning to the end comes exactly
// once. An error is the last that comes. options may be nil.
func (x *Index) Pages(ctx context.Context, options *ScanOptions) iter.Seq2[*Points, error] {
	return func(yield func(*Points, error) bool) {
		scan, err := x.OpenScan(ctx, options)
		if err != nil {
			yield(nil, err)
			return
		}
		defer scan.Close()
		for {
			page, err := scan.Next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&page.Points, nil) || page.Done {
				return
			}
		}
	}
}

// Scan is Pages, point by point.
func (x *Index) Scan(ctx context.Context, options *ScanOptions) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for page, err := range x.Pages(ctx, options) {
			if err != nil {
				yield(Point{}, err)
				return
			}
			for _, point := range page.All() {
				if !yield(point, nil) {
					return
				}
			}
		}
	}
}
