#!/bin/sh
# Checks the models exhaustively with SPIN (needs spin and a C compiler; minutes, some GB).
# Every scope of the design must show 0 errors; each line "without" leaves one part of the
# protocol out and must show an error. MEM_MB and LIMIT_S bound one check.
here=$(cd "$(dirname "$0")" && pwd); tmp=$(mktemp -d)
check() { # name, file, switches
  w="$tmp/w"; mkdir -p "$w"; cd "$w" || exit 1
  spin $3 -a "$here/$2" >spin.txt && gcc -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=512 -DMEMLIM=${MEM_MB:-14000} -w -o pan pan.c && timeout ${LIMIT_S:-1200} ./pan -m1000000 -w26 >out.txt 2>&1
  printf '%-28s %s | %s | %s\n' "$1" "$(grep -o 'errors: [0-9]*' out.txt)" "$(grep 'states, stored' out.txt | xargs)" "$(grep -E 'assertion violated|not completed|out of memory' out.txt | head -1)"
  rm -rf "$w"
}
c=coherence.pml
if [ "$1" != ablations ]; then
  check journal journal.pml ""
  check one-reader-2-reads $c "-DR0=2 -DR1=0 -DEVICTIONS=1"
  check joined-load $c "-DR0=1 -DR1=0 -DEVICTIONS=1 -DJOINERS=1"
  check two-readers $c "-DR0=1 -DR1=1 -DEVICTIONS=0"
  check lost-intents $c "-DEVICT -DR0=2 -DR1=0 -DEVICTIONS=1"
  check releases release.pml "-DLOSSES=0 -DLIVES=1 -DWRITES=2 -DTERMS=6"
  check releases-come-again release.pml "-DLOSSES=0 -DLIVES=2 -DWRITES=1 -DTERMS=5"
  check releases-lost-directory release.pml "-DLOSSES=1 -DLIVES=1 -DWRITES=1 -DTERMS=6"
  check servers ring.pml ""
  check servers-2-writes ring.pml "-DW0=2 -DW1=0 -DR0=2 -DR1=1"
  [ -z "$LONG" ] || check two-readers-eviction $c "-DR0=1 -DR1=1 -DEVICTIONS=1"
fi
for d in NO_INTENT ONE_TOKEN STAMP_AFTER LATE_JOURNAL NO_STRIPE; do check "without: $d" $c "-D$d -DR0=2 -DR1=1 -DEVICTIONS=2"; done
check "without: stamped joins" $c "-DJOIN_ANY -DR0=1 -DR1=0 -DEVICTIONS=1 -DJOINERS=1"
check "without: journal order" journal.pml "-DEARLY"
check "without: closed numbers" journal.pml "-DNO_TOMB"
check "without: the wait" journal.pml "-DNO_WAIT -DNO_RETAKE"
check "without: a new number" journal.pml "-DNO_RETAKE"
r="-DLIVES=1 -DWRITES=1 -DTERMS=6"
for d in NO_ALL NO_SETTLE NO_TERM NO_MARK NO_END; do check "without: $d" release.pml "-D$d -DLOSSES=0 $r"; done
check "without: NO_GHOST" release.pml "-DNO_GHOST $r"
check "lost with its sign of life" release.pml "-DLOST_BOTH -DLIVES=1 -DWRITES=1 -DTERMS=7"
for d in FIRST_ONLY ANY_STEP OWN_STEP TWO_APART; do check "without: $d" ring.pml "-D$d"; done
rm -rf "$tmp"
