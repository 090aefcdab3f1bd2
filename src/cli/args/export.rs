//! The flags of `export`, which a `[exports.NAME]` of the configuration may hold too.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use serde::Deserialize;

use super::number::whole_number;

#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(after_help = "\
A first export reads the account whole; later ones ask for what changed since, and prove that nothing else did. \
`export register` writes the fixed-asset register.

Examples:
  tallyport export --all -o inventory.xlsx
  tallyport export assets -o - --format csv --where 'status=In Use' --columns asset_id
  tallyport export assets employees -o export/ --format parquet
  tallyport export activity -o log.csv --from 2026-11-01 --event Checkout
  tallyport export --all -o nightly-{date}.xlsx --incremental --name nightly --keep 30
  tallyport export register -o register.xlsx --as-of 2025-12-31
  tallyport export --name nightly-finance          as config.toml has it")]
pub(crate) struct ExportArgs {
    /// The collections, such as `assets`; `activity` for the log, `register` for the fixed-asset register
    #[arg(value_name = "E")]
    #[serde(rename = "collections")]
    pub entities: Vec<String>,

    /// All sixteen collections
    #[arg(long)]
    pub all: bool,

    /// The file, or the folder for a file each; `-` is stdout; s3://, az://, abfss:// and gs:// are buckets; {date},
    /// {time}, {tenant} and {name} are filled in
    #[arg(short, long, value_name = "PATH|URL", value_hint = ValueHint::AnyPath)]
    pub output: Option<String>,

    /// The kind of file [default: by the name; csv for a folder and stdout]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatName>,

    /// Parquet for data tools, each day beside the others: collection=E/snapshot=DAY/part-0.parquet in the folder
    /// [default in a bucket's folder, with --format parquet]
    #[arg(long)]
    pub partitioned: bool,

    /// The export of that name in config.toml; with --incremental, what it compares itself with
    #[arg(long, value_name = "NAME")]
    #[serde(skip)]
    pub name: Option<String>,

    /// Of config.toml alone: whose account is exported.
    #[arg(skip)]
    pub profile: Option<String>,
    #[arg(skip)]
    pub tenant: Option<i64>,

    /// How references are shown [default: both]
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Rows and columns")]
    pub ids: Option<IdsName>,

    /// Only these columns, in this order; `assets.asset_id` where several collections are exported,
    /// `\,` for a comma in a name
    #[arg(long, value_name = "C,...", help_heading = "Rows and columns")]
    pub columns: Vec<String>,

    /// Only records with this field value: a text, a name or an id (repeatable)
    #[arg(long = "where", value_name = "F=V", help_heading = "Rows and columns")]
    #[serde(rename = "where")]
    pub wheres: Vec<String>,

    /// Order rows by this column; `F:desc` for the largest first
    #[arg(long, value_name = "F", help_heading = "Rows and columns")]
    pub sort: Option<String>,

    /// Only records changed on or after this day, such as 2026-11-01
    #[arg(long, value_name = "DAY", help_heading = "Rows and columns")]
    pub since: Option<String>,

    /// Only entries of the log from this day on; days are UTC
    #[arg(long, value_name = "DAY", help_heading = "The activity log")]
    pub from: Option<String>,

    /// Only entries up to the end of this day
    #[arg(long, value_name = "DAY", help_heading = "The activity log")]
    pub to: Option<String>,

    /// Only entries about this kind of record, such as Asset
    #[arg(long = "type", value_name = "TYPE", help_heading = "The activity log")]
    #[serde(rename = "type")]
    pub kind: Option<String>,

    /// Only entries of this event, such as Checkout
    #[arg(long, value_name = "EVENT", help_heading = "The activity log")]
    pub event: Option<String>,

    /// Only entries by this user: an e-mail address or an id
    #[arg(long, value_name = "USER", help_heading = "The activity log")]
    pub user: Option<String>,

    /// Only entries about this employee: an e-mail address, a name or an id
    #[arg(long, value_name = "EMPLOYEE", help_heading = "The activity log")]
    pub employee: Option<String>,

