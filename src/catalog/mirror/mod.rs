//! The mirror: an account's records in a local SQLite file, brought up to date in the fewest requests.
//!
//! ```text
//! file              the file: one table a collection, the log, what changed, what each named export knows
//! refresh           brings the mirror up to date
//! log_delta         what the activity log says, and how far it is trusted
//! changes           what changed since an export of some name
//! observed_fields   which fields records have
//! ```
//!
//! One file per key, base URL and tenant, in the state folder: another key may be another company. It is a cache; if it is
//! deleted, the account is read again.

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

pub(crate) use changes::{ChangeKind, RecordChange};
pub(crate) use error::MirrorError;
pub(crate) use file::LogEntry;
pub(crate) use observed_fields::ObservedFields;
pub(crate) use refresh::{CollectionLoss, RefreshError, RefreshMethod, RefreshMode, RefreshOptions, RefreshStats};

use crate::api::RawPage;
use crate::schema::Entity;
use file::MirrorFile;

/// The mirror of one account.
#[derive(Debug)]
pub(crate) struct Mirror {
    file: MirrorFile,
}

impl Mirror {
    /// Opens the mirror in that file, and creates it if there is none. Only one process uses it at a time: none if another
    /// does.
    ///
    /// # Errors
    /// A file or folder that cannot be used.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, MirrorError> {
        Ok(MirrorFile::open(path)?.map(|file| Self { file }))
    }

    /// A mirror that is deleted when it is dropped: for an account that exists in this process only, and for parts of
    /// one.
    ///
    /// # Errors
    /// A folder for temporary files that cannot be used.
    pub(crate) fn temporary() -> Result<Self, MirrorError> {
        MirrorFile::temporary().map(|file| Self { file })
    }

    /// How many records of the collection there are.
    pub(crate) fn count(&self, entity: &Entity) -> Result<u64, MirrorError> {
        self.file.count(entity)
    }

    /// A record as JSON text.
    pub(crate) fn record(&self, entity: &Entity, id: i64) -> Result<Option<String>, MirrorError> {
        self.file.record(entity, id)
    }

    /// A page of records, by id, unparsed.
    pub(crate) fn page(&self, entity: &Entity, offset: u64, limit: u32) -> Result<RawPage, MirrorError> {
        let records = self.file.page(entity, offset, limit)?;
        Ok(RawPage::of(format!("[{}]", records.join(","))).unwrap_or_default())
    }

    /// The mirror in that file, if there is one that no other process uses.
    ///
    /// # Errors
    /// As [`Mirror::open`].
    pub(crate) fn open_if_free(path: &Path) -> Result<Option<Self>, MirrorError> {
        Ok(MirrorFile::open_if_free(path)?.map(|file| Self { file }))
    }

    /// Calls `with` for every record of the collection, by id.
    ///
    /// # Errors
    /// The disk fails, or `with` does.
    pub(crate) fn each<E: From<MirrorError>>(
        &self,
        entity: &Entity,
        mut with: impl FnMut(i64, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.file.each(entity, &mut with)
    }

    /// The fields of the collection's records, and its custom fields.
    pub(crate) fn observed_fields(&self, entity: &Entity) -> Result<ObservedFields, MirrorError> {
        self.file.observed_fields(entity)
    }

    /// When the mirror of the collection last equalled the service's, as RFC 3339; none if it is not mirrored.
    pub(crate) fn refreshed_at(&self, entity: &Entity) -> Result<Option<String>, MirrorError> {
        Ok(self.file.state(entity)?.map(|state| state.refreshed_at))
    }

    fn file(&self) -> &MirrorFile {
        &self.file
    }

    fn next_refresh(&self) -> Result<i64, MirrorError> {
        let number = self.file.fact("refresh")?.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0) + 1;
        self.file.set_fact("refresh", &number.to_string())?;
        Ok(number)
    }

    /// The longest page that the service was ever seen to return.
    fn longest_page(&self) -> Result<u32, MirrorError> {
        Ok(self.file.fact("longest_page")?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    fn set_longest_page(&self, length: u32) -> Result<(), MirrorError> {
        self.file.set_fact("longest_page", &length.to_string())
    }

    /// How many records a list had when a request behind its end found nothing.
    fn confirmed_end(&self, entity: &Entity) -> Result<Option<u64>, MirrorError> {
        Ok(self.file.fact(&format!("end of {}", entity.name))?.and_then(|text| text.parse().ok()))
    }

    fn set_confirmed_end(&self, entity: &Entity, records: u64) -> Result<(), MirrorError> {
        self.file.set_fact(&format!("end of {}", entity.name), &records.to_string())
    }

    /// The timestamp of the newest log entry that was read.
    fn log_mark(&self) -> Result<Option<String>, MirrorError> {
        self.file.fact("log_mark")
    }

    fn set_log_mark(&self, timestamp: &str) -> Result<(), MirrorError> {
        self.file.set_fact("log_mark", timestamp)
    }

    /// The last entry of the log that the mirror of the collection includes; none if it is not known.
    fn log_known(&self, entity: &Entity) -> Result<Option<i64>, MirrorError> {
        Ok(self.file.fact(&format!("log of {}", entity.name))?.and_then(|text| text.parse().ok()))
    }

    fn set_log_known(&self, entity: &Entity, seq: i64) -> Result<(), MirrorError> {
        self.file.set_fact(&format!("log of {}", entity.name), &seq.to_string())
    }

    /// The number of the refresh since which every entry of the log was read.
    fn log_whole_since(&self) -> Result<i64, MirrorError> {
        Ok(self.file.fact("log_whole_since")?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    fn set_log_whole_since(&self, refresh: i64) -> Result<(), MirrorError> {
        self.file.set_fact("log_whole_since", &refresh.to_string())
    }

    /// Whether the log was closed to the API key when the mirror was refreshed last.
    pub(crate) fn is_log_denied(&self) -> Result<bool, MirrorError> {
        Ok(self.file.fact("log_denied")?.as_deref() == Some("yes"))
    }

    fn set_log_denied(&self, is_denied: bool) -> Result<(), MirrorError> {
        self.file.set_fact("log_denied", if is_denied { "yes" } else { "no" })
    }

    fn is_log_trusted(&self) -> Result<bool, MirrorError> {
        Ok(self.file.fact("log_kept_silent")?.is_none())
    }

    fn invalidate_log(&self) -> Result<(), MirrorError> {
        self.file.set_fact("log_kept_silent", "yes")
    }
}
