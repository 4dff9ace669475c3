# Tells of every sweep that runs on the board, or whose journal it keeps, without disturbing
# what runs: one pass over each journal. Set before: NONCE.
say begin
exec 8<"$LOCK"
if ! flock -n -s 8; then
    first_line "$BASE/holder" || line='who="another user"'
    printf 'held_b64=%s\n' "$(printf '%s' "$line" | b64)"
fi
exec 8<&-
[ ! -e "$ROOT/var/lib/jetbench/mode" ] || echo left_behind=1
for dir in "$BASE"/sweeps/*/; do
    [ -e "$dir/started" ] || continue
    key=${dir%/}
    printf 'sweep=1 key=%s board_b64=%s holder_b64=%s size=%s total=%s' "${key##*/}" \
        "$(b64 <"$dir/board")" "$(b64 <"$dir/holder")" "$(wc -c <"$dir/journal")" \
        "$(grep -c '^[1-9]' "$dir/trials")"
    # Who writes to the journal holds its lock. Opened to be read: it may just be deleted, and
    # must not be made anew.
    { flock -n -s 8 || printf ' running=1'; } 8<"$dir/journal"
    said=$(awk '
        function field(name,    i) {
            for (i = 2; i <= NF; i++) if (index($i, name "=") == 1) return substr($i, length(name) + 2)
        }
        /^@start / && start == "" { start = field("boot") "/" field("pid") "/" field("up") }
        /^@trial / { id = field("id"); began = field("up") }
        /^@done / {
            if (field("id") != 0 && field("stop") == "") { done++; if (field("exit") != 0) failed++ }
            id = ""
        }
        /^@skip / { done++ }
        /^@end / { end = field("reason"); id = "" }
        END { printf "done=%d failed=%d", done, failed
            if (id != "") printf " trial=%s began=%s", id, began
            if (start != "") printf " start=%s", start
            if (end != "") printf " end=%s", end }' "$dir/journal")
    printf ' %s' "$said"
    case $said in
    *" trial="*)
        id=${said#* trial=}
        row=$(awk -v id="${id%% *}" '$1 == id { print $5 + 1, $6; exit }' "$dir/trials")
        printf ' repeat=%s label_b64=%s' "${row#* }" \
            "$(awk -v wanted="${row% *}" 'NR == wanted + 0' "$dir/labels" | b64)"
        ;;
    esac
    uptime_s
    printf ' up=%s\n' "$up"
done
say end
