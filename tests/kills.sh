#!/bin/sh
# Nothing lost, nothing duplicated: kills a thousand imports and a thousand applies at random points, into the sandbox and
# into the reference server, resumes each until it finishes, and compares the account with the sheets.
#
#     tests/kills.sh [KILLS] [SEED]
#
# The same seed draws the same sheets, faults and kill points. A failure keeps its folder and says how to run it again.
# More in parallel: TALLYPORT_JOBS=8 tests/kills.sh
set -u
cd "$(dirname "$0")/.." || exit 2
TALLYPORT_KILLS=${1:-1000}
TALLYPORT_SEED=${2:-$(date +%s)}
export TALLYPORT_KILLS TALLYPORT_SEED
echo "$TALLYPORT_KILLS kills of imports and of applies for each of two servers, seed $TALLYPORT_SEED"
if cargo test --profile optimized --quiet --test cli kills:: -- --nocapture; then
    echo "passed: nothing lost, nothing duplicated in $TALLYPORT_KILLS killed imports and applies into each server, seed $TALLYPORT_SEED"
else
    echo "FAILED with seed $TALLYPORT_SEED: see above"
    exit 1
fi
