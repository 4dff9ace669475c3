# Runs the trials of one part of a sweep in order, alone on the board, and writes down all that
# happens in one append-only file. Started detached, with the board's lock on descriptor 9, the
# journal, which is locked as well, on 3 and, where sudo wants a password, that on standard
# input. Argument: the part's folder, which holds settings.sh, trials, models/ and the other
# scripts. Stops on TERM.
#
# A line of `trials`: ID MODEL ITERATIONS MODE CASE REPEAT. Trials of one power mode stand
# together; the ID of a warm-up is 0. MODE is an id, a name or "keep".
DIR=$1
cd "$DIR" || exit 1
. ./common.sh
. ./settings.sh
exec 4<&0 </dev/null
printf '%s\n' "$$" >pid

stop=
child=
guard=
# A signal that nobody has asked for is that of a board that goes down.
trap 'if [ -e stop ]; then stop=stopped; else stop=terminated; fi; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP

# A journal that cannot be written ends the sweep: what is measured then would be lost.
emit() { printf '%s\n' "$*" >&3 || stop='no-space'; }
utc() { date -u +%Y-%m-%dT%H:%M:%SZ; }

uptime_s
first_line /proc/sys/kernel/random/boot_id
emit "@start version=1 sweep=$SWEEP up=$up pid=$$ boot=$line"

# The guard is started once through sudo. Its standard output is the lock: sudo closes every
# descriptor but the first three, and the lock must not be free before the guard is done. What
# sudo and the guard have to say goes to the journal. What it is asked goes through a pipe, of
# which only this shell holds the end to write to: when it is gone, the guard knows.
if [ "$GUARD" = 1 ] && ! mkfifo ask; then
    stop='no-space'
elif [ "$GUARD" = 1 ]; then
    exec 6<>ask
    if [ "$SUDO" = guard ]; then
        printf 'for %s %s\n' "$$" "$CLOCKS" >&6
        setsid sudo -n /bin/sh "$ROOT$INSTALLED/guard.sh" run <ask >&9 2>&3 4<&- 6>&- &
    elif [ "$SUDO" = password ]; then
        setsid sudo -S -p '' /bin/sh "$DIR/guard.sh" run "$$" "$CLOCKS" "$HOME" \
            <&4 >&9 2>&3 6>&- &
    else
        setsid sudo -n /bin/sh "$DIR/guard.sh" run "$$" "$CLOCKS" "$HOME" \
            </dev/null >&9 2>&3 6>&- &
    fi
    guard=$!
fi
exec 4<&-

guard_gone() { [ -n "$guard" ] && [ -d /proc/self ] && ! [ -d "/proc/$guard" ]; }

# set_mode MODE: have the guard set power mode and clocks, and wait until it has proved it.
mode=
ready=0
set_mode() {
    mode=$1
    [ "$GUARD" = 1 ] || return
    ready=$((ready + 1))
    printf 'mode %s\n' "$mode" >&6
    tries=0
    until [ "$(grep -c '^@guard state=ready' journal)" -ge "$ready" ]; do
        tries=$((tries + 1))
        if guard_gone || ! kill -0 "$guard" 2>/dev/null && ! [ -d "/proc/$guard" ]; then
            stop='guard-failed'
        elif [ "$tries" -gt 1800 ]; then
            stop='guard-timeout'
            kill "$guard" 2>/dev/null
        fi
        [ -z "$stop" ] || return
        sleep 0.1
    done
}

# telemetry on|off: by the guard, to whom more is told, or by ourselves. samples: what it has
# said since the uptime $1, for the journal; a trial of days must not fill it.
telemetry() {
    if [ "$TELEMETRY" != 1 ]; then
        return
    elif [ -n "$guard" ]; then
        printf '%s\n' "$1" >&6
    elif [ "$1" = on ]; then
        start_sampler "$DIR/telemetry"
    else
        stop_sampler
    fi
}
readings=$DIR/telemetry
[ "$GUARD" != 1 ] || readings=$ROOT/var/lib/jetbench/telemetry
samples() {
    [ "$TELEMETRY" = 1 ] && [ -r "$readings" ] || return 0
    awk -v from="$1" '$1 + 0 >= from + 0 && NR <= 100000 {print "~ " substr($0, 1, 2000)}' "$readings"
}

