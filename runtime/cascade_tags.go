package cacheruntime

import (
	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm/schema"
)

// taggedReferences are the foreign keys that GORM's migrator makes of the models' relations, by their tag
// `gorm:"constraint:…"`: of a database whose catalog nobody knows how to read, no more is known.
func (rt *Runtime) taggedReferences() *references {
	k := &refMaker{dialect: sqltext.Unknown}
	table := func(s *schema.Schema) *refTable {
		name := sqltext.TableNamed(s.Table)
		return k.table(name.Schema, name.Name, true)
	}
	seen := map[*schema.Schema]bool{}
	var add func(s *schema.Schema)
	add = func(s *schema.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for _, rel := range s.Relationships.Relations {
			add(rel.JoinTable)
			if rel.Field.IgnoreMigration {
				continue
			}
			c := rel.ParseConstraint()
			if c == nil || c.Schema == nil || c.ReferenceSchema == nil {
				continue
			}
			r := reference{parent: table(c.ReferenceSchema), child: table(c.Schema), onDelete: refActionOf(c.OnDelete), onUpdate: refActionOf(c.OnUpdate)}
			if r.onDelete == refNothing && r.onUpdate == refNothing {
				continue
			}
			for i, f := range c.ForeignKeys {
				k.column(c.Schema.Table+"\x00"+c.Name, r, f.DBName, c.References[i].DBName, true)
			}
			add(rel.FieldSchema)
		}
	}
	for _, m := range rt.registry.every() {
		add(m.gormSchema())
	}
	return &k.made
}
