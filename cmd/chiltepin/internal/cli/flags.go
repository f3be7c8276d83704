package cli

import (
	"reflect"
	"strconv"
	"strings"

	"chiltepin/tools/operation"

	"github.com/spf13/pflag"
)

// addFlags declares a flag for every field of the operation that is neither
// positional, nor for other faces, nor the configuration directory, which all
// commands share. It returns the fields by flag name.
func addFlags(fs *pflag.FlagSet, t *operation.Tool) map[string]operation.Field {
	fs.SortFlags = false
	byFlag := map[string]operation.Field{}
	for f := range t.Fields() {
		if f.Positional || f.Wire || f.Name == "config_dir" {
			continue
		}
		byFlag[f.Flag] = f
		switch f.Type.Kind() {
		case reflect.Bool:
			fs.BoolP(f.Flag, f.Short, false, f.Description)
		case reflect.Slice:
			fs.StringSliceP(f.Flag, f.Short, nil, flagUsage(f))
		default:
			fs.VarP(&text{kind: valueKind(f)}, f.Flag, f.Short, flagUsage(f))
		}
	}
	return byFlag
}

// flagUsage is the description with the words allowed, or an example.
func flagUsage(f operation.Field) string {
	switch {
	case len(f.Enum) > 0:
		return f.Description + " (" + strings.Join(f.Enum, ", ") + ")"
	case f.Example != "":
		return f.Description + " (such as " + f.Example + ")"
	}
	return f.Description
}

// text is the value of a flag as it was typed; the catalogue judges it.
type text struct{ typed, kind string }

func (t *text) String() string     { return t.typed }
func (t *text) Set(s string) error { t.typed = s; return nil }
func (t *text) Type() string       { return t.kind }

func valueKind(f operation.Field) string {
	switch {
	case f.Type == reflect.TypeFor[operation.Duration]():
		return "duration"
	case f.Type.Kind() == reflect.Int:
		return "number"
	}
	return "text"
}

// flagValue is what a flag stands for in JSON. A number that is none stays a
// string, so that the catalogue says what is wrong with it.
func flagValue(field operation.Field, f *pflag.Flag) any {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	text := f.Value.String()
	switch field.Type.Kind() {
	case reflect.Bool:
		return text == "true"
	case reflect.Int:
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return text
}
