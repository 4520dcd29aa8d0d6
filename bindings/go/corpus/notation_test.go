// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"simplugin"
)

// The notations of tests/corpus/README.md. Values are as encoding/json makes them, numbers as json.Number.

// A scope is what the notations of one case refer to.
type scope struct {
	variables  map[string]any
	directory  string
	pluginPath []string
	backend    string
	unique     string
}

// notation is the name and argument of an object that stands for something else.
func notation(value any) (string, any) {
	object, ok := value.(map[string]any)
	if !ok || len(object) != 1 {
		return "", nil
	}
	for name, argument := range object {
		if strings.HasPrefix(name, "$") {
			return name, argument
		}
	}
	return "", nil
}

func integer(value any, otherwise int64) int64 {
	if number, ok := value.(json.Number); ok {
		if n, err := number.Int64(); err == nil {
			return n
		}
	}
	return otherwise
}

func number(n int64) json.Number { return json.Number(fmt.Sprint(n)) }

// isInteger says whether a number was written as one.
func isInteger(n json.Number) bool { return !strings.ContainsAny(string(n), ".eE") }

// expand resolves the notations that have a plain value. With lists, tensors become arrays too, to be compared with.
func (s *scope) expand(value any, lists bool) any {
	switch v := value.(type) {
	case []any:
		expanded := make([]any, len(v))
		for i, part := range v {
			expanded[i] = s.expand(part, lists)
		}
		return expanded
	case map[string]any:
		expanded := make(map[string]any, len(v))
		for key, part := range v {
			expanded[key] = s.expand(part, lists)
		}
		if name, argument := notation(expanded); name != "" {
			if plain, ok := s.resolve(name, argument, lists); ok {
				return plain
			}
		}
		return expanded
	}
	return value
}

func (s *scope) resolve(name string, argument any, lists bool) (any, bool) {
	text, _ := argument.(string)
	options, _ := argument.(map[string]any)
	switch name {
	case "$var":
		value, ok := s.variables[text]
		if !ok {
			panic("the case binds no variable " + text)
		}
		return value, true
	case "$ids":
		ids := make([]any, integer(options["count"], 0))
		for i := range ids {
			prefix, _ := options["prefix"].(string)
			ids[i] = fmt.Sprintf("%s%0*d", prefix, integer(options["width"], 1), integer(options["first"], 0)+int64(i))
		}
		return ids, true
	case "$repeat":
		count := int(integer(options["count"], 0))
		if text, ok := options["text"].(string); ok {
			return strings.Repeat(text, count), true
		}
		return slices.Repeat([]any{options["value"]}, count), true
	case "$join":
		all := []any{}
		for _, part := range argument.([]any) {
			all = append(all, part.([]any)...)
		}
		return all, true
	case "$path":
		return s.directory + "/" + text, true
	case "$unique":
		return text + "_" + s.unique, true
	case "$backend":
		return s.backend, true
	case "$plugin_path":
		path := make([]any, len(s.pluginPath))
		for i, directory := range s.pluginPath {
			path[i] = directory
		}
		return path, true
	case "$random":
		if lists {
			return randomLists(options), true
		}
	case "$tensor":
		if lists {
			return options["data"], true
		}
	}
	return nil, false
}

// random is element i of a seed: splitmix64.
func random(seed, i uint64) float64 {
	z := seed + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>40)/8388608 - 1
}

func randomRows(options map[string]any) (data []float64, cols int) {
	cols = int(integer(options["cols"], 1))
	first := int(integer(options["first"], 0)) * cols
	data = make([]float64, int(integer(options["rows"], 1))*cols)
	for i := range data {
		data[i] = random(uint64(integer(options["seed"], 0)), uint64(first+i))
	}
	return data, cols
}

func randomLists(options map[string]any) []any {
	data, cols := randomRows(options)
	rows := []any{}
	for row := range slices.Chunk(data, cols) {
		list := make([]any, cols)
		for i, f := range row {
			list[i] = json.Number(fmt.Sprintf("%.17e", f))
		}
		rows = append(rows, list)
	}
	return rows
}

// float is a number, or $float; false: neither.
func float(value any) (float64, bool) {
	if name, argument := notation(value); name == "$float" {
		if text, ok := argument.(string); ok {
			return map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}[text], true
		}
		value = argument
	}
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// native turns an expanded value into what a Body takes, arrays as they are written.
func native(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil && isInteger(v) {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		array := make([]any, len(v))
		for i, part := range v {
			array[i] = native(part)
		}
		return array
	case map[string]any:
		if name, argument := notation(v); name != "" {
			return nativeNotation(name, argument)
		}
		body := make(simplugin.Body, len(v))
		for key, part := range v {
			body[key] = native(part)
		}
		return body
	}
	return value
}

