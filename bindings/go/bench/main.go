// SPDX-License-Identifier: Apache-2.0

// bench DATA.f32 WORKDIR prints what the same program in C prints: the time of a call that does nothing, of one add of
// 100,000 x 512 numbers and of a batch search, and what the add adds to the peak of the memory.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"time"
	"unsafe"

	"simplugin"
)

const (
	rows      = 100_000
	dimension = 512
	queries   = 256
	searches  = 20
	calls     = 1_000_000
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench DATA.f32 WORKDIR")
	}
	data := read(os.Args[1])
	ids := make([]string, rows)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%d", i)
	}
	ctx := context.Background()
	session := must(simplugin.OpenSession(ctx, &simplugin.SessionOptions{DataDir: os.Args[2]}))
	defer session.Close()
	index := must(session.CreateIndex(ctx, &simplugin.IndexOptions{Backend: "sklearn", Metric: "cosine"}))

	begin := time.Now()
	for range calls {
		must(index.Call(ctx, "health", nil))
	}
	fmt.Printf("null_ns %.1f\n", float64(time.Since(begin))/calls)

	before := peak()
	begin = time.Now()
	must(index.Add(ctx, ids, simplugin.Rows(data, dimension), nil))
	fmt.Printf("add_s %.4f\n", time.Since(begin).Seconds())
	grown := peak() - before

	times := make([]float64, searches)
	for i := range times {
		begin = time.Now()
		must(index.Search(ctx, simplugin.Rows(data[:queries*dimension], dimension), &simplugin.SearchOptions{K: 10}))
		times[i] = time.Since(begin).Seconds()
	}
	slices.Sort(times)
	fmt.Printf("search_s %.5f\n", (times[searches/2-1]+times[searches/2])/2)
	fmt.Printf("peak_kib %d\n", grown)
	must(index.Cleanup(ctx))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// read reads the numbers straight into their slice.
func read(path string) []float32 {
	data := make([]float32, rows*dimension)
	file := must(os.Open(path))
	defer file.Close()
	room := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*4)
	for len(room) > 0 {
		room = room[must(file.Read(room)):]
	}
	return data
}

// peak is the most memory the process ever had, in KiB.
func peak() (kib int) {
	status := must(os.ReadFile("/proc/self/status"))
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	must(fmt.Sscan(string(rest), &kib))
	return kib
}
