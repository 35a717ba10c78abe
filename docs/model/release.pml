/* Releases: a list that one program knows and another does not.
 *
 * R, a process of the newer release, caches a list L. W, of the older one, comes, writes, goes or
 * dies, and comes again; its flush functions do not know L. Both meet in a directory that lies in
 * memcached, and may be lost.
 *
 *   dir    : the sets of lists that programs flush: here whether W's is among them, whether it is
 *            settled (known to all for P), and marked (to go, since it was not renewed); a ghost,
 *            which stands for programs that a lost directory may have held; L's term
 *   alive  : an item beside the directory, kept by whoever lives
 *   entry  : one for each term: `all` stamp and value
 *
 * R polls the directory. It looks L up, under the term it saw, only while its last poll was sent
 * less than P ago and every set there has L; else it loads, and stores nothing.
 * W adds its set. Until that is settled, or P has passed since W saw it there, each of its writes
 * flushes `all`: token, COMMIT, new stamp. After that it flushes what it knows, while its last
 * poll, in which its set was there and not marked, was sent less than P ago; when that is so no
 * more at the end of a write, `all` gets a new stamp before the write returns.
 * A set that nobody renews is marked, by cas; whoever sees it marked for P + IntentTTL takes it
 * out, by cas, and L gets a new term. A lost directory is made anew with a ghost, unless `alive` is
 * gone too and its maker remembers none. A ghost is a marked set.
 *
 * Time: "P has passed since x" is that no process goes by a poll from before x any more; that
 * IntentTTL has, that a writer who died then has no COMMIT under way.
 *
 * READ : what a read returns is nothing older than what was returned from when it began.
 * Switches: -DNO_ALL (an unsettled writer flushes its own lists alone), -DNO_SETTLE (a set
 * counts as settled at once), -DNO_TERM (L keeps its term), -DNO_MARK (a set not renewed is taken out
 * at once), -DNO_GHOST, -DNO_END (no look at the end of a write), -DLOST_BOTH (the directory and
 * `alive` are lost at once, within P of a program's start).
 */
#ifndef TERMS
#define TERMS 7
#endif
#ifndef READS
#define READS 2
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef LIVES
#define LIVES 2
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
bit dir = 0; bit in = 0; bit settled = 0; bit marked = 0; bit ghost = 0; byte term = 0; byte terms = 0;
bit alive = 0; bit renewed = 0;
byte all = 1; byte stamps = 1; bit tok = 0;
byte es[TERMS]; byte ev[TERMS];
byte committed = 0; byte returned = 0;

bit rgood = 0; bit rok = 0; byte rterm = 0;     /* R's last poll: within P; all flush L; L's term */
bit rold = 0;                                   /* it is from before W last saw its set come */
bit wgood = 0; bit wold = 0;                    /* W's last poll: within P; from before the mark */
bit wlives = 0; bit flying = 0; bit orphan = 0; /* a COMMIT is under way; its writer is dead */
bit gold = 0;                                   /* some poll is from before the ghost */
byte lost = 0; byte came = 0;                   /* how often W's set was added */

inline fresh_term() { terms++; term = terms }
inline new_dir(g) { dir = 1; in = 0; settled = 0; marked = 0; ghost = g; gold = g && (rgood || wgood); fresh_term() }
inline take_out() {
  terms++;
#ifndef NO_TERM
  term = terms;
#endif
  skip
}

proctype R()
{
  byte n = 0; byte at = 0; byte t = 0; byte s = 0; byte got = 0; bit hit = 0; bit rseen = 0;
  do
  :: terms < TERMS - 2 -> d_step {                  /* poll */
       if
       :: !dir ->
#ifdef NO_GHOST
          new_dir(0);
#else
          if :: alive || rseen -> new_dir(1) :: else -> new_dir(0) fi;
#endif
          rgood = 0
       :: else -> rgood = 1; rold = 0; rok = !in && !ghost; rterm = term
       fi;
       alive = 1; rseen = 1 }
  :: n < READS -> n++;                          /* a read */
     at = returned; hit = 0;
     if
     :: atomic { rgood && rok -> t = rterm };
        d_step { s = all; if :: tok -> s = 0 :: else fi; if :: s && es[t] == s -> hit = 1; got = ev[t] :: else fi };
        if
        :: hit -> assert(got >= at)
        :: else -> got = committed;
           if :: d_step { s -> es[t] = s; ev[t] = got } :: else fi
        fi
     :: else -> skip                            /* loaded, not cached */
     fi
  :: n == READS -> break
  od
}