func nativeNotation(name string, argument any) any {
	switch name {
	case "$float":
		f, _ := float(map[string]any{name: argument})
		return f
	case "$random":
		return randomVectors(argument.(map[string]any))
	case "$tensor":
		return tensor(argument.(map[string]any))
	case "$column":
		options := argument.(map[string]any)
		column, ok := columnOf(options["type"].(string), options["values"].([]any))
		if ok {
			return column
		}
	case "$text":
		bytes, _ := hex.DecodeString(argument.(string))
		return string(bytes)
	case "$bytes":
		bytes, _ := hex.DecodeString(argument.(string))
		return bytes
	case "$nest":
		var nest any
		for range integer(argument, 0) {
			nest = []any{nest}
		}
		return nest
	}
	panic("this cannot be made here: " + name)
}

func randomVectors(options map[string]any) simplugin.Vectors {
	data, cols := randomRows(options)
	if options["dtype"] == "float64" {
		return simplugin.Rows(data, cols)
	}
	return simplugin.Rows(convert[float32](data), cols)
}

func convert[T float32 | int64 | int32 | uint64 | uint8](data []float64) []T {
	converted := make([]T, len(data))
	for i, f := range data {
		converted[i] = T(f)
	}
	return converted
}

// tensor makes Vectors of floating-point numbers and a Tensor of all else.
func tensor(options map[string]any) any {
	data, _ := options["data"].([]any)
	rows, cols := len(data), 1
	var numbers []float64
	for _, row := range data {
		list, nested := row.([]any)
		if !nested {
			list = []any{row}
		}
		cols = len(list)
		for _, value := range list {
			f, ok := float(value)
			if truth, isBool := value.(bool); isBool && truth {
				f = 1
			} else if !ok && !isBool {
				panic(fmt.Sprintf("no number of a tensor: %v", value))
			}
			numbers = append(numbers, f)
		}
	}
	stride := int(integer(options["row_stride"], 0))
	dtype, _ := options["dtype"].(string)
	switch dtype {
	case "float64":
		return strided(numbers, rows, cols, stride/8)
	case "float16":
		halves := make([]simplugin.Float16, len(numbers))
		for i, f := range numbers {
			halves[i] = half(f)
		}
		return strided(halves, rows, cols, stride/2)
	case "int64":
		return simplugin.Tensor{Rows: rows, Cols: cols, Data: convert[int64](numbers)}
	case "int32":
		return simplugin.Tensor{Rows: rows, Cols: cols, Data: convert[int32](numbers)}
	case "uint64":
		return simplugin.Tensor{Rows: rows, Cols: cols, Data: convert[uint64](numbers)}
	case "uint8":
		return simplugin.Tensor{Rows: rows, Cols: cols, Data: convert[uint8](numbers)}
	case "bits": // claims how many of the bits there are
		claim, _ := options["claim"].(map[string]any)
		return simplugin.Tensor{Rows: int(integer(claim["rows"], int64(rows))), Cols: int(integer(claim["cols"], int64(cols))),
			Data: simplugin.Bits(convert[uint8](numbers))}
	}
	return strided(convert[float32](numbers), rows, cols, stride/4)
}

// strided moves rows apart, as the case says they lie.
func strided[T simplugin.Float](data []T, rows, cols, stride int) simplugin.Vectors {
	if stride <= cols {
		return simplugin.RowsStride(data, rows, cols, cols)
	}
	apart := make([]T, rows*stride)
	for i := range rows {
		copy(apart[i*stride:], data[i*cols:(i+1)*cols])
	}
	return simplugin.RowsStride(apart, rows, cols, stride)
}

// half is enough of binary16 for the numbers that cases write.
func half(f float64) simplugin.Float16 {
	var sign simplugin.Float16
	if math.Signbit(f) {
		sign, f = 0x8000, -f
	}
	switch {
	case math.IsNaN(f):
		return 0x7e00
	case f >= 65520:
		return sign | 0x7c00
	case f < math.Ldexp(1, -14):
		return sign | simplugin.Float16(math.Ldexp(f, 24))
	}
	fraction, exponent := math.Frexp(f)
	return sign | simplugin.Float16(exponent+14)<<10 | simplugin.Float16(math.Ldexp(fraction, 11))&0x3ff
}

// matrix is an array of rows of numbers of one length, as float32.
func matrix(value any) (simplugin.Vectors, bool) {
	array, ok := value.([]any)
	if !ok {
		return simplugin.Vectors{}, false
	}
	rows := make([][]float32, len(array))
	for i, part := range array {
		list, ok := part.([]any)
		if !ok || len(list) == 0 || i > 0 && len(list) != len(rows[0]) {
			return simplugin.Vectors{}, false
		}
		for _, element := range list {
			f, ok := float(element)
			if !ok {
				return simplugin.Vectors{}, false
			}
			rows[i] = append(rows[i], float32(f))
		}
	}
	return simplugin.CopyRows(rows), true
}

