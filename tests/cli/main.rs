//! The real binary on real files against the sandbox on loopback: one module per command or promise.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[cfg(feature = "buckets")]
mod bucket;
mod check;
mod copy_account;
mod delete;
mod dependencies;
mod docs;
mod echo;
mod export;
mod faults;
mod features;
mod foreign_ids;
mod guidance;
mod harness;
mod holders;
mod hostile;
mod identity;
mod import;
mod interrupt;
mod keys;
mod kills;
mod library;
mod limits;
mod mapping;
mod other_users;
mod presets;
mod quota;
mod reading;
mod redact;
mod reference_server;
mod register;
mod regression;
mod repeats;
mod result;
mod resume;
mod roundtrip;
mod runs;
mod samples;
mod secrets;
mod shapes;
mod terminal;
mod two_runs;
mod undo;
mod usage;
mod values;
