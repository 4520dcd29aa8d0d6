// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"simplugin"
)

// A row is how the binding says a method of docs/protocol.md: structs with tags, and keys that are arguments, results or handles.
type row struct {
	request any
	given   string
	reply   any
	taken   string
}

var settings = simplugin.Settings{}

var methods = map[string]row{
	"session.open":      {request: simplugin.SessionOptions{}, taken: "session"},
	"session.close":     {},
	"config.resolve":    {given: "backend parameters", reply: simplugin.Resolved{}},
	"config.explain":    {request: simplugin.ExplainOptions{}, reply: simplugin.Explanation{}},
	"backends.list":     {reply: simplugin.Backends{}},
	"backends.describe": {given: "backend", reply: simplugin.Capabilities{}},
	"connection.open":   {given: "backend parameters", taken: "connection backend"},
	"connection.close":  {},
	"health":            {},
	"backend.call":      {given: "method body"},
	"index.create":      {request: simplugin.IndexOptions{}, reply: settings, taken: "index"},
	"index.open":        {request: simplugin.OpenOptions{}, reply: settings, taken: "index"},
	"index.close":       {},
	"index.info":        {reply: simplugin.Info{}},
	"index.add":         {request: simplugin.AddOptions{}, given: "ids vectors", reply: simplugin.Added{}},
	"index.set_fields":  {given: "ids fields", reply: simplugin.FieldsSet{}},
	"index.remove":      {request: simplugin.RemoveOptions{}, given: "ids sample_ids filter all", reply: simplugin.Removed{}},
	"index.get":         {request: simplugin.GetOptions{}, given: "ids sample_ids", reply: simplugin.Points{}},
	"index.search":      {request: simplugin.SearchOptions{}, given: "vectors ids text", reply: simplugin.Hits{}},
	"index.radius":      {request: simplugin.RadiusOptions{}, given: "vectors ids radius", reply: simplugin.Hits{}},
	"index.neighbors":   {request: simplugin.NeighborsOptions{}, reply: simplugin.Neighbors{}},
	"index.duplicates":  {request: simplugin.DuplicatesOptions{}, reply: simplugin.Duplicates{}},
	"index.unique":      {given: "count view", reply: simplugin.Duplicates{}},
	"index.size":        {given: "filter", taken: "size"},
	"index.cleanup":     {taken: "dropped"},
	"index.check":       {taken: "rows"},
	"index.compact":     {reply: simplugin.Compacted{}},
	"index.backup":      {given: "path"},
	"view.create":       {given: "ids sample_ids filter", taken: "view known"},
	"view.close":        {},
	"scan.open":         {request: simplugin.ScanOptions{}, taken: "scan"},
	"scan.next":         {reply: simplugin.Page{}},
	"scan.close":        {},
	"runs.list":         {request: simplugin.RunsOptions{}, taken: "runs"},
	"runs.info":         {request: simplugin.RunOptions{}, given: "brain_key", reply: simplugin.Run{}},
	"runs.load":         {request: simplugin.LoadOptions{}, given: "brain_key", reply: settings, taken: "index"},
	"runs.rename":       {request: simplugin.RunOptions{}, given: "brain_key new_brain_key"},
	"runs.delete":       {request: simplugin.RunOptions{}, given: "brain_key"},
	"copy.open":         {request: simplugin.CopyOptions{}, given: "source target", taken: "copy index backend collection_name total resumed losses"},
	"copy.next":         {reply: simplugin.CopyState{}},
	"copy.close":        {},
	"metrics.render":    {taken: "text"},
}

func keysOf(value any, more string) []string {
	keys := strings.Fields(more)
	if value != nil {
		keys = append(keys, tags(reflect.TypeOf(value))...)
	}
	return keys
}

func tags(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			keys = append(keys, tags(t.Field(i).Type)...)
		} else if key, ok := t.Field(i).Tag.Lookup("key"); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// Every key of the tables can be given and is answered, and no other.
func TestProtocolKeys(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "../../docs/protocol.md"), "<!-- table: application -->")
	table, _, _ = strings.Cut(strings.TrimSpace(table), "\n\n")
	replies := map[string]string{}
	known := map[string]bool{}
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(line, "|")
		name := strings.Trim(cells[1], " `")
		known[name] = true
		r, ok := methods[name]
		if !ok {
			t.Errorf("%s: the binding has no function for it", name)
			continue
		}
		compare(t, name+": request", strings.Fields(cells[3]), keysOf(r.request, r.given), nil)
		reply := strings.TrimSpace(cells[4])
		if as, ok := strings.CutPrefix(reply, "as `"); ok {
			if reply, ok = replies[as[:strings.Index(as, "`")]]; !ok {
				continue // as the backend's
			}
		}
		if strings.HasPrefix(reply, "as the") {
			continue
		}
		replies[name] = reply
		extra := map[string][]string{"index.info": {"existing"}, "index.unique": {"neighbor_ids", "distances"}, "scan.next": {"missing"}}[name]
		compare(t, name+": reply", strings.Fields(reply), keysOf(r.reply, r.taken), extra)
	}
	for name := range methods {
		if !known[name] {
			t.Errorf("%s is no method of docs/protocol.md", name)
		}
	}
}

// extra are keys of a struct that serves another method too.
func compare(t *testing.T, what string, want, have, extra []string) {
	for _, key := range want {
		if !slices.Contains(have, key) {
			t.Errorf("%s: %s is missing", what, key)
		}
	}
	for _, key := range have {
		if !slices.Contains(want, key) && !slices.Contains(extra, key) {
			t.Errorf("%s: %s is not a key of it", what, key)
		}
	}
}

// The keys of describe are those of Capabilities.
func TestR259Capabilities(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "../../docs/protocol.md"), "<!-- table: describe -->")
	table, _, _ = strings.Cut(strings.TrimSpace(table), "\n\n")
	var want []string
	for _, line := range strings.Split(table, "\n")[2:] {
		want = append(want, strings.TrimSpace(strings.Split(line, "|")[1]))
	}
	compare(t, "describe", append(want, "file"), keysOf(simplugin.Capabilities{}, ""), nil)
	index := newIndex(t, nil)
	c, err := index.Capabilities(ctx)
	if err != nil || c.Name != "sklearn_flat" || !c.Exact || !slices.Contains(c.Metrics, "cosine") || len(c.Parameters) == 0 {
		t.Error(c, err)
	}
}
