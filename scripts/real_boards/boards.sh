# shellcheck shell=bash
# Boards: one folder each below $folder/boards, one set of namespaces each while they run.
# All that a board mounts and starts lives in those, so killing its first process ends
# everything, and a crash leaves nothing mounted.
# Sourced by scripts/real-boards, which sets $folder, $parts, $base, $recipe, $sudo_mode.
# shellcheck disable=SC2154

declare -A launched=()

# Keys are made once and kept until `purge`: an enrolled board stays enrolled.
make_keys() {
  command -v ssh-keygen >/dev/null ||
    die "ssh-keygen is missing" "apt-get install openssh-client"
  mkdir -p "$folder/keys"
  chmod 700 "$folder/keys"
  [ -e "$folder/keys/id_ed25519" ] ||
    ssh-keygen -q -t ed25519 -N '' -C 'real-boards' -f "$folder/keys/id_ed25519"
  [ -e "$folder/keys/sudo-password" ] ||
    (umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$folder/keys/sudo-password")
  hand_over "$folder/keys" "$folder"/keys/id_ed25519{,.pub} "$folder/keys/sudo-password"
}

# The pid, on this machine, of a board's first process, if it runs. A pid is believed only
# if its command line names the board's folder and it is not of our own pid namespace.
board_pid() {
  local pid
  pid=$(readlink "$folder/boards/$1/root") || return 1
  pid=${pid#/proc/}
  pid=${pid%/root}
  [[ $pid =~ ^[0-9]+$ ]] &&
    grep -qzxF -- "$folder/boards/$1" "/proc/$pid/cmdline" 2>/dev/null &&
    [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] &&
    printf '%s\n' "$pid"
}

# Names of the boards that run, in order.
running_boards() {
  local board
  for board in "$folder"/boards/real-*; do
    ! board_pid "${board##*/}" >/dev/null || printf '%s\n' "${board##*/}"
  done
}

# start_boards COUNT: side by side, then waits for each.
start_boards() {
  local number name started=()
  # Whoever looks for a free port must be alone on the machine until it is taken.
  exec 7>/run/jetbench-real-boards.lock
  flock -w 120 7 || die "another real-boards has been starting boards for two minutes"
  for ((number = 1; number <= $1; number++)); do
    name=$(printf 'real-%02d' "$number")
    ! board_pid "$name" >/dev/null || continue
    prepare_board "$name" "$number"
    launch_board "$name"
    started+=("$name")
  done
  for name in "${started[@]}"; do await_board "$name"; done
  exec 7>&-
  [ ${#started[@]} -eq 0 ] || say "started ${#started[@]} board(s)"
}

prepare_board() {
  local board=$folder/boards/$1 address=127.0.10.$2 port release=r28 key=$folder/keys/host-$1
  (($2 % 2)) || release=r32
  port=$(free_port "$address")
  remove_tree "$board"
  mkdir -p "$board/rw" "$board/own/etc/ssh" "$board/own/etc/sudoers.d"
  [ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$key"
  cp "$key" "$board/own/etc/ssh/ssh_host_ed25519_key"
  cp "$key.pub" "$board/own/etc/ssh/ssh_host_ed25519_key.pub"
  ln -s "$base" "$board/base"
  ln -s "../../skeletons/$release-$recipe" "$board/skeleton"
  case $sudo_mode in
    nopasswd)
      printf 'nvidia ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$board/own/etc/sudoers.d/nvidia"
      chmod 440 "$board/own/etc/sudoers.d/nvidia"
      ;;
    password) ln -s ../../keys/sudo-password "$board/sudo-password" ;;
  esac
  printf '%s %s %s\n' "$address" "$port" "$release" >"$board/address"
}

# Port 22, or another one where this machine's own sshd has it on all addresses.
free_port() {
  local port
  for port in 22 {2022..2122..10}; do
    # shellcheck disable=SC2188  # the connection is the test
    (: <>"/dev/tcp/$1/$port") 2>/dev/null || { printf '%s\n' "$port"; return; }
  done
  die "no free port on $1"
}

launch_board() {
  local board=$folder/boards/$1 address port uptime time=()
  read -r address port _ <"$board/address"
  read -r uptime _ </proc/uptime
  # A clock of its own, where the kernel has them. It starts at 20 s: no TX2 can be reached
  # earlier, and in the first second Debian's pgrep fails.
  [ ! -e /proc/self/ns/time ] || time=(--time --boottime $((20 - ${uptime%.*})))
  setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    unshare --mount --pid --uts "${time[@]}" --fork --kill-child \
    "$parts/enter-board" "$board" "$address" "$port" \
    </dev/null >>"$board/log" 2>&1 7>&- 8>&- 9>&- &
  launched[$1]=$!
}

await_board() {
  local board=$folder/boards/$1 deadline=$((SECONDS + 30))
  # sshd writes it when it listens.
  until [ -s "$board/root/run/sshd.pid" ]; do
    if ! kill -0 "${launched[$1]}" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
      tail -n 5 "$board/log" >&2
      kill_boards "$1"
      die "$1 did not start; the end of $board/log stands above"
    fi
    sleep 0.05
  done
}

# Ends all that runs on these boards, and returns when it is gone.
kill_boards() {
  local name pid pids=() tries=0
  for name in "$@"; do
    ! pid=$(board_pid "$name") || pids+=("$pid")
  done
  [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}"
  for pid in "${pids[@]}"; do
    while [ -e "/proc/$pid" ]; do
      ((tries++ < 600)) || die "process $pid, the first of a board, does not end"
      sleep 0.05
    done
  done
}

stop_boards() {
  local names
  mapfile -t names < <(running_boards)
  kill_boards "${names[@]}"
  remove_tree "$folder/boards"
  remove_tree "$folder/skeletons"
  rm -f "$folder/real-inventory.yaml" "$folder/known_hosts"
  say "stopped ${#names[@]} board(s)"
}

# A YAML string that may hold anything a path can.
quoted() { printf "'%s'" "${1//\'/\'\'}"; }

write_inventory() {
  local name board address port release place
  : >"$folder/known_hosts.new"
  {
    printf '# Written by scripts/real-boards: boards that run Caffe on the CPU of this machine.\n'
    printf 'defaults:\n  user: nvidia\n  key: %s\n' "$(quoted "$folder/keys/id_ed25519")"
    printf '  known_hosts: %s\n' "$(quoted "$folder/known_hosts")"
    printf '  caffe_root: /home/nvidia/caffe\n  gpu: none\n'
    printf '  # The boards share the cores of this machine: with one thread each, two of them\n'
    printf '  # can measure side by side.\n  env: {OPENBLAS_NUM_THREADS: "1"}\nboards:\n'
    for name in $(running_boards); do
      board=$folder/boards/$name
      read -r address port release <"$board/address"
      place=$address
      printf '  %s:\n    host: %s\n' "$name" "$address"
      if [ "$port" != 22 ]; then
        place="[$address]:$port"
        printf '    port: %s\n' "$port"
      fi
      printf '    tags: [real, %s]\n' "$release"
      if [ -e "$board/sudo-password" ]; then
        printf '    sudo: %s\n' "$(quoted "command:cat $(printf %q "$folder/keys/sudo-password")")"
      else
        printf '    sudo: nopasswd\n'
      fi
      printf '%s %s\n' "$place" "$(cut -d' ' -f1,2 "$folder/keys/host-$name.pub")" \
        >>"$folder/known_hosts.new"
    done
  } >"$folder/real-inventory.yaml.new"
  hand_over "$folder"/{known_hosts,real-inventory.yaml}.new
  mv "$folder/known_hosts.new" "$folder/known_hosts"
  mv "$folder/real-inventory.yaml.new" "$folder/real-inventory.yaml"
}

# The power mode of the board with this root, as far as we may look into it. Until one is
# set, it is the default of nvpmodel.conf.
board_mode() {
  local status=$1/var/lib/nvpmodel/status
  if [ -r "$status" ]; then
    sed -n 's/^pmode:0*\([0-9]\)$/\1/p' "$status"
  elif [ -r "$1/etc/nvpmodel.conf" ]; then
    printf '3\n'
  else
    printf '?\n'
  fi
}

list_boards() {
  local name address port release mode sudo
  printf '%-9s %-16s %-4s %-9s %-5s %s\n' BOARD ADDRESS L4T SUDO MODE ROOT
  for name in $(running_boards); do
    read -r address port release <"$folder/boards/$name/address"
    mode=$(board_mode "$folder/boards/$name/root")
    sudo=nopasswd
    [ ! -e "$folder/boards/$name/sudo-password" ] || sudo=password
    printf '%-9s %-16s %-4s %-9s %-5s %s\n' "$name" "$address:$port" "$release" "$sudo" \
      "$mode" "$(readlink "$folder/boards/$name/root")"
  done
}
