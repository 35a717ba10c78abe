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
const codecLayout = 2

// Register compares the generated code's view of the model with GORM's, with the database's own
// naming strategy, and makes the accessors ready. Its error matches [ErrModel] where the views
// differ, and names the column, both views and the fix.
func (t *Table) Register() error {
	if t.rt == nil {
		return errors.New("cachegen: NewModels was given no Runtime: call cacheruntime.New first, and look at its error")
	}
	stmt := &gorm.Statement{DB: t.rt.db}
	if err := stmt.Parse(t.spec.New()); err != nil {
		return fmt.Errorf("cachegen: %s: GORM cannot read the model: %w", t.spec.Model, err)
	}
	t.schema = stmt.Schema
	if err := t.checkFields(); err != nil {
		return err
	}
	if err := t.ready(); err != nil {
		return err
	}
	return t.rt.relations.add(t)
}

// ready makes the accessors ready, and the writes of the table judged.
func (t *Table) ready() error {
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
	watched := t.watch()
	for _, f := range t.schema.Fields {
		if f.DBName != "" && f.Readable {
			t.read = append(t.read, f.DBName)
		}
	}
	t.unique = uniquesOf(t.schema)
	for _, ix := range t.indexes {
		ix.watch(watched)
	}
	t.judge(t.indexes, watched)
	if err := t.resolveFollows(); err != nil {
		return err
	}
	t.decide()
	t.watchStatements()
	t.release = t.rt.registry.release(t.rt, t.schema.Table)
	if t.spec.Query {
		t.rt.queried.add(t, layout)
	}
	t.rt.registry.register(t)
	t.release.anew()
	t.rt.lookUpReferences(t.schema.Table)
	return nil
}

// checkFields finds GORM's field of every column, and every column of GORM's.
func (t *Table) checkFields() error {
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
		switch parsed := t.fields[f.Path]; {
		case parsed == nil:
			errs = append(errs, t.differ(f.Path, "a column of type "+f.Type, "no column"))
		case classOf(parsed) != f.Class:
			errs = append(errs, t.differ(f.Path, f.Class.String(), classOf(parsed).String()))
		case isSoftDelete(parsed) != f.SoftDelete:
			errs = append(errs, t.differ(f.Path, softDelete(f.SoftDelete), softDelete(!f.SoftDelete)))
		case !sameType(f.Type, parsed.FieldType.String()):
			errs = append(errs, t.differ(f.Path, "of type "+f.Type, "of type "+parsed.FieldType.String()))
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
	t.keyParts = keyPartsOf(t.primary)
	if judged := slices.ContainsFunc(t.schema.Fields, judgesDeleted); judged != (t.spec.Deleted != nil) {
		errs = append(errs, t.differ("which rows are deleted", judgedBy(!judged), judgedBy(judged)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	t.carry()
	return nil
}

func (t *Table) differ(what, generated, parsed string) error {
	return fmt.Errorf("%w: %s: %s is %s in the generated code and %s to GORM: run go generate again, and check the field's gorm tag",
		ErrModel, t.spec.Model, what, generated, parsed)
}

// layout describes what a row's entry looks like.
func (t *Table) layout() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", codecLayout, t.spec.Model)
	for _, f := range t.spec.Fields {
		parsed := t.fields[f.Path]
		fmt.Fprintf(&b, "\n%s %s %s", f.Path, f.Type, parsed.DBName)
		if f.Class != Plain {
			fmt.Fprintf(&b, " %d", f.Class)
		}
		for _, i := range parsed.StructField.Index {
			if i < 0 { // inside an embedded pointer, as GORM writes it
				b.WriteByte('*')
			}
		}
	}
	return b.String()
}

// fingerprint is a short name for a layout or a definition.
func fingerprint(s string) string { return fmt.Sprintf("%08x", uint32(xxhash.Sum64String(s))) }

// watch lists the columns that naming a row's lists needs.
func (t *Table) watch() []string {
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
		if f.DBName != "" && isSoftDelete(f) {
			add(f)
		}
	}
	return columns
}

// isSoftDelete reports whether a column says that its row is soft-deleted: its type adds clauses to statements.
func isSoftDelete(f *schema.Field) bool {
	switch reflect.New(f.IndirectFieldType).Interface().(type) {
	case schema.QueryClausesInterface, schema.UpdateClausesInterface, schema.DeleteClausesInterface:
		return true
	}
	return false
}

// judgesDeleted reports whether a row is deleted just where the column is not NULL.
func judgesDeleted(f *schema.Field) bool {
	_, zero := f.TagSettings["ZEROVALUE"] // then rows that are not deleted have a value, too
	return f.DBName != "" && f.FieldType == reflect.TypeFor[gorm.DeletedAt]() && !zero
}

func softDelete(is bool) string {
	if is {
		return "a soft-delete column"
	}
	return "no soft-delete column"
}

func judgedBy(valid bool) string {
	if valid {
		return "told by a gorm.DeletedAt that is Valid"
	}
	return "told by the database alone"
}
