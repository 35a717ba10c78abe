package cacheruntime

import "testing"

// What every hit pays for Options.Sample: off, and on.
func BenchmarkSampleDue(b *testing.B) {
	for name, s := range map[string]*sampler{"off": nil, "on": {below: (1 << 32) / 1_000_000_000}} {
		b.Run(name, func(b *testing.B) {
			due := 0
			for b.Loop() {
				if s.due() {
					due++
				}
			}
			b.ReportMetric(float64(due), "due")
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_ = s.due()
				}
			})
		})
	}
}
