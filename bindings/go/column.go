// SPDX-License-Identifier: Apache-2.0

package simplugin

import "iter"

// Fields are columns by the names of fields, each with a value or none for every row.
type Fields map[string]Column

// Value is what a field holds.
type Value interface {
	string | bool | int | int64 | float64 | []string | []bool | []int | []int64 | []float64
}

// Column is one field of many points.
type Column struct {
	kind     string  // of an element: text, int64, float64 or bool
	elements any     // []string, []int64, []float64 or []bool
	lists    []int64 // where the list of each row begins, and the end; nil: an element is a row
	rows     int
	valid    Bits // a bit for each row; nil: all have a value
}

// ColumnOf is a column with a value in every row. Numbers and bools that are no lists are not copied.
func ColumnOf[T Value](values []T) Column {
	switch v := any(values).(type) {
	case []string:
		return Column{kind: "text", elements: v, rows: len(v)}
	case []bool:
		return Column{kind: "bool", elements: v, rows: len(v)}
	case []int64:
		return Column{kind: "int64", elements: v, rows: len(v)}
	case []float64:
		return Column{kind: "float64", elements: v, rows: len(v)}
	case []int:
		return Column{kind: "int64", elements: widen(v), rows: len(v)}
	case [][]string:
		return listsOf("text", v)
	case [][]bool:
		return listsOf("bool", v)
	case [][]int64:
		return listsOf("int64", v)
	case [][]float64:
		return listsOf("float64", v)
	case [][]int:
		c := listsOf("int64", v)
		c.elements = widen(c.elements.([]int))
		return c
	}
	panic("unreachable: every Value has a case")
}

// ColumnOfPointers is a column in which nil stands for a missing value.
func ColumnOfPointers[T Value](values []*T) Column {
	plain := make([]T, len(values))
	valid := make(Bits, (len(values)+7)/8)
	for i, v := range values {
		if v != nil {
			plain[i] = *v
			valid[i/8] |= 1 << (i % 8)
		}
	}
	c := ColumnOf(plain)
	c.valid = valid
	return c
}

func widen(values []int) []int64 {
	wide := make([]int64, len(values))
	for i, v := range values {
		wide[i] = int64(v)
	}
	return wide
}

func listsOf[T any](kind string, rows [][]T) Column {
	total := 0
	lists := make([]int64, len(rows)+1)
	for i, row := range rows {
		total += len(row)
		lists[i+1] = int64(total)
	}
	elements := make([]T, 0, total)
	for _, row := range rows {
		elements = append(elements, row...)
	}
	return Column{kind: kind, elements: elements, lists: lists, rows: len(rows)}
}

// Type is the column's type in the protocol, such as text or list<int64>.
func (c Column) Type() string {
	if c.lists != nil {
		return "list<" + c.kind + ">"
	}
	return c.kind
}

// Len is the number of rows.
func (c Column) Len() int { return c.rows }

// Missing says whether row i has no value.
func (c Column) Missing(i int) bool { return c.valid != nil && c.valid[i/8]>>(i%8)&1 == 0 }

// Value is that of row i: a string, int64, float64, bool, a slice of one of them, or nil if it is missing.
func (c Column) Value(i int) any {
	if c.Missing(i) {
		return nil
	}
	switch v := c.elements.(type) {
	case []string:
		return valueAt(c, v, i)
	case []int64:
		return valueAt(c, v, i)
	case []float64:
		return valueAt(c, v, i)
	case []bool:
		return valueAt(c, v, i)
	}
	return nil
}

func valueAt[T any](c Column, elements []T, i int) any {
	if c.lists == nil {
		return elements[i]
	}
	return elements[c.lists[i]:c.lists[i+1]:c.lists[i+1]]
}

// All is every row and its value, nil where it is missing.
func (c Column) All() iter.Seq2[int, any] {
	return func(yield func(int, any) bool) {
		for i := range c.rows {
			if !yield(i, c.Value(i)) {
				return
			}
		}
	}
}

// Values are those of a column of T, and whether it is one. The slice is not copied; what is missing is zero in it.
// T is string, int64, float64, bool or a slice of one of these.
func Values[T Value](c Column) ([]T, bool) {
	v, ok := c.all().([]T)
	return v, ok
}

// all is a slice with an entry for each row.
func (c Column) all() any {
	if c.lists == nil {
		return c.elements
	}
	switch v := c.elements.(type) {
	case []string:
		return rowsOf(c, v)
	case []int64:
		return rowsOf(c, v)
	case []float64:
		return rowsOf(c, v)
	case []bool:
		return rowsOf(c, v)
	}
	return nil
}

func rowsOf[T any](c Column, elements []T) [][]T {
	rows := make([][]T, c.rows)
	for i := range rows {
		rows[i] = elements[c.lists[i]:c.lists[i+1]:c.lists[i+1]]
	}
	return rows
}
