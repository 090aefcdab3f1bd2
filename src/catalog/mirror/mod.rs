//! A local copy of an account: records as they came, brought up to date in the fewest requests.
//!
//! ```text
//! store     the file: one table a collection, the log, what changed, what each named export knows
//! refresh   the copy made the account's own again
//! log       what the activity log tells, and how far it is believed
//! changes   what happened since an export of some name
//! shape     which fields records carry
//! ```
//!
//! One file per key, base link and tenant, in the state folder: another key may be another company. It is a cache;
//! deleted, it is read anew.

mod changes;
mod error;
mod file;
mod log_delta;
mod observed_fields;
mod refresh;
mod service_time;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use changes::{ChangeKind, RecordChange};
pub use error::MirrorError;
pub use file::LogEntry;
pub use observed_fields::ObservedFields;
pub use refresh::{MirrorSource, RefreshError, RefreshMethod, RefreshMode, RefreshOptions, RefreshStats};

use crate::catalog::fetch::Record;
use crate::schema::Entity;
use file::MirrorFile;

/// The local copy of one account.
#[derive(Debug)]
pub struct Mirror {
    store: MirrorFile,
}

impl Mirror {
    /// The copy kept in that file, made where there is none. Only one process works with it at a time: `on_wait` is
    /// called where another does, and then its end is waited for.
    ///
    /// # Errors
    /// A file or folder that cannot be used.
    pub fn open(path: &Path, on_wait: &mut dyn FnMut()) -> Result<Self, MirrorError> {
        MirrorFile::open(path, on_wait).map(|store| Self { store })
    }

    /// A copy that is gone with the value: for an account that is gone with the process, and for parts of one.
    ///
    /// # Errors
    /// A folder for temporary files that cannot be used.
    pub fn scratch() -> Result<Self, MirrorError> {
        MirrorFile::scratch().map(|store| Self { store })
    }

    /// RefreshMethod many records of the collection there are.
    pub fn count(&self, entity: &Entity) -> Result<u64, MirrorError> {
        self.store.count(entity)
    }

    /// A record as JSON text.
    pub fn record(&self, entity: &Entity, id: i64) -> Result<Option<String>, MirrorError> {
        self.store.record(entity, id)
    }

    /// Some records in a row, by id.
    pub fn page(&self, entity: &Entity, offset: u64, limit: u32) -> Result<Vec<Record>, MirrorError> {
        let texts = self.store.page(entity, offset, limit)?;
        Ok(texts.iter().filter_map(|json| serde_json::from_str(json).ok()).collect())
    }

    /// The copy in that file, if there is one that no other process works with.
    ///
    /// # Errors
    /// As [`Mirror::open`].
    pub fn open_if_free(path: &Path) -> Result<Option<Self>, MirrorError> {
        Ok(MirrorFile::open_if_free(path)?.map(|store| Self { store }))
    }

    /// Every record of the collection with its id, by id.
    ///
    /// # Errors
    /// What the disk refuses, and whatever `with` returns.
    pub fn each<E: From<MirrorError>>(
        &self,
        entity: &Entity,
        mut with: impl FnMut(i64, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.store.each(entity, &mut with)
    }

    /// The fields that the collection's records carry, custom fields apart.
    pub fn shape(&self, entity: &Entity) -> Result<ObservedFields, MirrorError> {
        self.store.shape(entity)
    }

    /// When the copy of the collection was last the service's own, as RFC 3339; none where there is no copy.
    pub fn refreshed_at(&self, entity: &Entity) -> Result<Option<String>, MirrorError> {
        Ok(self.store.state(entity)?.map(|state| state.refreshed_at))
    }

    fn store(&self) -> &MirrorFile {
        &self.store
    }

    fn next_refresh(&self) -> Result<i64, MirrorError> {
        let number = self.store.fact("refresh")?.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0) + 1;
        self.store.set_fact("refresh", &number.to_string())?;
        Ok(number)
    }

    /// The longest page that the service was ever seen to give.
    fn longest_page(&self) -> Result<u32, MirrorError> {
        Ok(self.store.fact("longest_page")?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    fn set_longest_page(&self, length: u32) -> Result<(), MirrorError> {
        self.store.set_fact("longest_page", &length.to_string())
    }

    /// The newest entry of the log that was read.
    fn log_mark(&self) -> Result<Option<String>, MirrorError> {
        self.store.fact("log_mark")
    }

    fn set_log_mark(&self, timestamp: &str) -> Result<(), MirrorError> {
        self.store.set_fact("log_mark", timestamp)
    }

    fn is_log_trusted(&self) -> Result<bool, MirrorError> {
        Ok(self.store.fact("log_kept_silent")?.is_none())
    }

    fn invalidate_log(&self) -> Result<(), MirrorError> {
        self.store.set_fact("log_kept_silent", "yes")
    }
}
