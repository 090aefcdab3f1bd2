//! The records, in SQLite: one database, one connection, one owner.
//!
//! The database is in memory or in a file. A file has an application id, so that no other database is mistaken for one
//! of ours, and is locked while a sandbox uses it. The tables are generated from the schema (`tables`); a file from
//! before a field existed gets its column the next time it is opened.
//!
//! Requests are validated by reading only, before anything is written. So a request that has begun to write also
//! finishes, in one transaction with the other requests of that moment (`queue`).

mod activity;
mod checkouts;
mod copied;
mod open;
mod queue;
mod record_store;
mod records;
mod references;
mod tables;

pub(super) use checkouts::CheckoutAction;
pub(super) use queue::{Job, StoreQueue, start_queue};
pub(super) use record_store::{AccountId, RecordStore, StoreFailure, StoreReply};
