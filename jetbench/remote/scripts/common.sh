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

# A line of our own among what the login shell or the tools may print.
say() { printf '#%s %s\n' "$NONCE" "$*"; }

b64() { base64 | tr -d '\n'; }

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

# The folder of the GPU's clock: into $devfreq.
gpu_devfreq() {
    for devfreq in "$ROOT/sys/devices/17000000.gp10b/devfreq/17000000.gp10b" \
        "$ROOT/sys/devices/gpu.0/devfreq/17000000.gp10b" "$ROOT"/sys/class/devfreq/*gp10b; do
        [ -r "$devfreq/cur_freq" ] && return 0
    done
    return 1
}

# The sensors the board has, as key=value pairs, into $sensors: temperatures in millidegrees,
# frequencies in hertz.
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
    fi
}
