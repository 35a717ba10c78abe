package writes_test

import "testing"

// behaviour 93, 30, 96
func TestOtherStructs(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		if err := w.db.Exec("ALTER TABLE croupons ADD COLUMN remark text").Error; err != nil {
			t.Fatal(err)
		}
		w.seed(three()...)
		if err := w.db.Delete(&slimCroupon{ID: 99}).Error; err != nil { // after DDL, the catalog is asked anew
			t.Fatal(err)
		}
		w.spy.take()
		w.log.take()
		w.flushes("a column that the model has not got", func() error {
			return w.db.Model(&slimCroupon{ID: 1}).Update("remark", "r").Error
		}, "croupons:1")
		if sql := w.log.take(); len(sql) != 1 {
			t.Errorf("%d statements: %q", len(sql), sql)
		}
		w.flushes("Save through the slim struct", func() error {
			return w.db.Save(&slimCroupon{ID: 1, Title: "t", City: "salem"}).Error
		}, cities(1, "portland", "salem")...)

		// A loaded the row in salem, B moved it to bend, A saves york.
		var a Croupon
		w.db.First(&a, 1)
		w.flushes("B's update", func() error { return w.db.Model(&Croupon{ID: 1}).Update("city", "bend").Error }, cities(1, "salem", "bend")...)
		a.City = "reno"
		w.flushes("A's save of a stale struct", func() error { return w.db.Save(&a).Error }, cities(1, "bend", "reno")...)
	})
}
