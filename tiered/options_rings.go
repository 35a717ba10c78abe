package tiered

import (
	"fmt"
	"slices"
)

// maxWeight is the highest weight of a server.
const maxWeight = 1000

// maxServers bounds a ring, whose points take memory, and time where it comes from a record.
const maxServers = 1024

// validRings checks the servers, those of a change, and the step.
func (o Options) validRings() error {
	if err := validRing("Options.Servers", o.Servers, "Options.Weights", o.Weights); err != nil {
		return err
	}
	if err := validRing("Options.Also", o.Also, "Options.AlsoWeights", o.AlsoWeights); err != nil {
		return err
	}
	switch {
	case o.Step < 0 || o.Step > maxStep:
		return fmt.Errorf("tiered: Options.Step is %d; set it from 0 to %d", o.Step, maxStep)
	case len(o.Also) > 0 && len(o.Servers) == 0:
		return fmt.Errorf("tiered: Options.Also names servers, and Options.Servers none; name there those that reads go to")
	case len(o.Also) > 0 && o.Step == 0:
		return fmt.Errorf("tiered: Options.Also is part of a change of servers, and Options.Step is 0; set it one above the step before")
	case len(o.Also) > 0 && slices.Equal(sharesOf(o.Servers, o.Weights), sharesOf(o.Also, o.AlsoWeights)):
		return fmt.Errorf("tiered: Options.Also has the same servers and weights as Options.Servers; leave it out")
	}
	if s := (&step{number: o.Step, first: sharesOf(o.Servers, o.Weights), also: sharesOf(o.Also, o.AlsoWeights)}); len(s.String()) > stepBytes {
		return fmt.Errorf("tiered: Options.Servers and Options.Also name %d servers; their names can have some %d bytes together",
			len(o.Servers)+len(o.Also), stepBytes)
	}
	return nil
}

// validRing checks the servers and the weights of one ring.
func validRing(field string, servers []string, weightField string, weights []int) error {
	if len(servers) > maxServers {
		return fmt.Errorf("tiered: %s has %d servers; at most %d are possible", field, len(servers), maxServers)
	}
	seen := make(map[string]bool, len(servers))
	for i, s := range servers {
		if err := validServer(s); err != nil {
			return fmt.Errorf("tiered: %s[%d] is %q: %w; write it as \"host:port\"", field, i, s, err)
		}
		if seen[s] {
			return fmt.Errorf("tiered: %s[%d] names %q a second time; name each server once", field, i, s)
		}
		seen[s] = true
	}
	if len(weights) > 0 && len(weights) != len(servers) {
		return fmt.Errorf("tiered: %s has %d weights for %d servers; give each server its own, or none",
			weightField, len(weights), len(servers))
	}
	for i, w := range weights {
		if w < 1 || w > maxWeight {
			return fmt.Errorf("tiered: %s[%d] is %d; set it from 1 to %d", weightField, i, w, maxWeight)
		}
	}
	return nil
}

// allServers returns the servers of both rings, those of the first in their order.
func (o Options) allServers() []string {
	all := slices.Clone(o.Servers)
	for _, s := range o.Also {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
