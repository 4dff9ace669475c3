# The only thing that runs as root. Saves power mode, clocks and fan, sets what the runner asks
# for, reads it back from the board's own tables, and puts everything back when the runner is
# gone, for whatever reason. Standard output is the lock, standard error the journal.
#
#   guard.sh run RUNNER CLOCKS HOME     for the runner with that process id; CLOCKS is 1 to lock
#                                       the clocks, HOME the home of the user
#   guard.sh restore - - HOME           only put back what an earlier one could not
#
# The runner asks through the pipe `ask` in this folder, a line at a time: `mode WANTED` (an id,
# a name or "keep"), `on` and `off` (read the sensors, or no more). While nobody asks, the guard
# waits for a line and takes no time. The pipe's other end is the runner's alone: that it is
# shut says that the runner is gone.
exec 9>&1 1>&2
TASK=$1
RUNNER=$2
CLOCKS=$3
USER_HOME=$4
DIR=$(dirname "$0")
. "$DIR/common.sh"
STATE=$ROOT/var/lib/jetbench
export USER_HOME

tell() { printf '@guard %s\n' "$*"; }
quoted() { printf '%s' "$*" | tr '\n"' ' _' | tr -d '\134' | cut -c1-300; }
# What a tool printed; its exit code proves nothing, and it must never be asked anything: it
# finds the end of its input where it would wait for an answer.
tool() { timeout -k 5 60 "$@" </dev/null 2>&1; }

nvpmodel=$(find_nvpmodel)
clocks=$(find_jetson_clocks "$USER_HOME")
conf=$ROOT/etc/nvpmodel.conf
fan=$ROOT/sys/devices/pwm-fan

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
        }' "$conf"
        ;;
    *) printf '%s' "$1" ;;
    esac
}

# mode_settings ID: what a mode sets, one a line: parameter, argument, file, value. The value
# of a clock is the first step of the board's own table at or above what the mode says.
mode_settings() {
    [ ! -r "$conf" ] || awk -v mode="$1" -v root="$ROOT" '
        /^[ \t]*#/ { next }
        $1 == "<" { inside = 0; parameter = "" }
        $1 == "<" && $2 == "PARAM" {
            for (i = 3; i <= NF; i++) if (sub(/^NAME=/, "", $i)) parameter = $i
        }
        $1 == "<" && $2 == "POWER_MODEL" {
            for (i = 3; i <= NF; i++) if ($i == "ID=" mode) inside = 1
        }
        $1 ~ /^[A-Z]/ && parameter != "" { file[parameter " " $1] = $2 }
        $1 ~ /^[A-Z]/ && inside {
            value = $3
            table = file[$1 " FREQ_TABLE"]
            if (table != "" && (getline steps <(root table)) > 0) {
                close(root table)
                count = split(steps, step, " ")
                for (i = 1; i < count && (value < 0 || step[i] + 0 < value + 0); i++) continue
                value = step[i]
            }
            if (file[$1 " " $2] != "") print $1, $2, root file[$1 " " $2], value
        }' "$conf"
}

# unmet ID: the first setting of a mode that the board does not have.
unmet() {
    mode_settings "$1" | while read -r parameter argument file value; do
        case $argument in MAX_FREQ | CORE_*) ;; *) continue ;; esac
        case $value in *[!0-9]*) continue ;; esac
        first_line "$file" || continue
        now=$line
        # The clock of a core that is off says nothing.
        case $file in
        */cpufreq/*) ! first_line "${file%/cpufreq/*}/online" || [ "$line" != 0 ] || continue ;;
        esac
        [ "$now" != "$value" ] || continue
        printf '%s %s is %s, and the board'\''s own tables say %s' "$parameter" "$argument" \
            "$now" "$value"
        break
    done
}

# Cores that a mode puts off and that jetson_clocks of JetPack 3 puts on.
cores_off() {
    mode_settings "$1" | while read -r _ argument file value; do
        case $argument in
        CORE_*) [ "$value" != 0 ] || ! first_line "$file" || [ "$line" = 0 ] || echo 0 >"$file" ;;
        esac
    done
}

gpu_clocks() {
    if gpu_devfreq; then
        printf 'GPU MinFreq=%s MaxFreq=%s CurrentFreq=%s\n' "$(cat "$devfreq/min_freq")" \
            "$(cat "$devfreq/max_freq")" "$(cat "$devfreq/cur_freq")"
    fi
}
# The first clock that is not fixed, in the words of jetson_clocks; nothing where all are.
# The memory's lowest clock stays low even when it is locked, so its override is asked for.
unlocked() {
    { [ -z "$clocks" ] || tool "$clocks" --show; gpu_clocks; } | awk '
        function field(name,    i, part) {
            for (i = 1; i <= NF; i++) if (split($i, part, "=") == 2 && part[1] == name) return part[2]
            return ""
        }
        /^cpu[0-9]+:/ && field("Online") != "0" || /^GPU / {
            seen = 1
            if (field("MinFreq") != field("MaxFreq") || field("MaxFreq") != field("CurrentFreq"))
                { print; exit }
        }
        /^EMC / && field("FreqOverride") != "" {
            if (field("MaxFreq") != field("CurrentFreq") || field("FreqOverride") != 1) { print; exit }
        }
        END { if (!seen) print "it says nothing of its clocks" }'
}
locked_now() { if [ -z "$(unlocked)" ]; then echo 1; else echo 0; fi; }

# jetson_clocks, once more after a wait where it says that the board has only just booted.
set_clocks() {
    said=$(tool "$clocks" "$@")
    case $said in
    *"after "*" Seconds"*)
        wait_s=$(printf '%s' "$said" | sed -n 's/.*after \([0-9]\{1,2\}\) Seconds.*/\1/p')
        tell "state=waiting seconds=${wait_s:=90}"
        sleep "$((wait_s + 1))"
        said=$(tool "$clocks" "$@")
        ;;
    esac
}