    /// Only entries about this item: its tag, name or id, with --type for what it is [default: Asset]
    #[arg(long, value_name = "ITEM", help_heading = "The activity log")]
    pub item: Option<String>,

    /// Start CSV files with a byte order mark, for Excel
    #[arg(long, help_heading = "CSV files")]
    pub bom: bool,

    /// The delimiter of CSV files: `,` `;` `|` or `tab` [default: tab for .tsv, else ,]
    #[arg(long, value_name = "CHAR", help_heading = "CSV files")]
    pub delimiter: Option<String>,

    /// Do not escape text that looks like a formula
    #[arg(long, help_heading = "CSV files")]
    pub raw: bool,

    /// Read every record again, ignoring the local snapshot
    #[arg(long, help_heading = "The local snapshot")]
    pub full: bool,

    /// Compare the local snapshot with the service record by record, and report differences
    #[arg(long, help_heading = "The local snapshot")]
    pub verify: bool,

    /// Add what changed since the last export of that --name: a sheet or file of changes
    #[arg(long, requires = "name", help_heading = "The local snapshot")]
    pub incremental: bool,

    /// Replace files that tallyport did not write, or that were edited since
    #[arg(long, help_heading = "Unattended")]
    pub force: bool,

    /// Keep the newest N files of this export and delete older ones
    #[arg(allow_negative_numbers = true)]
    #[arg(long, value_name = "N", help_heading = "Unattended", value_parser = whole_number::<u32>("from 1 up"))]
    pub keep: Option<u32>,

    /// Export every tenant of the key: one file each where the path has {tenant}, else one with columns
    #[arg(long, help_heading = "Unattended")]
    pub all_tenants: bool,

    /// The date of the register [default: today]
    #[arg(long, value_name = "DAY", help_heading = "The register")]
    pub as_of: Option<String>,

    /// Convert with these exchange rates: a spreadsheet with the columns currency and rate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "The register")]
    pub rates: Option<PathBuf>,

    /// Roll forward from this earlier register: .csv or .xlsx
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "The register")]
    pub previous: Option<PathBuf>,
}

impl ExportArgs {
    /// These flags, and where they say nothing, those.
    pub(crate) fn or(self, other: Self) -> Self {
        fn first<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
            if one.is_empty() { other } else { one }
        }
        Self {
            // Whoever names collections means these and no others.
            all: self.all || (self.entities.is_empty() && other.all),
            entities: if self.all { self.entities } else { first(self.entities, other.entities) },
            output: self.output.or(other.output),
            format: self.format.or(other.format),
            partitioned: self.partitioned || other.partitioned,
            name: self.name.or(other.name),
            profile: self.profile.or(other.profile),
            tenant: self.tenant.or(other.tenant),
            ids: self.ids.or(other.ids),
            columns: first(self.columns, other.columns),
            wheres: first(self.wheres, other.wheres),
            sort: self.sort.or(other.sort),
            since: self.since.or(other.since),
            from: self.from.or(other.from),
            to: self.to.or(other.to),
            kind: self.kind.or(other.kind),
            event: self.event.or(other.event),
            user: self.user.or(other.user),
            employee: self.employee.or(other.employee),
            item: self.item.or(other.item),
            bom: self.bom || other.bom,
            delimiter: self.delimiter.or(other.delimiter),
            raw: self.raw || other.raw,
            full: self.full || other.full,
            verify: self.verify || other.verify,
            incremental: self.incremental || other.incremental,
            force: self.force || other.force,
            keep: self.keep.or(other.keep),
            all_tenants: self.all_tenants || other.all_tenants,
            as_of: self.as_of.or(other.as_of),
            rates: self.rates.or(other.rates),
            previous: self.previous.or(other.previous),
        }
    }
}

/// The kinds of files an export can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    Xlsx,
    Csv,
    Jsonl,
    Parquet,
}

/// How references are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdsName {
    Both,
    Names,
    Only,
}
