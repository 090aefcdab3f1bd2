//! The store itself: the database of all accounts, and the types of its replies and failures.

use std::io::Write;

use axum::http::StatusCode;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Result as SqlResult, Row};

use super::super::clock::StoreClock;
use super::super::facts::JsonForm;
use super::super::refusal::Refusal;
use super::tables::{RecordTables, ReplyColumn};

/// The account a record belongs to: the id of a tenant, or [`AccountId::ONLY`] without tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AccountId(pub(crate) i64);

impl AccountId {
    /// The account of a sandbox without tenants. Tenant ids start at 1.
    pub(crate) const ONLY: AccountId = AccountId(0);
}

#[derive(Debug)]
pub(crate) struct RecordStore {
    pub(super) connection: Connection,
    pub(super) tables: RecordTables,
    pub(super) clock: StoreClock,
    /// Whether records were copied from an account: see `copied`.
    pub(super) is_copy: bool,
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
        read: impl FnOnce(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    pub(super) fn execute<P: Params>(&self, sql: &str, params: P) -> SqlResult<()> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    /// Whether a query returns any row.
    pub(super) fn any<P: Params>(&self, sql: &str, params: P) -> SqlResult<bool> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}

/// Writes a row as a JSON object.
pub(super) fn write_row(row: &Row<'_>, columns: &[ReplyColumn], out: &mut Vec<u8>) -> SqlResult<()> {
    out.push(b'{');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.lead.as_bytes());
        write_value(row.get_ref(index)?, column.form, out);
    }
    out.push(b'}');
    Ok(())
}

/// Writing to a vector cannot fail, so the results below are dropped.
pub(super) fn write_value(value: ValueRef<'_>, form: JsonForm, out: &mut Vec<u8>) {
    match (value, form) {
        (ValueRef::Integer(yes), JsonForm::Boolean) => out.extend_from_slice(if yes == 0 { b"false" } else { b"true" }),
        (ValueRef::Integer(integer), _) => drop(write!(out, "{integer}")),
        (ValueRef::Real(whole), _) if whole.fract() == 0.0 => drop(write!(out, "{whole:.0}")),
        (ValueRef::Real(number), _) => drop(serde_json::to_writer(out, &number)),
        (ValueRef::Text(json), JsonForm::Json) => out.extend_from_slice(json),
        (ValueRef::Text(text), _) => drop(serde_json::to_writer(out, &String::from_utf8_lossy(text))),
        (ValueRef::Null | ValueRef::Blob(_), _) => out.extend_from_slice(b"null"),
    }
}
