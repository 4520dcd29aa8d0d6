// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"fmt"
	"reflect"
)

// Options and results are structs whose fields carry the protocol's key as a tag. An option
// that is zero is absent from the request: the library has the defaults.

// options appends what is set in a struct of options, which may be a nil pointer.
func (r request) options(options any) request {
	v := reflect.ValueOf(options)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return r
		}
		v = v.Elem()
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, tagged := f.Tag.Lookup("key")
		switch {
		case f.Anonymous:
			r = r.options(v.Field(i).Interface())
		case tagged && !v.Field(i).IsZero():
			r = r.with(key, optionValue(v.Field(i)))
		}
	}
	return r
}

// optionValue is what encode takes: structs of options within options become requests.
func optionValue(v reflect.Value) any {
	_, isHandle := v.Interface().(handled)
	if v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct && !isHandle {
		return request{}.options(v.Interface())
	}
	return v.Interface()
}

// fill fills a struct from the keys of a reply.
func fill(v reflect.Value, reply map[string]any) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, tagged := f.Tag.Lookup("key")
		if f.Anonymous && !tagged {
			if f.Type.Kind() != reflect.Struct {
				return invalid("result", "%s embeds a %s, which is no struct", v.Type(), f.Type)
			}
			if err := fill(v.Field(i), reply); err != nil {
				return err
			}
		} else if value := reply[key]; tagged && value != nil {
			if !v.Field(i).CanSet() {
				return invalid("result", "%s of %s is not exported", f.Name, v.Type())
			}
			if err := assign(v.Field(i), value); err != nil {
				return unreadable(fmt.Errorf("%q: %w", key, err))
			}
		}
	}
	return nil
}

// assign puts what decode made of a value into a field of a result.
func assign(to reflect.Value, value any) error {
	switch v := value.(type) {
	case Tensor:
		if data, ok := v.Data.([]float32); ok && to.Type() == reflect.TypeFor[Matrix]() {
			to.Set(reflect.ValueOf(Matrix{Data: data, Dimension: v.Cols}))
			return nil
		}
		if to.Kind() == reflect.Slice {
			value = v.Data
		}
	case Column:
		if to.Kind() == reflect.Slice {
			value = v.all()
		}
	}
	from := reflect.ValueOf(value)
	switch {
	case from.Type().AssignableTo(to.Type()):
		to.Set(from)
		return nil
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return assign(to.Elem(), value)
	case to.Kind() == reflect.Int, to.Kind() == reflect.Int64, to.Kind() == reflect.Uint64:
		if from.CanInt() && (to.CanInt() || from.Int() >= 0) {
			to.Set(from.Convert(to.Type()))
			return nil
		}
	case to.Kind() == reflect.Float64:
		if from.CanInt() {
			to.SetFloat(float64(from.Int()))
			return nil
		}
	case to.Kind() == reflect.Struct:
		if m, ok := value.(map[string]any); ok {
			return fill(to, m)
		}
	case to.Kind() == reflect.Slice:
		if array, ok := value.([]any); ok {
			return assignArray(to, array)
		}
	case to.Kind() == reflect.Map && to.Type().Key().Kind() == reflect.String:
		if m, ok := value.(map[string]any); ok {
			return assignMap(to, m)
		}
	}
	return fmt.Errorf("a %T where a %s is expected", value, to.Type())
}

func assignArray(to reflect.Value, array []any) error {
	to.Set(reflect.MakeSlice(to.Type(), len(array), len(array)))
	for i, value := range array {
		if value == nil {
			continue
		}
		if err := assign(to.Index(i), value); err != nil {
			return err
		}
	}
	return nil
}

func assignMap(to reflect.Value, m map[string]any) error {
	to.Set(reflect.MakeMapWithSize(to.Type(), len(m)))
	for key, value := range m {
		element := reflect.New(to.Type().Elem()).Elem()
		if value != nil {
			if err := assign(element, value); err != nil {
				return err
			}
		}
		to.SetMapIndex(reflect.ValueOf(key).Convert(to.Type().Key()), element)
	}
	return nil
}

// Ptr returns a pointer to value, for options whose zero value means something.
func Ptr[T any](value T) *T { return &value }
