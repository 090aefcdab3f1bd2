#!/bin/sh
# Nothing lost, nothing duplicated, the quota kept: simulates runs of the engine with a seeded network, service, clock and
# crashes, without sockets and without waiting.
#
#     tests/simulate.sh [SCHEDULES]
#
# A failure names its seed: TALLYPORT_SIMULATION_SEED=7 tests/simulate.sh repeats that one.
set -eu
cd "$(dirname "$0")/.."
TALLYPORT_SIMULATIONS=${1:-100000}
export TALLYPORT_SIMULATIONS
cargo test --profile optimized --quiet --lib simulated_schedules
