//! Records in SQLite: one database, one connection, one owner.
//!
//! The database lives in memory or in a file. A file carries a stamp, so that no other file is mistaken for one of
//! ours, and is locked for as long as a sandbox serves it. Tables come from the schema (`tables`); a file made
//! before a field existed gets its column when it is next opened.
//!
//! Every change is decided before it is made: a refusal is found by reading only, so that what a request has begun
//! to write it also finishes, in one transaction with the others that came in at that moment (`work`).

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

/// What every record belongs to: a tenant's id, or [`AccountId::ONLY`] where there are no tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AccountId(pub(super) i64);

impl AccountId {
    /// The account of a sandbox without tenants. Tenants' ids start at 1.
    pub(super) const ONLY: AccountId = AccountId(0);
}

/// The records and the time.
#[derive(Debug)]
pub(super) struct RecordStore {
    connection: Connection,
    tables: RecordTables,
    clock: StoreClock,
}

/// What is answered, in JSON; an empty body is none.
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

/// Why the store did not do what was asked.
#[derive(Debug)]
pub(super) enum StoreFailure {
    /// The rules forbid it; nothing was written.
    Refused(Refusal),
    /// The database failed; whatever was written goes with its transaction.
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
    /// The first row of a query, if there is one.
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

    /// Whether a query has any row.
    fn any<P: Params>(&self, sql: &str, params: P) -> rusqlite::Result<bool> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}
