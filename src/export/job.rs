//! What to export, and where to: the options of an export, as a program or the command line sets them.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use super::activity::LogFilter;
use super::columns::IdColumns;
use super::destination::{OutputLayout, TenantScope};
use super::error::ExportError;
use super::table::SortDirection;
use crate::schema;
use crate::shutdown::ShutdownSignal;
use crate::table::write::output::{CsvOptions, FileFormat};
use crate::written_files::Overwrite;

/// What to export, and where to. Done by [`Account::export`](crate::Account::export), which also checks the options.
///
/// ```
/// use tallyport::ExportJob;
///
/// let nightly = ExportJob::new(["assets", "employees"])
///     .to("exports/nightly-{date}.xlsx")
///     .with_filter("assets.status=Deployed")
///     .named("nightly")
///     .incremental()
///     .keeping(14);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a job does nothing until an account does it"]
pub struct ExportJob {
    pub(crate) collections: Vec<String>,
    pub(crate) all_collections: bool,
    pub(crate) output: Option<String>,
    pub(crate) format: Option<FileFormat>,
    pub(crate) layout: OutputLayout,
    pub(crate) tenants: TenantScope,
    pub(crate) name: Option<String>,
    pub(crate) ids: IdColumns,
    pub(crate) columns: Vec<String>,
    /// The columns of collections for which `columns` selects none.
    pub(crate) default_columns: BTreeMap<String, Vec<String>>,
    pub(crate) filters: Vec<String>,
    pub(crate) log_filter: LogFilter,
    pub(crate) sort: Option<String>,
    pub(crate) changed_since: Option<Date>,
    pub(crate) read_mode: ReadMode,
    pub(crate) changes: ChangeReport,
    pub(crate) keep: Option<u32>,
    pub(crate) csv: Option<CsvOptions>,
    pub(crate) overwrite: Overwrite,
    pub(crate) shutdown: ShutdownSignal,
    /// Fills in `{date}` and `{time}`; the local time if it is not set.
    pub(crate) now: Option<DateTime>,
}

/// How the records of the account are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// What changed since the last export, where a local snapshot exists.
    #[default]
    Incremental,
    /// Every record.
    Full,
    /// What changed, and then every record, to compare the local snapshot with the service.
    Verify,
}

/// Whether an export also writes what changed since the last export of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ChangeReport {
    Written,
    #[default]
    Omitted,
}

impl ExportJob {
    /// An export of these collections, such as `assets`; `activity` is the activity log.
    pub fn new(collections: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { collections: collections.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// An export of all sixteen collections.
    pub fn all() -> Self {
        Self { all_collections: true, ..Self::default() }
    }

    /// Writes to a file, a folder (ending in `/`), or a bucket URL such as `s3://bucket/path/`. `{date}`, `{time}`,
    /// `{tenant}` and `{name}` are filled in.
    pub fn to(self, output: impl Into<String>) -> Self {
        Self { output: Some(output.into()), ..self }
    }

    /// Writes this file format. Default: by the extension of the output; CSV for a folder.
    pub fn with_format(self, format: FileFormat) -> Self {
        Self { format: Some(format), ..self }
    }

    /// Arranges the files of a folder this way.
    pub fn with_layout(self, layout: OutputLayout) -> Self {
        Self { layout, ..self }
    }

    /// Exports these tenants of the account.
    pub fn with_tenants(self, tenants: TenantScope) -> Self {
        Self { tenants, ..self }
    }

    /// Names the export. Only one export of a name runs at a time, and an [`incremental`](Self::incremental) one
    /// compares itself with the last of that name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Chooses the columns of references to other records.
    pub fn with_ids(self, ids: IdColumns) -> Self {
        Self { ids, ..self }
    }

    /// Writes only these columns, in this order. With several collections a column is written `assets.asset_id`.
    pub fn with_columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Exports only records whose field has this value: `field=value` or `assets.field=value`. A value may be a text, a
    /// name or an id. A record must match all filters.
    pub fn with_filter(mut self, filter: impl Into<String>) -> Self {
        self.filters.push(filter.into());
        self
    }

    /// Exports only these entries of the activity log.
    pub fn with_log_filter(self, filter: LogFilter) -> Self {
        Self { log_filter: filter, ..self }
    }

    /// Sorts rows by a column: `field`, `field:asc` or `field:desc`.
    pub fn sorted_by(self, sort: impl Into<String>) -> Self {
        Self { sort: Some(sort.into()), ..self }
    }

    /// Exports only records changed on or after this date.
    pub fn changed_since(self, date: Date) -> Self {
        Self { changed_since: Some(date), ..self }
    }

    /// Reads the account this way.
    pub fn with_read_mode(self, mode: ReadMode) -> Self {
        Self { read_mode: mode, ..self }
    }

    /// Also writes what changed since the last export of the same [name](Self::named): a sheet, or a file beside it.
    pub fn incremental(mut self) -> Self {
        self.changes = ChangeReport::Written;
        self
    }

    /// Keeps the newest `count` files of this export, this one included, and deletes older ones. The name of the
    /// output must contain `{date}` or `{time}`.
    pub fn keeping(self, count: u32) -> Self {
        Self { keep: Some(count), ..self }
    }

    /// How CSV files are written.
    pub fn with_csv(self, options: CsvOptions) -> Self {
        Self { csv: Some(options), ..self }
    }

    /// Whether files may be replaced that tallyport did not write, or that were edited since. Default: no.
    pub fn with_overwrite(self, overwrite: Overwrite) -> Self {
        Self { overwrite, ..self }
    }

    /// Stops when this signal is raised; then nothing is written.
    pub fn with_shutdown(self, signal: ShutdownSignal) -> Self {
        Self { shutdown: signal, ..self }
    }
}

/// The column that rows are sorted by, as typed: `field`, `field:desc` or `assets.field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortArg {
    /// The collection it applies to; none for every exported collection.
    pub collection: Option<&'static str>,
    pub column: String,
    pub direction: SortDirection,
}

impl SortArg {
    pub(crate) fn parse(text: &str) -> Result<Self, ExportError> {
        let (field, direction) = match text.rsplit_once(':') {
            Some((field, "desc")) => (field, SortDirection::Descending),
            Some((field, "asc")) => (field, SortDirection::Ascending),
            Some((field, _)) if field != "custom" => return Err(ExportError::SortOrder { text: text.to_owned() }),
            _ => (text, SortDirection::Ascending),
        };
        let named = field.split_once('.').and_then(|(name, field)| Some((schema::find(name)?.name, field)));
        let (collection, column) = named.map_or((None, field), |(name, field)| (Some(name), field));
        Ok(Self { collection, column: column.to_owned(), direction })
    }
}
