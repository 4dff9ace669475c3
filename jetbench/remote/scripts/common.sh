# Shared by the scripts that follow it in one text. POSIX sh with the GNU coreutils and
# util-linux of Ubuntu 16.04. ROOT is empty on a board; a virtual board lives in a folder.
# Every program started costs a board a millisecond or more: what the shell can do, it does.
umask 077
LC_ALL=C
export LC_ALL
# Where an administrator may have put the guard and what belongs to it, for all sweeps.
INSTALLED=/usr/local/lib/jetbench
case $0 in
*"$INSTALLED"/*.sh) ROOT=${0%"$INSTALLED"/*} by_rule=1 ;;
*) ROOT=${JETBENCH_ROOT:-} by_rule='' ;;
esac
BASE=$HOME/.jetbench
# The lock is a flock on a folder of root's that every board has: nobody can prepare or
# replace it, everybody may lock it, and it is free again when its holders are gone.
LOCK=$ROOT/etc
SAMPLE_MS=500

# A line of our own among what the login shell or the tools may print.
say() { printf '#%s %s\n' "$NONCE" "$*"; }

b64() { base64 | tr -d '\n'; }

# make_folders FOLDER...: folders of ours on the board. They must be ours alone: not a link,
# nor one that somebody has prepared.
make_folders() {
    for dir in "$@"; do
        problem=
        [ -d "$dir" ] || problem=$(mkdir -m 700 "$dir" 2>&1)
        if [ -L "$dir" ] || [ ! -d "$dir" ] || [ ! -O "$dir" ]; then
            refuse folder "$dir is not a folder of $(id -un)${problem:+, or cannot be made: $problem}"
        fi
        # Others may write to one that was made with another umask; what they have put into it
        # is met with the same suspicion below.
        chmod 700 "$dir" || refuse folder "$dir cannot be made private"
    done
}

# Take away what is empty of our folders, and who had the lock last. Making them and taking
# them away happens one after the other: in_order runs a command of that kind.
in_order() {
    if [ -r "$HOME" ]; then
        exec 7<"$HOME"
        flock 7
    fi
    "$@"
    exec 7<&-
}
tidy() {
    rmdir "$BASE/line" "$BASE/sweeps" 2>/dev/null
    [ -d "$BASE/sweeps" ] || { rm -f "$BASE/holder" && rmdir "$BASE"; } 2>/dev/null
}

# first_line FILE: into $line; the device tree ends its texts with NUL, not with a line end.
first_line() {
    line=
    [ -r "$1" ] || return 1
    IFS= read -r line <"$1" || [ -n "$line" ]
}

# The time since boot, which no clock setting moves: into $up, seconds.
uptime_s() {
    up=
    read -r up _ 2>/dev/null </proc/uptime || up=$(date +%s)
}

# ours_alone PATH: whether nobody but root (on a virtual board: its user) can change that file or
# put another in its place. There must be no link on the way to it: what is looked at is what
# will be run. A group may write where nobody is in it, as in /usr/local on Debian.
ours_alone() (
    path=$(readlink -f "$1") && base=$(readlink -f "$ROOT/") || exit 1
    [ "$path" = "${base%/}${1#"$ROOT"}" ] || exit 1
    while [ -O "$path" ]; do
        rights=$(stat -c %A "$path")
        case $rights in
        ????????w*) exit 1 ;;
        ?????w*)
            members=$(getent group "$(stat -c %g "$path")" | cut -d: -f4)
            [ -z "$members" ] || exit 1
            ;;
        esac
        [ "$path" != "$base" ] || exit 0
        path=${path%/*}
        path=${path:-/}
    done
    exit 1
)

# may_run FILE: what a rule of sudo lets a user run as root must run nothing that is the user's.
may_run() {
    [ -f "$1" ] && [ -x "$1" ] && { [ -z "$by_rule" ] || ours_alone "$1"; }
}

# find_tool NAME PATH...: the first that may be run, else what PATH finds.
find_tool() {
    name=$1
    shift
    for candidate in "$@" "$(command -v "$name" 2>/dev/null)"; do
        if may_run "$candidate"; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    return 1
}

find_nvpmodel() { find_tool nvpmodel "$ROOT/usr/sbin/nvpmodel" "$ROOT/usr/bin/nvpmodel"; }

# JetPack 4 has it in /usr/bin; JetPack 3 puts a script into the users' homes.
find_jetson_clocks() {
    find_tool jetson_clocks "$ROOT/usr/bin/jetson_clocks" "$ROOT$INSTALLED/jetson_clocks.sh" \
        "${1:-$HOME}/jetson_clocks.sh" \
        "$ROOT/home/nvidia/jetson_clocks.sh" "$ROOT/home/ubuntu/jetson_clocks.sh"
}

find_tegrastats() {
    find_tool tegrastats "$ROOT/usr/bin/tegrastats" "$ROOT$INSTALLED/tegrastats" "${1:-$HOME}/tegrastats" \
        "$ROOT/home/nvidia/tegrastats" "$ROOT/home/ubuntu/tegrastats"
}

# The checksum of the guard that is installed, and of what it runs; nothing where there is none.
installed_guard() {
    [ -r "$ROOT$INSTALLED/guard.sh" ] || return 0
    hash=$(cd "$ROOT$INSTALLED" && cat common.sh guard.sh look.sh sampler.sh 2>&1 | sha256sum)
    printf '%s' "${hash%% *}"
}

# The folder of the GPU's clock: into $devfreq.
gpu_devfreq() {
    for devfreq in "$ROOT/sys/devices/17000000.gp10b/devfreq/17000000.gp10b" \
        "$ROOT/sys/devices/gpu.0/devfreq/17000000.gp10b" "$ROOT"/sys/class/devfreq/*gp10b; do
        [ -r "$devfreq/cur_freq" ] && return 0
    done
    return 1
}

# The sensors the board has, as key=value pairs, into $sensors: temperatures in millidegrees,
# frequencies in hertz (of the CPU in kilohertz, as sysfs has them), loads per mille.
conditions() {
    sensors=
    for zone in "$ROOT"/sys/devices/virtual/thermal/thermal_zone*; do
        first_line "$zone/type" || continue
        case $line in
        GPU-therm) first_line "$zone/temp" && sensors="$sensors gpu_temp_mc=$line" ;;
        BCPU-therm) first_line "$zone/temp" && sensors="$sensors cpu_temp_mc=$line" ;;
        *) continue ;;
        esac
    done
    if gpu_devfreq; then
        for name in cur min max; do
            first_line "$devfreq/${name}_freq" && sensors="$sensors gpu_${name}_hz=$line"
        done
        first_line "$devfreq/../../load" && sensors="$sensors gpu_load_pm=$line"
    fi
    cpu_clocks max
    [ -z "$cpus" ] || sensors="$sensors cpus=$cpus cpu_max_khz=$khz"
    if first_line "$ROOT/var/lib/nvpmodel/status"; then
        line=${line##*:}
        while [ "${line#0?}" != "$line" ]; do line=${line#0}; done
        sensors="$sensors mode=$line"
    fi
}

# The cores that are on, with commas between, into $cpus, and the highest of their clocks
# scaling_$1_freq into $khz.
cpu_clocks() {
    cpus='' khz=0
    for core in "$ROOT"/sys/devices/system/cpu/cpu[0-9]*; do
        # The first core of some boards cannot be put off, and has no such file.
        if first_line "$core/online" && [ "$line" = 0 ]; then continue; fi
        first_line "$core/cpufreq/scaling_$1_freq" || continue
        cpus="${cpus:+$cpus,}${core##*/cpu}"
        [ "$line" -le "$khz" ] || khz=$line
    done
}

