package explain

import (
	"cmp"
	"slices"
)

// sweeps is how often arrange goes over the layers.
const sweeps = 8

// arrange orders columns and accessors so that few edges cross: each layer in turn is sorted by the
// mean place of what its boxes are joined to, and the best order seen is kept. Boxes of one mean keep
// the order of the source, so that the drawing is always the same.
func (g *graph) arrange() {
	columns, accessors := count(len(g.columns)), count(len(g.accessors)) // place by box
	best, least := [2][]int{columns, accessors}, crossings(g.edges, columns, accessors)
	for range sweeps {
		columns = byMean(len(g.columns), columns, g.edges, func(e edge) (int, int) { return e.from, accessors[e.to] })
		accessors = byMean(len(g.accessors), accessors, g.edges, func(e edge) (int, int) { return e.to, columns[e.from] })
		if n := crossings(g.edges, columns, accessors); n < least {
			best, least = [2][]int{columns, accessors}, n
		}
	}
	g.columns, g.accessors = placed(g.columns, best[0]), placed(g.accessors, best[1])
	for i, e := range g.edges {
		g.edges[i].from, g.edges[i].to = best[0][e.from], best[1][e.to]
	}
	slices.SortFunc(g.edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
}

// count returns the numbers below n.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// byMean returns the places of n boxes when they are sorted by the mean place of their neighbours.
// ends says which box an edge ends at in this layer, and where in the other. A box without edges stays
// where it is.
func byMean(n int, now []int, edges []edge, ends func(edge) (box, place int)) []int {
	sum, of := make([]int, n), make([]int, n)
	for _, e := range edges {
		box, place := ends(e)
		sum[box] += place
		of[box]++
	}
	order := count(n)
	mean := func(i int) float64 {
		if of[i] == 0 {
			return float64(now[i])
		}
		return float64(sum[i]) / float64(of[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(mean(a), mean(b)) })
	places := make([]int, n)
	for place, box := range order {
		places[box] = place
	}
	return places
}

// crossings is how many pairs of edges cross.
func crossings(edges []edge, columns, accessors []int) (n int) {
	for i, a := range edges {
		for _, b := range edges[:i] {
			if (columns[a.from]-columns[b.from])*(accessors[a.to]-accessors[b.to]) < 0 {
				n++
			}
		}
	}
	return n
}

// placed returns the nodes in their places.
func placed(nodes []node, places []int) []node {
	out := make([]node, len(nodes))
	for i, n := range nodes {
		out[places[i]] = n
	}
	return out
}
