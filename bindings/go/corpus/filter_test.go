// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"encoding/json"
	"fmt"
)

// filterCases makes a case of a truth table of the filter language: a search that accepts every row and a size for each
// filter, or the error of both.
func filterCases(name string, table map[string]any) testCase {
	rows, _ := table["rows"].([]any)
	types, _ := table["types"].(map[string]any)
	needs, _ := table["needs"].(map[string]any)
	ids, vectors := []any{}, []any{}
	for i, row := range rows {
		ids = append(ids, row.(map[string]any)["id"])
		vectors = append(vectors, []any{number(int64(i))})
	}
	columns := map[string]any{}
	for field, kind := range types {
		values := []any{}
		for _, row := range rows {
			fields, _ := row.(map[string]any)["fields"].(map[string]any)
			values = append(values, filterValue(fields[field]))
		}
		columns[field] = map[string]any{"$column": map[string]any{"type": kind, "values": values}}
	}
	steps := []step{{Call: "index.create", Body: map[string]any{"dimension": number(1), "metric": "euclidean"},
		Bind: map[string]string{"index": "ix"}}}
	if len(ids) > 0 {
		steps = append(steps, step{Call: "index.add", Target: "$ix",
			Body: map[string]any{"ids": ids, "vectors": vectors, "fields": columns}})
	}
	for _, one := range table["cases"].([]any) {
		steps = append(steps, filterSteps(one.(map[string]any))...)
	}
	return testCase{Name: "filters of " + name, Requirement: []string{"R266", "R211", "R213"}, Needs: needs, Steps: steps}
}

func filterSteps(one map[string]any) []step {
	query := []any{[]any{number(0)}}
	if ids, ok := one["ids"].([]any); ok {
		return []step{
			{Call: "index.search", Target: "$ix", Body: map[string]any{"vectors": query, "k": number(100), "filter": one["filter"]},
				Expect: map[string]any{"ids": map[string]any{"$set": ids}}},
			{Call: "index.size", Target: "$ix", Body: map[string]any{"filter": one["filter"]},
				Expect: map[string]any{"size": number(int64(len(ids)))}},
		}
	}
	failure := one["error"].(map[string]any)
	return []step{{Call: "index.search", Target: "$ix", Body: map[string]any{"vectors": query, "filter": one["filter"]},
		Error: map[string]any{"code": failure["code"], "details": map[string]any{"argument": "filter"},
			"message_contains": []any{fmt.Sprintf("column %v", failure["column"])}}}}
}

// filterValue: {"int64": TEXT} and {"float64": TEXT} stand for numbers that JSON cannot be trusted with.
func filterValue(value any) any {
	switch v := value.(type) {
	case []any:
		list := make([]any, len(v))
		for i, part := range v {
			list[i] = filterValue(part)
		}
		return list
	case map[string]any:
		if text, ok := v["int64"].(string); ok {
			return json.Number(text)
		}
		switch v["float64"] {
		case "NaN":
			return map[string]any{"$float": "nan"}
		case "Infinity":
			return map[string]any{"$float": "inf"}
		case "-Infinity":
			return map[string]any{"$float": "-inf"}
		}
		return json.Number(v["float64"].(string))
	}
	return value
}
