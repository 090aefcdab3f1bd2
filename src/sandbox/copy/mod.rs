//! Fills a data file with the records of an account, so that it is served as the account served it.
//!
//! The builder gets records as JSON and knows nothing of where they come from. Each is stored in the table of its
//! collection, as far as its values fit, so that rules, filters and computed fields work on it. What the sandbox would
//! then serve is compared with the record member by member, and every difference is kept beside it: fields that only the
//! account has, fields that it omits, amounts as text, figures that the sandbox cannot compute. A difference is served
//! until the value it stands for changes.
//!
//! ```text
//! record    a record as the account served it, without secrets    pure
//! value     a value of a record as one of a column                pure
//! ```
//!
//! What cannot be read from an account is not made up: who holds accessories, components, consumables and seats of
//! licenses (their stock is right all the same), the keys of licenses of the type "Product Key", and the activity log.

mod record;
#[cfg(test)]
mod tests;
mod value;

use std::path::Path;

pub(super) use record::{CopiedRecord, split};
pub(super) use value::{column_value, integer, text};

use super::error::SandboxError;
use super::facts::{self, StockModel};
use super::store::{AccountId, RecordStore};
use crate::schema::{COLLECTIONS, Entity};

/// A data file that is being filled. Nothing else may use it until [`CopyBuilder::finish`].
#[derive(Debug)]
pub(crate) struct CopyBuilder {
    store: RecordStore,
    account: AccountId,
    omissions: CopyOmissions,
}

/// A sandbox's data file that is in use, by nobody else, until this is dropped.
#[derive(Debug)]
pub(crate) struct DataFile {
    _store: RecordStore,
}

impl DataFile {
    /// Opens the file, and creates it if it does not exist.
    ///
    /// # Errors
    /// A file that is no sandbox's, or that a sandbox is using.
    pub(crate) fn open(path: &Path) -> Result<Self, SandboxError> {
        Ok(Self { _store: RecordStore::in_file(path)? })
    }
}

/// What a copy leaves out, as far as there was any of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CopyOmissions {
    /// Values of custom fields, and of fields that the guide does not name, that are called a password, PIN or key.
    pub(crate) secrets: u64,
    /// How many items of a collection are checked out to holders that no reply names.
    pub(crate) without_holder: Vec<(&'static str, u64)>,
}

/// A record that cannot be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyBuildError {
    #[error("{collection} `{id}` is not a JSON object")]
    NoObject { collection: &'static str, id: i64 },
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl CopyBuilder {
    /// Begins a copy in an empty file, for this tenant of a multi-tenant account.
    pub(crate) fn create(path: &Path, tenant: Option<i64>) -> rusqlite::Result<Self> {
        let store = RecordStore::in_new_file(path)?;
        let account = tenant.map_or(AccountId::ONLY, AccountId);
        store.open_account(account)?;
        Ok(Self { store, account, omissions: CopyOmissions::default() })
    }

    /// Begins the records of a collection. `fields` are the names of their fields, in the order of the account.
    pub(crate) fn begin<'f>(
        &mut self,
        entity: &'static Entity,
        fields: impl Iterator<Item = &'f str>,
    ) -> rusqlite::Result<()> {
        self.store.set_copied_order(entity, &fields.collect::<Vec<_>>())
    }

    /// Stores a record. Records that it refers to by an asset tag must have been added before.
    pub(crate) fn add(&mut self, entity: &'static Entity, id: i64, json: &str) -> Result<(), CopyBuildError> {
        let record = parse(entity, id, json)?;
        self.omissions.secrets += record.secrets;
        self.store.insert_copied(self.account, entity, id, &record)?;
        Ok(())
    }

    /// Keeps what the sandbox would serve differently. Called for each record once all are added: computed fields depend on
    /// other records.
    pub(crate) fn reconcile(&mut self, entity: &'static Entity, id: i64, json: &str) -> Result<(), CopyBuildError> {
        let record = parse(entity, id, json)?;
        self.store.keep_differences(self.account, entity, id, &record)?;
        Ok(())
    }

    /// Completes and closes the file.
    pub(crate) fn finish(mut self) -> rusqlite::Result<CopyOmissions> {
        for entity in COLLECTIONS {
            if matches!(facts::stock_model(entity.name), Some(StockModel::Stock(_) | StockModel::Seats(_))) {
                let count = self.store.checked_out(entity)?;
                self.omissions.without_holder.extend((count > 0).then_some((entity.name, count)));
            }
        }
        self.store.close()?;
        Ok(self.omissions)
    }
}

fn parse<'a>(entity: &'static Entity, id: i64, json: &'a str) -> Result<CopiedRecord<'a>, CopyBuildError> {
    CopiedRecord::parse(entity, json).ok_or(CopyBuildError::NoObject { collection: entity.name, id })
}
