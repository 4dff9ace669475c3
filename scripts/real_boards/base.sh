# shellcheck shell=bash
# The Debian 11 root that all boards share: built once, then only read.
# Sourced by scripts/real-boards, which sets $cache and $parts.
# shellcheck disable=SC2154

# Another recipe makes another folder, so that an old root is never taken for a new one.
base_folder() {
  printf '%s/base-%s\n' "$cache" "$(sha256sum <"$parts/build-base" | cut -c1-12)"
}

lock_base() {
  exec 8>"$cache/.build.lock"
  flock -n 8 || { say "waiting for another real-boards to build Debian 11"; flock -w 1800 8; } ||
    die "another real-boards has been building in $cache for half an hour"
}

# Sets $base. A root under its final name is whole: it is built aside, then renamed.
ensure_base() {
  base=$(base_folder)
  [ ! -d "$base" ] || return 0
  mkdir -p "$cache"
  hand_over "$cache"
  lock_base
  if [ ! -d "$base" ]; then
    remove_bases
    need_debootstrap
    build_base
  fi
  exec 8>&-
}

# Removes what builds that were cut short have left, and every root that no board uses:
# each board holds a lock on the root it stands on.
remove_bases() {
  local old
  for old in "$cache"/base-*; do
    [ -d "$old" ] || continue
    if flock -n -x "$old" true; then
      remove_tree "$old"
    else
      say "boards of another folder stand on $old: kept"
    fi
  done
}

need_debootstrap() {
  if command -v debootstrap >/dev/null &&
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    return
  fi
  command -v apt-get >/dev/null ||
    die "debootstrap is missing, and there is no apt-get to install it with" \
      "install debootstrap and the keyring of Debian's archive"
  say "installing debootstrap with apt-get"
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install \
    --no-install-recommends debootstrap debian-archive-keyring; } >&2 ||
    die "apt-get could not install debootstrap"
}

# sources_of FOLDER: the addresses in apt's sources, of both syntaxes. (apt itself only tells
# those whose lists it has fetched, and an image of a container has none.)
sources_of() {
  local file
  for file in "$1"/sources.list "$1"/sources.list.d/*.list; do
    [ ! -r "$file" ] ||
      sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' "$file"
  done
  for file in "$1"/sources.list.d/*.sources; do
    [ ! -r "$file" ] || awk '
      /^[^ \t#]/ { inside = tolower($1) == "uris:"; $1 = inside ? "" : $1 }
      inside && !/^#/ { for (i = 1; i <= NF; i++) print $i }
    ' "$file"
  done
}

# Where the machine itself gets Debian from, if that place has Debian 11 too.
find_mirror() {
  if [ -n "${JETBENCH_DEBIAN_MIRROR:-}" ]; then
    printf '%s\n' "$JETBENCH_DEBIAN_MIRROR"
    return
  fi
  local uri probe found=
  probe=$(mktemp)
  while read -r uri; do
    # apt's own downloader, which knows its proxies and certificates.
    if /usr/lib/apt/apt-helper download-file "$uri/dists/bullseye/Release" "$probe" \
      >/dev/null 2>&1 && grep -qx 'Codename: bullseye' "$probe"; then
      found=$uri
      break
    fi
  done < <(sources_of /etc/apt | grep -E '^(https?|file):' | sed 's,/*$,,' | sort -u)
  rm -f "$probe"
  [ -n "$found" ] && printf '%s\n' "$found"
}

build_base() {
  local mirror new log proxy started=$SECONDS
  mirror=$(find_mirror) ||
    die "no mirror of this machine's apt sources has Debian 11 (bullseye)" \
      "set JETBENCH_DEBIAN_MIRROR to the address of a Debian mirror"
  # debootstrap does not read apt's settings.
  proxy=${http_proxy:-$(apt-config --format '%v%n' dump Acquire::http::Proxy 2>/dev/null)}
  new=$(mktemp -d "$cache/base-new.XXXXXX")
  log=$cache/build.log
  say "building Debian 11 with Caffe from $mirror: about a minute, once (log: $log)"
  # In namespaces of its own: what the build mounts and starts ends with it, however it ends,
  # and it ends with us.
  http_proxy=$proxy setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
    "$parts/build-base" "$new" "$mirror" 2>"$log" 8>&- 9>&- || {
    remove_tree "$new"
    tail -n 20 "$log" >&2
    die "building Debian 11 failed; the end of $log stands above"
  }
  sync -f "$new"
  mv "$new" "$base"
  say "built in $((SECONDS - started)) s, $(du -sh "$base" | cut -f1)"
}

# rm -rf that cannot leave the file system it starts on, nor pass a mount.
remove_tree() {
  [ -e "$1" ] || return 0
  if findmnt -nlo TARGET | sed 's,$,/,' | grep -qF -- "$(realpath -- "$1")/"; then
    die "something is mounted below $1, so it is left alone" "umount it (see findmnt), and try again"
  fi
  rm -rf --one-file-system -- "$1"
}
