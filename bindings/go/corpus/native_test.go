// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"simplugin"
)

// errUnfit says that a body cannot be given to the native function of its method: it goes through Call.
var errUnfit = errors.New("the body does not fit the native function")

// A fit takes the keys of a body one by one into arguments of Go's types.
type fit struct {
	views map[uint64]*simplugin.View
	body  map[string]any
	left  map[string]bool
	unfit bool
}

func fitOf(body map[string]any, views map[uint64]*simplugin.View) *fit {
	f := &fit{views: views, body: body, left: map[string]bool{}}
	for key, value := range body {
		f.left[key] = true
		f.unfit = f.unfit || value == nil // an absent key, which only Call can give
	}
	return f
}

// has says whether a key is given that is not taken yet.
func (f *fit) has(key string) bool { return f.left[key] }

// fits says whether every key found its argument.
func (f *fit) fits() bool {
	for _, left := range f.left {
		f.unfit = f.unfit || left
	}
	return !f.unfit
}

func (f *fit) take(key string) any {
	f.unfit = f.unfit || !f.left[key]
	f.left[key] = false
	return f.body[key]
}

func taken[T any](f *fit, key string, convert func(any) (T, bool)) T {
	value, ok := convert(f.take(key))
	f.unfit = f.unfit || !ok
	return value
}

func (f *fit) text(key string) string {
	text := taken(f, key, textValue)
	return text
}

func (f *fit) ids(key string) simplugin.IDs         { return taken(f, key, texts) }
func (f *fit) number(key string) float64            { return taken(f, key, float) }
func (f *fit) vectors(key string) simplugin.Vectors { return taken(f, key, vectorsOf) }

func vectorsOf(value any) (simplugin.Vectors, bool) {
	if name, argument := notation(value); name == "$tensor" || name == "$random" {
		vectors, ok := nativeNotation(name, argument).(simplugin.Vectors)
		return vectors, ok
	}
	return matrix(value)
}

// options fills a struct of options by its tags.
func (f *fit) options(options any) {
	f.fill(reflect.ValueOf(options).Elem())
}

func (f *fit) fill(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			f.fill(v.Field(i))
			continue
		}
		key, tagged := field.Tag.Lookup("key")
		if !tagged || !f.has(key) {
			continue
		}
		if f.assign(v.Field(i), f.body[key]) {
			f.left[key] = false
		}
	}
}

// assign converts a value to the type of an option. What would be zero, and so absent, does not fit, but for false.
func (f *fit) assign(to reflect.Value, value any) bool {
	var converted any
	ok := true
	switch to.Interface().(type) {
	case string:
		converted, ok = textValue(value)
	case simplugin.Filter:
		var text string
		text, ok = textValue(value)
		converted = simplugin.Filter(text)
	case bool:
		converted, ok = boolValue(value)
		if converted == false {
			return ok
		}
	case int:
		var n int64
		n, ok = intValue(value)
		converted = int(n)
	case *bool:
		var b bool
		b, ok = boolValue(value)
		converted = &b
	case *float64:
		var n float64
		n, ok = float(value)
		converted = &n
	case simplugin.IDs:
		converted, ok = texts(value)
	case []string:
		var ids simplugin.IDs
		ids, ok = texts(value)
		converted = []string(ids)
	case simplugin.Fields:
		converted, ok = fields(value)
	case map[string]any:
		object, isObject := value.(map[string]any)
		if !isObject {
			return false
		}
		plain := map[string]any{}
		for key, part := range object {
			plain[key] = native(part)
		}
		converted = plain
	case map[string]string:
		object, isObject := value.(map[string]any)
		strings := map[string]string{}
		ok = isObject
		for key, part := range object {
			text, isText := part.(string)
			strings[key], ok = text, ok && isText
		}
		converted = strings
	case *simplugin.View:
		n, _ := intValue(value)
		converted, ok = f.views[uint64(n)]
	case *simplugin.MMR:
		object, isObject := value.(map[string]any)
		inner := fitOf(object, nil)
		mmr := new(simplugin.MMR)
		inner.options(mmr)
		converted, ok = mmr, isObject && inner.fits()
	default:
		return false
	}
	if !ok || reflect.ValueOf(converted).IsZero() {
		return false
	}
	to.Set(reflect.ValueOf(converted))
	return true
}

