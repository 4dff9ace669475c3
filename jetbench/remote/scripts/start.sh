# Unpacks a part of a sweep and starts its runner, detached; then follow.sh, which stands below
# it in the same text, prints the journal. Doing it twice is harmless: what has started is only
# followed. Set before: NONCE, SWEEP, BOARD, HOLDER, SETTINGS, TAR_BYTES, WAIT_S (how long to
# wait in line for a board that is in use), PROBE, PASSWORD (1 when a line with the sudo
# password comes before the tar). Standard input: that line, the tar.
DIR=$BASE/sweeps/$SWEEP
# Where the user has such a variable in the environment, it would stay in there.
unset secret
if [ "$PASSWORD" = 1 ]; then IFS= read -r secret; fi

refuse() {
    say "refused kind=$1 detail=$(printf '%s' "$2" | tr '\n' ' ' | b64)"
    exit 0
}

# Whether nobody who waits has come before us, with the lock in our hands. Whoever has left
# the line without a word (a lost host, a reboot) has no process any more, and is removed.
first_in_line() {
    for other in "$BASE"/line/*/; do
        came=
        { read -r pid boot came <"${other}owner"; } 2>/dev/null
        if [ "$other" = "$new/" ] || [ -z "$came" ]; then
            continue
        elif [ "$boot" != "$boot_id" ] || ! [ -d "/proc/$pid" ]; then
            rm -rf "$other"
        elif [ "$came" != 0 ] && { [ "$came" -lt "$arrived" ] || [ "$arrived" = 0 ]; }; then
            first_line "${other}holder" || line='who="somebody"'
            return 1
        fi
    done
}

# A disk can be full of bytes, or of files.
room() { for what in h i; do df -P$what "$BASE"; done |
    awk 'NR == 2 {bytes = $4} NR == 4 {print bytes "B and " $4 " files are free"}'; }

if [ ! -e "$DIR/started" ]; then
    new=$BASE/line/$SWEEP.$NONCE
    trap 'rm -rf "$new"; in_order tidy' EXIT
    trap 'exit 1' HUP PIPE TERM
    make_new() {
        make_folders "$BASE" "$BASE/sweeps" "$BASE/line"
        problem=$(mkdir "$new" 2>&1) || refuse folder "$problem"
    }
    in_order make_new
    uptime_s
    arrived=$(printf '%s' "$up" | tr -d .)
    [ "$WAIT_S" != 0 ] || arrived=0
    first_line /proc/sys/kernel/random/boot_id
    boot_id=$line
    # Where there is no room, tar says so, and in better words.
    printf '%s %s %s\n' "$$" "$boot_id" "$arrived" 2>/dev/null >"$new/owner"
    problem=$(head -c "$TAR_BYTES" | tar -xf - -C "$new" 2>&1) || refuse space "$(room); $problem"
    # Not `:`, which ends its shell where a file cannot be made.
    { printf '%s' "$SETTINGS" >"$new/settings.sh" && printf '%s\n' "$HOLDER" >"$new/holder" &&
        printf '%s' "$BOARD" >"$new/board" && printf '%s' "$PROBE" >"$new/probe" &&
        true >"$new/journal"; } || refuse space "$(room)"
    exec 9<"$LOCK"
    give_up=$((${up%.*} + WAIT_S))
    # A second's patience: who looks whether a board is in use takes the lock for a moment.
    pause=1
    while :; do
        if flock -w "$pause" 9; then
            if first_in_line; then break; fi
            flock -u 9
            sleep 0.2
        else
            first_line "$BASE/holder" || line='who="another user"'
        fi
        uptime_s
        [ "${up%.*}" -lt "$give_up" ] || refuse busy "$line"
        # Where nobody listens any more, this ends us.
        say "waiting $(printf '%s' "$line" | b64)" || exit 1
        pause=$((give_up - ${up%.*}))
        [ "$pause" -le 5 ] || pause=5
    done
    [ ! -e "$DIR" ] || rm -rf "$DIR"
    mv "$new" "$DIR" || refuse folder "cannot make $DIR"
    rm -f "$DIR/owner"
    trap - EXIT HUP PIPE TERM
    # Moved there, so that it replaces whatever stands there: a link would be written through.
    cp "$DIR/holder" "$DIR/holder.new" && mv -fT "$DIR/holder.new" "$BASE/holder"
    # The journal is locked as long as anybody writes to it: runner and guard have this very
    # descriptor. So whoever follows knows when no more will come.
    exec 3>>"$DIR/journal"
    flock 3
    if ! true >"$DIR/started"; then
        problem=$(room)
        rm -rf "$DIR" "$BASE/holder"
        in_order tidy
        refuse space "$problem"
    fi
    if [ "$PASSWORD" = 1 ]; then
        # printf is the shell's own: the secret is in no argument list.
        printf '%s\n' "$secret" |
            setsid /bin/sh "$DIR/runner.sh" "$DIR" >/dev/null 2>&1 &
    else
        setsid /bin/sh "$DIR/runner.sh" "$DIR" </dev/null >/dev/null 2>&1 &
    fi
    secret=
    exec 3>&- 9<&-
fi
