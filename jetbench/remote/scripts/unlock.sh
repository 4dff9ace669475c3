# Breaks the lock of a sweep that is dead: its runner is gone, and something that it has left
# holds the lock still (a caffe that the driver does not let go, a guard that hangs). Set
# before: NONCE, FORCE (1 to end a sweep that is alive, too), PASSWORD (1 when a line with the
# sudo password comes on standard input).
# Where the user has such a variable in the environment, it would stay in there.
unset secret
if [ "$PASSWORD" = 1 ]; then IFS= read -r secret; fi

is_free() {
    exec 8<"$LOCK"
    flock -n 8
    free=$?
    exec 8<&-
    return "$free"
}

# Our scripts of this kind that run, whoever's sweep it is that was started by this user.
ours() { ps -eo pid=,args= | awk -v part="$BASE/sweeps/" -v name="/$1" \
    'index($0, part) && index($0, name) && $2 !~ /awk/ { print $1 }'; }

# Processes of this user that have the lock's folder open.
holders() {
    find /proc/[0-9]*/fd -lname "$LOCK" 2>/dev/null | cut -d/ -f3 | sort -un | grep -vx "$$"
}

# wait_free SECONDS
wait_free() {
    looks=$(($1 * 5))
    until is_free; do
        [ "$looks" -gt 0 ] || return 1
        looks=$((looks - 1))
        sleep 0.2
    done
}

if is_free; then
    say free
    exit 0
fi
first_line "$BASE/holder" || line='who="another user"'
runner=$(ours runner.sh)
if [ -n "$runner" ] && [ "$FORCE" != 1 ]; then
    say "alive $(printf '%s' "$line" | b64)"
    exit 0
fi
# First as `stop` does it, which lets the guard put the power state back; then without mercy.
for dir in "$BASE"/sweeps/*/; do [ ! -e "${dir}pid" ] || true >"${dir}stop"; done
# shellcheck disable=SC2086 # process ids, one a line
[ -z "$runner" ] || kill -TERM $runner 2>/dev/null
[ -z "$runner" ] || wait_free 15
# A guard whose runner is gone takes as long as NVIDIA's tools take; and what is being ended
# may just have started something.
tries=20
until wait_free 1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || break
    # shellcheck disable=SC2046,SC2086 # process ids, one a line
    kill -KILL $runner $(holders) 2>/dev/null
done
guard=$(ours guard.sh)
if [ -n "$guard" ] && ! is_free; then
    # With all that it has started: each of them may have the lock. The numbers that ps prints
    # may have blanks before them, which pkill would not take.
    # shellcheck disable=SC2016,SC2086 # expanded by the shell that root runs; one a line
    set -- /bin/sh -c 'for pid; do
        for session in $(ps -o sid= -p "$pid"); do pkill -KILL -s "$session"; done
        kill -KILL "$pid"
    done' end $guard
    if [ "$PASSWORD" = 1 ]; then
        printf '%s\n' "$secret" | sudo -S -p '' "$@" 2>/dev/null
    else
        sudo -n "$@" 2>/dev/null </dev/null
    fi
    wait_free 5
fi
if is_free; then
    rm -f "$BASE/holder"
    say "broken $(printf '%s' "$line" | b64)"
else
    left=$(ps -eo pid=,user=,args= | awk -v part="$BASE/sweeps/" 'index($0, part) && !/awk/' |
        head -n 5)
    say "held $(printf '%s; %s' "$line" "${left:-no process of this user}" | b64)"
fi