# The tools' own words, as evidence: WHEN is before, set or restored.
show() {
    [ -z "$nvpmodel" ] || tell "show=nvpmodel when=$1 text_b64=$(tool "$nvpmodel" -q | b64)"
    [ -z "$clocks" ] || tell "show=jetson_clocks when=$1 text_b64=$(tool "$clocks" --show | b64)"
}

save() {
    rm -rf "$STATE"
    mkdir -p "${STATE%/*}"
    # Its user may read the sensors' file in it, and not list or write anything.
    mkdir -m 711 "$STATE" || fail "cannot make $STATE"
    before=$(mode_now)
    if [ "$CLOCKS" = 1 ]; then
        [ -n "$clocks" ] || fail "there is no jetson_clocks"
        set_clocks --store "$STATE/clocks"
        [ -s "$STATE/clocks" ] || fail "jetson_clocks --store said: $said"
    fi
    show before
    for file in temp_control target_pwm; do
        ! first_line "$fan/$file" || printf '%s %s\n' "$file" "$line"
    done >"$STATE/fan"
    printf '%s\n' "$before" >"$STATE/mode.new" || fail "cannot write to $STATE"
    mv "$STATE/mode.new" "$STATE/mode" || fail "cannot write to $STATE"
    sync "$STATE/mode" 2>/dev/null || sync
    tell "state=saved mode=$before"
}

clocks_back() {
    [ -s "$STATE/clocks" ] && [ -n "$clocks" ] || return 0
    set_clocks --restore "$STATE/clocks"
    case $said in *rror*) problem="jetson_clocks --restore said: $said" ;; esac
}

restore() {
    before=$(cat "$STATE/mode" 2>/dev/null)
    said=
    if [ -n "$before" ] && [ -n "$nvpmodel" ] && [ "$(mode_now)" != "$before" ]; then
        clocks_back
        said=$(tool "$nvpmodel" -m "$before")
    fi
    problem=
    [ -z "$said" ] || [ "$(mode_now)" = "$before" ] || problem="nvpmodel -m $before said: $said"
    # Once more: a clock that was locked before may be above what the mode in between allows,
    # and nvpmodel lets all clocks go.
    clocks_back
    # The fan's own control last: it would undo a speed that is set by hand.
    if [ -s "$STATE/fan" ]; then
        while read -r file value; do
            ! first_line "$fan/$file" || [ "$line" = "$value" ] || echo "$value" >"$fan/$file"
        done <"$STATE/fan"
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
    if [ -e "$STATE/mode" ]; then
        restore restored
    elif [ ! -L "$STATE" ]; then
        rm -rf "$STATE"
    fi
    exit 1
}

# set_mode WANTED: mode and clocks as asked for, and proof of it.
set_mode() {
    id=
    if [ "$1" != keep ]; then
        [ -n "$(mode_now)" ] || fail "nvpmodel does not say which mode is set"
        id=$(mode_id "$1")
        [ -n "$id" ] || fail "nvpmodel.conf has no mode called $1"
    fi
    # From one mode to the next over free clocks: a locked one would outlive its limit.
    if [ -n "$changed" ]; then
        clocks_back
        [ -z "$problem" ] || fail "$problem"
    fi
    changed=1
    if [ -n "$id" ]; then
        said=
        if [ "$(mode_now)" != "$id" ] || [ -n "$(unmet "$id")" ]; then
            said=$(tool "$nvpmodel" -m "$id")
        fi
        now=$(mode_now)
        case $said in
        *[Rr]eboot*) advice='; set that mode by hand and reboot the board before you measure' ;;
        *) advice= ;;
        esac
        [ "$now" = "$id" ] || fail "power mode is ${now:-unknown}, not $id$advice; nvpmodel said: $said"
    fi
    if [ "$CLOCKS" = 1 ]; then
        set_clocks
        [ -z "$id" ] || cores_off "$id"
    fi
    free=$(unlocked)
    if [ "$CLOCKS" = 1 ] && [ -n "$free" ]; then
        fail "the clocks did not lock: $free; jetson_clocks said: $said"
    fi
    if [ -n "$id" ]; then
        wrong=$(unmet "$id")
        [ -z "$wrong" ] || fail "power mode $id did not take: $wrong"
    fi
    show set
    if [ -z "$free" ]; then locked=1; else locked=0; fi
    tell "state=ready asked=$1 mode=$(mode_now) locked=$locked"
}

problem='' changed=''
[ -L "$STATE" ] && fail "$STATE is a link"
# A guard that was killed, or a reboot: what it had saved is the board's true state.
done=
if [ -e "$STATE/mode" ]; then
    restore recovered || exit 1
    done=1
fi
if [ "$TASK" = restore ]; then
    [ -n "$done" ] || tell "state=nothing"
    exit 0
fi
# Opened to be read alone it would wait for somebody to write: for ever, if the runner is gone.
exec 7<>"$DIR/ask"
exec 8<"$DIR/ask" 7>&-
save
trap 'stop_sampler; restore restored; exit 1' TERM INT HUP
while read -r word value <&8; do
    case $word in
    mode) set_mode "$value" ;;
    on) start_sampler "$STATE/telemetry" && chmod 644 "$STATE/telemetry" ;;
    off) stop_sampler ;;
    esac
done
# The runner is gone. First whatever it left running, then the way back.
pkill -KILL -s "$RUNNER" 2>/dev/null
stop_sampler
trap '' TERM INT HUP
restore restored
