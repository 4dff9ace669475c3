# What is this board? One key=value a line, the value raw to the end of its line; a text of
# several lines is its key several times. A fact that cannot be had is left out. Set before:
# NONCE, CAFFE, CAFFE_ROOT, GPU, FILES (one path a line), MAX_FILE_BYTES, LOOK (look.sh), and
# GUARD_SUM (the checksum of a guard that is as ours).
fact() {
    [ -n "$2" ] || return 0
    while IFS= read -r line; do
        printf '%s=%s\n' "$1" "$line"
    done <<EOF
$2
EOF
}
file_fact() { if first_line "$2"; then fact "$1" "$line"; fi; }
bounded() { timeout -k 2 10 "$@" </dev/null; }
# The version in a library's file name, such as libcudnn.so.7.0.5.
library_fact() {
    for library in "$ROOT/usr/lib/aarch64-linux-gnu/$2".so.*.*.* "$ROOT/usr/lib/$2".so.*.*.*; do
        if [ -e "$library" ]; then fact "$1" "${library##*.so.}"; fi
    done
}

say begin
# In one piece: each write would travel as a packet of its own.
answer=$(
fact utc_s "$(date -u +%s)"
fact user "${USER:-$(id -un)}"
fact home "$HOME"
file_fact hostname "$ROOT/proc/sys/kernel/hostname"
uptime_s
fact uptime_s "$up"
file_fact boot_id /proc/sys/kernel/random/boot_id
if [ -e "$ROOT/etc/jetbench-virtual" ]; then fact simulated 1; fi

file_fact hardware "$ROOT/proc/device-tree/model"
[ -n "$line" ] || file_fact hardware "$ROOT/sys/firmware/devicetree/base/model"
file_fact serial "$ROOT/proc/device-tree/serial-number"
file_fact nv_tegra_release "$ROOT/etc/nv_tegra_release"
file_fact cuda "$ROOT/usr/local/cuda/version.txt"
library_fact cudnn libcudnn
library_fact tensorrt libnvinfer

missing=
for tool in awk base64 date df flock grep gzip head mkfifo pkill ps sed setsid sha256sum stat tail tar \
    timeout tr wc; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
fact missing_tools "$missing"

# Caffe: where the inventory says, or else in the usual places.
if [ -n "$CAFFE" ]; then
    wanted=$CAFFE
elif [ -n "$CAFFE_ROOT" ]; then
    wanted=${CAFFE_ROOT%/}/build/tools/caffe
else
    wanted=
fi
case $wanted in
\~/*) wanted=$HOME/${wanted#\~/} ;;
/*) if [ -n "$ROOT" ] && [ ! -e "$wanted" ]; then wanted=$ROOT$wanted; fi ;;
?*) wanted=$HOME/$wanted ;;
esac
fact caffe_wanted "$wanted"
usable() { [ -f "$1" ] && [ -x "$1" ]; }
if ! usable "$wanted"; then
    found=
    for candidate in "$HOME"/*caffe*/build/tools/caffe "$HOME"/*/*caffe*/build/tools/caffe \
        "$ROOT"/opt/*caffe*/build/tools/caffe "$(command -v caffe 2>/dev/null)"; do
        if usable "$candidate"; then
            found="$found $candidate"
            [ -n "$wanted" ] || wanted=$candidate
        fi
    done
    fact caffe_found "$found"
fi
if usable "$wanted"; then
    fact caffe "$wanted"
    body=$wanted
    case $(head -c 4 "$wanted") in
    *ELF)
        fact caffe_version "$(bounded "$wanted" --version 2>&1)"
        libraries=$(bounded ldd "$wanted" 2>/dev/null)
        case $libraries in
        *libcudart* | *libcublas*) fact caffe_gpu 1 ;;
        ?*) fact caffe_gpu 0 ;;
        esac
        case $libraries in
        *"libcaffe"*" => /"*)
            body=${libraries#*libcaffe}
            body=${body#*=> }
            body=${body%% (*}
            ;;
        esac
        # The flag's help text: asking the program would load CUDA once more.
        if grep -aqF 'network phase (' "$wanted"; then fact caffe_phase 1; else fact caffe_phase 0; fi
        ;;
    *) # A script: ask it. A CPU build refuses any query of a device, and glog would keep
        # each refusal in a file in /tmp.
        # shellcheck disable=SC2016 # expanded by the shell within
        said=$(bounded /bin/sh -c 'export GLOG_logtostderr=1; "$1" --version; "$1" --help
            [ "$2" = none ] || "$1" device_query -gpu "$2"' ask "$wanted" "$GPU" 2>&1)
        fact caffe_version "${said%%
*}"
        case $said in *"-phase "*) fact caffe_phase 1 ;; ?*) fact caffe_phase 0 ;; esac
        case $said in
        *"CPU-only Caffe"*) fact caffe_gpu 0 ;;
        *"Device id:"*) fact caffe_gpu 1 ;;
        esac
        ;;
    esac
    if grep -aqF DetectionOutput "$body" 2>/dev/null; then fact caffe_detection 1; fi
    fact caffe_build "$(stat -L -c %s-%Y "$body" 2>/dev/null)"
