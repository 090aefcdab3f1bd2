#!/usr/bin/env bash
# Checks the packages in DIST that `linux.sh` made, as a user would use them: installs the .deb in a new Debian without
# Rust, unpacks the .rpm and the container's root into empty folders, and runs the README's first command in each. After the
# .deb is removed, nothing but the user's own files may be left.
#
#     packaging/check.sh DIST
#
# Needs root, debootstrap, rpm, and the network for Debian's packages.
set -euo pipefail
. "$(dirname "$0")/facts.sh"
[ $# = 1 ] || fail "usage: packaging/check.sh DIST"
[ "$(id -u)" = 0 ] || fail "chroot needs root"
dist=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first command of the README, for an installed program.
first_command="import samples/onboarding.xlsx --sandbox"
# What it must end with.
expect() { grep -q 'all 441 rows succeeded' <<< "$1" || fail "the first command said: $1"; }

# Every file in the root, but for logs and caches of the package manager itself.
files() { (cd "$1" && find . -xdev ! -path './var/*' ! -path './proc/*' ! -path './sys/*' | LC_ALL=C sort); }

check_deb() {
  local debian="$work/debian" said
  note "installing the .deb in a new Debian"
  debootstrap --variant=minbase bookworm "$debian" > "$work/log" || fail "$(tail -3 "$work/log")"
  chroot "$debian" useradd --create-home ada
  files "$debian" > "$work/before"
  cp "$dist"/*.deb "$debian/var/tallyport.deb"
  chroot "$debian" dpkg -i /var/tallyport.deb > "$work/log"
  said=$(chroot "$debian" su - ada -c "cp -r /usr/share/tallyport/samples . && tallyport $first_command")
  expect "$said"
  [ -s "$debian/home/ada/samples/onboarding.result.xlsx" ] || fail "no result workbook"
  # The names of zones are in the program: this root has no zone data.
  said=$(chroot "$debian" su - ada -c "TZ=Asia/Tokyo tallyport runs 2>&1")
  ! grep -q 'unknown time zone' <<< "$said" || fail "$said"
  chroot "$debian" dpkg --purge tallyport > "$work/log"
  files "$debian" | grep -v '^\./home/ada' > "$work/after"
  grep -v '^\./home/ada' "$work/before" | diff - "$work/after" || fail "the .deb leaves files behind"
  note "left in the user's home: $(cd "$debian/home/ada" && find . -newer "$work/before" -type f | LC_ALL=C sort | tr '\n' ' ')"
}

check_rpm() {
  local folder="$work/rpm" said
  note "installing the .rpm in an empty root, beside this system's C library"
  mkdir -p "$folder/data"
  rpm --root "$folder" --initdb
  rpm --root "$folder" --install --nodeps "$dist"/*.rpm
  cp -r "$folder/usr/share/tallyport/samples" "$folder/data/"
  said=$(cd "$folder/data" && env -i HOME="$folder/home" "$folder/usr/bin/tallyport" $first_command)
  expect "$said"
  rpm --root "$folder" --erase --nodeps tallyport
  [ ! -e "$folder/usr/bin/tallyport" ] && [ ! -e "$folder/usr/share/tallyport" ] || fail "the .rpm leaves files behind"
}

check_container() {
  local folder="$work/container" said
  note "running the container's root without anything else in it"
  mkdir "$folder"
  tar -xzf "$dist"/tallyport-*-container-*.tar.gz -C "$folder"
  cp -r "$root/samples" "$folder/root/data/"
  chown -R 65532:65532 "$folder/root/data/samples"
  in_container() {
    env -i PATH="$PATH" HOME=/state TALLYPORT_HOME=/state/tallyport "$@" \
      chroot --userspec=65532:65532 "$folder/root" /usr/bin/tallyport "${command[@]}"
  }
  local command=(import data/samples/onboarding.xlsx --sandbox)
  said=$(in_container)
  expect "$said"
  command=(runs)
  said=$(in_container TZ=Asia/Tokyo 2>&1)
  ! grep -q 'unknown time zone' <<< "$said" || fail "$said"
}

check_deb
check_rpm
check_container
note "all packages pass"
