// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// A Connection is one backend without an index.
type Connection struct {
	*object
	Backend string
}

// Connect opens a connection to a backend ("": the configured one) with parameters beside those that are configured. parameters may be nil.
func (s *Session) Connect(ctx context.Context, backend string, parameters map[string]any) (*Connection, error) {
	var opened struct {
		Connection uint64 `key:"connection"`
		Backend    string `key:"backend"`
	}
	body := request{}.options(backendOptions{backend, parameters})
	if err := s.call(ctx, "connection.open", body, &opened); err != nil {
		return nil, err
	}
	return &Connection{newObject(opened.Connection, s.object), opened.Backend}, nil
}

// Health asks the backend whether it is well; the reply has its version.
func (c *Connection) Health(ctx context.Context) (Reply, error) {
	return c.Call(ctx, "health", nil)
}

// BackendCall calls a method of the backend protocol, native.* included. body may be nil.
func (c *Connection) BackendCall(ctx context.Context, method string, body Body) (Reply, error) {
	return c.Call(ctx, "backend.call", backendBody(method, body))
}

func backendBody(method string, body Body) Body {
	if body == nil {
		return Body{"method": method}
	}
	return Body{"method": method, "body": body}
}
