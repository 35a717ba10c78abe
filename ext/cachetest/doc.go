// Package cachetest helps you test programs that read GORM models through cachegen. [New] makes a
// Runtime for one test, on a store in the process; [NoSQL] demands that a function is served
// without the database, and [Flushed] tells which flush lists it made fall:
//
//	func TestCityPageIsCached(t *testing.T) {
//		db := openTest(t)
//		rt := cachetest.New(t, db)
//		m, err := shop.NewModels(rt)
//		…
//		page := cityPage(m.Croupon.Cache)
//		body(page, "Portland") // a miss
//		cachetest.NoSQL(t, rt, func() { body(page, "Portland") })
//	}
//
// The package is for tests alone, since it links the testing package. See docs/testing.md for more,
// and example/shop/handler_test.go for such a test in full.
package cachetest
