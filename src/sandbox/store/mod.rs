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
mod open;
mod queue;
mod records;
mod references;
mod sample_extras;
mod tables;

use axum::http::StatusCode;
use rusqlite::{Connection, Params, Row};

use super::clock::StoreClock;
use super::refusal::Refusal;
pub(super) use checkouts::CheckoutAction;
pub(super) use queue::{StoreQueue, StoreStopped, start_queue};
use tables::RecordTables;

/// The account a record belongs to: the id of a tenant, or [`AccountId::ONLY`] without tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AccountId(pub(super) i64);

impl AccountId {
    /// The account of a sandbox without tenants. Tenant ids start at 1.
    pub(super) const ONLY: AccountId = AccountId(0);
}

/// The records of all accounts, and the clock.
#[derive(Debug)]
pub(super) struct RecordStore {
    connection: Connection,
    tables: RecordTables,
    clock: StoreClock,
}

/// A reply: a status and a JSON body, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreReply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

impl From<Refusal> for StoreReply {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, body: refusal.body() }
    }
}

/// Why the store did not execute a request.
#[derive(Debug)]
pub(super) enum StoreFailure {
    /// The request is invalid; nothing was written.
    Refused(Refusal),
    /// The database failed; its transaction is rolled back.
    Broken(rusqlite::Error),
}

pub(super) type StoreResult<T> = Result<T, StoreFailure>;

impl From<Refusal> for StoreFailure {
    fn from(refusal: Refusal) -> Self {
        StoreFailure::Refused(refusal)
    }
}

impl From<rusqlite::Error> for StoreFailure {
    fn from(error: rusqlite::Error) -> Self {
        StoreFailure::Broken(error)
    }
}

impl RecordStore {
    /// The first row of a query, if any.
    fn first<T, P: Params>(
        &self,
        sql: &str,
        params: P,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    fn execute<P: Params>(&self, sql: &str, params: P) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    /// Whether a query returns any row.
    fn any<P: Params>(&self, sql: &str, params: P) -> rusqlite::Result<bool> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}
