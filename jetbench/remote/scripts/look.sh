# What root knows better, for the probe; it changes nothing. Arguments: nvpmodel, or nothing, and
# the board's root folder. It stands in for a user, too, who may not become root.
[ -z "$1" ] || "$1" -q </dev/null
[ ! -e "$2/var/lib/jetbench/mode" ] || echo left_behind=1
[ -z "$2" ] || [ ! -r "$2/run/gpu-users" ] || sed 's/^/gpu_user=/' "$2/run/gpu-users"
# shellcheck disable=SC2012 # of each open file, the name that it has
[ -n "$2" ] || [ ! -e /dev/nvhost-gpu ] || ls -l /proc/[0-9]*/fd 2>/dev/null |
    sed -n 's/^.proc.\([0-9]*\).*/\1/;t hold;/nvhost-gpu\|nvhost-ctrl-gpu/{g;p};b;:hold;h' |
    sort -u | while read -r pid; do echo "gpu_user=$pid:$(ps -o comm= -p "$pid")"; done
exit 0
