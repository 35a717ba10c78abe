package many

// Post declares several fields with one tag.
type Post struct {
	_    struct{} `cache:"model"`
	ID   uint64
	A, B int "cache:\"list\""
	C    int "json:\"c\" cache:\"lis\x74s\""
}
