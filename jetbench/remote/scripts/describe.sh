# Prints what a host needs that follows a part without having started it: one file a line, its
# name and its content in base64. Set before: NONCE, SWEEP.
DIR=$BASE/sweeps/$SWEEP
if [ ! -e "$DIR/started" ]; then
    say none
    exit 0
fi
say begin
cd "$DIR" || exit 1
for file in plan.json board holder probe trials models/*; do
    [ ! -f "$file" ] || printf '%s %s\n' "$file" "$(b64 <"$file")"
done
# Somebody may have deleted it meanwhile: then this is only some of it.
[ ! -e started ] || echo 'whole MQ=='
say end
