package cacheruntime

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// codecLayout is part of every fingerprint: another number leaves all entries behind when the codec's
// bytes change.
const codecLayout = 1

// Register compares the generated code's view of the model with GORM's, with the database's own
// naming strategy, and makes the accessors ready. Its error matches [ErrModel] where the views
// differ, and names the column, both views and the fix.
func (t *Table[T, K]) Register() error {
	if t.rt == nil {
		return errors.New("cachegen: NewModels was given no Runtime: call cacheruntime.New first, and look at its error")
	}
	stmt := &gorm.Statement{DB: t.rt.db}
	if err := stmt.Parse(new(T)); err != nil {
		return fmt.Errorf("cachegen: %s: GORM cannot read the model: %w", t.spec.Model, err)
	}
	t.schema = stmt.Schema
	if err := t.checkFields(); err != nil {
		return err
	}
	t.names = newTableNames(t.rt.opts, t.schema.Table)
	layout := t.layout()
	t.keys = t.names.rows(fingerprint(layout))
	var errs []error
	for _, ix := range t.indexes {
		errs = append(errs, ix.resolve(layout))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	t.watched = t.watch()
	t.made = slices.ContainsFunc(t.watched, func(column string) bool { return madeByDatabase(t.schema.FieldsByDBName[column]) })
	for _, ix := range t.indexes {
		ix.watch(t.watched)
	}
	t.decide()
	t.watchStatements()
	t.rt.registry.register(t)
	return nil
}

// checkFields finds GORM's field of every column, and every column of GORM's.
func (t *Table[T, K]) checkFields() error {
	t.fields = map[string]*schema.Field{}
	for _, f := range t.schema.Fields {
		if f.DBName != "" {
			t.fields[strings.Join(f.BindNames, ".")] = f
		}
	}
	var errs []error
	known := map[string]bool{}
	var generated []string
	for _, f := range t.spec.Fields {
		known[f.Path] = true
		if t.fields[f.Path] == nil {
			errs = append(errs, t.differ(f.Path, "a column of type "+f.Type, "no column"))
		}
		if f.PrimaryKey {
			generated = append(generated, f.Path)
		}
	}
	for _, f := range t.schema.Fields {
		if path := strings.Join(f.BindNames, "."); f.DBName != "" && !known[path] {
			errs = append(errs, t.differ(path, "no column", "column "+f.DBName))
		}
	}
	var parsed []string
	for _, f := range t.schema.PrimaryFields {
		parsed = append(parsed, strings.Join(f.BindNames, "."))
	}
	if !slices.Equal(generated, parsed) {
		errs = append(errs, t.differ("the primary key", strings.Join(generated, ", "), strings.Join(parsed, ", ")))
	}
	t.primary = t.schema.PrimaryFields
	return errors.Join(errs...)
}

func (t *Table[T, K]) differ(what, generated, parsed string) error {
	return fmt.Errorf("%w: %s: %s is %s in the generated code and %s to GORM: run go generate, and check the field's gorm tag",
		ErrModel, t.spec.Model, what, generated, parsed)
}

// layout describes what a row's entry looks like.
func (t *Table[T, K]) layout() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", codecLayout, t.spec.Model)
	for _, f := range t.spec.Fields {
		fmt.Fprintf(&b, "\n%s %s %s", f.Path, f.Type, t.fields[f.Path].DBName)
	}
	return b.String()
}

// fingerprint is a short name for a layout or a definition.
func fingerprint(s string) string { return fmt.Sprintf("%08x", uint32(xxhash.Sum64String(s))) }

// watch lists the columns that naming a row's lists needs.
func (t *Table[T, K]) watch() []string {
	var columns []string
	add := func(f *schema.Field) {
		if f != nil && !slices.Contains(columns, f.DBName) {
			columns = append(columns, f.DBName)
		}
	}
	for _, f := range t.primary {
		add(f)
	}
	for _, ix := range t.indexes {
		for _, f := range ix.by {
			add(f)
		}
		for _, term := range ix.spec.Where {
			add(t.fields[term.Field])
		}
		for _, o := range ix.spec.Order {
			add(t.fields[o.Field])
		}
	}
	for _, f := range t.schema.Fields {
		if isSoftDelete(f) {
			add(f)
		}
	}
	return columns
}

// isSoftDelete reports whether a column says that its row is soft-deleted.
func isSoftDelete(f *schema.Field) bool { return f.FieldType == reflect.TypeFor[gorm.DeletedAt]() }
