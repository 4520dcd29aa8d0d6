// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"math"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"simplugin"
)

// silent is a server that accepts and never answers.
func silent(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { connection.Close() })
		}
	}()
	return "http://" + listener.Addr().String()
}

// hanging opens connections to it: a call on either hangs as long as it may.
func hanging(t *testing.T, call func(ctx context.Context, name string, ask func(ctx context.Context) error)) {
	for name, key := range map[string]string{"milvus": "uri", "qdrant": "url"} {
		t.Run(name, func(t *testing.T) {
			session, url := newSession(t), silent(t)
			call(context.Background(), name, func(ctx context.Context) error {
				c, err := session.Connect(ctx, name, map[string]any{key: url})
				if err == nil {
					defer c.Close()
					_, err = c.Health(ctx)
				}
				return err
			})
		})
	}
}

// within fails a test whose call did not end soon after it should.
func within(t *testing.T, begin time.Time, limit time.Duration) {
	t.Helper()
	if took := time.Since(begin); took > limit {
		t.Errorf("it took %v", took)
	}
}

func TestR274CancelDuringCall(t *testing.T) {
	hanging(t, func(ctx context.Context, name string, ask func(context.Context) error) {
		why := errors.New("the user went away")
		ctx, cancel := context.WithCancelCause(ctx)
		begin := time.Now()
		time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
		err := ask(ctx)
		var e *simplugin.Error
		if !errors.Is(err, context.Canceled) || !errors.Is(err, simplugin.ErrCancelled) || !errors.Is(err, why) ||
			!errors.As(err, &e) || e.Code != simplugin.ErrCancelled || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		within(t, begin, 5*time.Second)
	})
}

func TestR274DeadlineDuringCall(t *testing.T) {
	hanging(t, func(ctx context.Context, name string, ask func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := ask(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, simplugin.ErrDeadlineExceeded) ||
			errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		within(t, begin, 5*time.Second)
	})
}

// The parent is cancelled long before the child's deadline.
func TestR274CancelBeforeDeadline(t *testing.T) {
	hanging(t, func(ctx context.Context, name string, ask func(context.Context) error) {
		parent, cancel := context.WithCancel(ctx)
		child, cancelChild := context.WithTimeout(parent, time.Hour)
		defer cancelChild()
		time.AfterFunc(100*time.Millisecond, cancel)
		if err := ask(child); !errors.Is(err, context.Canceled) || !errors.Is(err, simplugin.ErrCancelled) {
			t.Errorf("%s: %v", name, err)
		}
	})
}

func TestContextThatHasEnded(t *testing.T) {
	index := newIndex(t, nil)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := index.Size(cancelled, ""); !errors.Is(err, context.Canceled) || !errors.Is(err, simplugin.ErrCancelled) {
		t.Error(err)
	}
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := index.Size(late, ""); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, simplugin.ErrDeadlineExceeded) {
		t.Error(err)
	}
	_, err := index.Remove(cancelled, simplugin.All, nil)
	if size, _ := index.Size(context.Background(), ""); err == nil || size != 3 {
		t.Error("a call whose context had ended did something: ", err, size)
	}
}

// A deadline that lies far away, and one too far for the library's clock, are as good as none.
func TestFarDeadline(t *testing.T) {
	index := newIndex(t, nil)
	for _, far := range []time.Duration{time.Hour, 290 * 365 * 24 * time.Hour, math.MaxInt64} {
		ctx, cancel := context.WithTimeout(context.Background(), far)
		if _, err := index.Size(ctx, ""); err != nil {
			t.Error(far, err)
		}
		cancel()
	}
}

// Tokens are used again, but never one that was fired or is about to be: calls whose contexts nobody cancels succeed.
func TestTokensAreNotMixedUp(t *testing.T) {
	index := newIndex(t, nil)
	var wait sync.WaitGroup
	for range 4 {
		wait.Add(2)
		go func() {
			defer wait.Done()
			for range 1000 {
				ctx, cancel := context.WithCancel(context.Background())
				go cancel()
				if _, err := index.Size(ctx, ""); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		}()
		go func() {
			defer wait.Done()
			for range 1000 {
				ctx, cancel := context.WithCancel(context.Background())
				if _, err := index.Size(ctx, ""); err != nil {
					t.Error(err)
				}
				cancel()
			}
		}()
	}
	wait.Wait()
}

func TestNoGoroutineStays(t *testing.T) {
	index := newIndex(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	before := runtime.NumGoroutine()
	for range 1000 {
		if _, err := index.Size(ctx, ""); err != nil {
			t.Fatal(err)
		}
	}
	if after := runtime.NumGoroutine(); after > before+2 {
		t.Errorf("%d goroutines, before %d", after, before)
	}
}

func TestProgress(t *testing.T) {
	index, last := newIndex(t, nil), uint64(0)
	ctx := simplugin.WithProgress(simplugin.WithTraceID(context.Background(), "trace"), func(done, total uint64) { last = done })
	if _, err := index.Neighbors(ctx, &simplugin.NeighborsOptions{K: 1}); err != nil || last != 3 {
		t.Error(err, last)
	}
}

// What a callback panics with goes around C and ends the call.
func TestProgressPanics(t *testing.T) {
	index, why := newIndex(t, nil), errors.New("the callback's")
	func() {
		defer func() {
			if what := recover(); what != why {
				t.Error("recovered ", what)
			}
		}()
		ctx := simplugin.WithProgress(context.Background(), func(uint64, uint64) { panic(why) })
		_, err := index.Neighbors(ctx, &simplugin.NeighborsOptions{K: 1})
		t.Error("the call returned: ", err)
	}()
	if size, err := index.Size(context.Background(), ""); err != nil || size != 3 {
		t.Error("the index cannot be used any more: ", err)
	}
}
