/* The journal's order: a head counter and one record a write, kept in memcached.
 *
 * One writer; another process with an L1 copy, its reader and its poller.
 *   Write : append the intent; take a number (incr head); add the record, only after the
 *           append was acknowledged; COMMIT; new stamp.
 *   Poll  : read records up to the head. A number without a record: add a tombstone there, now
 *           or after any number of polls, and drop every L1 stamp. A writer whose add fails takes
 *           a new number. So no record appears behind a poller that went past it, whatever its
 *           patience is.
 * Begin : a poller may begin at any time, at the head that it finds, so that records of numbers
 *           below may be yet to come. It answers for L1 stamps only after a while (here: from any
 *           later moment on), and only for those asked for since; a writer whose record came
 *           after that while takes a new number. (In the code: a bound on the time from taking a
 *           number to its record, which a poller waits out.)
 * REST  : when all is read, what L1 would serve equals the committed state.
 * Switches: -DEARLY (the record may be written before the append is acknowledged),
 * -DNO_TOMB (the poller goes past a missing number without closing it), -DNO_WAIT (a poller
 * answers at once for what is learned after it began), -DNO_RETAKE (the writer keeps its number
 * however late its record).
 */
byte gs = 1; byte es = 0; byte ev = 0; byte committed = 0; bit tok = 0;
byte lgs = 0; byte les = 0; byte lev = 0; bit moved = 0;
byte head = 0; byte rec[12];                    /* 0 none, 1 written, 2 tombstone */
bit appended = 0; bit journaled = 0; bit done = 0;
byte head0 = 0; bit begun = 0; bit answers = 0;

inline drop() { moved = 1; lgs = 0; les = 0; lev = 0 }

proctype Append() { d_step { if :: gs == 0 -> gs = 2 :: else fi; tok = 1 }; appended = 1 }

proctype Journal()
{
  byte num = 0;
again: skip;
  atomic { head++; num = head };
#ifndef EARLY
  (appended);
#endif
#ifdef NO_TOMB
  rec[num] = 1;
#else
  if
  :: atomic { rec[num] == 0 -> rec[num] = 1 }
  :: atomic { rec[num] == 2 -> goto again }
  fi;
#endif
#ifndef NO_RETAKE
  if
  :: atomic { answers && num <= head0 -> goto again }
  :: else
  fi;
#endif
  journaled = 1
}

proctype Writer()
{
  run Append(); run Journal();
  (appended && journaled);
  committed++;
  d_step { gs = 3; tok = 0 };
  done = 1
}

proctype Reader()
{
  byte n = 0; byte s = 0; byte g = 0; byte e = 0; byte w = 0; byte got = 0; bit b = 0;
  do
  :: n < 3 -> n++; moved = 0;
     if
     :: atomic { lgs != 0 && les == lgs -> skip }
     :: else ->
        d_step { e = es; w = ev }; d_step { g = gs; b = tok }; s = 0;
        if
        :: g != 0 && !b && e == g -> got = w; s = g
        :: else ->
           if :: g != 0 && !b -> s = g :: else fi;
           got = committed;
           if :: s != 0 -> d_step { es = s; ev = got } :: else fi
        fi;
        if :: s != 0 -> d_step { if :: !moved -> lgs = s; les = s; lev = got :: else fi } :: else fi
     fi
  :: else -> break
  od
}

proctype Poller()
{
  byte pos = 0; byte h = 0; byte gaveup = 0;
  d_step { head0 = head; pos = head; begun = 1; drop() };
#ifdef NO_WAIT
  answers = 1;
#endif
  do
  :: d_step { !answers -> answers = 1; drop() }
  :: head > pos -> h = pos + 1;
     if
     :: d_step { rec[h] != 0 -> drop(); pos = h }
     :: atomic { rec[h] == 0 -> skip };
        if
        :: gaveup < 3 -> gaveup++;
#ifdef NO_TOMB
           d_step { drop(); pos = h }
#else
           if
           :: d_step { rec[h] == 0 -> rec[h] = 2; drop(); pos = h }
           :: rec[h] != 0
           fi
#endif
        :: true                                 /* wait */
        fi
     fi
  :: done && head == pos && answers -> break
  od
}

init {
  atomic { run Writer(); run Reader(); run Poller() };
  (_nr_pr == 1);
  assert(!(lgs != 0 && les == lgs && lev != committed))
}
