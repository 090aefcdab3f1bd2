#!/bin/sh
# Whether the unit tests notice faults: puts a hundred into the engine, one at a time, and runs its unit tests on each.
#
#     tests/mutants.sh [COUNT] [SEED]
#
# Needs cargo-mutants (https://mutants.rs) and takes about a minute for each fault. The same seed draws the same faults as long
# as the code is the same. Fails if fewer than nine in ten are noticed; target/mutants.out/missed.txt lists what was missed.
set -eu
cd "$(dirname "$0")/.."
count=${1:-100}
seed=${2:-1}

engine="src/run/**/*.rs src/plan/**/*.rs src/catalog/**/*.rs"
files() {
  for file in $engine; do printf -- '--file\n%s\n' "$file"; done
}

set -f
# Drawn by the checksum of the seed with a fault's name.
drawn=$(mktemp)
trap 'rm -f "$drawn"' EXIT
# shellcheck disable=SC2046 # one argument a line
cargo mutants --list $(files) | grep -v '/tests[/.]' | while IFS= read -r name; do
  printf '%s\t%s\n' "$(printf '%s %s' "$seed" "$name" | cksum | cut -d' ' -f1)" "$name"
done | sort -n | head -n "$count" | cut -f2- > "$drawn"

# Each name as a pattern for itself.
set --
while IFS= read -r name; do
  set -- "$@" --re "^$(printf '%s' "$name" | sed 's/[][\.^$*+?(){}|/-]/\\&/g')\$"
done < "$drawn"
status=0
# shellcheck disable=SC2046
cargo mutants $(files) "$@" --output target --timeout 300 --no-shuffle --colors never \
  -- --lib -- run:: plan:: catalog:: || status=$?
# 2: some were missed, 3: the tests did not end with some.
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac

lines() { cat "$@" | wc -l; }
cd target/mutants.out
caught=$(lines caught.txt timeout.txt)
all=$(lines caught.txt timeout.txt missed.txt)
printf '%s of %s faults noticed\n' "$caught" "$all"
[ $((caught * 10)) -ge $((all * 9)) ]