// texts are the strings of an array that holds nothing else.
func texts(value any) (simplugin.IDs, bool) {
	array, ok := value.([]any)
	ids := make(simplugin.IDs, len(array))
	for i, part := range array {
		text, isText := part.(string)
		ids[i], ok = text, ok && isText
	}
	return ids, ok
}

// kindOf is the type of a column of these values; "": they do not make one.
func kindOf(values []any) string {
	kind, lists, scalars := "", false, false
	join := func(value any) bool {
		one := ""
		switch v := value.(type) {
		case string:
			one = "text"
		case bool:
			one = "bool"
		case json.Number:
			one = "float64"
			if isInteger(v) {
				one = "int64"
			}
		}
		if kind == "" || kind == "int64" && one == "float64" {
			kind = one
		}
		return one != "" && (one == kind || kind == "float64" && one == "int64")
	}
	for _, value := range values {
		list, isList := value.([]any)
		switch {
		case value == nil:
			continue
		case isList:
			lists = true
		default:
			scalars, list = true, []any{value}
		}
		for _, element := range list {
			if !join(element) {
				return ""
			}
		}
	}
	if lists && scalars {
		return ""
	}
	if lists && kind != "" {
		return "list<" + kind + ">"
	}
	return kind
}

// columnOf makes a column; false: a value is not of the type.
func columnOf(kind string, values []any) (simplugin.Column, bool) {
	switch kind {
	case "text":
		return columnBy(values, textValue)
	case "int64":
		return columnBy(values, intValue)
	case "float64":
		return columnBy(values, float)
	case "bool":
		return columnBy(values, boolValue)
	case "list<text>":
		return columnBy(values, listBy(textValue))
	case "list<int64>":
		return columnBy(values, listBy(intValue))
	case "list<float64>":
		return columnBy(values, listBy(float))
	case "list<bool>":
		return columnBy(values, listBy(boolValue))
	}
	return simplugin.Column{}, false
}

func textValue(value any) (string, bool) { v, ok := value.(string); return v, ok }
func boolValue(value any) (bool, bool)   { v, ok := value.(bool); return v, ok }
func intValue(value any) (int64, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

func listBy[T any](element func(any) (T, bool)) func(any) ([]T, bool) {
	return func(value any) ([]T, bool) {
		array, ok := value.([]any)
		list := make([]T, len(array))
		for i, part := range array {
			v, fits := element(part)
			list[i], ok = v, ok && fits
		}
		return list, ok
	}
}

func columnBy[T simplugin.Value](values []any, convert func(any) (T, bool)) (simplugin.Column, bool) {
	pointers, plain, missing := make([]*T, len(values)), make([]T, len(values)), false
	for i, value := range values {
		if value == nil {
			missing = true
			continue
		}
		v, ok := convert(value)
		if !ok {
			return simplugin.Column{}, false
		}
		pointers[i], plain[i] = &v, v
	}
	if missing {
		return simplugin.ColumnOfPointers(pointers), true
	}
	return simplugin.ColumnOf(plain), true
}

// fields are columns from arrays; false: one does not make a column.
func fields(value any) (simplugin.Fields, bool) {
	object, ok := value.(map[string]any)
	if name, _ := notation(value); !ok || name != "" {
		return nil, false
	}
	columns := simplugin.Fields{}
	for name, part := range object {
		var column simplugin.Column
		if notationName, _ := notation(part); notationName == "$column" {
			column, ok = native(part).(simplugin.Column)
		} else if array, isArray := part.([]any); isArray {
			kind := kindOf(array)
			if kind == "" && !slices.ContainsFunc(array, func(v any) bool { return v != nil }) {
				kind = "text" // without a value it may have any type
			}
			column, ok = columnOf(kind, array)
		} else {
			ok = false
		}
		if !ok {
			return nil, false
		}
		columns[name] = column
	}
	return columns, true
}

// columns is native, with arrays under the keys that take them as tensors and columns.
func columns(body map[string]any) simplugin.Body {
	converted := simplugin.Body{}
	for key, value := range body {
		converted[key] = native(value)
		switch key {
		case "vectors":
			if vectors, ok := matrix(value); ok && vectors.Len() > 0 {
				converted[key] = vectors
			}
		case "ids", "sample_ids":
			if ids, ok := texts(value); ok && len(ids) > 0 {
				converted[key] = ids
			}
		case "fields":
			if object, ok := value.(map[string]any); ok {
				made := maps.Clone(native(object).(simplugin.Body))
				for name, part := range object {
					if array, ok := part.([]any); ok {
						if column, ok := columnOf(kindOf(array), array); ok {
							made[name] = column
						}
					}
				}
				converted[key] = made
			}
		}
	}
	return converted
}
