package templates

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(string) string
		want map[string]string
	}{
		{"lowerFirst", lowerFirst, map[string]string{
			"City": "city", "ID": "id", "MerchantID": "merchantID", "URLPath": "urlPath", "IDs": "ids", "X": "x", "HTTPServerID": "httpServerID", "Ünder": "ünder",
		}},
		{"snake", snake, map[string]string{
			"City": "city", "HTTPRequest": "http_request", "CrouponOffer": "croupon_offer", "ID": "id", "UserID": "user_id", "A1B": "a1_b",
		}},
		{"plural", plural, map[string]string{
			"Croupon": "Croupons", "City": "Cities", "Day": "Days", "Box": "Boxes", "Address": "Addresses", "Branch": "Branches", "id": "ids", "Y": "Ys", "IDs": "IDs",
		}},
		{"article", article, map[string]string{
			"City": "a", "Order": "an", "User": "a", "Unit": "a", "Umbrella": "an", "Hour": "an", "ID": "an", "URL": "a", "SKU": "an", "OneTime": "a", "European": "a", "X": "an",
		}},
	} {
		for word, want := range c.want {
			if got := c.f(word); got != want {
				t.Errorf("%s(%q) = %q, want %q", c.name, word, got, want)
			}
		}
	}
	if got := join([]string{"a", "b", "c"}); got != "a, b and c" {
		t.Errorf("join: %q", got)
	}
	if got := wrap("one two three  four", 9); strings.Join(got, "|") != "one two|three|four" {
		t.Errorf("wrap: %q", got)
	}
}

// A parameter never hides a name that its method, or another parameter, needs.
func TestParams(t *testing.T) {
	var columns []Column
	for _, name := range []string{"Type", "Len", "Ctx", "C", "Time", "URL", "Url", "Address.Zip", "Kind"} {
		columns = append(columns, Column{Select: name})
	}
	got := strings.Join(Model{Taken: []string{"kind"}}.params(columns), " ")
	if want := "typeValue lenValue ctxValue cValue timeValue url urlValue addressZip kindValue"; got != want {
		t.Errorf("params: %s\nwant:   %s", got, want)
	}
}

// The wording of doc comments, kind by kind.
func TestSentences(t *testing.T) {
	city := Column{Select: "City", Type: Type{Kind: Text}}
	owner := Column{Select: "OwnerID", Type: Type{Kind: Uint, Form: Pointer}}
	active := Column{Select: "Active", Type: Type{Kind: Bool}}
	score := Column{Select: "Score", Type: Type{Kind: Int}}
	at := Column{Select: "At", Type: Type{Kind: Time}}
	isActive := Term{Column: active, Op: "=", Values: []any{true}}
	isNotActive := Term{Column: active, Op: "!=", Values: []any{true}}
	isHigh := Term{Column: score, Op: ">", Values: []any{int64(5)}}
	for want, a := range map[string]Accessor{
		"GetByCity returns the Order with this City, or an error matching gorm.ErrRecordNotFound.":                           {Kind: Unique, Name: "City", By: []Column{city}},
		"ListAll returns the Orders, by primary key.":                                                                        {Kind: List, Name: "All"},
		"ListTop returns the Orders of a City that are Active, by Score, highest first, then At, earliest first; at most 3.": {Kind: List, Name: "Top", By: []Column{city}, Where: []Term{isActive}, Order: []Order{{Column: score, Desc: true}, {Column: at}}, Limit: 3},
		"ListMine returns the Orders of an OwnerID where Score > 5 and Active != true, by primary key. Nil means IS NULL.":   {Kind: List, Name: "Mine", By: []Column{owner}, Where: []Term{isHigh, isNotActive}},
		"OneNext returns the first Order by At, earliest first, or an error matching gorm.ErrRecordNotFound.":                {Kind: One, Name: "Next", Order: []Order{{Column: at}}},
		"CountAll returns how many Orders there are.":                                                                        {Kind: Count, Name: "All"},
		"CountIn returns how many Orders a City has.":                                                                        {Kind: Count, Name: "In", By: []Column{city}},
		"CountOff returns how many Orders of a City are not Active.":                                                         {Kind: Count, Name: "Off", By: []Column{city}, Where: []Term{isNotActive}},
		"CountHigh returns how many Orders there are where Score > 5.":                                                       {Kind: Count, Name: "High", Where: []Term{isHigh}},
	} {
		if got := (Model{Name: "Order"}).doc(a); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
