//! The store itself: the database of all accounts, and the types of its replies and failures.

use axum::http::StatusCode;
use rusqlite::{Connection, Params, Row};

use super::super::clock::StoreClock;
use super::super::refusal::Refusal;
use super::tables::RecordTables;

/// The account a record belongs to: the id of a tenant, or [`AccountId::ONLY`] without tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AccountId(pub(crate) i64);

impl AccountId {
    /// The account of a sandbox without tenants. Tenant ids start at 1.
    pub(crate) const ONLY: AccountId = AccountId(0);
}

/// The records of all accounts, and the clock.
#[derive(Debug)]
pub(crate) struct RecordStore {
    pub(super) connection: Connection,
    pub(super) tables: RecordTables,
    pub(super) clock: StoreClock,
}

/// A reply: a status and a JSON body, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreReply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl From<Refusal> for StoreReply {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, body: refusal.body() }
    }
}

/// Why the store did not execute a request.
#[derive(Debug)]
pub(crate) enum StoreFailure {
    /// The request is invalid; nothing was written.
    Refused(Refusal),
    /// The database failed; its transaction is rolled back.
    Broken(rusqlite::Error),
}

/// What an operation gives, by default a reply.
pub(crate) type StoreResult<T = StoreReply> = Result<T, StoreFailure>;

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
    pub(super) fn first<T, P: Params>(
        &self,
        sql: &str,
        params: P,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    pub(super) fn execute<P: Params>(&self, sql: &str, params: P) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    /// Whether a query returns any row.
    pub(super) fn any<P: Params>(&self, sql: &str, params: P) -> rusqlite::Result<bool> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}
