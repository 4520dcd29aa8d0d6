// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"simplugin"
)

const tolerance = 1e-4

// zero is a value of a struct that may as well stand for an absent key.
type zero struct{ value any }

// mismatch says why a value is not what is expected; "": it is.
func mismatch(expected, actual any, path string) string {
	wrong := func() string { return fmt.Sprintf("%s: expected %s, got %.500s", path, show(expected), show(actual)) }
	if z, ok := actual.(zero); ok {
		name, _ := notation(expected)
		if expected == nil || name == "$absent" {
			return ""
		}
		actual = z.value
	}
	if name, argument := notation(expected); name != "" {
		if result, isMatcher := matches(name, argument, actual); isMatcher {
			if !result {
				return wrong()
			}
			return ""
		}
	}
	switch e := expected.(type) {
	case nil:
		if actual != nil {
			return wrong()
		}
	case json.Number:
		if !numbersMatch(e, actual) {
			return wrong()
		}
	case map[string]any:
		object, ok := actual.(map[string]any)
		if !ok {
			return wrong()
		}
		for key, part := range e {
			if why := mismatch(part, object[key], path+"."+key); why != "" {
				return why
			}
		}
	case []any:
		array, ok := actual.([]any)
		if !ok || len(array) != len(e) {
			return wrong()
		}
		for i, part := range e {
			if why := mismatch(part, array[i], fmt.Sprintf("%s[%d]", path, i)); why != "" {
				return why
			}
		}
	default:
		if expected != actual {
			return wrong()
		}
	}
	return ""
}

func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// numbersMatch compares whole numbers exactly, and within the tolerance where one of the two is a float.
func numbersMatch(expected json.Number, actual any) bool {
	if n, ok := actual.(int64); ok && isInteger(expected) {
		return expected.String() == fmt.Sprint(n)
	}
	e, err := expected.Float64()
	a, ok := numeric(actual)
	return err == nil && ok && math.Abs(e-a) <= tolerance*max(1, math.Abs(e))
}

