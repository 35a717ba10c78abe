package histories_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generated_test/histories"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// generate makes random operations, each when it is due.
func (p *process) generate(goroutine int, stop <-chan struct{}) {
	r := rand.New(rand.NewPCG(uint64(p.plan.Seed), uint64(p.plan.Number)<<32|uint64(goroutine)))
	due, pace, writes := clock(), int64(p.plan.Pace), goroutine >= p.plan.Readers
	if writes {
		pace = int64(p.plan.WritePace)
	}
	for {
		// A process that was stopped does not make up for what it has missed.
		due = max(due+pace/2+r.Int64N(pace+1), clock())
		waitUntil(due, stop)
		select {
		case <-stop:
			return
		default:
		}
		op := p.random(r, writes)
		p.do(&op)
	}
}

// random returns an operation on the rows of the present epoch.
func (p *process) random(r *rand.Rand, writes bool) record {
	epoch := max(clock()-p.plan.Base, 0) / int64(p.plan.Epoch)
	id := func() uint64 { return uint64(epoch)*rowsApart + 1 + uint64(r.IntN(p.plan.Rows)) }
	op := record{ID: id(), Shelf: epoch*shelvesApart + 1 + r.Int64N(int64(p.plan.Shelves)), Fresh: r.IntN(2) == 0}
	ids := func(most int) []uint64 {
		ids := make([]uint64, 2+r.IntN(most-1))
		for i := range ids {
			ids[i] = id()
		}
		slices.Sort(ids) // so that transactions lock them in one order
		return slices.Compact(ids)
	}
	op.Code = codeOf(op.ID, r.IntN(2))
	n := r.IntN(750)
	if writes {
		n = 700 + r.IntN(300)
	}
	switch {
	case n < 350:
		op.Kind = get
	case n < 450:
		op.Kind, op.IDs = getMany, ids(4)
	case n < 550:
		op.Kind = getByCode
	case n < 680:
		op.Kind = list
	case n < 750:
		op.Kind = count
	case n < 830:
		op.Kind = save
	case n < 870:
		op.Kind = update
	case n < 910:
		op.Kind = touch
	case n < 918:
		op.Kind = bulk
	case n < 945:
		op.Kind, op.IDs = several, ids(3)
	case n < 962:
		op.Kind = create
	case n < 985:
		op.Kind = remove
	case n < 997:
		op.Kind = abandon
	default:
		op.Kind = raw
	}
	return op
}

const (
	rowsApart    = 1000 // from an epoch's rows to the next's
	shelvesApart = 100
)

// codeOf is one of the codes that a row has in turn, and no other row.
func codeOf(id uint64, which int) string { return fmt.Sprintf("%d-%d", id, which) }

// told reports whether the process does what the test tells it, and nothing by itself.
func (p *process) told() bool { return p.plan.Readers+p.plan.Writers == 0 }

// do carries an operation out, notes in it how that went and when, and logs it.
func (p *process) do(op *record) {
	told, patience := p.told(), 20*time.Second
	if told {
		patience = 2 * time.Minute // what holds it up is the test
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var trace *cacheruntime.Trace
	if told {
		ctx, trace = cacheruntime.WithTrace(ctx)
	}
	if op.Fresh {
		ctx = cacheruntime.WithFresh(ctx)
	}
	if op.Kind.isWrite() {
		op.Write = int64(p.plan.Number)<<32 | p.written.Add(1)
	}
	op.Start = clock()
	if op.Kind.isWrite() && p.plan.Tell == 0 {
		p.log.add(*op)
	}
	var err error
	if op.Kind.isRead() {
		err = p.read(ctx, op)
	} else {
		err = p.write(p.db.WithContext(ctx), op)
		if op.Owing = p.owes(); op.Owing {
			p.owing.Store(true)
		}
	}
	op.End = clock()
	if err != nil {
		op.Error, op.Refused, op.Rows = err.Error(), errors.Is(err, cacheruntime.ErrFlush), nil
	}
	if trace != nil {
		var tiers []string
		for _, r := range trace.Reads() {
			tiers = append(tiers, r.Outcome.String())
		}
		op.Tier = strings.Join(tiers, ", ")
	}
	if op.Kind.isRead() && err == nil {
		p.finished.Add(1)
	}
	if p.plan.Tell == 0 {
		p.log.add(*op)
	}
}

func (p *process) read(ctx context.Context, op *record) (err error) {
	c := p.m.Register.Cache
	var rows []*histories.Register
	one := func(row *histories.Register, err error) error {
		if err == nil {
			rows = append(rows, row)
		}
		return err
	}
	switch op.Kind {
	case get:
		if err = one(c.Get(ctx, op.ID)); errors.Is(err, gorm.ErrRecordNotFound) {
			op.Rows, err = append(op.Rows, seen{ID: op.ID}), nil
		}
	case getMany:
		rows, err = c.GetMany(ctx, op.IDs...)
		for _, id := range op.IDs {
			if err == nil && !slices.ContainsFunc(rows, func(r *histories.Register) bool { return r.ID == id }) {
				op.Rows = append(op.Rows, seen{ID: id})
			}
		}
	case getByCode: // absent: no rows
		if err = one(c.GetByCode(ctx, op.Code)); errors.Is(err, gorm.ErrRecordNotFound) {
			err = nil
		}
	case list:
		rows, err = c.ListByShelf(ctx, op.Shelf)
	case count:
		op.Count, err = c.CountByShelf(ctx, op.Shelf)
	}
	for _, r := range rows {
		op.Rows = append(op.Rows, seen{r.ID, r.Value, r.Code, r.Shelf})
	}
	return err
}

var errAbandoned = errors.New("abandoned")

func (p *process) write(db *gorm.DB, op *record) error {
	row := func(id uint64) *histories.Register {
		code := op.Code
		if id != op.ID {
			code = codeOf(id, int(op.Write%2))
		}
		return &histories.Register{ID: id, Code: code, Shelf: op.Shelf, Value: op.Write}
	}
	switch op.Kind {
	case save:
		return db.Save(row(op.ID)).Error
	case update:
		return db.Model(&histories.Register{ID: op.ID}).Updates(map[string]any{"value": op.Write, "shelf": op.Shelf}).Error
	case touch:
		return db.Model(&histories.Register{ID: op.ID}).Update("value", op.Write).Error
	case bulk:
		return db.Model(&histories.Register{}).Where("shelf = ?", op.Shelf).Update("value", op.Write).Error
	case several:
		return db.Transaction(func(tx *gorm.DB) error {
			for _, id := range op.IDs {
				if err := tx.Save(row(id)).Error; err != nil {
					return err
				}
			}
			return nil
		})
	case create:
		return db.Create(row(op.ID)).Error
	case remove:
		return db.Transaction(func(tx *gorm.DB) error {
			// A deleted row has no Value to say who deleted it.
			var set string
			if err := tx.Raw("SELECT set_config('histories.write', ?, true)", fmt.Sprint(op.Write)).Scan(&set).Error; err != nil {
				return err
			}
			return tx.Delete(&histories.Register{}, op.ID).Error
		})
	case abandon:
		err := db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Save(row(op.ID)).Error; err != nil {
				return err
			}
			return errAbandoned
		})
		if errors.Is(err, errAbandoned) {
			return nil
		}
		return err
	case raw:
		return db.Exec("UPDATE registers SET value = ? WHERE id = ?", op.Write, op.ID).Error
	}
	return fmt.Errorf("a worker cannot %q", op.Kind)
}
