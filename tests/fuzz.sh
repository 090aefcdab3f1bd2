#!/usr/bin/env bash
# Parsers against mutated input, for as long as one likes. The test suite does the same for some seconds.
#
#   tests/fuzz.sh [SECONDS] [SEED]
#
# Every round has a seed of its own; a failure prints the seed and the input, and
# `TALLYPORT_FUZZ_SEED=N TALLYPORT_FUZZ_ROUNDS=1` repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
seed=${2:-$((RANDOM * 32768 + RANDOM))}
rounds=20000
log=$(mktemp)
trap 'rm -f "$log"' EXIT

cargo test --quiet --lib --no-run
while [ "$SECONDS" -lt "$seconds" ]; do
  echo "seeds $seed to $((seed + rounds))"
  TALLYPORT_FUZZ_SEED=$seed TALLYPORT_FUZZ_ROUNDS=$rounds \
    cargo test --quiet --lib -- fuzz_ --ignored >"$log" 2>&1 || {
    cat "$log"
    exit 1
  }
  seed=$((seed + rounds))
done
echo "nothing failed in $SECONDS s"
