# Unpacks a sweep and starts its runner, detached; then follow.sh, which stands below it in
# the same text, prints the journal. Doing it twice is harmless: a sweep that has started is
# only followed. Set before: NONCE, SWEEP, HOLDER, SETTINGS, TAR_BYTES, PASSWORD (1 when a
# line with the sudo password comes before the tar). Standard input: that line, the tar.
DIR=$BASE/sweeps/$SWEEP
secret=
if [ "$PASSWORD" = 1 ]; then IFS= read -r secret; fi

refuse() {
    say "refused kind=$1 detail=$(printf '%s' "$2" | tr '\n' ' ' | b64)"
    exit 0
}

# A disk can be full of bytes, or of files.
room() { for what in h i; do df -P$what "$BASE"; done |
    awk 'NR == 2 {bytes = $4} NR == 4 {print bytes "B and " $4 " files are free"}'; }

make_folders "$BASE" "$BASE/sweeps"

if [ ! -e "$DIR/started" ]; then
    new=$DIR.$NONCE
    [ ! -e "$DIR" ] || rm -rf "$DIR"
    trap 'rm -rf "$new"' EXIT
    problem=$(mkdir "$new" 2>&1) || refuse folder "$problem"
    problem=$(head -c "$TAR_BYTES" | tar -xf - -C "$new" 2>&1) || refuse space "$(room); $problem"
    printf '%s' "$SETTINGS" >"$new/settings.sh" || refuse space "$(room)"
    mv "$new" "$DIR" || refuse folder "cannot make $DIR"
    trap - EXIT
    exec 9<"$LOCK"
    # A second's patience: who follows a sweep's end takes the lock for a moment.
    if ! flock -w 1 9; then
        rm -rf "$DIR"
        first_line "$BASE/holder" || line='who="another user"'
        refuse busy "$line"
    fi
    printf '%s\n' "$HOLDER" >"$BASE/holder"
    # Not `:`, which ends its shell where a file cannot be made.
    if ! true >"$DIR/journal" || ! true >"$DIR/started"; then
        problem=$(room)
        rm -rf "$DIR" "$BASE/holder"
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
    exec 9<&-
fi