// selection takes ids, sample_ids, filter or all, whichever is given; nil: none is.
func (f *fit) selection() simplugin.Selection {
	switch {
	case f.has("ids"):
		return f.ids("ids")
	case f.has("sample_ids"):
		return simplugin.SampleIDs(f.ids("sample_ids"))
	case f.has("filter"):
		return simplugin.Filter(f.text("filter"))
	case f.has("all"):
		f.unfit = f.unfit || f.take("all") != true
		return simplugin.All
	}
	return nil
}

// query takes vectors, ids or text.
func (f *fit) query() simplugin.Query {
	switch {
	case f.has("vectors"):
		return f.vectors("vectors")
	case f.has("ids"):
		return f.ids("ids")
	case f.has("text"):
		return simplugin.Text(f.text("text"))
	}
	return nil
}

func (f *fit) nested(key string) simplugin.Body {
	if !f.has(key) {
		return nil
	}
	object, ok := f.take(key).(map[string]any)
	f.unfit = f.unfit || !ok
	return columns(object)
}

// call makes the call if every key fits.
func call[T any](f *fit, fn func() (T, error)) (any, error) {
	if !f.fits() {
		return nil, errUnfit
	}
	result, err := fn()
	if err != nil {
		return nil, err
	}
	return result, nil
}

// run0 is call for functions that answer nothing.
func run0(f *fit, fn func() error) (any, error) {
	return call(f, func() (struct{}, error) { return struct{}{}, fn() })
}

// opened is a reply that has a handle: what plain makes of its settings, and the object.
type opened struct {
	key    string // of the handle
	object handled
	reply  any
}

type handled interface {
	Handle() uint64
	Close() error
}

type sized struct {
	Size int `key:"size"`
}

type checked struct {
	Rows int `key:"rows"`
}

type dropped struct {
	Dropped *bool `key:"dropped"`
}

type rendered struct {
	Text string `key:"text"`
}

type listed struct {
	Runs []simplugin.Run `key:"runs"`
}

type copied struct {
	Backend        string           `key:"backend"`
	CollectionName string           `key:"collection_name"`
	Total          int              `key:"total"`
	Resumed        int              `key:"resumed"`
	Losses         []simplugin.Loss `key:"losses"`
	Index          *uint64          `key:"index"`
}

type viewed struct {
	Known *int `key:"known"`
}

type (
	onSession    func(ctx context.Context, s *simplugin.Session, f *fit) (any, error)
	onIndex      func(ctx context.Context, x *simplugin.Index, f *fit) (any, error)
	onConnection func(ctx context.Context, c *simplugin.Connection, f *fit) (any, error)
)

func mapOf(reply simplugin.Reply, err error) (map[string]any, error) {
	if err != nil {
		return nil, err
	}
	return reply.Map()
}

func openedIndex(x *simplugin.Index, err error) (opened, error) {
	if err != nil {
		return opened{}, err
	}
	return opened{"index", x, x.Settings()}, nil
}