# What the board's sensors say of it at rest, its clocks set: the baseline of its power.
rest() {
    [ "$TELEMETRY" = 1 ] && [ -z "$stop" ] || return 0
    uptime_s
    emit "@rest mode=$mode up=$up"
    began=$up
    telemetry on
    sleep "$REST_S"
    telemetry off
    samples "$began" >&3
}

# Waits until the GPU is no warmer than asked for, within bounds; into $cooled, for the
# journal. A board that did not get there once is not waited for again.
cool_wait_s=$COOL_WAIT_S
cool_down() {
    cooled=
    [ -n "$COOL_MC" ] || return 0
    uptime_s
    began=${up%.*}
    while conditions; do
        temp=${sensors#*gpu_temp_mc=}
        [ "$temp" != "$sensors" ] || return 0
        temp=${temp%% *}
        uptime_s
        cooled=" cool_limit_mc=$COOL_MC cool_waited_s=$((${up%.*} - began)) cool_reached="
        if [ "$temp" -le "$COOL_MC" ]; then
            cooled=${cooled}1
            return
        elif [ $((${up%.*} - began)) -ge "$cool_wait_s" ] || [ -n "$stop" ]; then
            cooled=${cooled}0
            cool_wait_s=0
            return
        elif [ "${up%.*}" = "$began" ]; then
            emit "@cooling up=$up gpu_temp_mc=$temp limit_mc=$COOL_MC wait_s=$cool_wait_s"
        fi
        sleep 1
    done
}

# precise CASE: whether the 95 % interval of the mean of its forward times, by Student's t, is
# as narrow as asked for.
precise() {
    awk -v wanted="$PRECISION" '
        { sum += $1; n++; value[n] = $1 }
        END {
            count = split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228 2.201 " \
                "2.179 2.160 2.145 2.131 2.120 2.110 2.101 2.093 2.086 2.080 2.074 2.069 2.064 " \
                "2.060 2.056 2.052 2.048 2.045 2.042", t, " ")
            if (n < 2 || sum <= 0) exit 1
            mean = sum / n
            for (i = 1; i <= n; i++) squares += (value[i] - mean) ^ 2
            quantile = t[n - 1 < count ? n - 1 : count]
            exit !(quantile * sqrt(squares / (n - 1) / n) <= wanted * mean)
        }' "values.$1" 2>/dev/null
}

# own_time: the CPU time of the programs that have ended, in hundredths of a second, into $own.
hundredths() {
    seconds=${1#*m}
    seconds=${seconds%s}
    part=${seconds#*.}00
    part=1${part%"${part#??}"}
    cs=$((${1%%m*} * 6000 + ${seconds%.*} * 100 + part - 100))
}
own_time() {
    # On a full disk: `times` alone would end this shell, and so would sums of nothing.
    user='' system=''
    { times; } >used && { read -r _; read -r user system; } <used
    case $user,$system in
    *m*.*s,*m*.*s) ;;
    *)
        stop='no-space' own=0
        return
        ;;
    esac
    hundredths "$user"
    own=$cs
    hundredths "$system"
    own=$((own + cs))
}

# trial ID MODEL ITERATIONS CASE: one process of caffe, from its announcement to its log.
trial() {
    cool_down
    uptime_s
    limit=$TIMEOUT_S
    if [ -n "$DEADLINE_S" ]; then
        left=$((started + DEADLINE_S - ${up%.*}))
        if [ "$left" -le 0 ]; then
            stop=deadline
            return
        fi
        [ "$left" -ge "$limit" ] || limit=$left
    fi
    telemetry on
    usage_now
    conditions
    own_time
    own_before=$own
    # In the words of the log, whose clock is the board's own, and of no year.
    clock=$(date '+%s.%N %m%d %H:%M:%S.%N')
    local=${clock#* }
    uptime_s
    began=$up
    warm_up=
    [ "$1" != 0 ] || warm_up=' warm_up=1'
    emit "@trial id=$1 up=$up utc=$(utc) local=\"${local%???}\" clock=${clock%% *}\
 limit_s=$limit$warm_up$cooled$usage$sensors"
    [ -z "$stop" ] || return
    # The log goes to a file, bounded by the shell: a pipe would be read while it measures.
    (
        ulimit -f "$LOG_BLOCKS"
        cd "$CAFFE_DIR" || exit 127
        # shellcheck disable=SC2086 # FLAGS are words of our own
        exec timeout -k 5 "$limit" "$CAFFE" time -model "$DIR/models/$2" \
            -iterations "$3" $FLAGS
    ) >log 2>&1 3>&- 5<&- 6>&- &
    child=$!
    # Wait returns early when a signal is trapped, so until the child is really gone.
    wait "$child"
    code=$?
    while kill -0 "$child" 2>/dev/null; do
        wait "$child"
        code=$?
    done
    # Its group is that of `timeout`, which may have been killed without what it had started.
    kill -KILL "-$child" 2>/dev/null
    child=
    # Whether somebody has set the clock meanwhile, is seen by the uptime, which nobody sets.
    clock=$(date +%s.%N)
    uptime_s
    conditions
    usage_now
    own_time
    telemetry off
    # What has killed it may be about to end us as well, as when the board goes down: then it is
    # no failure of the program.
    case $code in 137 | 143) sleep 1 ;; esac
    hash=$(sha256sum <log)
    # What happens to a program after it has printed its result does not spoil the result.
    cut=1
    case $(tail -c 4096 log) in *'Benchmark ends'*) cut= ;; esac
    # One that could not write all of its log does not say so: fewer than 16 blocks are free.
    if free=$(stat -f -c %a . 2>/dev/null) && [ "$free" -lt 16 ]; then
        stop='no-space'
        [ -z "$cut" ] || return
    fi
    # In one piece, so that who follows is woken once.
    {
        samples "$began"
        gzip -c log | base64 -w 4000 | sed 's/^/| /'
        printf '@done id=%s exit=%s up=%s clock=%s sha256=%s%s%s%s%s\n' "$1" "$code" "$up" \
            "$clock" "${hash%% *}" "${cut:+${stop:+ stop=$stop}}" " own_cs=$((own - own_before))" "$usage" "$sensors"
    } >block || stop='no-space'
    cat block >&3 || stop='no-space'
    # A board on which nothing ends any more would take days to say so.
    case $code in
    124 | 137) [ $((${up%.*} - ${began%.*})) -lt "$limit" ] || hung=$((hung + 1)) ;;
    *) hung=0 ;;
    esac
    [ "$hung" -lt 3 ] || stop=hangs
    if [ -n "$PRECISION" ] && [ "$1" != 0 ] && [ "$code" = 0 ]; then
        awk '/Average Forward pass:/ {value = $(NF - 1)} END {if (value > 0) print value}' log \
            >>"values.$4"
    fi
}

hung=0
uptime_s
started=${up%.*}
while [ -z "$stop" ] && read -r id model iterations wanted case repeat <&5; do
    if guard_gone; then
        stop='guard-gone'
        # It may be faster than we are, as where sudo does not let it begin.
        [ "$ready" != 0 ] || stop='guard-failed'
        break
    fi
    if [ -n "$PRECISION" ] && [ "$repeat" -gt "$MIN_REPEATS" ] && precise "$case"; then
        emit "@skip id=$id reason=precise"
        continue
    fi
    if [ "$wanted" != "$mode" ]; then
        set_mode "$wanted"
        rest
    fi
    [ -n "$stop" ] || trial "$id" "$model" "$iterations" "$case"
done 5<trials
stop_sampler
rm -f log block used
# On a full disk the last line may have been cut: the next one must begin at its own start.
[ "$stop" != no-space ] || emit
uptime_s
emit "@end reason=${stop:-finished} up=$up"
