#!/bin/sh
# Whether the unit tests notice faults: puts a hundred into the engine, one at a time, and runs its unit tests on each.
#
#     tests/mutants.sh [COUNT] [SEED]
#
# Needs cargo-mutants (https://mutants.rs) and takes about half a minute for each fault. The same seed draws the same faults as
# long as the code is the same. Fails if fewer than nine in ten are noticed; target/mutants.out/missed.txt lists what was missed.
set -eu
cd "$(dirname "$0")/.."
count=${1:-100}
seed=${2:-1}

files() {
  for room in run plan catalog; do printf -- '--file\nsrc/%s/**/*.rs\n' "$room"; done
}

# One of as many equal parts as it takes, each of which goes through all files.
set -f
# shellcheck disable=SC2046 # one argument a line
total=$(cargo mutants --list $(files) | wc -l)
parts=$(((total + count - 1) / count))

status=0
# Every case that the tests have.
export TALLYPORT_TESTS=all
# A property that notices a fault in some of its cases notices it in sixteen.
export PROPTEST_CASES="${PROPTEST_CASES:-16}"
# shellcheck disable=SC2046
cargo mutants $(files) --shard "$((seed % parts))/$parts" --sharding round-robin --no-shuffle \
  --output target --timeout 300 --colors never --cargo-arg=--lib -- -- run:: plan:: catalog:: job:: || status=$?
# 2: some were missed, 3: the tests did not end with some.
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac

lines() { cat "$@" | wc -l; }
cd target/mutants.out
caught=$(lines caught.txt timeout.txt)
all=$(lines caught.txt timeout.txt missed.txt)
printf '%s of %s faults noticed\n' "$caught" "$all"
[ $((caught * 10)) -ge $((all * 9)) ]