# What everything on the board has used since it was started, into $usage: CPU time in
# hundredths of a second, and pages that were swapped.
usage_now() {
    usage='' cores=0
    while IFS=' ' read -r name user nice system _ _ irq softirq steal _; do
        case $name in
        cpu) usage=" busy_cs=$((user + nice + system + irq + softirq + steal))" ;;
        cpu*) cores=$((cores + 1)) ;;
        *) break ;;
        esac
    done 2>/dev/null <"$ROOT/proc/stat"
    [ "$cores" = 0 ] || usage="$usage cores=$cores"
    swapped=0
    while IFS=' ' read -r name count; do
        case $name in pswpin | pswpout) swapped=$((swapped + count)) ;; esac
    done 2>/dev/null <"$ROOT/proc/vmstat" && usage="$usage swap_pages=$swapped"
}

# start_sampler FILE: write what the sensors say to FILE, a line at a time, until stop_sampler.
# In a session of its own, so that all of it can be ended; it ends, too, when this shell does.
sampler=
start_sampler() {
    # Not `:`, which ends its shell where the file cannot be made: a guard must live.
    true >"$1" || return
    setsid /bin/sh "$DIR/sampler.sh" "$$" "$SAMPLE_MS" >>"$1" 2>/dev/null \
        </dev/null 3>&- 5>&- 6>&- 8>&- 9>&- &
    sampler=$!
}

stop_sampler() {
    [ -n "$sampler" ] || return 0
    # Not TERM: a child that has not yet forgotten our trap for it would lose it, and live on. It
    # may not be the leader of its session yet, or become it between the first and the second.
    kill -KILL "-$sampler" 2>/dev/null ||
        { kill -KILL "$sampler" && kill -KILL "-$sampler"; } 2>/dev/null
    wait "$sampler" 2>/dev/null
    sampler=
}
