// Package tagkeysonly has no tag with the right key.
package tagkeysonly

// Draft is meant to be a model.
type Draft struct {
	_ struct{} `caceh:"model;ttl:24h"`

	ID   int
	Name string `json:"list" xml:"model"`
}
