# Runs the trials of one sweep in order, alone on the board, and writes down all that happens
# in one append-only file. Started detached, with the board's lock on descriptor 9 and, where
# sudo wants a password, that on standard input. Argument: the sweep's folder, which holds
# settings.sh, trials, models/, guard.sh. Stops on TERM.
DIR=$1
cd "$DIR" || exit 1
. ./common.sh
. ./settings.sh
exec 3>>journal 4<&0 </dev/null
printf '%s\n' "$$" >pid

stop=
child=
guard=
trap 'stop=stopped; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP

# A journal that cannot be written ends the sweep: what is measured then would be lost.
emit() { printf '%s\n' "$*" >&3 || stop='no-space'; }
utc() { date -u +%Y-%m-%dT%H:%M:%SZ; }

uptime_s
first_line /proc/sys/kernel/random/boot_id
emit "@start version=1 sweep=$SWEEP up=$up pid=$$ boot=$line"

# Started once through sudo. Its standard output is the lock: sudo closes every descriptor but
# the first three, and the lock must not be free before the guard is done. What sudo and the
# guard have to say goes to the journal.
if [ "$GUARD" = 1 ]; then
    if [ "$SUDO" = password ]; then
        setsid sudo -S -p '' /bin/sh "$DIR/guard.sh" "$$" "$POWER_MODE" "$CLOCKS" "$HOME" \
            <&4 >&9 2>&3 &
    else
        setsid sudo -n /bin/sh "$DIR/guard.sh" "$$" "$POWER_MODE" "$CLOCKS" "$HOME" \
            </dev/null >&9 2>&3 &
    fi
    guard=$!
    tries=0
    until grep -q '^@guard state=ready' journal; do
        tries=$((tries + 1))
        if ! kill -0 "$guard" 2>/dev/null && ! [ -d "/proc/$guard" ]; then
            stop='guard-failed'
        elif [ "$tries" -gt 900 ]; then
            stop='guard-timeout'
        fi
        [ -z "$stop" ] || break
        sleep 0.1
    done
fi
exec 4<&-

uptime_s
started=${up%.*}
while [ -z "$stop" ] && read -r id model iterations <&5; do
    limit=$TIMEOUT_S
    uptime_s
    if [ -n "$DEADLINE_S" ]; then
        left=$((started + DEADLINE_S - ${up%.*}))
        if [ "$left" -le 0 ]; then
            stop=deadline
            break
        fi
        [ "$left" -ge "$limit" ] || limit=$left
    fi
    if [ -n "$guard" ] && [ -d /proc/self ] && ! [ -d "/proc/$guard" ]; then
        stop='guard-gone'
        break
    fi
    conditions
    emit "@trial id=$id up=$up utc=$(utc) limit_s=$limit$sensors"
    [ -z "$stop" ] || break
    # The log goes to a file, bounded by the shell: a pipe would be read while it measures.
    (
        ulimit -f "$LOG_BLOCKS"
        cd "$CAFFE_DIR" || exit 127
        # shellcheck disable=SC2086 # FLAGS are words of our own
        exec timeout -k 5 "$limit" "$CAFFE" time -model "$DIR/models/$model" \
            -iterations "$iterations" $FLAGS
    ) >log 2>&1 3>&- 5<&- &
    child=$!
    # Wait returns early when a signal is trapped, so until the child is really gone.
    wait "$child"
    code=$?
    while kill -0 "$child" 2>/dev/null; do
        wait "$child"
        code=$?
    done
    child=
    uptime_s
    conditions
    hash=$(sha256sum <log)
    # In one piece, so that who follows is woken once.
    {
        gzip -c log | base64 -w 4000 | sed 's/^/| /'
        printf '@done id=%s exit=%s up=%s sha256=%s%s%s\n' "$id" "$code" "$up" \
            "${hash%% *}" "${stop:+ stop=$stop}" "$sensors"
    } >block || stop='no-space'
    cat block >&3 || stop='no-space'
    # A program that could not write all of its log does not say so: fewer than 16 blocks.
    free=$(stat -f -c %a . 2>/dev/null) && [ "$free" -lt 16 ] && stop='no-space'
done 5<trials
rm -f log block
# On a full disk the last line may have been cut: the next one must begin at its own start.
[ "$stop" != no-space ] || emit
uptime_s
emit "@end reason=${stop:-finished} up=$up"
