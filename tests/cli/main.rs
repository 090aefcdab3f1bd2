//! The real binary against the sandbox over loopback, on real files: one module per command or promise.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[cfg(feature = "buckets")]
mod bucket;
mod check;
mod delete;
mod export;
mod faults;
mod features;
mod hostile;
mod import;
mod interrupt;
mod kills;
mod quota;
mod readme;
mod register;
mod regression;
mod rehearsal;
mod result;
mod resume;
mod roundtrip;
mod runs;
mod samples;
mod secrets;
mod shapes;
mod stranger;
mod undo;
mod usage;
