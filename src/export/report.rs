//! What an export did, for callers and for the summary.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::changes::ChangeCounts;
use super::mirrored::MirroredAccount;
use super::source::{ExportList, ExportSource};
use crate::api::RequestCounts;
use crate::catalog::{CollectionLoss, RefreshStats};
use crate::table::write::output::{OutputReport, TruncatedText, TypeMismatch};
use crate::wording::{counted, thousands};

/// How many files that stay a warning names.
const SHOWN_FILES: usize = 5;

/// How many values of another type a warning shows.
const SHOWN_MISMATCHES: usize = 5;

/// What an export did.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExportReport {
    pub name: Option<String>,
    /// The exported accounts, such as `https://app.bluetallyapp.com/api/v1, tenant 3`.
    pub accounts: Vec<String>,
    pub tables: Vec<TableReport>,
    pub files: Vec<StoredFile>,
    /// What changed since the last export of the same name, if that was asked for.
    pub changes: Option<ChangeCounts>,
    /// When the account was read for that last export, as RFC 3339; none if this is the first one.
    pub changes_since: Option<String>,
    /// The file with the changes of an earlier run that this one replaced.
    pub(crate) replaced_changes: Option<String>,
    /// What the changes of another run today leave out.
    pub(crate) same_day: Option<String>,
    /// Where the local snapshot differed from the service, if they were compared.
    pub differences: Vec<RefreshStats>,
    /// How many collections were compared with the service; 0 if that was not asked for.
    pub compared: usize,
    /// Collections of which most records are gone, though the activity log tells of no deletions.
    pub losses: Vec<CollectionLoss>,
    /// Tenants that could not be exported.
    pub failed_tenants: Vec<FailedTenant>,
    /// Older files that were deleted.
    pub deleted_files: usize,
    /// Whether older files stay that would have been deleted, had no tenant failed.
    pub(crate) keeps_older: bool,
    /// Files that are old enough to be deleted and stay: this export did not write them, or they were edited since.
    pub left_files: Vec<String>,
    /// Texts that were cut to what a cell can hold, the first hundred of each output.
    pub truncated: Vec<TruncatedText>,
    /// How many texts were cut in all.
    pub truncated_cells: u64,
    /// Values that a typed column cannot hold and that are empty in the file, the first hundred of each output.
    pub mismatched: Vec<TypeMismatch>,
    /// How many there were in all.
    pub mismatched_cells: u64,
    pub requests: RequestCounts,
    /// When the first of the accounts was read, as RFC 3339.
    pub read_at: Option<String>,
    pub seconds: f64,
    /// Warnings of the client, such as a tenant without a key of its own.
    client_warnings: Vec<String>,
}

/// One collection of one account in an export.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TableReport {
    pub collection: &'static str,
    /// The tenant, where several are exported.
    pub tenant: Option<i64>,
    pub rows: u64,
    pub columns: usize,
    /// How the local snapshot was brought up to date; none if the list was read apart from it.
    pub refresh: Option<RefreshStats>,
    /// Filters that the service applied, such as `status=Deployed`.
    pub server_filters: Vec<String>,
    /// Filters that were applied to the records afterwards.
    pub client_filters: Vec<String>,
    /// Those among them that the service was asked to apply and did not.
    pub ignored_filters: Vec<String>,
}

/// A file in its final place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    /// A path or a URL; none for standard output.
    pub location: Option<String>,
    /// The tables in it, with their numbers of rows.
    pub tables: Vec<(String, u64)>,
}

/// A tenant that could not be exported.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedTenant {
    /// Id and name, such as `7 (Acme)`.
    pub tenant: String,
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl FailedTenant {
    /// That it is left out, and why.
    pub(crate) fn text(&self) -> String {
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
        format!("tenant {} was not exported: {}{hint}", self.tenant, self.reason)
    }
}

impl TableReport {
    pub(crate) fn new(source: &ExportSource<'_>, list: &ExportList, rows: u64, columns: usize) -> Self {
        let refresh = source.copy.refreshed.iter().find(|refreshed| refreshed.entity.name == list.entity.name);
        Self {
            collection: list.entity.name,
            tenant: source.tenant.map(|tenant| tenant.id),
            rows,
            columns,
            refresh: refresh.copied(),
            server_filters: list.server_filters.clone(),
            client_filters: list.client_filters.iter().map(ToString::to_string).collect(),
            ignored_filters: list.ignored_filters.clone(),
        }
    }
}

impl ExportReport {
    /// Whether every tenant was exported, no difference between the local snapshot and the service was found, and no
    /// value is missing from the files because its column cannot hold it.
    pub fn is_success(&self) -> bool {
        self.failed_tenants.is_empty() && self.differences.is_empty() && self.mismatched_cells == 0
    }

    /// What the user should know, as text.
    pub fn warnings(&self) -> Vec<String> {
        let truncated = self.truncated.iter().map(|cell| {
            let length = thousands(cell.characters as u64);
            format!("sheet {}, cell {}: {length} characters were cut to what a cell can hold", cell.sheet, cell.at)
        });
        let more = self.truncated_cells.saturating_sub(self.truncated.len() as u64);
        let more = (more > 0).then(|| format!("{} were cut as well", counted(more, "further cell")));
        let mismatched = (self.mismatched_cells > 0).then(|| self.mismatch_text());
        let differences = self.differences.iter().map(difference_text);
        let failed = self.failed_tenants.iter().map(FailedTenant::text);
        let kept = "--keep deletes no older file this time, as a tenant is missing from the new ones";
        let ignored = self.tables.iter().flat_map(|table| {
            table.ignored_filters.iter().map(|filter| {
                format!(
                    "the service ignored the filter `{filter}` on {}; the rows were filtered here",
                    table.collection
                )
            })
        });
        truncated
            .chain(more)
            .chain(mismatched)
            .chain(ignored)
            .chain(self.losses.iter().map(ToString::to_string))
            .chain(differences)
            .chain(self.same_day.clone())
            .chain((!self.left_files.is_empty()).then(|| self.left_files_text()))
            .chain(self.client_warnings.iter().cloned())
            .chain(failed)
            .chain(self.keeps_older.then(|| kept.to_owned()))
            .collect()
    }

