// SPDX-License-Identifier: Apache-2.0

// The program of the README.
package main

import (
	"context"
	"fmt"
	"log"

	"simplugin"
)

func main() {
	ctx := context.Background()
	index, err := simplugin.CreateIndex(ctx, &simplugin.IndexOptions{Metric: "cosine"})
	if err != nil {
		log.Fatal(err)
	}
	defer index.Cleanup(ctx)

	ids := []string{"apple", "pear", "plum"}
	rows := simplugin.Rows([]float32{1, 0, 0.9, 0.1, 0, 1}, 2)
	colors := simplugin.ColumnOf([]string{"red", "green", "purple"})
	_, err = index.Add(ctx, ids, rows, &simplugin.AddOptions{Fields: simplugin.Fields{"color": colors}})
	if err != nil {
		log.Fatal(err)
	}

	hits, err := index.Search(ctx, simplugin.Row([]float32{0.9, 0.1}),
		&simplugin.SearchOptions{K: 2, Filter: `color != "purple"`})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range hits.Query(0) {
		fmt.Printf("%s %.3f\n", hit.ID, hit.Distance)
	}
}
