//! Maps columns to fields.
//!
//! A header is matched in this order, and the first match wins: the user's `--map` and mapping file, our own columns
//! (`_action`, `_id`), `custom:NAME`, the field's own name, the schema's aliases, the aliases of describing columns
//! (an asset's category is its product's). No column is dropped silently: a header that looks like a misspelt field
//! is a [`MappingError`] until it is mapped or ignored, all others are listed as ignored. Sheets written by an export
//! are matched more strictly: see `exported`.
//!
//! A rule says how a field's value is made from the cells of a row: from the first column that is filled, from several
//! joined, through a map of values. See [`rule`] for what rules say and [`derived`] for what becomes of them.
//!
//! What made a header row work can be kept for the next file that has it: see [`remembered`].
//!
//! A new header alias is a word in the schema. A new preset is a file in `presets/` and a line in [`presets`].

mod derived;
mod entity;
mod exported;
mod file;
mod further;
mod header_row;
mod headers;
mod misspelt;
mod presets;
mod remembered;
mod rule;
mod rule_error;
mod sheet_mapping;
mod strip;
mod template;

pub(crate) use derived::{DerivedColumn, DerivedValue, MappedValue, SkippedRows, Unlisted, ValueSource};
pub(crate) use entity::{DetectedEntity, EntityDetectionError, detect_entity};
pub(crate) use entity::{by_headers as entity_by_headers, by_name as entity_by_name};
pub(crate) use file::{MappingFile, MappingText};
pub(crate) use further::{RecordOrigin, is_assignment, split_assignment};
pub(crate) use header_row::find_header;
pub(crate) use headers::{DELETED_ID, HeaderAliases, header_keys, holds_system_ids, value_target};
pub(crate) use presets::{PRESETS, Preset, Recognition, Recognized, nearly_recognized, recognize};
pub(crate) use remembered::{
    HeaderFingerprint, RememberedMapping, RememberedMappingError, RememberedMappings, StoredMapping, UnsavedMapping,
    choose_remembered,
};
pub(crate) use rule::{
    FieldRule, FurtherRecords, RuleOrigin, RuleSource, RuleValue, SkipCondition, SkipRule, TextFormats, is_same_text,
};
pub(crate) use rule_error::MappingRuleError;
pub(crate) use sheet_mapping::ColumnFacts;
pub use sheet_mapping::{IgnoredColumn, MappedColumn, SheetMapping};
pub(crate) use strip::Strip;
pub(crate) use template::{JoinError, JoinTemplate};

use derived::RuleResolver;
use exported::ExportedSheet;

use crate::schema::{Entity, Field, Meaning};
use crate::shell;
use crate::table::{CellRef, Row};

/// The columns of a sheet and what each one feeds.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub entity: &'static Entity,
    /// Whether its records are the rows, or further ones of them.
    pub origin: RecordOrigin,
    /// Row number of the header, from 1.
    pub header_row: u64,
    /// The number of columns of the header row, those without a header included.
    pub width: usize,
    /// In the order of the sheet; behind them those that rules fill.
    pub columns: Vec<Column>,
    pub derived: Vec<DerivedColumn>,
    pub skips: Vec<SkippedRows>,
    /// How its texts write dates and amounts, where that is said.
    pub formats: TextFormats,
    /// Headers that options name and the sheet lacks. Another sheet may have them.
    pub absent: Vec<MappingError>,
    /// The further records that the rows make.
    pub further: Vec<Mapping>,
    /// Whether two columns feed custom fields whose names differ in case or spaces only.
    pub repeats_custom_fields: bool,
}

/// Whether an id column is known to contain this account's ids. A result of an edited export has one of each;
/// verified comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IdOwnership {
    /// Headed `_id`, as in our own results, or mapped by the user.
    Verified,
    /// Headed `id`, as in exports of any system: a row whose key does not match must not overwrite the record.
    Unverified,
}

/// A column with a header.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// From 0.
    pub index: usize,
    /// As typed.
    pub header: String,
    pub target: ColumnTarget,
    /// Why it is mapped so.
    pub source: MappingSource,
}

/// What decides which field a column feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MappingSource {
    /// The schema: the field's own name, or another word for it.
    Schema,
    /// `--map` or `--ignore`.
    CommandLine,
    MappingFile,
    /// A mapping that was remembered for this header row.
    Remembered,
    Preset,
}