var sessionFunctions = map[string]onSession{
	"session.open": func(ctx context.Context, _ *simplugin.Session, f *fit) (any, error) {
		var options simplugin.SessionOptions
		f.options(&options)
		return call(f, func() (opened, error) {
			s, err := simplugin.OpenSession(ctx, &options)
			return opened{key: "session", object: s}, err
		})
	},
	"config.resolve": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.ExplainOptions
		f.options(&options)
		f.unfit = f.unfit || options.Load != nil
		return call(f, func() (*simplugin.Resolved, error) {
			return s.Resolve(ctx, options.Backend, options.Parameters)
		})
	},
	"config.explain": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.ExplainOptions
		f.options(&options)
		return call(f, func() (*simplugin.Explanation, error) { return s.Explain(ctx, &options) })
	},
	"backends.list": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		return call(f, func() (*simplugin.Backends, error) { return s.Backends(ctx) })
	},
	"backends.describe": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		backend := f.text("backend")
		return call(f, func() (*simplugin.Capabilities, error) { return s.Describe(ctx, backend) })
	},
	"connection.open": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.ExplainOptions
		f.options(&options)
		f.unfit = f.unfit || options.Load != nil
		return call(f, func() (opened, error) {
			c, err := s.Connect(ctx, options.Backend, options.Parameters)
			if err != nil {
				return opened{}, err
			}
			return opened{"connection", c, map[string]any{"backend": c.Backend}}, nil
		})
	},
	"index.create": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.IndexOptions
		f.options(&options)
		return call(f, func() (opened, error) { return openedIndex(s.CreateIndex(ctx, &options)) })
	},
	"index.open": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.OpenOptions
		f.options(&options)
		return call(f, func() (opened, error) { return openedIndex(s.OpenIndex(ctx, &options)) })
	},
	"runs.list": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.RunsOptions
		f.options(&options)
		return call(f, func() (listed, error) {
			runs, err := s.Runs(ctx, &options)
			return listed{runs}, err
		})
	},
	"runs.info": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.RunOptions
		key := f.text("brain_key")
		f.options(&options)
		return call(f, func() (*simplugin.Run, error) { return s.RunInfo(ctx, key, &options) })
	},
	"runs.load": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.LoadOptions
		key := f.text("brain_key")
		f.options(&options)
		return call(f, func() (opened, error) { return openedIndex(s.LoadRun(ctx, key, &options)) })
	},
	"runs.rename": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.RunOptions
		from, to := f.text("brain_key"), f.text("new_brain_key")
		f.options(&options)
		return run0(f, func() error { return s.RenameRun(ctx, from, to, &options) })
	},
	"runs.delete": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		var options simplugin.RunOptions
		key := f.text("brain_key")
		f.options(&options)
		return run0(f, func() error { return s.DeleteRun(ctx, key, &options) })
	},
	"metrics.render": func(ctx context.Context, s *simplugin.Session, f *fit) (any, error) {
		return call(f, func() (rendered, error) {
			text, err := s.Metrics(ctx)
			return rendered{text}, err
		})
	},
}