fi

# All that root knows better, in one go: each sudo costs as much as ten other programs.
nvpmodel=$(find_nvpmodel)
clocks=$(find_jetson_clocks)
fact nvpmodel "$nvpmodel"
fact jetson_clocks "$clocks"
fact tegrastats "$(find_tegrastats)"
looked() {
    while IFS= read -r line; do
        case $line in
        left_behind=1 | gpu_user=* | guard_clocks=*) printf '%s\n' "$line" ;;
        *) fact nvpmodel_query "$line" ;;
        esac
    done <<EOF
$1
EOF
}
# by_rule_only: sudo lets an installed guard run, and no shell. (Where it lets something run
# without a password, it says so of everything without one.)
guard=$ROOT$INSTALLED/guard.sh
by_rule_only() {
    [ -e "$guard" ] && bounded sudo -n -l /bin/sh "$guard" run >/dev/null 2>&1 &&
        ! bounded sudo -n -l /bin/sh -c : >/dev/null 2>&1
}
said=
if ! command -v sudo >/dev/null 2>&1; then
    fact sudo absent
elif [ "$(installed_guard)" = "$GUARD_SUM" ] &&
    said=$(bounded sudo -n /bin/sh "$guard" look 2>&1); then
    fact sudo guard
    looked "$said"
else
    refused=${said#*reason=\"}
    if said=$(bounded sudo -n /bin/sh -c "$LOOK" look "$nvpmodel" "$ROOT" 2>/dev/null); then
        fact sudo nopasswd
    else
        said=$(bounded /bin/sh -c "$LOOK" look "$nvpmodel" "$ROOT" 2>/dev/null)
        if by_rule_only; then
            fact sudo limited
            [ "$(installed_guard)" != "$GUARD_SUM" ] || fact guard_refused "${refused%\"*}"
        else
            fact sudo password
        fi
    fi
    looked "$said"
fi

conditions
fact conditions "$sensors"
file_fact load /proc/loadavg
fact lines "$(grep -hsE 'POWER_MODEL|^Mem(Total|Available):' "$ROOT/etc/nvpmodel.conf" \
    /proc/meminfo)"
fact disk_free "$(stat -f -c '%a %S' "$HOME" 2>/dev/null)"
[ -w "$HOME" ] || fact home_unwritable 1
exec 8<"$LOCK"
if command -v flock >/dev/null 2>&1 && ! flock -n -s 8; then
    first_line "$BASE/holder" || line='who="another user"'
    fact held_by "$line"
fi

number=0
while IFS= read -r path; do
    [ -n "$path" ] || continue
    number=$((number + 1))
    case $path in
    /*) file=$path ;;
    \~/*) file=$HOME/${path#\~/} ;;
    *) file=${wanted%/build/tools/caffe}/$path ;;
    esac
    if [ ! -f "$file" ]; then
        fact "file_${number}_error" "there is no file $file"
    elif [ ! -r "$file" ]; then
        fact "file_${number}_error" "$file may not be read by its user"
    elif [ "$(wc -c <"$file")" -gt "$MAX_FILE_BYTES" ]; then
        fact "file_${number}_error" "$file is larger than $MAX_FILE_BYTES bytes"
    else
        printf 'file_%s_b64=%s\n' "$number" "$(b64 <"$file")"
    fi
done <<EOF
$FILES
EOF
)
printf '%s\n' "$answer"
say end
