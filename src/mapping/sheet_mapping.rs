//! The mapping in use, as reports show it (design rule 4).

use serde::{Deserialize, Serialize};

use super::{Column, ColumnTarget, DerivedColumn, Ignored, Mapping, MappingSource, ResultColumn, headers};
use crate::schema::{ASSIGNED_TO, Entity, fold_header};
use crate::table::CellRef;

/// Which column of a sheet feeds which field, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SheetMapping {
    /// What messages call the sheet.
    pub sheet: String,
    /// The preset in use.
    pub preset: Option<String>,
    /// The row of the header, from 1; 0 where there is none, as in JSON.
    pub header_row: u64,
    /// Whether an export wrote it: the service then sets many of its columns.
    #[serde(skip_serializing)]
    pub is_exported: bool,
    pub columns: Vec<MappedColumn>,
}

/// One column of a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MappedColumn {
    /// As typed; empty for a filled column without one.
    pub header: String,
    /// The header's cell, such as `C1`.
    pub cell: String,
    /// What it feeds, as `--map` writes it; none for a column that is ignored.
    pub field: Option<String>,
    pub why: String,
    /// How its values are read, where the column as a whole or an option says so, such as `decimal comma`, and the default of
    /// rows without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
}

/// A column that feeds nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredIgnoredColumn")]
pub struct IgnoredColumn {
    /// Its header as typed; `column D` where it has none.
    pub name: String,
    /// None where nothing is known about it. What the user may do about it stands behind a semicolon.
    pub reason: Option<String>,
}

/// An ignored column as journals have it: earlier ones with the name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredIgnoredColumn {
    Name(String),
    Whole { name: String, reason: Option<String> },
}

impl From<StoredIgnoredColumn> for IgnoredColumn {
    fn from(stored: StoredIgnoredColumn) -> Self {
        match stored {
            StoredIgnoredColumn::Name(name) => Self { name, reason: None },
            StoredIgnoredColumn::Whole { name, reason } => Self { name, reason },
        }
    }
}

/// What only the rows of a sheet tell about its columns, which count from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    /// How a column is read, such as `day-month-year`.
    pub readings: Vec<(usize, String)>,
    /// Filled columns without a header, and how many of their cells are filled.
    pub unheaded: Vec<(usize, u64)>,
}

impl Mapping {
    /// The mapping for reports.
    pub(crate) fn describe(&self, sheet: &str, preset: Option<&str>, facts: &ColumnFacts) -> SheetMapping {
        let cell = |column: usize| CellRef { row: self.header_row.max(1), column: column as u32 }.to_string();
        let reading = |index: usize| {
            let found = facts.readings.iter().find(|(column, _)| *column == index).map(|(_, reading)| reading.clone());
            let default = self.derived_at(index).and_then(DerivedColumn::default_text);
            let readings: Vec<String> = found.into_iter().chain(default).collect();
            (!readings.is_empty()).then(|| readings.join("; "))
        };
        // What only rules read is named by them, and a default of the program's own is no news.
        let is_own_default =
            |column: &Column| column.source == MappingSource::Schema && self.first_source(column.index).is_none();
        let is_shown =
            |column: &&Column| column.target != ColumnTarget::Ignored(Ignored::Source) && !is_own_default(column);
        let mut shown: Vec<&Column> = self.columns.iter().filter(is_shown).collect();
        shown.sort_by_key(|column| self.first_source(column.index).unwrap_or(usize::MAX));
        let columns = shown.into_iter().map(|column| MappedColumn {
            header: column.header.clone(),
            cell: self.first_source(column.index).map_or_else(String::new, cell),
            field: target_name(self.entity, &column.target).map(|target| self.shown_target(&target)),
            why: self.reason(column),
            reading: reading(column.index),
        });
        let unheaded = facts.unheaded.iter().map(|(column, filled)| MappedColumn {
            cell: cell(*column),
            why: format!("no header, {filled} filled"),
            ..MappedColumn::default()
        });
        SheetMapping {
            sheet: sheet.to_owned(),
            preset: preset.map(str::to_owned),
            header_row: self.header_row,
            is_exported: self.is_exported(),
            columns: columns.chain(unheaded).collect(),
        }
    }

    /// Why a column is mapped or ignored, and the verbs of its rule.
    fn reason(&self, column: &Column) -> String {
        let why = reason(self.entity, column);
        let verbs = self.derived_at(column.index).map(|derived| derived.rule.verbs()).unwrap_or_default();
        match verbs.as_slice() {
            [] | ["default"] => why,
            verbs => format!("{why}: {}", verbs.join(", ")),
        }
    }

    /// Whether the sheet has the columns that only an export writes.
    pub(crate) fn is_exported(&self) -> bool {
        self.id_column().is_some() && self.timestamp_column(super::TimestampColumn::Updated).is_some()
    }
}