    /// Adds the files of a finished output, and what was cut in it.
    pub(crate) fn add_output(&mut self, output: OutputReport) {
        let files = output
            .files
            .into_iter()
            .map(|file| StoredFile { location: file.path.map(|path| path.display().to_string()), tables: file.tables });
        self.files.extend(files);
        self.truncated.extend(output.truncated);
        self.truncated_cells += output.truncated_cells;
        self.mismatched.extend(output.mismatched);
        self.mismatched_cells += output.mismatched_cells;
    }

    /// Notes that an export of this name has told changes on the same day already, which its next one does not repeat:
    /// `now` is the local time, and `is_one_file` says whether files of a bucket have the same name all day.
    pub(crate) fn note_same_day(&mut self, now: DateTime, is_one_file: bool) {
        let earlier = self.changes_since.as_ref().and_then(|since| since.parse::<Timestamp>().ok());
        let Some(earlier) = earlier.map(|at| TimeZone::system().to_datetime(at)) else { return };
        if earlier.date() != now.date() || !(is_one_file || self.replaced_changes.is_some()) {
            return;
        }
        let name = self.name.as_deref().unwrap_or_default();
        let at = earlier.strftime("%H:%M");
        let lost = self
            .replaced_changes
            .as_ref()
            .map_or_else(String::new, |file| format!(", and those that `{file}` told before are no longer in it"));
        self.same_day = Some(format!(
            "`{name}` was exported earlier today, at {at}: the changes are those since then{lost}; `{{time}}` in the \
             path gives every run files of its own"
        ));
    }

    /// Which files `--keep` leaves, and why.
    fn left_files_text(&self) -> String {
        let named: Vec<String> = self.left_files.iter().take(SHOWN_FILES).map(|file| format!("`{file}`")).collect();
        let rest = self.left_files.len().saturating_sub(named.len());
        let more = if rest > 0 { format!(" and {} more", thousands(rest as u64)) } else { String::new() };
        let (files, stay) = (counted(self.left_files.len() as u64, "older file"), named.join(", "));
        let were = if self.left_files.len() == 1 { "was" } else { "were" };
        format!(
            "--keep leaves {files} that this export has not written, by the list in the state folder, or that {were} edited \
             since: {stay}{more}"
        )
    }

    /// How many values the columns of a typed file could not hold, and the first of them.
    fn mismatch_text(&self) -> String {
        let first = self.mismatched.iter().take(SHOWN_MISMATCHES).map(|cell| {
            format!("{}, row {}, {}: `{}`", cell.table, thousands(cell.row), cell.header, cell.found.escape_debug())
        });
        let listed: Vec<String> = first.collect();
        let rest = self.mismatched_cells.saturating_sub(listed.len() as u64);
        let more = if rest > 0 { format!("; and {} more", thousands(rest)) } else { String::new() };
        format!(
            "{} of another type than their column, and empty in the file: {}{more}",
            counted(self.mismatched_cells, "value"),
            listed.join("; ")
        )
    }

    /// Adds what was requested from an account.
    pub(crate) fn add_account(&mut self, copy: &MirroredAccount<'_>) {
        let client = &copy.account.client;
        self.requests += client.requests();
        self.accounts.push(copy.account.identity().to_string());
        self.client_warnings.extend(client.warnings());
        self.differences.extend(copy.differences.iter().copied());
        self.compared += copy.compared;
        self.losses.extend(copy.losses());
        self.read_at = [self.read_at.take(), Some(copy.read_at.clone())].into_iter().flatten().min();
    }

    /// Adds the report of another tenant.
    pub(crate) fn merge(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.tables.extend(other.tables);
        self.files.extend(other.files);
        match (&mut self.changes, other.changes) {
            (Some(changes), Some(others)) => changes.add(others),
            (None, changes) => self.changes = changes,
            (Some(_), None) => {}
        }
        self.changes_since = self.changes_since.take().max(other.changes_since);
        self.same_day = self.same_day.take().or(other.same_day);
        self.differences.extend(other.differences);
        self.compared += other.compared;
        self.losses.extend(other.losses);
        self.failed_tenants.extend(other.failed_tenants);
        self.deleted_files += other.deleted_files;
        self.left_files.extend(other.left_files);
        self.truncated.extend(other.truncated);
        self.truncated_cells += other.truncated_cells;
        self.mismatched.extend(other.mismatched);
        self.mismatched_cells += other.mismatched_cells;
        self.requests += other.requests;
        self.read_at = [self.read_at.take(), other.read_at].into_iter().flatten().min();
        self.client_warnings.extend(other.client_warnings);
    }
}

fn difference_text(difference: &RefreshStats) -> String {
    format!(
        "the local snapshot of {} differed from the service: {} missing, {} different, {} too many; it has been corrected",
        difference.entity.name, difference.added, difference.changed, difference.removed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_missing_from_a_file_is_no_success() {
        let of = |mismatched_cells| ExportReport { mismatched_cells, ..ExportReport::default() };
        assert_eq!([of(0), of(1)].map(|report| report.is_success()), [true, false]);
    }
}
