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

// What is nil, or was not made by the package, was never opened.
func TestNilHandles(t *testing.T) {
	ctx := context.Background()
	query := simplugin.Row([]float32{1, 0})
	for _, x := range []*simplugin.Index{nil, {}} {
		for name, call := range map[string]func() error{
			"Add":          func() error { _, err := x.Add(ctx, []string{"a"}, query, nil); return err },
			"SetFields":    func() error { _, err := x.SetFields(ctx, nil, nil); return err },
			"Get":          func() error { _, err := x.Get(ctx, nil, nil); return err },
			"Remove":       func() error { _, err := x.Remove(ctx, simplugin.All, nil); return err },
			"Search":       func() error { _, err := x.Search(ctx, query, nil); return err },
			"Search text":  func() error { _, err := x.Search(ctx, simplugin.Text("a"), nil); return err },
			"Radius":       func() error { _, err := x.Radius(ctx, query, 1, nil); return err },
			"Neighbors":    func() error { _, err := x.Neighbors(ctx, nil); return err },
			"Duplicates":   func() error { _, err := x.Duplicates(ctx, nil); return err },
			"Unique":       func() error { _, err := x.Unique(ctx, 1, nil); return err },
			"Info":         func() error { _, err := x.Info(ctx); return err },
			"Size":         func() error { _, err := x.Size(ctx, ""); return err },
			"Capabilities": func() error { _, err := x.Capabilities(ctx); return err },
			"Health":       func() error { _, err := x.Health(ctx); return err },
			"BackendCall":  func() error { _, err := x.BackendCall(ctx, "health", nil); return err },
			"Cleanup":      func() error { _, err := x.Cleanup(ctx); return err },
			"Check":        func() error { _, err := x.Check(ctx); return err },
			"Compact":      func() error { _, err := x.Compact(ctx); return err },
			"Backup":       func() error { return x.Backup(ctx, "/x") },
			"View":         func() error { _, err := x.View(ctx, simplugin.IDs{"a"}); return err },
			"OpenScan":     func() error { _, err := x.OpenScan(ctx, nil); return err },
			"Scan": func() error {
				for _, err := range x.Scan(ctx, nil) {
					return err
				}
				return nil
			},
			"Call":  func() error { _, err := x.Call(ctx, "index.size", nil); return err },
			"Close": func() error { return x.Close() },
		} {
			if err := call(); !errors.Is(err, simplugin.ErrStaleHandle) || !strings.Contains(err.Error(), "nil") {
				t.Errorf("%s: %v", name, err)
			}
		}
		x.SetEmbedder(nil)
		if settings := x.Settings(); settings != (simplugin.Settings{}) {
			t.Error(settings)
		}
		if x.Handle() == 0 {
			t.Error("0 is the default session")
		}
	}
	var session *simplugin.Session
	var connection *simplugin.Connection
	var scan *simplugin.Scan
	var view *simplugin.View
	var copy *simplugin.Copy
	for name, call := range map[string]func() error{
		"Session.CreateIndex":    func() error { _, err := session.CreateIndex(ctx, nil); return err },
		"Session.OpenIndex":      func() error { _, err := session.OpenIndex(ctx, nil); return err },
		"Session.LoadRun":        func() error { _, err := session.LoadRun(ctx, "a", nil); return err },
		"Session.Connect":        func() error { _, err := session.Connect(ctx, "", nil); return err },
		"Session.Runs":           func() error { _, err := session.Runs(ctx, nil); return err },
		"Session.Metrics":        func() error { _, err := session.Metrics(ctx); return err },
		"Session.Copy":           func() error { _, _, err := session.Copy(ctx, nil, nil, nil); return err },
		"Session.Close":          func() error { return session.Close() },
		"Connection.Health":      func() error { _, err := connection.Health(ctx); return err },
		"Connection.BackendCall": func() error { _, err := connection.BackendCall(ctx, "health", nil); return err },
		"Connection.Close":       func() error { return connection.Close() },
		"Scan.Next":              func() error { _, err := scan.Next(ctx); return err },
		"Scan.Close":             func() error { return scan.Close() },
		"View.Call":              func() error { _, err := view.Call(ctx, "view.close", nil); return err },
		"View.Close":             func() error { return view.Close() },
		"Copy.Next":              func() error { _, err := copy.Next(ctx); return err },
		"Copy.Close":             func() error { return copy.Close() },
	} {
		if err := call(); !errors.Is(err, simplugin.ErrStaleHandle) || !strings.Contains(err.Error(), "nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// what takes one leaves the answer to the library
	if _, err := simplugin.OpenCopy(ctx, nil, nil, nil); !errors.Is(err, simplugin.ErrInvalidArgument) {
		t.Error(err)
	}
}
