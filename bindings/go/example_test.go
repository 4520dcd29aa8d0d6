// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"simplugin"
)

// fruits has three points; only the examples use it.
func fruits() *simplugin.Index {
	index, err := simplugin.CreateIndex(context.Background(), &simplugin.IndexOptions{Metric: "euclidean"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = index.Add(context.Background(), []string{"apple", "pear", "plum"},
		simplugin.Rows([]float32{1, 0, 0.9, 0.1, 0, 1}, 2),
		&simplugin.AddOptions{Fields: simplugin.Fields{"color": simplugin.ColumnOf([]string{"red", "green", "purple"})}})
	if err != nil {
		log.Fatal(err)
	}
	return index
}

func Example() {
	ctx := context.Background()
	index, err := simplugin.CreateIndex(ctx, &simplugin.IndexOptions{Metric: "cosine"})
	if err != nil {
		log.Fatal(err)
	}
	defer index.Cleanup(ctx)
	rows := simplugin.Rows([]float32{1, 0, 0.9, 0.1, 0, 1}, 2)
	if _, err := index.Add(ctx, []string{"apple", "pear", "plum"}, rows, nil); err != nil {
		log.Fatal(err)
	}
	hits, err := index.Search(ctx, simplugin.Row([]float32{0.9, 0.1}), &simplugin.SearchOptions{K: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range hits.Query(0) {
		fmt.Printf("%s %.3f\n", hit.ID, hit.Distance)
	}
	// Output:
	// pear 0.000
	// apple 0.006
}

// A context's deadline and cancellation end a call, also one that waits for a server.
func ExampleIndex_Search_context() {
	index := fruits()
	defer index.Cleanup(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	hits, err := index.Search(ctx, simplugin.IDs{"plum"}, &simplugin.SearchOptions{K: 1, ExcludeSelf: true})
	if errors.Is(err, context.DeadlineExceeded) {
		log.Fatal("too late")
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits.IDs)
	// Output: [pear]
}

// Errors are told apart by their codes, and say what is at fault.
func ExampleError() {
	index := fruits()
	defer index.Cleanup(context.Background())
	_, err := index.Search(context.Background(), simplugin.IDs{"cherry"}, nil)
	var e *simplugin.Error
	if errors.Is(err, simplugin.ErrNotFound) && errors.As(err, &e) {
		fmt.Println(e.Code, e.Detail("id"), e.Retryable)
	}
	// Output: NOT_FOUND cherry false
}

// The rows of an index, in constant memory.
func ExampleIndex_Scan() {
	index := fruits()
	defer index.Cleanup(context.Background())
	options := &simplugin.ScanOptions{Fields: []string{"color"}, Filter: `color != "green"`}
	for point, err := range index.Scan(context.Background(), options) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(point.ID, point.Vector, point.Field("color"))
	}
	// Unordered output:
	// apple [1 0] red
	// plum [0 1] purple
}

// Texts are embedded by a function of the program's.
func ExampleText() {
	index := fruits()
	defer index.Cleanup(context.Background())
	index.SetEmbedder(func(ctx context.Context, texts []string) (simplugin.Vectors, error) {
		rows := make([][]float32, len(texts))
		for i, text := range texts {
			rows[i] = []float32{float32(strings.Count(text, "l")), float32(strings.Count(text, "u"))}
		}
		return simplugin.CopyRows(rows), nil
	})
	hits, err := index.Search(context.Background(), simplugin.Text("guru"), &simplugin.SearchOptions{K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits.IDs)
	// Output: [plum]
}

// From one backend to another; here to another collection of the same.
func ExampleCopyIndex() {
	ctx := context.Background()
	source := fruits()
	defer source.Cleanup(ctx)
	target, state, err := simplugin.CopyIndex(ctx, source,
		&simplugin.CopyTarget{IndexOptions: simplugin.IndexOptions{Backend: "sklearn", CollectionName: "copied_fruits"}},
		&simplugin.CopyOptions{Verify: "all", Progress: func(s simplugin.CopyState) error {
			fmt.Println(s.Phase, s.Copied, "of", s.Total)
			return nil
		}})
	if err != nil {
		log.Fatal(err)
	}
	defer target.Cleanup(ctx)
	fmt.Println(state.Differences, "differences")
	// Output:
	// done 3 of 3
	// 0 differences
}

// Any method of docs/protocol.md, and of the backends.
func ExampleCall() {
	ctx := context.Background()
	index := fruits()
	defer index.Cleanup(ctx)
	reply, err := simplugin.Call(ctx, index.Handle(), "index.size", simplugin.Body{"filter": `color in ["red", "green"]`})
	if err != nil {
		log.Fatal(err)
	}
	var size struct {
		Size int `key:"size"`
	}
	if err := reply.Decode(&size); err != nil {
		log.Fatal(err)
	}
	fmt.Println(size.Size)
	// Output: 2
}
