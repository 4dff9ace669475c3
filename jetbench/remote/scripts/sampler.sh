# Prints what the sensors say until the process OWNER is gone: the board's uptime, then a line
# of tegrastats, or, where there is none, `sysfs key=value ...`. Arguments: OWNER, and the
# milliseconds from one line to the next. What tegrastats tells depends on who runs it: the
# clock of the memory only to root.
DIR=$(dirname "$0")
. "$DIR/common.sh"
OWNER=$1
INTERVAL_MS=$2

owned() { [ -d "/proc/$OWNER" ] || ! [ -d /proc/self ]; }

# All that sysfs knows: into $sample.
sysfs_sample() {
    sample=sysfs
    if gpu_devfreq; then
        first_line "$devfreq/cur_freq" && sample="$sample gpu_cur_hz=$line"
        first_line "$devfreq/../../load" && sample="$sample gpu_load_pm=$line"
    fi
    first_line "$ROOT/sys/kernel/debug/bpmp/debug/clk/emc/rate" && sample="$sample emc_hz=$line"
    cpu_clocks cur
    [ -z "$cpus" ] || sample="$sample cpu_khz=$khz"
    for zone in "$ROOT"/sys/devices/virtual/thermal/thermal_zone*; do
        first_line "$zone/type" || continue
        name=$line
        first_line "$zone/temp" && sample="$sample temp_$name=$line"
    done
    for file in "$ROOT"/sys/bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_*; do
        first_line "$file" || continue
        name=$line
        first_line "${file%/*}/in_power${file##*_}_input" && sample="$sample rail_$name=$line"
    done
}

tegrastats=$(find_tegrastats "$USER_HOME")
if [ -n "$tegrastats" ]; then
    "$tegrastats" --interval "$INTERVAL_MS" 2>/dev/null | while IFS= read -r text && owned; do
        uptime_s
        printf '%s %s\n' "$up" "$text"
    done
fi
# Without it, or where it does not work.
pause=$((INTERVAL_MS / 1000)).$((INTERVAL_MS % 1000 / 100))
while owned; do
    uptime_s
    sysfs_sample
    printf '%s %s\n' "$up" "$sample"
    sleep "$pause"
done
