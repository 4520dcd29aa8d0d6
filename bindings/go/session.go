// SPDX-License-Identifier: Apache-2.0

package simplugin

import "context"

// A Session has a configuration, a data directory and a plugin path. The functions of the package that have the names of its methods
// use the default one, which follows the environment and the brain configuration file.
type Session struct{ *object }

var defaultSession = &Session{&object{}}

// Default is the default session. It cannot be closed.
func Default() *Session { return defaultSession }

// SessionOptions say what a session uses instead of what the default one does.
type SessionOptions struct {
	ConfigPath  string            `key:"config_path"` // the brain configuration file
	PluginPath  []string          `key:"plugin_path"` // absolute directories, searched before any other
	DataDir     string            `key:"data_dir"`    // absolute; instead of $SIMPLUGIN_DATA
	Environment map[string]string `key:"environment"` // instead of the process's; not nil but empty: none
}

// OpenSession opens a session of its own. options may be nil.
func OpenSession(ctx context.Context, options *SessionOptions) (*Session, error) {
	var opened struct {
		Session uint64 `key:"session"`
	}
	err := defaultSession.call(ctx, "session.open", request{}.options(options), &opened)
	if err != nil {
		return nil, err
	}
	return &Session{newObject(opened.Session, nil)}, nil
}

// Metrics are calls, errors, latency histograms and bytes by backend and method, in Prometheus' text format.
func (s *Session) Metrics(ctx context.Context) (string, error) {
	var metrics struct {
		Text string `key:"text"`
	}
	err := s.call(ctx, "metrics.render", nil, &metrics)
	return metrics.Text, err
}
