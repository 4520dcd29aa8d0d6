// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"simplugin"
)

func TestR277CloseTwice(t *testing.T) {
	index := newIndex(t, nil)
	view, err := index.View(context.Background(), simplugin.IDs{"a"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := index.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := view.Close(); err != nil {
		t.Error("it closed with its index: ", err)
	}
	if _, err := index.Size(context.Background(), ""); !errors.Is(err, simplugin.ErrStaleHandle) {
		t.Error(err)
	}
}

func TestCloseSessionFirst(t *testing.T) {
	session := newSession(t)
	index, err := session.CreateIndex(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if _, err := index.Size(context.Background(), ""); !errors.Is(err, simplugin.ErrStaleHandle) {
		t.Error(err)
	}
	if err := index.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseBesideCalls(t *testing.T) {
	ctx := context.Background()
	for range 50 {
		index := newIndex(t, nil)
		var wait sync.WaitGroup
		for range 4 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for {
					_, err := index.Search(ctx, simplugin.Row([]float32{1, 0}), nil)
					if errors.Is(err, simplugin.ErrStaleHandle) {
						return
					} else if err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
		if err := index.Close(); err != nil {
			t.Error(err)
		}
		wait.Wait()
	}
}

// What is garbage is closed.
func TestFinalizers(t *testing.T) {
	session := newSession(t)
	ctx := context.Background()
	handle := func() uint64 {
		index, err := session.CreateIndex(ctx, &simplugin.IndexOptions{Dimension: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := index.View(ctx, simplugin.IDs{"a"}); err != nil {
			t.Fatal(err)
		}
		return index.Handle()
	}()
	for limit := time.Now().Add(10 * time.Second); ; {
		runtime.GC()
		_, err := simplugin.Call(ctx, handle, "index.size", nil)
		if errors.Is(err, simplugin.ErrStaleHandle) {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("the index is still open: ", err)
		}
		time.Sleep(time.Millisecond)
	}
}

// What a call uses is not finalized under it, though nobody has it after the call.
func TestNothingIsFinalizedDuringCalls(t *testing.T) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	defer close(done)
	ctx := context.Background()
	session := newSession(t)
	for range 100 {
		index, err := session.CreateIndex(ctx, &simplugin.IndexOptions{Dimension: 2, Metric: "euclidean"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := index.Add(ctx, []string{"a"}, simplugin.Row([]float32{1, 2}), nil); err != nil {
			t.Fatal(err)
		}
		view, err := index.View(ctx, simplugin.IDs{"a"})
		if err != nil {
			t.Fatal(err)
		}
		hits, err := index.Search(ctx, simplugin.Row([]float32{1, 0}), &simplugin.SearchOptions{View: view})
		if err != nil || len(hits.IDs) != 1 {
			t.Fatal(err)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	index := newIndex(t, nil)
	ctx := context.Background()
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range 20 {
				id := strconv.Itoa(g) + "/" + strconv.Itoa(i)
				if _, err := index.Add(ctx, []string{id}, simplugin.Row(numbers(2)), nil); err != nil {
					t.Error(err)
				}
				if points, err := index.Get(ctx, simplugin.IDs{id}, nil); err != nil || points.Len() != 1 {
					t.Error(err)
				}
				if _, err := index.Search(ctx, simplugin.IDs{id}, &simplugin.SearchOptions{K: 3}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wait.Wait()
	if size, err := index.Size(ctx, ""); err != nil || size != 163 {
		t.Error(size, err)
	}
}

// 10,000 times an index is opened, searched and closed, by Close and by the garbage collector. It is a process of its
// own with one malloc arena: several, of threads that come and go, grow by themselves for a while.
func TestLeaks(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps memory of its own; the run without it looks")
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "SIMPLUGIN_TEST_HELPER=leaks", "MALLOC_ARENA_MAX=1")
	out, err := command.CombinedOutput()
	var before, after int
	if _, scanned := fmt.Sscan(string(out), &before, &after); err != nil || scanned != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%d KiB are resident, %d before 10,000 cycles", after, before)
	if after > before+2048 {
		t.Errorf("%d KiB are resident, %d before 10,000 cycles", after, before)
	}
}

func init() { helpers["leaks"] = leaks }

func leaks() {
	index, err := simplugin.CreateIndex(ctx, &simplugin.IndexOptions{BrainKey: "leak", Dimension: 8})
	if err == nil {
		_, err = index.Add(ctx, []string{"a", "b"}, simplugin.Rows(numbers(16), 8), nil)
	}
	for i := 0; i < 11000 && err == nil; i++ {
		err = leakCycle(i%2 == 0)
		if i == 999 {
			fmt.Println(settled())
		}
	}
	if err != nil {
		panic(err)
	}
	fmt.Println(settled())
}

func leakCycle(closes bool) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	index, err := simplugin.OpenIndex(limited, &simplugin.OpenOptions{BrainKey: "leak"})
	if err != nil {
		return err
	}
	if _, err := index.Search(limited, simplugin.Row(numbers(8)), nil); err != nil {
		return err
	}
	if _, err := index.Search(limited, simplugin.IDs{"nobody"}, nil); !errors.Is(err, simplugin.ErrNotFound) {
		return fmt.Errorf("found nobody: %w", err)
	}
	if closes {
		return index.Close()
	}
	return nil
}

// settled is the memory that stays, in KiB.
func settled() (kib int) {
	for range 3 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		panic(err)
	}
	return kib
}

// Programs are started by os/exec, the one way in Go that forks: the parent's handles are not concerned.
func TestR275ProcessesAreStarted(t *testing.T) {
	index := newIndex(t, nil)
	for range 5 {
		if err := exec.Command("true").Run(); err != nil {
			t.Fatal(err)
		}
		if _, err := index.Search(context.Background(), simplugin.IDs{"a"}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A process ends while calls run and messages arise.
func init() {
	helpers["exit"] = func() {
		simplugin.SetLog(simplugin.LogDebug, func(simplugin.LogLevel, string) {})
		index, err := simplugin.CreateIndex(context.Background(), &simplugin.IndexOptions{Dimension: 2})
		if err != nil {
			panic(err)
		}
		for range 4 {
			go func() {
				for {
					_, _ = index.Get(context.Background(), simplugin.IDs{"nobody"}, &simplugin.GetOptions{WarnMissing: true})
				}
			}()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestExitDuringCalls(t *testing.T) {
	for range 5 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), "SIMPLUGIN_TEST_HELPER=exit")
		if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}
