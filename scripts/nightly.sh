#!/usr/bin/env bash
# One night: run, gate, report, prune, and one line that says how it went.
#
#   scripts/nightly.sh [FILE]
#
# FILE is a file of settings, VARIABLE=value a line, as systemd reads it; they can as well stand in
# the environment, which wins. All of them:
#
#   JETBENCH_PLAN           the plan file of the night (needed; see docs/how-to/nightly.md)
#   JETBENCH_INVENTORY      the boards; else as everywhere
#   JETBENCH_RESULTS        the folder of the sweeps (default ./jetbench-results)
#   JETBENCH_DB             the history of a team; else a file beside the sweeps
#   JETBENCH_BASELINE       the name of the baseline (default nightly). The first good night makes
#                           it; set it anew with `jetbench baseline set` when a change is accepted.
#   JETBENCH_KEEP_JOURNALS  how many nights keep their journals (default 30)
#   JETBENCH_REPORT         a file for the table of the night, markdown
#   JETBENCH_SITE           a folder for the site of all nights, for a web server
#   JETBENCH_JUNIT          a file for CI servers
#   JETBENCH_PROMETHEUS     a file for node_exporter
#   JETBENCH_WEBHOOK        env:VARIABLE or file:PATH that holds the URL of a webhook
#   JETBENCH_CHAT           slack, mattermost, teams, discord or json (default json)
#   JETBENCH_NOTIFY         regression, problem (default) or always
#   JETBENCH                the program (default: jetbench of the environment this script lies in,
#                           else that of the PATH)
#
# The exit code is that of the night: 0 well, 1 some failed, 2 it could not start, 3 nothing could be
# measured, 4 a regression, 75 another night runs, 130 interrupted. A message that cannot be sent, or
# a file that cannot be written, makes a 0 a 1.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'nightly: %s\n' "$*" >&2; }

# Only VARIABLE=value lines, and no shell in them: a file of settings runs nothing.
read_settings() {
  local line name value number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    if ! [[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]]; then
      say "$1:$number: no VARIABLE=value: $line"
      return 1
    fi
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then
      value=${BASH_REMATCH[1]}
    fi
    [ -n "${!name+set}" ] || export "$name=$value"
  done <"$1"
}

if [ $# -gt 1 ] || [[ ${1:-} == -* ]]; then
  sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  [ $# -eq 1 ] && [[ $1 == -h || $1 == --help ]] && exit 0
  exit 2
fi
if [ $# -eq 1 ]; then
  if ! [ -r "$1" ]; then
    say "$1: cannot be read"
    exit 2
  fi
  read_settings "$1" || exit 2
fi

if [ -z "${JETBENCH:-}" ]; then
  JETBENCH=$here/.venv/bin/jetbench
  [ -x "$JETBENCH" ] || JETBENCH=jetbench
fi
results=${JETBENCH_RESULTS:-jetbench-results}
export JETBENCH_RESULTS=$results
baseline=${JETBENCH_BASELINE:-nightly}
if ! command -v "$JETBENCH" >/dev/null; then
  say "there is no program $JETBENCH: install it, or name it with JETBENCH="
  exit 2
fi
if ! command -v flock >/dev/null; then
  say "there is no flock, by which two nights are kept apart (package util-linux)"
  exit 2
fi
umask 077
mkdir -p -- "$results" || exit 2

# The kernel lets go of the lock when the last of us has ended, however that was.
exec 9>>"$results/.nightly.lock" || exit 2
if ! flock -n 9; then
  say "another night still runs in $results"
  exit 75
fi

work=$(mktemp -d "$results/.nightly.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
# Whoever stops the service stops the sweep: it ends its trials and puts the boards back.
child=
trap '[ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP

# In the background, so that a signal reaches us at once; without the lock, which is ours.
run_jetbench() {
  "$JETBENCH" "$@" 9>&- &
  child=$!
  local code=0
  wait "$child" || code=$?
  # A trap ends a wait, but not the child.
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
  child=
  return "$code"
}

notify() {
  local words=(--exit-code "$code" --when "${JETBENCH_NOTIFY:-problem}" --chat "${JETBENCH_CHAT:-json}")
  [ -z "${JETBENCH_JUNIT:-}" ] || words+=(--junit "$JETBENCH_JUNIT")
  [ -z "${JETBENCH_PROMETHEUS:-}" ] || words+=(--prometheus "$JETBENCH_PROMETHEUS")
  [ -z "${JETBENCH_WEBHOOK:-}" ] || words+=(--webhook "$JETBENCH_WEBHOOK")
  "$JETBENCH" notify "${words[@]}" "$@" 9>&-
}

code=0
if [ -z "${JETBENCH_PLAN:-}" ]; then
  say "JETBENCH_PLAN names no plan file"
  code=2
  notify --error "the night could not start: JETBENCH_PLAN names no plan file"
  exit "$code"
fi

gate=(--baseline "$baseline" --fail-on-regression)
first=
if ! "$JETBENCH" baseline list --format json 2>"$work/names-err" >"$work/names" 9>&-; then
  cat -- "$work/names-err" >&2
elif ! grep -qF -- "\"$baseline\":" "$work/names"; then
  say "there is no baseline $baseline yet: this night becomes it, if it is a good one"
  gate=()
  first=yes
fi
# Progress goes to the log; the result to a file, whose sweep is the night's whatever else happens.
mkfifo -- "$work/progress" || exit 2
tee -- "$work/err" <"$work/progress" >&2 9>&- &
tee=$!
run_jetbench run --plan "$JETBENCH_PLAN" "${gate[@]}" --format json -o "$work/night.json" \
  2>"$work/progress" || code=$?
# All of it is in the file only when tee has ended.
wait "$tee"

if [ -s "$work/night.json" ]; then
  if [ -n "$first" ] && [ "$code" -eq 0 ]; then
    "$JETBENCH" baseline set "$baseline" "$work/night.json" 9>&- || code=1
  fi
  if [ -n "${JETBENCH_REPORT:-}" ]; then
    "$JETBENCH" results show "$work/night.json" --format markdown -o "$JETBENCH_REPORT" 9>&- ||
      [ "$code" -ne 0 ] || code=1
  fi
  notify "$work/night.json" || [ "$code" -ne 0 ] || code=1
else
  [ "$code" -ne 0 ] || code=1
  why=$(grep -m1 '^error: ' "$work/err" | cut -c8-300)
  notify --error "the night could not start: ${why:-exit code $code}"
fi
if [ -n "${JETBENCH_SITE:-}" ]; then
  # A web server reads it, under another name than ours.
  (umask 022 && exec "$JETBENCH" report --quiet -o "$JETBENCH_SITE" 9>&-) ||
    [ "$code" -ne 0 ] || code=1
fi
"$JETBENCH" results prune --keep-journals "${JETBENCH_KEEP_JOURNALS:-30}" --quiet 9>&- ||
  [ "$code" -ne 0 ] || code=1
exit "$code"
