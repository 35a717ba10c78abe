package sqltext

// SQLiteTrigger is what a CREATE TRIGGER of SQLite's says.
type SQLiteTrigger struct {
	Before                 bool // or INSTEAD OF
	Insert, Update, Delete bool
	Of                     []string // the columns of UPDATE OF; none: any
	Body                   *Body
}

// ReadSQLiteTrigger reads the text of a CREATE TRIGGER; ok is false where it cannot be read.
//
//	CREATE TRIGGER t AFTER UPDATE OF a, b ON s FOR EACH ROW WHEN NEW.a > 1 BEGIN UPDATE u SET n = n + 1; END
func ReadSQLiteTrigger(text string) (t SQLiteTrigger, ok bool) {
	s := usually(text, SQLite)
	var head []token
	depth := 0
	for {
		next := s.next()
		if next.kind == endToken || len(head) == mostTokens {
			return t, false
		}
		depth += depthOf(next)
		if n := len(head); depth == 0 && next.is("BEGIN") && n > 0 && !head[n-1].is("ON", "TRIGGER", "EXISTS") && !head[n-1].sign(".") {
			break
		}
		head = append(head, next)
	}
	if !t.head(head) {
		return t, false
	}
	t.Body = ReadBody(s.text, SQLite)
	return t, true
}

// head reads what stands in front of BEGIN.
func (t *SQLiteTrigger) head(tokens []token) bool {
	st := statement{dialect: SQLite, tokens: tokens, out: &Reading{}}
	if !st.accept("CREATE") {
		return false
	}
	st.skip("TEMP", "TEMPORARY")
	if !st.accept("TRIGGER") {
		return false
	}
	st.skip("IF", "NOT", "EXISTS")
	st.at++ // the name, which may be a word that no table's can be
	if st.acceptSign(".") {
		st.at++
	}
	switch {
	case st.accept("BEFORE"):
		t.Before = true
	case st.accept("INSTEAD"):
		t.Before = true
		st.skip("OF")
	default:
		st.skip("AFTER")
	}
	switch {
	case st.accept("INSERT"):
		t.Insert = true
	case st.accept("DELETE"):
		t.Delete = true
	case st.accept("UPDATE"):
		t.Update = true
		if st.accept("OF") {
			for {
				t.Of = append(t.Of, st.peek(0).text)
				if st.at++; !st.acceptSign(",") {
					break
				}
			}
		}
	}
	return (t.Insert || t.Delete || t.Update) && st.accept("ON")
}
