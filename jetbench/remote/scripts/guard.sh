# The only thing that runs as root. Saves power mode and clocks, sets what is asked for, reads
# it back, gives the runner leave to start, and puts everything back when the runner is gone,
# for whatever reason. Arguments: the runner's process id, the power mode (an id, a name or
# "keep"), 1 to lock the clocks, the home of the user. Standard output is the lock, standard
# error the journal.
exec 9>&1 1>&2
RUNNER=$1
WANTED=$2
CLOCKS=$3
USER_HOME=$4
. "$(dirname "$0")/common.sh"
STATE=$ROOT/var/lib/jetbench

tell() { printf '@guard %s\n' "$*"; }
quoted() { printf '%s' "$*" | tr '\n"' ' _' | tr -d '\134' | cut -c1-300; }
# What a tool printed; its exit code proves nothing, and it must never be asked anything.
tool() { timeout -k 5 60 "$@" </dev/null 2>&1; }

nvpmodel=$(find_nvpmodel)
clocks=$(find_jetson_clocks "$USER_HOME")

mode_now() { [ -n "$nvpmodel" ] && tool "$nvpmodel" -q | awk '/^[0-9]+$/ {id = $1} END {print id}'; }
mode_id() {
    case $1 in
    *[!0-9]*)
        awk -v name="$1" '/POWER_MODEL/ {
            id = ""; found = ""
            for (i = 1; i <= NF; i++) {
                if (sub(/^ID=/, "", $i)) id = $i
                if (sub(/^NAME=/, "", $i)) found = $i
            }
            if (toupper(found) == toupper(name)) {print id; exit}
        }' "$ROOT/etc/nvpmodel.conf"
        ;;
    *) printf '%s' "$1" ;;
    esac
}
# 1 when the GPU's clock is fixed, 0 when not, nothing where the board does not say.
locked_now() {
    if gpu_devfreq; then
        cat "$devfreq/min_freq" "$devfreq/max_freq" "$devfreq/cur_freq"
    elif [ -n "$clocks" ]; then
        tool "$clocks" --show | sed -n 's/^GPU MinFreq=\([0-9]*\) MaxFreq=\([0-9]*\) CurrentFreq=\([0-9]*\).*/\1\n\2\n\3/p'
    fi | awk '{f[NR] = $1} END {if (NR == 3) print (f[1] == f[2] && f[2] == f[3]) ? 1 : 0}'
}
# The tools' own words, as evidence: WHEN is before, set or restored.
show() {
    [ -z "$nvpmodel" ] || tell "show=nvpmodel when=$1 text_b64=$(tool "$nvpmodel" -q | b64)"
    [ -z "$clocks" ] || tell "show=jetson_clocks when=$1 text_b64=$(tool "$clocks" --show | b64)"
}

restore() {
    problem=
    before=$(cat "$STATE/mode" 2>/dev/null)
    if [ -s "$STATE/clocks" ] && [ -n "$clocks" ]; then
        said=$(tool "$clocks" --restore "$STATE/clocks")
        case $said in *rror*) problem="jetson_clocks --restore said: $said" ;; esac
    fi
    if [ -n "$before" ] && [ -n "$nvpmodel" ] && [ "$(mode_now)" != "$before" ]; then
        said=$(tool "$nvpmodel" -m "$before")
        [ "$(mode_now)" = "$before" ] || problem="nvpmodel -m $before said: $said"
    fi
    show "$1"
    if [ -n "$problem" ]; then
        tell "state=not-restored reason=\"$(quoted "$problem")\""
        return 1
    fi
    rm -rf "$STATE"
    tell "state=$1 mode=$before locked=$(locked_now)"
}

fail() {
    tell "state=failed reason=\"$(quoted "$1")\""
    [ ! -e "$STATE/mode" ] || restore restored
    exit 1
}

[ -L "$STATE" ] && fail "$STATE is a link"
# A guard that was killed, or a reboot: what it had saved is the board's true state.
if [ -e "$STATE/mode" ]; then restore recovered || exit 1; fi
rm -rf "$STATE"
mkdir -p "${STATE%/*}"
mkdir -m 700 "$STATE" || fail "cannot make $STATE"

before=$(mode_now)
show before
id=
if [ "$WANTED" != keep ]; then
    [ -n "$before" ] || fail "nvpmodel does not say which mode is set"
    id=$(mode_id "$WANTED")
    [ -n "$id" ] || fail "nvpmodel.conf has no mode called $WANTED"
fi
if [ "$CLOCKS" = 1 ]; then
    [ -n "$clocks" ] || fail "there is no jetson_clocks"
    said=$(tool "$clocks" --store "$STATE/clocks")
    [ -s "$STATE/clocks" ] || fail "jetson_clocks --store said: $said"
fi
printf '%s\n' "$before" >"$STATE/mode.new" || fail "cannot write to $STATE"
mv "$STATE/mode.new" "$STATE/mode" || fail "cannot write to $STATE"
sync "$STATE/mode" 2>/dev/null || sync
trap 'restore restored; exit 1' TERM INT HUP

if [ -n "$id" ] && [ "$before" != "$id" ]; then
    said=$(tool "$nvpmodel" -m "$id")
    now=$(mode_now)
    [ "$now" = "$id" ] || fail "power mode is ${now:-unknown}, not $id; nvpmodel said: $said"
fi
if [ "$CLOCKS" = 1 ]; then
    said=$(tool "$clocks")
    [ "$(locked_now)" = 1 ] || fail "the clocks did not lock; jetson_clocks said: $said"
fi
show set
tell "state=ready mode=$(mode_now) locked=$(locked_now)"

# Until the runner is gone; then whatever it left running, then the way back.
tail -s 0.2 -f --pid="$RUNNER" /dev/null &
wait $!
pkill -KILL -s "$RUNNER" 2>/dev/null
trap '' TERM INT HUP
restore restored
