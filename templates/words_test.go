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
		{"article", article, map[string]string{
			"City": "a", "Order": "an", "User": "a", "Unit": "a", "Umbrella": "an", "Hour": "an", "ID": "an", "URL": "a", "SKU": "an", "OneTime": "a", "European": "a", "X": "an",
			"X1": "an", "F2": "an", "R2D2": "an", "U1": "a", "T1": "a", "Xmlns": "an", "Usher": "an", "Usage": "a", "Uninstall": "an", "Uuid": "a", "Heir": "an", "Host": "a", "": "a",
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

// Words whose plural is doubtful have none.
func TestPlural(t *testing.T) {
	for word, want := range map[string]string{
		"Croupon": "Croupons", "City": "Cities", "Day": "Days", "Box": "Boxes", "HTTPBox": "HTTPBoxes", "Address": "Addresses", "Branch": "Branches",
		"Batch": "Batches", "Crash": "Crashes", "Index": "Indexes", "Video": "Videos", "Tariff": "Tariffs", "Document": "Documents", "House": "Houses",
		"id": "ids", "Y": "Ys", "URL": "URLs", "CityID": "CityIDs", "IDs": "IDs", "CityIDs": "CityIDs", "Café": "",
		"News": "", "Series": "", "Species": "", "Status": "", "Analysis": "", "Ctx": "", "Msg": "", "Tx": "", "SMS": "", "UserDNS": "",
		"Quiz": "", "Epoch": "", "Monarch": "", "Leaf": "", "Knife": "", "Hero": "", "Photo": "", "Soliloquy": "",
		"Child": "", "Woman": "", "Metadata": "", "UserInfo": "", "X1": "", "Odd_": "", "": "",
	} {
		got, ok := plural(word)
		if ok != (want != "") || ok && got != want {
			t.Errorf("plural(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
	if got := (Model{}).pluralParam(Column{Select: "Order.Status"}); got != "orderStatusValues" {
		t.Errorf("parameter: %s", got)
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
	city := Column{Path: "City", Select: "City", Type: Type{Kind: Text}}
	owner := Column{Path: "OwnerID", Select: "OwnerID", Type: Type{Kind: Uint, Form: Pointer}}
	active := Column{Path: "Active", Select: "Active", Type: Type{Kind: Bool}}
	score := Column{Path: "Score", Select: "Score", Type: Type{Kind: Int}}
	at := Column{Path: "At", Select: "At", Type: Type{Kind: Time}}
	isActive := Term{Column: active, Op: "=", Values: []any{true}}
	isNotActive := Term{Column: active, Op: "!=", Values: []any{true}}
	isHigh := Term{Column: score, Op: ">", Values: []any{int64(5)}}
	zip := Column{Path: "Home.Zip", Select: "Home.Zip", Type: Type{Kind: Text}}
	town := Column{Path: "Home.Town", Select: "Home.Town", Type: Type{Kind: Text}}
	otherZip := Column{Path: "Work.Zip", Select: "Work.Zip", Type: Type{Kind: Text}}
	x1 := Column{Select: "X1", Type: Type{Kind: Bytes}}
	m := Model{Name: "Order", Columns: []Column{city, owner, active, score, at, zip, town, otherZip, x1}}
	for want, a := range map[string]Accessor{
		"GetByCity returns the Order with this City, or an error matching gorm.ErrRecordNotFound.":                           {Kind: Unique, Name: "City", By: []Column{city}},
		"ListAll returns the Orders, by primary key.":                                                                        {Kind: List, Name: "All"},
		"ListTop returns the Orders of a City that are Active, by Score, highest first, then At, earliest first; at most 3.": {Kind: List, Name: "Top", By: []Column{city}, Where: []Term{isActive}, Order: []Order{{Column: score, Desc: true}, {Column: at}}, Limit: 3},
		"ListMine returns the Orders of an OwnerID where Score > 5 and Active != true, by primary key. Nil means IS NULL.":   {Kind: List, Name: "Mine", By: []Column{owner}, Where: []Term{isHigh, isNotActive}},
		"OneNext returns the first Order, by At, earliest first, or an error matching gorm.ErrRecordNotFound.":               {Kind: One, Name: "Next", Order: []Order{{Column: at}}},
		"OneOn returns the first Order of a City that is Active, by At, latest first, or an error matching gorm.ErrRecordNotFound.": {
			Kind: One, Name: "On", By: []Column{city}, Where: []Term{isActive}, Order: []Order{{Column: at, Desc: true}}},
		"CountAll returns how many Orders there are.":                                             {Kind: Count, Name: "All"},
		"CountIn returns how many Orders have this City.":                                         {Kind: Count, Name: "In", By: []Column{city}},
		"CountOff returns how many Orders of a City are not Active.":                              {Kind: Count, Name: "Off", By: []Column{city}, Where: []Term{isNotActive}},
		"CountHigh returns how many Orders there are where Score > 5.":                            {Kind: Count, Name: "High", Where: []Term{isHigh}},
		"ListNear returns the Orders of a Home.Zip and Town, by primary key.":                     {Kind: List, Name: "Near", By: []Column{zip, town}},
		"CountRaw returns how many Orders of an X1 there are where Score > 5. Nil means IS NULL.": {Kind: Count, Name: "Raw", By: []Column{x1}, Where: []Term{isHigh}},
		"GetByOwnerID returns the Order with this OwnerID, or an error matching gorm.ErrRecordNotFound. Nil means IS NULL; of several such rows, it is the first by primary key.": {
			Kind: Unique, Name: "OwnerID", By: []Column{owner}},
	} {
		if got := m.doc(a); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := (Model{Name: "News"}).doc(Accessor{Kind: List, Name: "All"}); got != "ListAll returns the News rows, by primary key." {
		t.Error(got)
	}
	if got := (Model{Name: "Comment"}).docGet([]string{"postID", "n"}); !strings.Contains(got, "the Comment whose primary key is (postID, n), or") {
		t.Error(got)
	}
}