impl MappingSource {
    /// Whether the user has written it for these files, rather than that it comes by itself.
    pub(crate) fn is_written(self) -> bool {
        matches!(self, MappingSource::CommandLine | MappingSource::MappingFile)
    }

    /// What says more of a column weighs more.
    fn weight(self) -> u8 {
        match self {
            MappingSource::CommandLine => 3,
            MappingSource::MappingFile | MappingSource::Remembered => 2,
            MappingSource::Preset => 1,
            MappingSource::Schema => 0,
        }
    }
}

/// What a column feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnTarget {
    /// The field with this index in [`Entity::fields`].
    Field {
        field: usize,
        ids: Ids,
    },
    /// A field of the record that `field` refers to.
    Related {
        field: usize,
        related: &'static str,
    },
    /// A custom field.
    Custom(String),
    /// The record's system id.
    Id(IdOwnership),
    /// The row's action, which overrides the mode.
    Action,
    /// When the service created or last changed the record: never sent, but shows whether the sheet is older than the
    /// record.
    Timestamp(TimestampColumn),
    /// A column that an earlier result added: read by `--only-failed`, never sent.
    Result(ResultColumn),
    Ignored(Ignored),
}

/// Whether bare numbers in a reference column are ids, as in a column headed `product_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ids {
    Bare,
    Marked,
}

/// The two timestamps of every record (field notes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimestampColumn {
    Created,
    Updated,
}

impl TimestampColumn {
    pub(crate) const ALL: [TimestampColumn; 2] = [TimestampColumn::Created, TimestampColumn::Updated];

    /// The field and header of the timestamp.
    pub(crate) fn name(self) -> &'static str {
        match self {
            TimestampColumn::Created => crate::schema::CREATED_AT,
            TimestampColumn::Updated => crate::schema::UPDATED_AT,
        }
    }
}

/// The columns that a result workbook adds in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultColumn {
    Status,
    Message,
}

/// Why a column is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// No match.
    Unknown,
    /// Ignored by the user, their mapping file or a preset.
    OnRequest,
    /// Set by the service.
    ReadOnly,
    /// Another column feeds the same field with higher precedence.
    Superseded,
    /// It looks like passwords: never read, sent or copied into a result.
    Secret,
    /// It feeds nothing itself, but a rule reads it.
    Source,
    /// It tells which rows are left out.
    Filter,
    /// It seems to say who holds the record, which nothing is done about unasked.
    Holder,
}

/// Mapping options given by the user.
#[derive(Debug, Clone, Default)]
pub(crate) struct MappingOverrides {
    /// From `--map` first, then the mapping file and preset.
    pub map: Vec<MappingOverride>,
    /// In the same order.
    pub rules: Vec<FieldRule>,
    pub skips: Vec<SkipRule>,
    pub formats: TextFormats,
    /// One entry for each collection or action.
    pub further: Vec<FurtherRecords>,
    /// Whether unknown columns are errors.
    pub strict: bool,
    /// Whether columns in doubt are left out instead of being questions: the preset says what a file has.
    pub is_lenient: bool,
    pub purpose: ReadPurpose,
}

/// What a sheet is read for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ReadPurpose {
    /// To write records: a sheet without any field is an error.
    #[default]
    Write,
    /// To find records: a sheet with only ids is enough.
    Lookup,
}

/// A `Header=target` pair.
#[derive(Debug, Clone)]
pub(crate) struct MappingOverride {
    pub header: String,
    /// A field name, `custom:NAME`, or empty to ignore the column.
    pub target: String,
    /// Where it stands. A header named on the command line must exist.
    pub source: MappingSource,
}

