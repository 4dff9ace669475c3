# Asks the runner of a sweep to stop: it ends its trial, says so, and the guard restores.
# Set before: NONCE, SWEEP (the sweep's id: whichever part runs).
for dir in "$BASE/sweeps/$SWEEP" "$BASE/sweeps/$SWEEP"~*; do
    pid=$(cat "$dir/pid" 2>/dev/null)
    if [ -n "$pid" ] && ps -o args= -p "$pid" 2>/dev/null | grep -qF "$dir/runner.sh"; then
        # On a full disk it ends as well, only not with the right word.
        true >"$dir/stop"
        kill -TERM "$pid" && say stopping
        exit 0
    fi
done
say "not running"
