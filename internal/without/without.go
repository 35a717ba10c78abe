//go:build !without

package without

// The parts of the protocol, each with the switch of the model in docs/model that leaves it out.
const (
	Intent       = false // NO_INTENT: a write leaves no token, and puts a new stamp after its COMMIT
	OtherTokens  = false // ONE_TOKEN: a write's token takes the place of the others'
	StampsBefore = false // STAMP_AFTER: the stamps that a value is stored under are read after its load
	EarlyRecord  = false // LATE_JOURNAL: a write's record is put after its COMMIT
	TokenFirst   = false // EARLY: a write's record is put before its tokens are left
	Stripe       = false // NO_STRIPE: the first tier takes answers that were under way during a flush
	StampedJoins = false // JOIN_ANY: a reader joins any load of its entry
	Closing      = false // NO_TOMB: a reader of the journal goes past an open number without closing it
	Wait         = false // NO_WAIT: a reader of the journal answers for stamps from before it began
	NewNumber    = false // NO_RETAKE: a writer puts its record at its first number, however late
	Terms        = false // NO_TERM: a list that was not flushed for a while keeps its term

	// The models have these for granted.

	Drop         = false // a reader of the journal drops nothing
	Hold         = false // lists whose flush has not reached their server are served here all the same
	Renewal      = false // COMMIT begins however long ago the tokens were left
	Observation  = false // a token is taken for a dead writer's at first sight
	BothRings    = false // a write flushes on the first ring alone
	Steps        = false // an entry is served whatever step it was stored at
	CheckedFills = false // a value takes the place of whatever entry is there
	SecondDrop   = false // a write that has ended forgets no stamp that was learned since its token was lost
	LostRecord   = false // a write whose token was lost puts no second record
	DeadStamp    = false // a dead writer's token is taken out, and the stamp stays
	NextBatch    = false // a read joins a multi-get that was sent before it began
)
