package bench

import (
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/tiered"
)

// What Options.Sample adds to a hit, the comparisons in the background included: at 1 in a billion it is the choice
// alone.
func BenchmarkSample(b *testing.B) {
	for _, every := range []int{0, 1_000_000_000, 10_000, 1000, 100} {
		b.Run(fmt.Sprint(every), func(b *testing.B) {
			m := openSampled(b, tiered.Options{}, every)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, err := m.Row.Cache.Get(ctx, uint64(i%rows)+1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