fn target_name(entity: &Entity, target: &ColumnTarget) -> Option<String> {
    match target {
        ColumnTarget::Result(ResultColumn::Status) => Some(String::from("_status")),
        ColumnTarget::Result(ResultColumn::Message) => Some(String::from("_message")),
        other => headers::target_text(entity, other),
    }
}

/// Why a column is mapped or ignored.
fn reason(entity: &Entity, column: &Column) -> String {
    let by_user = match column.source {
        MappingSource::Schema => None,
        MappingSource::CommandLine => Some("command line"),
        MappingSource::MappingFile => Some("mapping file"),
        MappingSource::Remembered => Some("remembered mapping"),
        MappingSource::Preset => Some("preset"),
    };
    match (&column.target, by_user) {
        (ColumnTarget::Ignored(why), by_user) => ignored_reason(*why, by_user, &column.header),
        (_, Some(by_user)) => by_user.to_owned(),
        (ColumnTarget::Field { field, .. }, None) => {
            let is_name = fold_header(&column.header) == fold_header(entity.fields[*field].name);
            String::from(if is_name { "field name" } else { "known header" })
        }
        (ColumnTarget::Related { .. }, None) => String::from("known header"),
        (ColumnTarget::Result(_), None) => String::from("column of a result file"),
        _ => String::from("field name"),
    }
}

/// Why a column is ignored of which nothing is known.
const NOT_UNDERSTOOD: &str = "not understood";

fn ignored_reason(why: Ignored, by_user: Option<&str>, header: &str) -> String {
    match (why, by_user) {
        (Ignored::Unknown, _) => String::from(NOT_UNDERSTOOD),
        (Ignored::OnRequest, Some(by_user)) => format!("ignored by the {by_user}"),
        (Ignored::OnRequest, None) => String::from("not needed to find the record"),
        (Ignored::ReadOnly, _) => String::from("read-only: never sent"),
        (Ignored::Superseded, _) => String::from("another column is mapped to its field"),
        (Ignored::Holder, _) => {
            format!("says who has it; pass --map '{header}={ASSIGNED_TO}' to check it out to them")
        }
        (Ignored::Filter, _) => String::from("says which rows are left out"),
        (Ignored::Source, _) => String::from("read by a rule"),
        (Ignored::Secret, _) => String::from("it looks like passwords: neither read nor copied"),
    }
}

impl SheetMapping {
    /// Adds what feeds the further records that the rows make.
    pub(crate) fn add_further(&mut self, mapping: &Mapping, facts: &ColumnFacts) {
        let described = mapping.describe(&self.sheet, None, facts);
        self.columns.extend(described.columns.into_iter().filter(|column| column.field.is_some()));
    }

    /// The columns that feed something.
    pub fn used(&self) -> impl Iterator<Item = &MappedColumn> {
        self.columns.iter().filter(|column| column.field.is_some())
    }

    /// The columns that are ignored.
    pub fn ignored(&self) -> impl Iterator<Item = &MappedColumn> {
        self.columns.iter().filter(|column| column.field.is_none())
    }
}

impl MappedColumn {
    /// An ignored column as a list of them shows it.
    pub fn as_ignored(&self) -> IgnoredColumn {
        let name = if self.header.is_empty() { format!("column {}", self.letters()) } else { self.header.clone() };
        IgnoredColumn { name, reason: (self.why != NOT_UNDERSTOOD).then(|| self.why.clone()) }
    }

    /// Whether the service sets it and never takes it.
    pub fn is_read_only(&self) -> bool {
        self.why == ignored_reason(Ignored::ReadOnly, None, &self.header)
    }

    /// Whether a row only has to identify a record, and the column does not.
    pub fn is_unneeded(&self) -> bool {
        self.why == ignored_reason(Ignored::OnRequest, None, &self.header)
    }

    fn letters(&self) -> &str {
        self.cell.trim_end_matches(|char: char| char.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ignored_columns_of_earlier_journals_are_names() {
        let column = |name: &str, reason: Option<&str>| IgnoredColumn {
            name: name.to_owned(),
            reason: reason.map(ToOwned::to_owned),
        };
        let new = column("Owner", Some("says who has it"));
        let stored = format!(r#"["Rack", {}]"#, serde_json::to_string(&new).unwrap());
        let read: Vec<IgnoredColumn> = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, [column("Rack", None), new]);
    }

    #[test]
    fn a_column_of_holders_names_the_flag_with_its_own_header() {
        let reason = ignored_reason(Ignored::Holder, None, "Assigned To");
        assert_eq!(reason, "says who has it; pass --map 'Assigned To=assigned_to' to check it out to them");
    }
}
