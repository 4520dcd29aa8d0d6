// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"simplugin"
)

func TestVersion(t *testing.T) {
	if !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(simplugin.Version()) {
		t.Error(simplugin.Version())
	}
}

// The functions of the package are the default session's methods.
func TestDefaultSession(t *testing.T) {
	index, err := simplugin.CreateIndex(ctx, &simplugin.IndexOptions{Dataset: "go", BrainKey: "one", Dimension: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Cleanup(ctx)
	of := &simplugin.RunOptions{Dataset: "go"}
	if err := simplugin.RenameRun(ctx, "one", "two", of); err != nil {
		t.Error(err)
	}
	if runs, err := simplugin.Runs(ctx, &simplugin.RunsOptions{Dataset: "go"}); err != nil || len(runs) != 1 || runs[0].BrainKey != "two" {
		t.Error(runs, err)
	}
	if run, err := simplugin.RunInfo(ctx, "two", of); err != nil || run.Config["metric"] != "cosine" || run.Version == "" {
		t.Error(run, err)
	}
	loaded, err := simplugin.LoadRun(ctx, "two", &simplugin.LoadOptions{Dataset: "go"})
	if err != nil || loaded.Settings().CollectionName != index.Settings().CollectionName {
		t.Error(err)
	}
	opened, err := simplugin.OpenIndex(ctx, &simplugin.OpenOptions{Backend: "sklearn", CollectionName: index.Settings().CollectionName})
	if err != nil || opened.Settings().Dimension != 2 {
		t.Error(err)
	}
	other := &simplugin.CopyTarget{IndexOptions: simplugin.IndexOptions{CollectionName: "other"}}
	c, err := simplugin.OpenCopy(ctx, index, other, &simplugin.CopyOptions{DryRun: true})
	if err != nil || c.Total != 0 {
		t.Error(c, err)
	}
	if err := simplugin.DeleteRun(ctx, "two", of); err != nil {
		t.Error(err)
	}
	connection, err := simplugin.Connect(ctx, "", nil)
	if err != nil || connection.Backend != "sklearn" {
		t.Error(connection, err)
	}
	if text, err := simplugin.Metrics(ctx); err != nil || !strings.Contains(text, "# TYPE") {
		t.Error(err)
	}
	if backends, err := simplugin.ListBackends(ctx); err != nil || backends.Default != "sklearn" || len(backends.Backends) == 0 {
		t.Error(backends, err)
	}
	if described, err := simplugin.Describe(ctx, "sklearn"); err != nil || !described.Exact {
		t.Error(described, err)
	}
	if resolved, err := simplugin.Resolve(ctx, "", map[string]any{"metric": "euclidean"}); err != nil || resolved.Parameters["metric"] != "euclidean" {
		t.Error(resolved, err)
	}
	why, err := simplugin.Explain(ctx, &simplugin.ExplainOptions{Load: simplugin.Ptr(true)})
	if err != nil || why.Plugin == nil || len(why.Values) == 0 || len(why.Searched) == 0 {
		t.Error(why, err)
	}
	if reply, err := index.BackendCall(ctx, "points.count", simplugin.Body{"collection": index.Settings().CollectionName}); err != nil {
		t.Error(reply, err)
	}
	if err := simplugin.Default().Close(); err != nil {
		t.Error(err)
	}
	if _, err := simplugin.Runs(ctx, nil); err != nil {
		t.Error("the default session cannot be closed: ", err)
	}
}

func TestR283Upkeep(t *testing.T) {
	index := newIndex(t, nil)
	if rows, err := index.Check(ctx); err != nil || rows != 3 {
		t.Error(rows, err)
	}
	if sizes, err := index.Compact(ctx); err != nil || sizes.BytesAfter == 0 {
		t.Error(sizes, err)
	}
	path := t.TempDir() + "/backup"
	if err := index.Backup(ctx, path); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if err := index.Backup(ctx, path); !errors.Is(err, simplugin.ErrAlreadyExists) {
		t.Error(err)
	}
	if dropped, err := index.Cleanup(ctx); err != nil || !dropped {
		t.Error(dropped, err)
	}
}
