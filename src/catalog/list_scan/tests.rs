#![allow(clippy::unwrap_used, clippy::expect_used)]

mod churn;
mod quiet;
mod service;
mod ties;
