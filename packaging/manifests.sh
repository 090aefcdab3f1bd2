#!/usr/bin/env bash
# Writes DIST/SHA256SUMS for the files in DIST, and from it and Cargo.toml the manifests of package managers into
# DIST/manifests: a Homebrew formula, a Scoop manifest and the three files of winget.
#
#     packaging/manifests.sh DIST
#
# A manifest whose archive is not in DIST is left out and named. Without `repository` in Cargo.toml the manifests hold a
# placeholder and cannot be published; the script says so.
set -euo pipefail
. "$(dirname "$0")/facts.sh"
[ $# = 1 ] || fail "usage: packaging/manifests.sh DIST"
cd "$1"

rm -rf manifests
find . -maxdepth 1 -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort | while IFS= read -r file; do
  sha256 "$file"
done > SHA256SUMS

# A template with its values in. Fails if it names an archive that has no sum.
filled() {
  local text file sum
  text=$(sed -e "s|@VERSION@|$version|g" -e "s|@ADDRESS@|$address|g" -e "s|@DOWNLOADS@|$downloads|g" \
    -e "s|@OWNER@|$owner|g" "$1")
  while [[ $text =~ @SHA256\ ([^@]+)@ ]]; do
    file=${BASH_REMATCH[1]}
    sum=$(awk -v file="$file" '$2 == file || $2 == "*" file { print $1 }' SHA256SUMS)
    [ -n "$sum" ] || { note "no $file: it is needed for $(basename "$1")"; return 1; }
    text=${text//"@SHA256 $file@"/$sum}
  done
  printf '%s\n' "$text"
}

for manager in homebrew scoop winget; do
  mkdir -p "manifests/$manager"
  for template in "$root/packaging/$manager"/*; do
    file="manifests/$manager/$(basename "$template")"
    if ! filled "$template" > "$file"; then
      rm -rf "manifests/$manager"
      note "left out: $manager"
      break
    fi
  done
done

if [ "$is_address_known" = no ]; then
  note "Cargo.toml has no \`repository\`: the manifests name $missing_address, a placeholder; do not publish them"
fi
