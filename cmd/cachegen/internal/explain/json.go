package explain

import (
	"encoding/json"
	"io"
)

// JSON writes the report for programs: the fields of [Report] by their names there.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // where:Score < 5 is nobody's HTML
	return e.Encode(r)
}
