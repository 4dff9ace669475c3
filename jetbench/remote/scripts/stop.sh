# Asks the runner of a sweep to stop: it ends its trial, says so, and the guard restores.
# Set before: NONCE, SWEEP.
pid=$(cat "$BASE/sweeps/$SWEEP/pid" 2>/dev/null)
if [ -n "$pid" ] && ps -o args= -p "$pid" 2>/dev/null | grep -qF "$SWEEP/runner.sh"; then
    kill -TERM "$pid" && say stopping
else
    say "not running"
fi
