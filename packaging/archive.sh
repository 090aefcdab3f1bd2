#!/usr/bin/env bash
# Packs a built binary for one target: DIST/tallyport-VERSION-TARGET.tar.gz, or .zip for Windows.
#
#     packaging/archive.sh TARGET BINARY DIST
#
# The binary must run on this machine: it prints its own completions and man page.
set -euo pipefail
. "$(dirname "$0")/facts.sh"
[ $# = 3 ] || fail "usage: packaging/archive.sh TARGET BINARY DIST"
target=$1 binary=$2 dist=$3

name="tallyport-$version-$target"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
folder="$scratch/$name"
mkdir -p "$dist" "$folder/completions" "$folder/man"
dist=$(cd "$dist" && pwd)

cp "$binary" "$folder/"
binary="$folder/$(basename "$binary")"
[ "$("$binary" --version)" = "tallyport $version" ] || fail "$2 is not tallyport $version"
for shell in bash:tallyport.bash zsh:_tallyport fish:tallyport.fish powershell:tallyport.ps1 elvish:tallyport.elv; do
  "$binary" completions "${shell%%:*}" > "$folder/completions/${shell#*:}"
done
"$binary" man > "$folder/man/tallyport.1"

# Only what is tracked: no result files of somebody's tries.
(cd "$root" && git ls-files -z README.md CHANGELOG.md LICENSE docs samples templates ':!samples/make') |
  (cd "$root" && xargs -0 tar -cf -) | tar -xf - -C "$folder"
cp "$root/target/package/THIRD-PARTY.txt" "$folder/" || fail "run packaging/notices.sh first"

case $target in
  *-windows-*) (cd "$scratch" && rm -f "$dist/$name.zip" && 7z a -bso0 "$dist/$name.zip" "$name") ;;
  *) (cd "$scratch" && tar -czf "$dist/$name.tar.gz" "$name") ;;
esac
note "$name is packed"
