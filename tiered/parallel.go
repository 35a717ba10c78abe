package tiered

import "sync"

// inParallel calls f for 0 to n-1, at most limit at a time, and waits for all. One call alone
// is made on the caller's goroutine.
func inParallel(n, limit int, f func(int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, limit) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
