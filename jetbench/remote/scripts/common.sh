# Shared by the scripts that follow it in one text. POSIX sh with the GNU coreutils and
# util-linux of Ubuntu 16.04. ROOT is empty on a board; a virtual board lives in a folder.
# Every program started costs a board a millisecond or more: what the shell can do, it does.
umask 077
LC_ALL=C
export LC_ALL
ROOT=${JETBENCH_ROOT:-}
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
        [ -d "$dir" ] || mkdir -m 700 "$dir" 2>/dev/null
        if [ -L "$dir" ] || [ ! -d "$dir" ] || [ ! -O "$dir" ]; then
            refuse folder "$dir is not a folder of $(id -un), or cannot be made"
        fi
    done
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

# find_tool NAME PATH...: the first that is an executable file, else what PATH finds.
find_tool() {
    name=$1
    shift
    for candidate in "$@"; do
        if [ -f "$candidate" ] && [ -x "$candidate" ]; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    command -v "$name" 2>/dev/null
}

find_nvpmodel() { find_tool nvpmodel "$ROOT/usr/sbin/nvpmodel" "$ROOT/usr/bin/nvpmodel"; }

# JetPack 4 has it in /usr/bin; JetPack 3 puts a script into the users' homes.
find_jetson_clocks() {
    find_tool jetson_clocks "$ROOT/usr/bin/jetson_clocks" "${1:-$HOME}/jetson_clocks.sh" \
        "$ROOT/home/nvidia/jetson_clocks.sh" "$ROOT/home/ubuntu/jetson_clocks.sh"
}

find_tegrastats() {
    find_tool tegrastats "$ROOT/usr/bin/tegrastats" "${1:-$HOME}/tegrastats" \
        "$ROOT/home/nvidia/tegrastats" "$ROOT/home/ubuntu/tegrastats"
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
    # It may not have become the leader of its session yet.
    kill -TERM "-$sampler" 2>/dev/null || kill -TERM "$sampler" 2>/dev/null
    wait "$sampler" 2>/dev/null
    sampler=
}
