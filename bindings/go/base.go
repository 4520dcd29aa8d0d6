// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// The methods that all objects have of the one embedded in them, once more for each: a nil pointer to a struct has nothing
// embedded, and calling what it would have of that is a panic. Here it is an error.

func (s *Session) base() *object {
	if s == nil {
		return nil
	}
	return s.object
}

// Handle is the library's number for the session, for use in a Body.
func (s *Session) Handle() uint64 { return s.base().Handle() }

// Close ends the session and what was opened from it, after the calls that are under way. Closing it again does nothing.
// What is not closed is when it is garbage.
func (s *Session) Close() error { return s.base().Close() }

// Call calls any method of docs/protocol.md on the session. body may be nil.
func (s *Session) Call(ctx context.Context, method string, body Body) (Reply, error) {
	return s.base().Call(ctx, method, body)
}

func (s *Session) call(ctx context.Context, method string, body request, result any) error {
	return s.base().call(ctx, method, body, result)
}

func (c *Connection) base() *object {
	if c == nil {
		return nil
	}
	return c.object
}

// Handle is the library's number for the connection, for use in a Body.
func (c *Connection) Handle() uint64 { return c.base().Handle() }

// Close ends the connection and what was opened from it, after the calls that are under way. Closing it again does nothing.
// What is not closed is when it is garbage.
func (c *Connection) Close() error { return c.base().Close() }

// Call calls any method of docs/protocol.md on the connection. body may be nil.
func (c *Connection) Call(ctx context.Context, method string, body Body) (Reply, error) {
	return c.base().Call(ctx, method, body)
}

func (x *Index) base() *object {
	if x == nil {
		return nil
	}
	return x.object
}

// Handle is the library's number for the index, for use in a Body.
func (x *Index) Handle() uint64 { return x.base().Handle() }

// Close ends the index and what was opened from it, after the calls that are under way. Closing it again does nothing.
// What is not closed is when it is garbage.
func (x *Index) Close() error { return x.base().Close() }

// Call calls any method of docs/protocol.md on the index. body may be nil.
func (x *Index) Call(ctx context.Context, method string, body Body) (Reply, error) {
	return x.base().Call(ctx, method, body)
}

func (x *Index) call(ctx context.Context, method string, body request, result any) error {
	return x.base().call(ctx, method, body, result)
}

func (v *View) base() *object {
	if v == nil {
		return nil
	}
	return v.object
}

// Handle is the library's number for the view, for use in a Body.
func (v *View) Handle() uint64 { return v.base().Handle() }

// Close ends the view and what was opened from it, after the calls that are under way. Closing it again does nothing.
// What is not closed is when it is garbage.
func (v *View) Close() error { return v.base().Close() }

// Call calls any method of docs/protocol.md on the view. body may be nil.
func (v *View) Call(ctx context.Context, method string, body Body) (Reply, error) {
	return v.base().Call(ctx, method, body)
}

func (s *Scan) base() *object {
	if s == nil {
		return nil
	}
	return s.object
}

// Handle is the library's number for the scan, for use in a Body.
func (s *Scan) Handle() uint64 { return s.base().Handle() }

// Close ends the scan and what was opened from it, after the calls that are under way. Closing it again does nothing.
// What is not closed is when it is garbage.
func (s *Scan) Close() error { return s.base().Close() }

// Call calls any method of docs/protocol.md on the scan. body may be nil.
func (s *Scan) Call(ctx context.Context, method string, body Body) (Reply, error) {
	return s.base().Call(ctx, method, body)
}

func (s *Scan) call(ctx context.Context, method string, body request, result any) error {
	return s.base().call(ctx, method, body, result)
}

func (c *Copy) base() *object {
	if c == nil {
		return nil
	}
	return c.object
}

// Handle is the library's number for the copy, for use in a Body.
func (c *Copy) Handle() uint64 { return c.base().Handle() }

// Close ends the copy and what was opened from it, after the calls that are under way. Closing it again does nothing.
// What is not closed is when it is garbage.
func (c *Copy) Close() error { return c.base().Close() }

// Call calls any method of docs/protocol.md on the copy. body may be nil.
func (c *Copy) Call(ctx context.Context, method string, body Body) (Reply, error) {
	return c.base().Call(ctx, method, body)
}

func (c *Copy) call(ctx context.Context, method string, body request, result any) error {
	return c.base().call(ctx, method, body, result)
}