var indexFunctions = map[string]onIndex{
	"health": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		return call(f, func() (map[string]any, error) { return mapOf(x.Health(ctx)) })
	},
	"backend.call": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		method, body := f.text("method"), f.nested("body")
		return call(f, func() (map[string]any, error) { return mapOf(x.BackendCall(ctx, method, body)) })
	},
	"index.info": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		return call(f, func() (*simplugin.Info, error) { return x.Info(ctx) })
	},
	"index.add": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.AddOptions
		ids, vectors := f.ids("ids"), f.vectors("vectors")
		f.options(&options)
		return call(f, func() (*simplugin.Added, error) { return x.Add(ctx, ids, vectors, &options) })
	},
	"index.set_fields": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		ids, columns := f.ids("ids"), taken(f, "fields", fields)
		return call(f, func() (*simplugin.FieldsSet, error) { return x.SetFields(ctx, ids, columns) })
	},
	"index.remove": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.RemoveOptions
		which := f.selection()
		f.options(&options)
		return call(f, func() (*simplugin.Removed, error) { return x.Remove(ctx, which, &options) })
	},
	"index.get": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.GetOptions
		which := f.selection()
		f.options(&options)
		return call(f, func() (*simplugin.Points, error) { return x.Get(ctx, which, &options) })
	},
	"index.search": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.SearchOptions
		query := f.query()
		f.options(&options)
		return call(f, func() (*simplugin.Hits, error) { return x.Search(ctx, query, &options) })
	},
	"index.radius": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.RadiusOptions
		query, radius := f.query(), f.number("radius")
		f.options(&options)
		return call(f, func() (*simplugin.Hits, error) { return x.Radius(ctx, query, radius, &options) })
	},
	"index.neighbors": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.NeighborsOptions
		f.options(&options)
		return call(f, func() (*simplugin.Neighbors, error) { return x.Neighbors(ctx, &options) })
	},
	"index.duplicates": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.DuplicatesOptions
		f.options(&options)
		return call(f, func() (*simplugin.Duplicates, error) { return x.Duplicates(ctx, &options) })
	},
	"index.unique": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options struct {
			View *simplugin.View `key:"view"`
		}
		count := taken(f, "count", intValue)
		f.options(&options)
		return call(f, func() (*simplugin.Duplicates, error) { return x.Unique(ctx, int(count), options.View) })
	},
	"index.size": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options struct {
			Filter simplugin.Filter `key:"filter"`
		}
		f.options(&options)
		return call(f, func() (sized, error) {
			size, err := x.Size(ctx, options.Filter)
			return sized{size}, err
		})
	},
	"index.cleanup": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		return call(f, func() (dropped, error) {
			done, err := x.Cleanup(ctx)
			return dropped{&done}, err
		})
	},
	"index.check": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		return call(f, func() (checked, error) {
			rows, err := x.Check(ctx)
			return checked{rows}, err
		})
	},
	"index.compact": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		return call(f, func() (*simplugin.Compacted, error) { return x.Compact(ctx) })
	},
	"index.backup": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		path := f.text("path")
		return run0(f, func() error { return x.Backup(ctx, path) })
	},
	"view.create": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		which := f.selection()
		return call(f, func() (opened, error) {
			v, err := x.View(ctx, which)
			if err != nil {
				return opened{}, err
			}
			return opened{"view", v, viewed{&v.Known}}, nil
		})
	},
	"scan.open": func(ctx context.Context, x *simplugin.Index, f *fit) (any, error) {
		var options simplugin.ScanOptions
		f.options(&options)
		return call(f, func() (opened, error) {
			s, err := x.OpenScan(ctx, &options)
			return opened{key: "scan", object: s}, err
		})
	},
}

var connectionFunctions = map[string]onConnection{
	"health": func(ctx context.Context, c *simplugin.Connection, f *fit) (any, error) {
		return call(f, func() (map[string]any, error) { return mapOf(c.Health(ctx)) })
	},
	"backend.call": func(ctx context.Context, c *simplugin.Connection, f *fit) (any, error) {
		method, body := f.text("method"), f.nested("body")
		return call(f, func() (map[string]any, error) { return mapOf(c.BackendCall(ctx, method, body)) })
	},
}

// openCopy is apart: its source is an object.
func openCopy(ctx context.Context, s *simplugin.Session, indexes map[uint64]*simplugin.Index, f *fit) (any, error) {
	n := taken(f, "source", intValue)
	source, known := indexes[uint64(n)]
	object, isObject := f.take("target").(map[string]any)
	f.unfit = f.unfit || !known || !isObject
	var target simplugin.CopyTarget
	inner := fitOf(object, nil)
	inner.options(&target)
	f.unfit = f.unfit || !inner.fits()
	var options simplugin.CopyOptions
	f.options(&options)
	return call(f, func() (opened, error) {
		c, err := s.OpenCopy(ctx, source, &target, &options)
		if err != nil {
			return opened{}, err
		}
		reply := copied{Backend: c.Backend, CollectionName: c.CollectionName, Total: c.Total, Resumed: c.Resumed, Losses: c.Losses}
		if c.Index == nil {
			return opened{reply: reply}, nil
		}
		handle := c.Index.Handle()
		reply.Index = &handle
		return opened{"copy", c, reply}, nil
	})
}

// number of a handle in a variable.
func handleOf(value any) (uint64, bool) {
	switch v := value.(type) {
	case json.Number:
		n, err := v.Int64()
		return uint64(n), err == nil
	case int64:
		return uint64(v), true
	}
	return 0, false
}
