# Puts back the power state that a guard could not: it was killed, or the board went down. Set
# before: NONCE, TAR_BYTES, PASSWORD (1 when a line with the sudo password comes before the tar
# with the guard), GUARD_SUM (the checksum of an installed guard that is as ours). Standard input:
# that line, the tar. What the guard says comes out.
# Where the user has such a variable in the environment, it would stay in there.
unset secret
if [ "$PASSWORD" = 1 ]; then IFS= read -r secret; fi
refuse() {
    say "refused kind=$1 detail=$(printf '%s' "$2" | tr '\n' ' ' | b64)"
    exit 0
}
exec 9<"$LOCK"
if ! flock -w 2 9; then
    # What comes after this script must not be taken for the next one.
    head -c "$TAR_BYTES" >/dev/null
    first_line "$BASE/holder" || line='who="another user"'
    refuse busy "$line"
fi
new=$BASE/restore.$NONCE
trap 'rm -rf "$new"; in_order tidy' EXIT
trap 'exit 1' HUP PIPE TERM
make_new() {
    make_folders "$BASE"
    # What a reboot has left of another one: nobody is at it, for the lock is ours.
    rm -rf "$BASE"/restore.*
    mkdir "$new" || refuse folder "cannot make $new"
}
in_order make_new
problem=$(head -c "$TAR_BYTES" | tar -xf - -C "$new" 2>&1) || refuse space "$problem"
say guard
if [ "$PASSWORD" = 1 ]; then
    printf '%s\n' "$secret" | sudo -S -p '' /bin/sh "$new/guard.sh" restore - 0 "$HOME" 2>&1 >&9
elif [ "$(installed_guard)" = "$GUARD_SUM" ]; then
    sudo -n /bin/sh "$ROOT$INSTALLED/guard.sh" restore 2>&1 >&9 </dev/null
else
    sudo -n /bin/sh "$new/guard.sh" restore - 0 "$HOME" 2>&1 >&9 </dev/null
fi
say end
