/* Changes of servers: one flush list, one entry, two servers, two processes one step apart.
 *
 * The steps, of which every process is at one, and at most one away from the other's:
 *   0 {A}  1 {A, also B}  2 {B, also A}  3 {B}  4 {B, also A}  5 {A, also B}  6 {A}
 * so that the list moves to B and back. A server keeps its cell and its entry all the while.
 *
 * Read  : entry and cell from the first ring's server, at the process's step. No token, stamps
 *         equal, and the entry's list kept on this server at every step from the entry's to the
 *         reader's, the newest that it is sure to know -> hit. Else load; store under the stamp read, with the step of the read, if the
 *         entry is still the one seen. The store may come late: the processes may be any
 *         number of steps on by then.
 * Write : token at the servers of both rings; COMMIT; new stamps, tokens out. A process takes its
 *         next step between its writes.
 * READ  : a hit is nothing older than what was committed when the read began.
 *
 * Not here: the first tier, whose journal lies on both rings alike; lost cells and dead writers,
 * which coherence.pml has for one server; who is outside the procedure.
 * Switches: -D FIRST_ONLY (a write goes to the first ring alone), ANY_STEP (an entry of any step
 * is served), OWN_STEP (the store carries the step of the process when it is sent, and not when
 * it read), TWO_APART (a process may be two steps ahead).
 */
#define LAST 6
#define A 0
#define B 1
#define FIRST(n) ((n) >= 2 && (n) <= 4)                 /* the server of the first ring */
#define TWO(n)   ((n) != 0 && (n) != 3 && (n) != 6)     /* there is another one */
#define KEPT(s, n) (FIRST(n) == (s) || TWO(n))
#ifdef TWO_APART
#define APART 2
#else
#define APART 1
#endif

#ifndef W0
#define W0 1                          /* writes and reads of each process */
#define W1 1
#define R0 1
#define R1 1
#endif

byte at[2];                           /* the processes' steps */
bit  busy[2];                         /* a write is under way in a process */
byte gs[2]; byte tok[2];              /* cells: stamp, 0 = absent; number of tokens */
byte es[2]; byte ev[2]; byte en[2];   /* entries: stamp, 0 = none; value; step */
byte ec[2];                           /* entries: how often they were stored, as cas numbers say */
byte committed = 0;
byte last = 0;                        /* the last stamp made */

inline served(s, n, ok)
{
  d_step {
    newest = (en[s] > n -> en[s] : n);   /* it may not have heard of the other's step */
    ok = (gs[s] != 0 && tok[s] == 0 && es[s] == gs[s]);
#ifndef ANY_STEP
    k = en[s];
    do
    :: ok && en[s] != n && k <= newest -> ok = KEPT(s, k); k++
    :: else -> break
    od;
    k = 0;
#endif
    newest = 0
  }
}

proctype Reader(byte p; byte reads)
{
  byte n; byte s; byte began; byte g; byte c; byte v; byte k; byte newest; bit ok;
  do
  :: reads > 0 -> reads--;
     atomic {
       began = committed; n = at[p]; s = FIRST(n);
       served(s, n, ok);
       if
       :: ok -> assert(ev[s] >= began); g = 0
       :: else -> c = ec[s];
          if
          :: gs[s] == 0 -> last++; gs[s] = last; g = last
          :: gs[s] != 0 && tok[s] == 0 -> g = gs[s]
          :: gs[s] != 0 && tok[s] != 0 -> g = 0
          fi
       fi
     };
     if
     :: g != 0 ->
        v = committed;
        d_step {
#ifdef OWN_STEP
          n = at[p];
#endif
          if :: ec[s] == c -> es[s] = g; ev[s] = v; en[s] = n; ec[s]++ :: else fi
        }
     :: else
     fi;
     d_step { n = 0; s = 0; began = 0; g = 0; c = 0; v = 0; ok = 0 }
  :: else -> break
  od
}

inline leave(s)
{
  d_step { if :: gs[s] == 0 -> last++; gs[s] = last :: else fi; tok[s]++ }
}

inline finish(s) { d_step { last++; gs[s] = last; tok[s]-- } }

proctype Writer(byte p; byte writes)
{
  byte n;
  do
  :: writes > 0 -> writes--;
     d_step { busy[p] = 1; n = at[p] };
     leave(FIRST(n));
#ifndef FIRST_ONLY
     if :: TWO(n) -> leave(1 - FIRST(n)) :: else fi;
#endif
     committed++;
     finish(FIRST(n));
#ifndef FIRST_ONLY
     if :: TWO(n) -> finish(1 - FIRST(n)) :: else fi;
#endif
     d_step { busy[p] = 0; n = 0 }
  :: else -> break
  od
}

proctype Deploy()
{
  do
  :: d_step { at[0] < LAST && !busy[0] && at[0] + 1 <= at[1] + APART -> at[0]++ }
  :: d_step { at[1] < LAST && !busy[1] && at[1] + 1 <= at[0] + APART -> at[1]++ }
  :: at[0] == LAST && at[1] == LAST -> break
  od
}

init { atomic { run Deploy(); run Writer(0, W0); run Writer(1, W1); run Reader(0, R0); run Reader(1, R1) } }
