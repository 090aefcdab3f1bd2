#!/bin/sh
# Reads mutated files of every format, with a limit on memory: each must end in rows or in one error.
#
#     tests/fuzz.sh [ITERATIONS] [SEED]
#
# So many iterations for each sample file; 100,000 take some hours. The same seed makes the same files, and a failure
# says which one it was.
set -u
cd "$(dirname "$0")/.." || exit 2
TALLYPORT_FUZZ_ITERATIONS=${1:-10000}
TALLYPORT_SEED=${2:-$(date +%s)}
export TALLYPORT_FUZZ_ITERATIONS TALLYPORT_SEED
cargo test --release --quiet --lib --no-run || exit 2
echo "$TALLYPORT_FUZZ_ITERATIONS iterations for each sample, seed $TALLYPORT_SEED"
# In kilobytes: what a program of 200 MB takes with its threads' stacks.
ulimit -v 1500000
if cargo test --release --quiet --lib mutated_files_of_every_format; then
    echo "passed, seed $TALLYPORT_SEED"
else
    echo "FAILED with seed $TALLYPORT_SEED: see above"
    exit 1
fi
