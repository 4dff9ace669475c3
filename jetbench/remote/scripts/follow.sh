# Prints the journal from OFFSET on, until nobody of this part is left on the board: neither
# the runner nor the guard. Then waits for leave to delete. Set before: NONCE, SWEEP, OFFSET.
DIR=$BASE/sweeps/$SWEEP
if [ ! -e "$DIR/started" ]; then
    say none
    exit 0
fi
say journal
# Another host may delete it meanwhile: what is open stays.
exec 6<"$DIR/journal"
# Who writes to the journal holds its lock.
flock -s 6 3>&- >/dev/null 2>&1 &
tail -c "+$((OFFSET + 1))" -s 0.1 -f --pid=$! "$DIR/journal"
say "eof size=$(wc -c <&6)"
IFS= read -r answer
if [ "$answer" = forget ]; then
    # First what says that it is there: nobody is to read half of it.
    rm -f "$DIR/started"
    rm -rf "$DIR"
    # And what a reboot has left of a restore.sh: nobody is at it while the lock is free.
    flock -n "$LOCK" rm -rf "$BASE"/restore.* 9>&-
    in_order tidy
    say forgotten
fi
