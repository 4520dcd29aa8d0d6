// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"simplugin"
)

var ctx = context.Background()

func TestR66VectorsOfEveryKind(t *testing.T) {
	half := func(i int) simplugin.Float16 { return []simplugin.Float16{0, 0x3c00, 0x4000, 0x4200}[i] } // 0, 1, 2, 3
	wide := []float32{1, 2, -1, 3, 0, -1}
	for name, vectors := range map[string]simplugin.Vectors{
		"float32":  simplugin.Rows([]float32{1, 2, 3, 0}, 2),
		"float64":  simplugin.Rows([]float64{1, 2, 3, 0}, 2),
		"float16":  simplugin.Rows([]simplugin.Float16{half(1), half(2), half(3), half(0)}, 2),
		"stride":   simplugin.RowsStride(wide, 2, 2, 3),
		"a column": simplugin.RowsStride(wide[:5], 2, 2, 3),
		"copied":   simplugin.CopyRows([][]float64{{1, 2}, {3, 0}}),
		"matrix":   simplugin.Matrix{Data: []float32{1, 2, 3, 0}, Dimension: 2}.Vectors(),
	} {
		index, err := newSession(t).CreateIndex(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := index.Add(ctx, []string{"a", "b"}, vectors, nil); err != nil {
			t.Fatal(name, ": ", err)
		}
		points, err := index.Get(ctx, simplugin.IDs{"b", "a"}, nil)
		if err != nil || !slices.Equal(points.Vectors.Data, []float32{3, 0, 1, 2}) || points.Vectors.Dimension != 2 {
			t.Errorf("%s: %v %v", name, points, err)
		}
	}
}

func TestVectorsThatAreNone(t *testing.T) {
	index := newIndex(t, nil)
	for name, vectors := range map[string]simplugin.Vectors{
		"half a row":       simplugin.Rows([]float32{1, 2, 3}, 2),
		"no dimension":     simplugin.Rows([]float32{1}, 0),
		"behind the end":   simplugin.RowsStride([]float32{1, 2, 3}, 2, 2, 2),
		"far behind":       simplugin.RowsStride([]float32{1, 2, 3}, 1<<62, 2, 4),
		"stride too large": simplugin.RowsStride([]float32{1, 2, 3, 4}, 2, 2, 1<<62),
		"rows overlap":     simplugin.RowsStride([]float32{1, 2, 3}, 2, 2, 1),
		"negative":         simplugin.RowsStride([]float32{1, 2, 3}, -1, 2, 2),
		"ragged":           simplugin.CopyRows([][]float32{{1, 2}, {3}}),
	} {
		var e *simplugin.Error
		_, err := index.Search(ctx, vectors, nil)
		if !errors.As(err, &e) || e.Code != simplugin.ErrInvalidArgument || e.Detail("argument") != "vectors" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One add of 51 MB allocates no more than ids and bookkeeping.
func TestVectorsAreNotCopied(t *testing.T) {
	const rows, dimension = 100_000, 128
	index, err := newSession(t).CreateIndex(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, ids := numbers(rows*dimension), make([]string, rows)
	for i := range ids {
		ids[i] = fmt.Sprint("p", i)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := index.Add(ctx, ids, simplugin.Rows(data, dimension), nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 3<<20 {
		t.Errorf("%d bytes were allocated", allocated)
	}
}

func TestNullCallAllocatesOnlyItsReply(t *testing.T) {
	index := newIndex(t, nil)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := index.Health(ctx); err != nil {
			t.Fatal(err)
		}
	}); n > 1 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

func TestR281FieldsBothWays(t *testing.T) {
	index := newIndex(t, nil)
	pointer := func(s string) *string { return &s }
	given := simplugin.Fields{
		"text":         simplugin.ColumnOf([]string{"ä", "", "c"}),
		"int":          simplugin.ColumnOf([]int64{1, -1 << 63, 1<<63 - 1}),
		"float":        simplugin.ColumnOf([]float64{0.5, -1e300, 3}),
		"bool":         simplugin.ColumnOf([]bool{true, false, true}),
		"missing":      simplugin.ColumnOfPointers([]*string{pointer("x"), nil, pointer("")}),
		"texts":        simplugin.ColumnOf([][]string{{"a", "bc"}, {}, {""}}),
		"ints":         simplugin.ColumnOf([][]int{{1}, {2, 3}, {}}),
		"floats":       simplugin.ColumnOf([][]float64{{}, {}, {1.5}}),
		"bools":        simplugin.ColumnOf([][]bool{{true, false}, {}, {true}}),
		"no list":      simplugin.ColumnOfPointers([]*[]int64{{7, 8}, nil, {}}),
		"wide as text": simplugin.ColumnOf([]int{1, 2, 3}),
	}
	if _, err := index.SetFields(ctx, []string{"a", "b", "c"}, given); err != nil {
		t.Fatal(err)
	}
	points, err := index.Get(ctx, simplugin.IDs{"c", "a", "b"}, &simplugin.GetOptions{AllFields: true, Vectors: simplugin.Ptr(false)})
	if err != nil {
		t.Fatal(err)
	}
	for name, column := range given {
		got, ok := points.Fields[name]
		if !ok || got.Type() != column.Type() || got.Len() != 3 {
			t.Errorf("%s: %v %v", name, got, ok)
			continue
		}
		for i, row := range []int{2, 0, 1} {
			if !reflect.DeepEqual(got.Value(i), column.Value(row)) || got.Missing(i) != column.Missing(row) {
				t.Errorf("%s: row %d is %v, added as %v", name, i, got.Value(i), column.Value(row))
			}
		}
	}
	if points.Vectors.Data != nil || points.At(0).Vector != nil {
		t.Error("vectors that were not asked for")
	}
	if lists, ok := simplugin.Values[[]string](points.Fields["texts"]); !ok || !reflect.DeepEqual(lists[1], []string{"a", "bc"}) {
		t.Error(lists, ok)
	}
	if ints, ok := simplugin.Values[int64](points.Fields["int"]); !ok || ints[1] != 1 {
		t.Error(ints, ok)
	}
	if _, ok := simplugin.Values[string](points.Fields["int"]); ok {
		t.Error("int64 is no string")
	}
	// What came goes as it is.
	if _, err := index.SetFields(ctx, points.IDs, points.Fields); err != nil {
		t.Error(err)
	}
}

func TestHitsByQuery(t *testing.T) {
	index := newIndex(t, nil)
	hits, err := index.Search(ctx, simplugin.Rows([]float32{1, 0, 0, 2}, 2),
		&simplugin.SearchOptions{K: 2, Fields: []string{"page"}, WithVectors: true})
	if err != nil || hits.Len() != 2 {
		t.Fatal(hits, err)
	}
	var got []string
	for query, hit := range hits.All() {
		got = append(got, fmt.Sprintln(query, hit.ID, hit.Distance, hit.Score, hit.Field("page"), hit.Vector(), hit.Field("none")))
	}
	want := []string{"0 a 0 0 1 [1 0] <nil>\n", "0 c 1 1 3 [1 1] <nil>\n", "1 b 1 1 2 [0 1] <nil>\n", "1 c 1.4142135 1.4142135 3 [1 1] <nil>\n"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for rank, hit := range hits.Query(1) {
		if rank == 0 && hit.ID != "b" {
			t.Error(hit)
		}
		break
	}
}

// The results are Go's memory: they stay when the library's is gone.
func TestResultsOutliveEverything(t *testing.T) {
	index := newIndex(t, nil)
	points, err := index.Get(ctx, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	index.Close()
	runtime.GC()
	if points.IDs[2] != "c" || points.Vectors.Row(2)[1] != 1 {
		t.Error(points)
	}
}

func TestR264Scan(t *testing.T) {
	index, err := newSession(t).CreateIndex(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%03d", i)
	}
	data := numbers(4000)
	if _, err := index.Add(ctx, ids, simplugin.Rows(data, 4), nil); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for point, err := range index.Scan(ctx, &simplugin.ScanOptions{MaxRows: 64}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[point.ID] = slices.Equal(point.Vector, data[4*slices.Index(ids, point.ID):][:4])
	}
	for _, id := range ids {
		if !seen[id] {
			t.Error(id)
		}
	}
	pages := 0
	for page, err := range index.Pages(ctx, &simplugin.ScanOptions{MaxRows: 64, Vectors: simplugin.Ptr(false)}) {
		if pages++; err != nil || page.Len() > 64 || page.Vectors.Data != nil {
			t.Fatal(page, err)
		}
	}
	if pages < 16 {
		t.Error(pages)
	}
	for range index.Scan(ctx, nil) {
		break // closes the scan
	}
	index.Close()
	failed := 0
	for _, err := range index.Scan(ctx, nil) {
		if failed++; !errors.Is(err, simplugin.ErrStaleHandle) {
			t.Error(err)
		}
	}
	if failed != 1 {
		t.Error(failed)
	}
}

func TestCallWithEverything(t *testing.T) {
	index := newIndex(t, nil)
	view, err := index.View(ctx, simplugin.Filter("page > 1"))
	if err != nil || view.Known != 2 {
		t.Fatal(view, err)
	}
	reply, err := index.Call(ctx, "index.search", simplugin.Body{"vectors": [][]float64{{1, 0}}, "k": uint8(1), "view": view})
	if err != nil {
		t.Fatal(err)
	}
	m, err := reply.Map()
	if ids := m["ids"].(simplugin.Column); err != nil || ids.Value(0) != "c" || ids.Type() != "text" {
		t.Error(m, err)
	}
	if offsets := m["offsets"].(simplugin.Tensor); !reflect.DeepEqual(offsets, simplugin.Tensor{Rows: 2, Cols: 1, Data: []int64{0, 1}}) {
		t.Error(offsets)
	}
	var mine struct {
		IDs       []string  `key:"ids"`
		Distances []float64 `key:"distances"`
		Nothing   *int      `key:"nothing"`
	}
	if err := reply.Decode(&mine); !errors.Is(err, simplugin.ErrProtocol) {
		t.Error("float32 is not float64: ", err)
	}
	var right struct {
		IDs       []string  `key:"ids"`
		Distances []float32 `key:"distances"`
		Nothing   *int      `key:"nothing"`
	}
	if err := reply.Decode(&right); err != nil || right.IDs[0] != "c" || right.Distances[0] != 1 || right.Nothing != nil {
		t.Error(right, err)
	}
	short := simplugin.Tensor{Rows: 2, Cols: 2, Data: []int64{1}}
	if _, err := index.Call(ctx, "index.size", simplugin.Body{"filter": short}); !errors.Is(err, simplugin.ErrInvalidArgument) {
		t.Error(err)
	}
	if _, err := index.Call(ctx, "index.size", simplugin.Body{"filter": make(chan int)}); !errors.Is(err, simplugin.ErrInvalidArgument) {
		t.Error("a channel was sent: ", err)
	}
	var noView *simplugin.View
	var noFilter *string
	rows := map[string][]simplugin.Vectors{"rows": {simplugin.Row([]float32{1, 0})}}
	for _, body := range []simplugin.Body{
		{"vectors": simplugin.Row([]float64{1, 0}), "view": noView, "filter": noFilter},
		{"ids": []string{"a"}, "k": simplugin.Ptr(2), "parameters": map[string]int{}},
		{"ids": simplugin.IDs{"a"}, "filter": simplugin.Filter("page > 0"), "fields": [1]string{"page"}},
	} {
		if _, err := index.Call(ctx, "index.search", body); err != nil {
			t.Error(body, err)
		}
	}
	nested := simplugin.Body{"ids": []string{"a"}, "parameters": rows}
	if _, err := index.Call(ctx, "index.search", nested); !errors.Is(err, simplugin.ErrInvalidArgument) {
		t.Error("a tensor is no parameter: ", err)
	}
}