func numeric(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

func matches(name string, argument, actual any) (result, isMatcher bool) {
	array, isArray := actual.([]any)
	switch name {
	case "$absent":
		return actual == nil, true
	case "$any":
		return actual != nil, true
	case "$set":
		return isArray && sameSet(argument.([]any), array), true
	case "$count":
		return isArray && int64(len(array)) == integer(argument, -1), true
	case "$contains", "$lacks":
		for _, one := range argument.([]any) {
			if contains(array, one) != (name == "$contains") {
				return false, true
			}
		}
		return isArray, true
	case "$containing":
		text, ok := actual.(string)
		return ok && strings.Contains(text, argument.(string)), true
	case "$between":
		bounds := argument.([]any)
		low, _ := numeric(bounds[0])
		high, _ := numeric(bounds[1])
		value, ok := numeric(actual)
		return ok && value >= low && value <= high, true
	case "$not":
		return actual != nil && mismatch(argument, actual, "") != "", true
	}
	return false, false
}

func contains(array []any, value any) bool {
	for _, one := range array {
		if mismatch(value, one, "") == "" {
			return true
		}
	}
	return false
}

func sameSet(expected, actual []any) bool {
	if len(expected) != len(actual) {
		return false
	}
	left := append([]any(nil), actual...)
	for _, one := range expected {
		found := false
		for i, other := range left {
			if found = mismatch(one, other, "") == ""; found {
				left = append(left[:i], left[i+1:]...)
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// hitsMismatch compares one list of ids or [id, distance] for each query.
func hitsMismatch(expected []any, reply map[string]any) string {
	offsets, _ := reply["offsets"].([]any)
	ids, _ := reply["ids"].([]any)
	distances, _ := reply["distances"].([]any)
	if len(offsets) != len(expected)+1 {
		return fmt.Sprintf("hits: %d offsets for %d queries", len(offsets), len(expected))
	}
	for q, one := range expected {
		list := one.([]any)
		begin, end := int(offsets[q].(int64)), int(offsets[q+1].(int64))
		if end-begin != len(list) {
			return fmt.Sprintf("hits of query %d: expected %s, got %s", q, show(list), show(ids[begin:end]))
		}
		for i, hit := range list {
			id := hit
			if pair, ok := hit.([]any); ok {
				id = pair[0]
				if why := mismatch(pair[1], distances[begin+i], "hits.distances"); why != "" {
					return why
				}
			}
			if id != ids[begin+i] {
				return fmt.Sprintf("hits of query %d: expected %s, got %s", q, show(list), show(ids[begin:end]))
			}
		}
	}
	return ""
}

// ---- what the binding answers, as plain values ----

func plainFloat(f float64) any {
	switch {
	case math.IsNaN(f):
		return map[string]any{"$float": "nan"}
	case math.IsInf(f, 0):
		return map[string]any{"$float": map[bool]string{true: "inf", false: "-inf"}[f > 0]}
	}
	return f
}

// plain turns values of replies into nil, bool, int64, float64, string, []any and map[string]any.
func plain(value any, key string) any {
	switch v := value.(type) {
	case simplugin.Tensor:
		return plainTensor(v, key)
	case simplugin.Matrix:
		if v.Data == nil {
			return nil
		}
		return plainTensor(simplugin.Tensor{Rows: v.Len(), Cols: v.Dimension, Data: v.Data}, "vectors")
	case simplugin.Column:
		rows := make([]any, v.Len())
		for i, value := range v.All() {
			rows[i] = plain(value, "")
		}
		return rows
	case float64:
		return plainFloat(v)
	case []byte:
		return fmt.Sprintf("<%d bytes>", len(v))
	case nil, string, bool, int64:
		return v
	}
	r := reflect.ValueOf(value)
	switch r.Kind() {
	case reflect.Slice:
		if r.IsNil() {
			return nil
		}
		array := make([]any, r.Len())
		for i := range array {
			array[i] = plain(r.Index(i).Interface(), "")
		}
		return array
	case reflect.Map:
		if r.IsNil() {
			return nil
		}
		object := map[string]any{}
		for entries := r.MapRange(); entries.Next(); {
			name := entries.Key().String()
			if part := plain(entries.Value().Interface(), name); part != nil {
				object[name] = part
			}
		}
		return object
	case reflect.Pointer:
		if r.IsNil() {
			return nil
		}
		return plain(r.Elem().Interface(), key)
	case reflect.Struct:
		object := map[string]any{}
		plainStruct(object, r)
		return object
	case reflect.Float32:
		return plainFloat(r.Float())
	}
	if r.CanInt() {
		return r.Int()
	}
	if r.CanUint() {
		return int64(r.Uint())
	}
	panic(fmt.Sprintf("no value of a reply: %T", value))
}

// plainStruct takes the keys from the tags. What is zero and no pointer may stand for an absent key.
func plainStruct(object map[string]any, r reflect.Value) {
	for i := range r.NumField() {
		field := r.Type().Field(i)
		key, tagged := field.Tag.Lookup("key")
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			plainStruct(object, r.Field(i))
			continue
		}
		if !tagged {
			continue
		}
		part := plain(r.Field(i).Interface(), key)
		switch r.Field(i).Kind() {
		case reflect.Int, reflect.Int64, reflect.String, reflect.Bool, reflect.Struct:
			if r.Field(i).IsZero() {
				part = zero{part}
			}
		}
		if part != nil {
			object[key] = part
		}
	}
}

func plainTensor(t simplugin.Tensor, key string) any {
	data := reflect.ValueOf(t.Data)
	rows := make([]any, t.Rows)
	for r := range rows {
		row := make([]any, t.Cols)
		for c := range row {
			row[c] = plain(data.Index(r*t.Cols+c).Interface(), "")
		}
		rows[r] = row
		if t.Cols == 1 && key != "vectors" {
			rows[r] = row[0]
		}
	}
	return rows
}