/// Why a header row cannot be mapped. All errors of a sheet are reported at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MappingError {
    #[error("column `{header}` ({at}) looks like the field `{field}`")]
    Misspelt { header: String, at: CellRef, field: String },
    #[error(
        "column `{header}` ({at}) may be something else than the field `{field}`: `{qualifier}` is neither a unit nor a format of it"
    )]
    Qualified { header: String, at: CellRef, field: String, qualifier: String },
    #[error("recognized as {title}, but no column is mapped to {} (required)", list_fields(.fields))]
    ExportLacks { title: &'static str, fields: Vec<&'static str> },
    #[error("{}", missing_field_text(.field, .not_understood))]
    MissingField { field: &'static str, not_understood: Vec<String> },
    #[error("columns `{first}` and `{second}` ({at}) both map to `{field}`{}", and_more(*.more))]
    Twice { first: String, second: String, more: usize, at: CellRef, field: String },
    #[error(
        "column `{header}` ({at}) cannot be sent: a check-in takes back a check-out as a whole, whatever the quantity"
    )]
    Quantity { header: String, at: CellRef, opposite: &'static str },
    #[error("column `{header}` ({at}) looks like passwords, which are never read")]
    Secret { header: String, at: CellRef },
    #[error("unknown column `{header}` ({at})")]
    Unknown { header: String, at: CellRef },
    #[error("`{first}` and `{second}` contradict each other")]
    Contradiction { first: String, second: String },
    #[error("no column `{header}` to map")]
    NoSuchHeader { header: String },
    #[error("cannot map `{header}`: `{entity}` has no field `{target}`")]
    NoSuchField { entity: &'static str, header: String, target: String, nearest: Option<String> },
    #[error("no column in the header (row {row}) is a field of `{entity}`")]
    NothingKnown { entity: &'static str, row: u64 },
    #[error(transparent)]
    Rule(MappingRuleError),
}

impl MappingError {
    /// Whether a header is missing that another sheet may have.
    pub(crate) fn is_absent_header(&self) -> bool {
        matches!(self, MappingError::NoSuchHeader { .. } | MappingError::Rule(MappingRuleError::NoSuchColumn { .. }))
    }
}

fn list_fields(fields: &[&str]) -> String {
    let quoted: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    quoted.join(" and ")
}

/// How many further columns map to the field.
fn and_more(columns: usize) -> String {
    if columns == 0 { String::new() } else { format!(", and {columns} more") }
}

impl MappingError {
    /// What to do now.
    pub(crate) fn hint(&self) -> String {
        match self {
            MappingError::Misspelt { header, field, .. } | MappingError::Qualified { header, field, .. } => {
                format!("pass {} if it is, or {} if not", map_flag(header, field), shell::flag("--ignore", header))
            }
            MappingError::MissingField { field, not_understood } => missing_field_hint(field, not_understood),
            MappingError::ExportLacks { fields, .. } => {
                let flags = fields.iter().map(|field| {
                    let field = field.strip_suffix("_id").unwrap_or(field);
                    format!("--default '{field}=VALUE'")
                });
                let flags: Vec<String> = flags.collect();
                format!(
                    "say what all rows have: {}; or pass --mode update to change only records that are there",
                    flags.join(" ")
                )
            }
            MappingError::Twice { first, second, .. } if first == second => {
                String::from("rename one of the two columns, or delete it")
            }
            MappingError::Twice { first, second, .. } => {
                format!("pass {} or {}", shell::flag("--ignore", first), shell::flag("--ignore", second))
            }
            MappingError::Unknown { header, .. } => {
                let (to_field, to_custom) = (map_flag(header, "FIELD"), map_flag(header, &format!("custom:{header}")));
                format!("pass {to_field}, {to_custom} or {}", shell::flag("--ignore", header))
            }
            MappingError::Quantity { header, opposite, .. } => format!(
                "pass {} if everything came back; what somebody keeps has to be checked out to them again ({opposite})",
                shell::flag("--ignore", header)
            ),
            MappingError::Secret { .. } => {
                String::from("take it out of the mapping, or rename the column if it holds something else")
            }
            MappingError::Rule(error) => error.hint(),
            MappingError::Contradiction { .. } => String::from("leave out one of them"),
            MappingError::NoSuchHeader { .. } => String::from("use the header exactly as it is in the sheet"),
            MappingError::NoSuchField { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            MappingError::NoSuchField { entity, .. } => format!("`tallyport schema {entity}` lists the fields"),
            MappingError::NothingKnown { entity, .. } => {
                format!(
                    "map a column with --map 'HEADER=FIELD' (`tallyport schema {entity}` lists the fields), or pass another \
                     --entity if it holds something else"
                )
            }
        }
    }
}

/// The flag that feeds a field from the column with that header.
fn map_flag(header: &str, field: &str) -> String {
    shell::flag("--map", &format!("{header}={field}"))
}

/// Headers shown of the columns that are not understood.
const SHOWN_HEADERS: usize = 5;

/// `no column is mapped to `asset_id` (required); not understood: `Tag No.``.
pub(crate) fn missing_field_text(field: &str, not_understood: &[String]) -> String {
    let shown: Vec<String> = not_understood.iter().take(SHOWN_HEADERS).map(|header| format!("`{header}`")).collect();
    let more = if not_understood.len() > SHOWN_HEADERS { ", …" } else { "" };
    match shown.as_slice() {
        [] => format!("no column is mapped to `{field}` (required)"),
        shown => format!("no column is mapped to `{field}` (required); not understood: {}{more}", shown.join(", ")),
    }
}

/// Which column to map, if there is one to choose.
pub(crate) fn missing_field_hint(field: &str, not_understood: &[String]) -> String {
    match headers::likeliest(field, not_understood) {
        Some(header) => format!("say which: {}", map_flag(header, field)),
        None => format!("add a column `{field}`"),
    }
}

impl Mapping {
    /// Maps the header row of a sheet that contains `entity`.
    ///
    /// # Errors
    /// All errors of the header row.
    pub(crate) fn new(
        entity: &'static Entity,
        header: &Row,
        overrides: &MappingOverrides,
    ) -> Result<Mapping, Vec<MappingError>> {
        let aliases = HeaderAliases::of(entity);
        let exported = ExportedSheet::of(entity, header);
        let overrides = &derived::with_flag_rules(header, overrides);
        let resolver = RuleResolver::new(aliases, entity, header, overrides);
        let mut errors = Vec::new();
        let rules = resolver.resolve(&mut errors);
        let skips = resolver.skips(&mut errors);
        let further = further::mappings(header, overrides, &skips, &mut errors);
        let is_read = |index: usize| {
            rules.iter().any(|rule| rule.reads(index))
                || skips.iter().any(|skip: &SkippedRows| skip.columns.contains(&index))
                || further.iter().any(|mapping| mapping.reads(index))
        };
        let (mut absent, mut errors): (Vec<_>, Vec<_>) = errors.into_iter().partition(MappingError::is_absent_header);
        absent.extend(headers::missing_headers(header, overrides));
        errors.extend(headers::contradictions(aliases, header, overrides));
        let mut columns = Vec::new();
        for (index, cell) in header.cells().enumerate().filter(|(_, cell)| !cell.is_blank()) {
            match headers::target(aliases, cell.text, exported.as_ref(), overrides) {
                Ok((target, source)) => {
                    let header = cell.text.trim().to_owned();
                    columns.push(Column { index, header, target, source });
                }
                // A rule says what it is for.
                Err(unknown) if is_read(index) && !unknown.is_secret() => {
                    let (header, target) = (cell.text.trim().to_owned(), ColumnTarget::Ignored(Ignored::Source));
                    columns.push(Column { index, header, target, source: MappingSource::Schema });
                }
                Err(unknown) if overrides.is_lenient && !overrides.strict && unknown.can_be_left_out() => {
                    let (header, target) = (cell.text.trim().to_owned(), ColumnTarget::Ignored(Ignored::Unknown));
                    columns.push(Column { index, header, target, source: MappingSource::Schema });
                }
                Err(unknown) => {
                    let at = CellRef { row: header.number, column: index as u32 };
                    errors.push(unknown.into_error(cell.text.trim(), at));
                }
            }
        }
        if let Some(exported) = &exported {
            exported.prefer_own_headers(entity, &mut columns, overrides);
        }
        derived::supersede(&mut columns, &rules, &skips, &further);
        if further.iter().all(|mapping| mapping.origin != RecordOrigin::Assignment) {
            further::tell_holders(entity, &mut columns);
        }
        errors.extend(headers::resolve_duplicates(entity, header.number, &mut columns, overrides));
        headers::promote_identifying(entity, &mut columns);
        let origin = RecordOrigin::Rows;
        let (header_row, width, derived) = (header.number, header.len(), Vec::new());
        let mut mapping = Mapping {
            entity,
            origin,
            header_row,
            width,
            columns,
            derived,
            skips,
            formats: overrides.formats.clone(),
            absent,
            further,
            repeats_custom_fields: false,
        };
        for rule in rules {
            errors.extend(mapping.add_rule(rule, header.len()).map(MappingError::from));
        }
        resolver.supersede_parts(&mut mapping);
        mapping.find_repeated_custom_fields();
        let says_enough = match overrides.purpose {
            ReadPurpose::Write => mapping.fed_fields().next().is_some(),
            ReadPurpose::Lookup => mapping
                .columns
                .iter()
                .any(|column| matches!(column.target, ColumnTarget::Field { .. } | ColumnTarget::Id(_))),
        };
        if errors.is_empty() && !says_enough {
            errors.push(MappingError::NothingKnown { entity: entity.name, row: header.number });
        }
        if errors.is_empty() { Ok(mapping) } else { Err([mapping.absent, errors].concat()) }
    }

    pub(super) fn find_repeated_custom_fields(&mut self) {
        let mut seen = std::collections::HashSet::new();
        let names = self.columns.iter().filter_map(|column| match &column.target {
            ColumnTarget::Custom(name) => Some(name),
            _ => None,
        });
        let mut folded = names.map(|name| crate::schema::fold_name(name).into_owned());
        self.repeats_custom_fields = folded.any(|name| !seen.insert(name));
    }

    /// The custom field that a column is for.
    pub(crate) fn custom_name(&self, column: u32) -> Option<&str> {
        let found = self.columns.binary_search_by_key(&(column as usize), |known| known.index).ok()?;
        match &self.columns[found].target {
            ColumnTarget::Custom(name) => Some(name),
            _ => None,
        }
    }

    /// Ignores columns that feed other fields: a row that only has to identify a record may contain anything else.
    pub(crate) fn keep_only(&mut self, fields: &[&str]) {
        for column in &mut self.columns {
            let is_kept = match &column.target {
                ColumnTarget::Field { field, .. } | ColumnTarget::Related { field, .. } => {
                    fields.contains(&self.entity.fields[*field].name)
                }
                ColumnTarget::Custom(_) => false,
                ColumnTarget::Id(_)
                | ColumnTarget::Action
                | ColumnTarget::Timestamp(_)
                | ColumnTarget::Result(_)
                | ColumnTarget::Ignored(_) => true,
            };
            if !is_kept {
                column.target = ColumnTarget::Ignored(Ignored::OnRequest);
            }
        }
    }

    /// The fields that columns feed.
    pub(crate) fn fed_fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.columns.iter().filter_map(|column| match column.target {
            ColumnTarget::Field { field, .. } => self.entity.fields.get(field),
            _ => None,
        })
    }

    /// The collection whose records a column's texts name: that which it refers to, or that of records which rows
    /// describe beside their own.
    pub(crate) fn named_collection(&self, column: &Column) -> Option<&'static str> {
        let field = headers::target_field(self.entity, &column.target)?;
        if let Some(reference) = field.reference_to() {
            return Some(reference.to);
        }
        let is_name = matches!(column.target, ColumnTarget::Field { .. })
            && self.entity.naming_field().is_some_and(|naming| naming.name == field.name);
        (self.origin == RecordOrigin::Described && is_name).then_some(self.entity.name)
    }

    /// Column that feeds a field, from 0.
    pub(crate) fn column_of(&self, field: &str) -> Option<u32> {
        self.columns.iter().find_map(|column| match column.target {
            ColumnTarget::Field { field: fed, .. } if self.entity.fields[fed].name == field => {
                Some(column.index as u32)
            }
            _ => None,
        })
    }

    /// Column with the record ids, from 0; verified ones preferred.
    pub(crate) fn id_column(&self) -> Option<u32> {
        self.column_to(&ColumnTarget::Id(IdOwnership::Verified))
            .or_else(|| self.column_to(&ColumnTarget::Id(IdOwnership::Unverified)))
    }

    /// Whether the ids of the sheet, if it has any, are verified.
    pub(crate) fn id_ownership(&self) -> IdOwnership {
        match (self.column_to(&ColumnTarget::Id(IdOwnership::Verified)), self.id_column()) {
            (None, Some(_)) => IdOwnership::Unverified,
            _ => IdOwnership::Verified,
        }
    }

    /// Whether the sheet has columns of another system's ids: an `id` that the user ignores, or references to records that
    /// the service does not know.
    pub(crate) fn has_foreign_ids(&self) -> bool {
        self.ignored().any(|(column, why)| {
            let is_left_out = matches!(why, Ignored::Unknown | Ignored::OnRequest);
            is_left_out && is_id_header(&column.header)
        })
    }

    /// Whether the user said what a column feeds.
    pub(crate) fn is_vouched_for(&self, column: u32) -> bool {
        let column = self.columns.iter().find(|known| known.index == column as usize);
        let by_user = [MappingSource::CommandLine, MappingSource::MappingFile, MappingSource::Remembered];
        column.is_some_and(|column| by_user.contains(&column.source))
    }

    /// Column with a timestamp, from 0.
    pub(crate) fn timestamp_column(&self, stamp: TimestampColumn) -> Option<u32> {
        self.column_to(&ColumnTarget::Timestamp(stamp))
    }

    fn column_to(&self, to: &ColumnTarget) -> Option<u32> {
        self.columns.iter().find(|column| column.target == *to).map(|column| column.index as u32)
    }

    /// Whether a column feeds the field.
    pub(crate) fn feeds(&self, field: &str) -> bool {
        self.column_of(field).is_some()
    }

    /// The field that a column feeds.
    pub(crate) fn field_of(&self, column: u32) -> Option<&'static Field> {
        self.columns.iter().find_map(|known| match known.target {
            ColumnTarget::Field { field, .. } if known.index == column as usize => self.entity.fields.get(field),
            _ => None,
        })
    }

    /// How ids are written in a column, if it feeds a field.
    pub(crate) fn ids_in(&self, column: u32) -> Option<Ids> {
        self.columns.iter().find_map(|known| match known.target {
            ColumnTarget::Field { ids, .. } if known.index == column as usize => Some(ids),
            _ => None,
        })
    }

    /// The columns of the sheet that hold serial numbers, from 0.
    pub(crate) fn serial_columns(&self) -> Vec<usize> {
        let serial = self.entity.meaning(Meaning::Serial).and_then(|serial| self.column_of(serial.name));
        let Some(column) = serial.map(|column| column as usize) else { return Vec::new() };
        self.derived_at(column).map_or_else(|| vec![column], |derived| derived.source.columns().to_vec())
    }

    /// Header of a column.
    pub(crate) fn header(&self, column: u32) -> Option<&str> {
        let found = self.columns.binary_search_by_key(&(column as usize), |known| known.index).ok()?;
        Some(&self.columns[found].header)
    }

    /// The column with the ids that the records had before they were deleted, in the backup of a delete.
    pub(crate) fn deleted_id_column(&self) -> Option<usize> {
        let is_it = |column: &&Column| column.header.trim().eq_ignore_ascii_case(DELETED_ID);
        self.columns.iter().find(is_it).map(|column| column.index)
    }

    /// Ignored columns, with the reason.
    pub(crate) fn ignored(&self) -> impl Iterator<Item = (&Column, Ignored)> {
        self.columns.iter().filter_map(|column| match column.target {
            ColumnTarget::Ignored(why) => Some((column, why)),
            _ => None,
        })
    }

    /// Headers of the columns that mean nothing to the schema.
    pub(crate) fn not_understood(&self) -> Vec<String> {
        let unknown = self.ignored().filter(|(_, why)| *why == Ignored::Unknown);
        unknown.map(|(column, _)| column.header.clone()).collect()
    }

    /// The required fields that no column is mapped to.
    pub(crate) fn unfed_fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.entity.fields.iter().filter(|field| field.is_required() && !self.feeds(field.name))
    }

    /// The columns that look like passwords, which are never copied.
    pub(crate) fn secret_columns(&self) -> Vec<usize> {
        let secret = self.ignored().filter(|(_, why)| *why == Ignored::Secret);
        secret.map(|(column, _)| column.index).collect()
    }
}

/// `id`, `company_id`, `rtdLocationId`: how databases name their keys, and people do not.
fn is_id_header(header: &str) -> bool {
    let header = header.trim();
    let before = |suffix: &str| header.strip_suffix(suffix).and_then(|rest| rest.chars().last());
    let is_word_before = before("Id").or(before("ID")).is_some_and(|last| last.is_lowercase() || last.is_ascii_digit());
    header.eq_ignore_ascii_case("id") || header.to_ascii_lowercase().ends_with("_id") || is_word_before
}

#[cfg(test)]
mod tests;
