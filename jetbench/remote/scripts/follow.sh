# Prints the journal from OFFSET on, until nobody of the sweep is left on the board: neither
# the runner nor the guard. Then waits for leave to delete. Set before: NONCE, SWEEP, OFFSET.
DIR=$BASE/sweeps/$SWEEP
if [ ! -e "$DIR/started" ]; then
    say none
    exit 0
fi
say journal
# Runner and guard hold the lock between them: when it is free, both have ended.
flock -s 0 <"$LOCK" >/dev/null 2>&1 &
tail -c "+$((OFFSET + 1))" -s 0.1 -f --pid=$! "$DIR/journal"
say "eof size=$(wc -c <"$DIR/journal")"
IFS= read -r answer
if [ "$answer" = forget ]; then
    rm -rf "$DIR"
    rmdir "$BASE/sweeps" 2>/dev/null && rm -f "$BASE/holder" && rmdir "$BASE"
    say forgotten
fi
