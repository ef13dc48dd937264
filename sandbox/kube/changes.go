//go:build !nosandbox

package kube

import (
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
)

// mostChanges bounds how many fields of one object are named.
const mostChanges = 16

// same compares objects as clients see them. What a webhook returns was JSON in
// between, where times end at the second.
var same = func() conversion.Equalities {
	e := equality.Semantic.Copy()
	if err := e.AddFunc(func(a, b metav1.Time) bool { return a.Unix() == b.Unix() }); err != nil {
		panic(err)
	}
	return e
}()

// changes names the fields in which two objects of one type differ, never
// their values: "spec.volumes", "spec.containers[0].volumeMounts". Admission
// plugins work on the apiserver's own types, whose fields are called as in the
// API but for a few (of a Pod, hostNetwork is in spec.securityContext).
func changes(before, after any) []string {
	var d differences
	d.compare("", reflect.ValueOf(before), reflect.ValueOf(after))
	slices.Sort(d.paths)
	if len(d.paths) > mostChanges {
		d.paths = d.paths[:mostChanges]
	}
	return d.paths
}

type differences struct{ paths []string }

func (d *differences) compare(path string, a, b reflect.Value) {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		d.paths = append(d.paths, path)
		return
	}
	if same.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !a.IsNil() && !b.IsNil() {
			d.compare(path, a.Elem(), b.Elem())
			return
		}
	case reflect.Struct:
		if plain(a.Type()) {
			for i := range a.NumField() {
				f := a.Type().Field(i)
				d.compare(join(path, f), a.Field(i), b.Field(i))
			}
			return
		}
	case reflect.Slice:
		if a.Len() == b.Len() && a.Type().Elem().Kind() == reflect.Struct {
			for i := range a.Len() {
				d.compare(path+"["+strconv.Itoa(i)+"]", a.Index(i), b.Index(i))
			}
			return
		}
	case reflect.Map:
		// A custom resource is maps all the way.
		if a.Type().Elem().Kind() == reflect.Interface && a.Type().Key().Kind() == reflect.String {
			for _, key := range keys(a, b) {
				name := key.String()
				if path != "" {
					name = path + "." + name
				}
				d.compare(name, a.MapIndex(key), b.MapIndex(key))
			}
			return
		}
	}
	d.paths = append(d.paths, path)
}

// keys returns those of two maps.
func keys(a, b reflect.Value) []reflect.Value {
	all := a.MapKeys()
	for _, key := range b.MapKeys() {
		if !a.MapIndex(key).IsValid() {
			all = append(all, key)
		}
	}
	return all
}

// plain reports whether a struct is fields, not a value with secrets of its own
// such as a time or a quantity.
func plain(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); !f.IsExported() || f.Type == reflect.TypeFor[time.Time]() {
			return false
		}
	}
	return true
}

func join(path string, f reflect.StructField) string {
	name := f.Name
	switch {
	case name == "ObjectMeta":
		name = "metadata"
	case f.Anonymous || name == "Object" && f.Type.Kind() == reflect.Map:
		return path
	default:
		r, size := utf8.DecodeRuneInString(name)
		name = string(unicode.ToLower(r)) + name[size:]
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
