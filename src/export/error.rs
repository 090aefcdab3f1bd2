//! Errors of an export that are known from its options, before or while the account is read.

use std::io;
use std::path::PathBuf;

use jiff::civil::Date;

use super::bucket::{BucketUrlError, BucketsNotBuilt};
use super::filters::FilterError;
use crate::error::Diagnostic;
use crate::table::write::output::FileFormat;

/// An export that cannot be done as it was asked for. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("no collections to export")]
    NoCollections,
    #[error("unknown collection `{name}`")]
    UnknownCollection { name: String, nearest: Option<&'static str> },
    /// Actions and the list of tenants are no collections.
    #[error("`{name}` cannot be exported")]
    NotExportable { name: &'static str },
    #[error("no output given")]
    NoOutput,

    /// Several collections are exported, and the column names none of them.
    #[error("cannot tell which collection the column `{column}` belongs to")]
    ColumnWithoutCollection {
        column: String,
        /// The exported collections that have such a column.
        holders: Vec<&'static str>,
    },
    #[error("`{collection}` has no column `{column}`")]
    UnknownColumn {
        collection: &'static str,
        column: String,
        known: Vec<String>,
        /// Whether the profile asks for the column, and no flag.
        is_profiles: bool,
    },
    #[error("the column `{column}` of `{collection}` is chosen twice")]
    RepeatedColumn { collection: &'static str, column: String },
    #[error("invalid sort order `{text}`")]
    SortOrder { text: String },
    #[error("none of the collections has a column `{column}` to sort by")]
    UnknownSortColumn { column: String },
    #[error("the sort order by `{column}` is for {collection}, which is not exported")]
    SortWithoutCollection { column: String, collection: &'static str },

    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The collection of a filter is not exported.
    #[error("the filter on `{field}` applies to {}, which is not exported", collection.as_deref().unwrap_or("no collection"))]
    FilterWithoutCollection { field: String, collection: Option<String> },
    /// The records themselves do not contain the field.
    #[error("only the service can filter by `{field}`, and an incremental export filters the local snapshot")]
    ServerOnlyFilter { field: String },
    #[error("the filters for the activity log need `activity` to be exported")]
    LogFilterWithoutLog,
    /// No entry can be in it.
    #[error("the period ends before it begins: from {from} to {to}")]
    LogPeriod { from: Date, to: Date },
    #[error("`{user}` is neither the e-mail address nor the id of a user")]
    LogUser { user: String },
    #[error("the activity log cannot be filtered by one {kind}")]
    LogItemKind { kind: String },

    /// Standard output is gone after the export.
    #[error("output to stdout cannot be compared with later exports, and older files of it cannot be deleted")]
    StdoutNotKept,
    #[error("an incremental export needs a name")]
    IncrementalWithoutName,
    #[error("keeping 0 files would delete this export too")]
    KeepNone,
    /// Without a date or time in it, every export overwrites the last one.
    #[error("older files can be kept only if the file name contains {{date}} or {{time}}")]
    KeepWithoutDate,
    #[error("the activity log is a list of changes itself: it cannot be exported incrementally")]
    IncrementalLog,

    #[error("unknown placeholder `{placeholder}`")]
    Placeholder { placeholder: String },
    #[error("{{name}} needs a name, and this export has none")]
    NameMissing,
    #[error("{{tenant}} needs a tenant, and none is selected")]
    TenantMissing,

    #[error(transparent)]
    BucketUrl(#[from] BucketUrlError),
    #[error(transparent)]
    BucketsNotBuilt(#[from] BucketsNotBuilt),
    /// A `file://` URL with a host, or with none of this system's paths.
    #[error("`{url}` is not a path on this machine")]
    FileUrl { url: String },
    #[error("cannot tell the file type of `{}`", path.display())]
    FileType { path: PathBuf },
    /// Whoever opens the file takes it for what its name says.
    #[error("the name `{}` says {}, and --format says {}", path.display(), named.extension(), format.extension())]
    OtherFormat { path: PathBuf, named: FileFormat, format: FileFormat },
    /// CSV, JSONL and Parquet files hold one table.
    #[error("a file of this type holds one collection")]
    OneCollectionPerFile,
    #[error("partitioned exports are Parquet files")]
    PartitionedFormat,
    #[error("a partitioned export needs a folder")]
    PartitionedFile,
    #[error("a partitioned export has the date in its folders (snapshot=2026-11-24)")]
    PartitionedDate,

    #[error("another export named `{name}` is running")]
    AlreadyRunning { name: String },
    #[error("cannot create the lock of the export `{name}` in `{}`: {source}", folder.display())]
    Lock { name: String, folder: PathBuf, source: io::Error },
    #[error("cannot create a temporary folder for the upload: {source}")]
    Staging { source: io::Error },
    #[error("this API key gives access to no tenants")]
    NoTenants,
}

impl Diagnostic for ExportError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCollections => "name collections such as `assets`, or pass --all",
            Self::UnknownCollection { nearest: Some(nearest), .. } => {
                return Some(format!("did you mean `{nearest}`? `tallyport schema` lists all names"));
            }
            Self::UnknownCollection { nearest: None, .. } => "`tallyport schema` lists all collections",
            Self::NotExportable { .. } => "export a collection, or `activity` for the activity log",
            Self::NoOutput => "pass -o with a file, a folder, or - for stdout",
            Self::ColumnWithoutCollection { column, holders } if holders.is_empty() => {
                return Some(format!("write the collection before it, as in COLLECTION.{column}"));
            }
            Self::ColumnWithoutCollection { column, holders } => {
                let choice: Vec<String> = holders.iter().map(|collection| format!("{collection}.{column}")).collect();
                return Some(format!("write {}", choice.join(" or ")));
            }
            Self::UnknownColumn { collection, known, is_profiles: true, .. } => {
                let choice = known.join(", ");
                return Some(format!(
                    "the profile in config.toml asks for it, in `columns`, `{collection}`; choose from {choice}"
                ));
            }
            Self::UnknownColumn { known, .. } => return Some(format!("choose from {}", known.join(", "))),
            Self::RepeatedColumn { .. } => "name each column once",
            Self::UnknownSortColumn { .. } => "sort by a column that an export without --columns has",
            Self::SortWithoutCollection { .. } => "export that collection too, or leave out --sort",
            Self::SortOrder { .. } => "write FIELD, FIELD:asc or FIELD:desc",
            Self::Filter(error) => return error.hint(),
            Self::FilterWithoutCollection { .. } => "export that collection too, or leave the filter out",
            Self::ServerOnlyFilter { .. } => "leave out --incremental, or the filter",
            Self::LogFilterWithoutLog => "name `activity` too, or use --where for other collections",
            Self::LogPeriod { .. } => "swap --from and --to",
            Self::LogUser { .. } => "pass the e-mail address of a BlueTally user, or the user's id, a whole number",
            Self::LogItemKind { .. } => "choose Asset, Accessory, Component, Consumable or License as --type",
            Self::StdoutNotKept => "pass a file name with -o",
            Self::IncrementalWithoutName => "pass --name: the export is compared with the last one of that name",
            Self::KeepNone => "keep at least 1",
            Self::KeepWithoutDate => "add {date} to the name, such as nightly-{date}.xlsx",
            Self::IncrementalLog => "leave out `activity`, or --incremental",
            Self::Placeholder { .. } => "use {date}, {time}, {tenant} or {name}",
            Self::NameMissing => "pass --name, or leave {name} out",
            Self::TenantMissing => "pass --tenant or --all-tenants, or leave {tenant} out",
            Self::BucketUrl(error) => return error.hint(),
            Self::BucketsNotBuilt(error) => return error.hint(),
            Self::FileUrl { .. } => "write a plain path, such as /srv/exports/",
            Self::FileType { .. } => {
                "use a name that ends in .xlsx, .csv, .tsv, .txt, .jsonl or .parquet, or in / for a folder"
            }
            Self::OtherFormat { format, .. } => {
                return Some(format!("end the name in .{}, or leave out --format", format.extension()));
            }
            Self::OneCollectionPerFile => {
                "end the path with / for one file per collection, or with .xlsx for one workbook"
            }
            Self::PartitionedFormat => "leave out --format, or --partitioned",
            Self::PartitionedFile => "end the path with /",
            Self::PartitionedDate => "leave {date} and {time} out of the path",
            Self::AlreadyRunning { .. } => "wait until it has finished; nothing was read or written",
            Self::Lock { .. } => "make the folder writable, or set TALLYPORT_HOME to another folder",
            Self::Staging { .. } => {
                return Some(format!(
                    "make room in the folder for temporary files, or set {} to another folder",
                    crate::scratch::VARIABLE
                ));
            }
            Self::NoTenants => "leave out --all-tenants",
        };
        Some(hint.to_owned())
    }
}