/* W's poll, and what it leads to: a directory made, a set added, or the mark taken away. */
inline wpoll() {
  d_step {
    if
    :: !dir ->
#ifdef NO_GHOST
       new_dir(0); settled = 1;
#else
       if :: alive || seen -> new_dir(1) :: else -> new_dir(0); settled = 1 fi;
#endif
       in = 1; came++; rold = rgood; sure = 0; wgood = 0
    :: dir && !in -> in = 1; came++; settled = 0; marked = 0; rold = rgood; sure = 0; wgood = 0
    :: dir && in && marked -> marked = 0; wold = 0; wgood = 0
    :: else -> wgood = 1; wold = 0; if :: !seen && !settled -> rold = rgood :: else fi
    fi;
    seen = 1; alive = 1; renewed = 1;
#ifdef NO_SETTLE
    settled = 1
#else
    skip
#endif
  }
}

inline die() { d_step { wlives = 0; orphan = 1; wgood = 0; wold = 0; if :: !rgood -> gold = 0 :: else fi; renewed = 0 }; goto dead }

proctype W()
{
  byte lives = 0; byte n; bit own; bit sure; bit seen; byte then;
again: lives++; n = 0; sure = 0; seen = 0;
  d_step { wlives = 1; orphan = 0; wgood = 0; wold = 0 };
  do
  :: terms < TERMS - 2 -> wpoll()
  :: d_step { wgood && (settled || !rold) && !sure -> sure = 1; if :: in -> settled = 1 :: else fi }
  :: n < WRITES -> n++;                         /* a write */
     d_step { own = sure && wgood; then = came;
#ifdef NO_ALL
       own = 1;
#endif
       flying = 1; tok = !own };
     if :: die() :: skip fi;
     d_step { committed++; flying = 0 };
     if :: die() :: terms < TERMS - 2 -> wpoll() :: skip fi;
#ifdef NO_END
     if
     :: d_step { !own -> stamps++; all = stamps; tok = 0 }
     :: else
     fi;
#else
     if
     :: d_step { !own || !wgood || came != then -> stamps++; all = stamps; tok = 0 }
     :: else
     fi;
#endif
     d_step { returned = committed }
  :: n > 0 -> die()
  od;
dead:
  /* A COMMIT of a dead writer takes effect within IntentTTL, or never. Its token stands until a
     reader takes it for dead, after that, with a new stamp. */
  if
  :: flying -> d_step { if :: 1 -> committed++ :: 1 -> skip fi; flying = 0 }
  :: else
  fi;
  if :: d_step { tok -> stamps++; all = stamps; tok = 0 } :: else fi;
  if :: lives < LIVES -> goto again :: skip fi
}

proctype Others()                       /* time, faults, and who takes sets out */
{
  do
  :: d_step { rgood -> rgood = 0; rold = 0; if :: !wgood -> gold = 0 :: else fi }        /* P passes */
  :: d_step { wgood -> wgood = 0; wold = 0; if :: !rgood -> gold = 0 :: else fi }
  :: d_step { renewed -> renewed = 0 }          /* the registration is evicted, or W held up */
  :: d_step { dir && in && !renewed && !marked -> marked = 1; wold = wgood }
#ifdef NO_MARK
  :: d_step { dir && in && !renewed && terms < TERMS - 2 -> in = 0; marked = 0; settled = 0; take_out() }
#endif
  :: d_step { dir && in && marked && !(wgood && wold) && !(flying && orphan) && terms < TERMS - 2 ->
       in = 0; marked = 0; settled = 0; take_out() }
  :: d_step { dir && ghost && !gold && !(flying && orphan) && terms < TERMS - 2 -> ghost = 0; take_out() }
#ifdef LOST_BOTH
  :: lost < LOSSES -> d_step { lost++; dir = 0; alive = 0 }
#else
  :: d_step { lost < LOSSES && dir && alive -> lost++; dir = 0 }
#endif
  :: break
  od
}

init { atomic { run R(); run W(); run Others() } }
