#!/usr/bin/env bash
# Writes target/package/THIRD-PARTY.txt: the licences of every crate that is in a released binary, each text once. Passing
# a binary on requires them.
#
#     packaging/notices.sh
set -euo pipefail
. "$(dirname "$0")/facts.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$root"
cargo vendor --locked --quiet --versioned-dirs "$scratch/vendor" > /dev/null
mkdir -p "$scratch/texts" target/package
exec > target/package/THIRD-PARTY.txt

echo "tallyport $version contains these crates. Their licences follow, each text below the crates that it belongs to."
echo
# Dependencies of every platform, because a notice too many does no harm.
cargo tree --locked --features full,dns-client --edges normal --target all --prefix none --format '{p}|{l}' |
  sed 's/ (proc-macro)//; s/ (\*)//' | grep -v '^tallyport ' | LC_ALL=C sort -u |
  while IFS='|' read -r crate licence; do
    printf '  %s: %s\n' "$crate" "${licence:-see its text}"
    name=${crate%% v*}
    folder="$scratch/vendor/$name-${crate##* v}"
    find "$folder" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'notice*' \) |
      sort | while IFS= read -r text; do
        sum=$(sha256 < "$text" | cut -d' ' -f1)
        cp "$text" "$scratch/texts/$sum"
        printf '%s\n' "$crate" >> "$scratch/texts/$sum.crates"
      done
  done

for crates in "$scratch"/texts/*.crates; do
  printf '\n%s\n\n' "$(printf '=%.0s' {1..80})"
  sed 's/^/  /' "$crates"
  printf '\n'
  cat "${crates%.crates}"
done
