//! The spreadsheets of a run: opened, mapped, and streamed row by row as often as needed.

mod aliases;
mod error;
mod opening;
mod options;
mod other_sheets;
pub(crate) mod own_sheets;
mod parallel;
mod protected_files;
mod reading;
mod recognition;
mod remember;
mod rules;

use std::collections::HashSet;
use std::path::Path;

use crate::check::{Checker, EmptyCells, ExtraCells, NameDecision, Remark, RemarkCode, Rules};
use crate::error::{Error, Result};
use crate::mapping::{
    ColumnFacts, IgnoredColumn, Mapping, Preset, RecordOrigin, RememberedMapping, SheetMapping, TimestampColumn,
};
use crate::paths::distinct_name;
use crate::plan::{EncodingConfidence, Referenced, SheetPlan};
use crate::run::journal::{SheetHeader, SourceFile};
use crate::schema::Entity;
use crate::table::{FileKind, Input, Row, SheetLayout, Workbook};
use crate::wording::counted;
pub(crate) use aliases::ALIAS_HEADERS;
use options::validate_keys;
pub(crate) use options::{InputOptions, MappingOptions, SheetFilter};
pub(crate) use own_sheets::LOOK_ALIKES_SHEET;
pub(crate) use parallel::CheckedRows;
pub(crate) use protected_files::{OutputFile, ProtectedFiles};

/// The header is looked for in this many rows.
const HEADER_WITHIN: usize = 30;

/// The open files and their mapped sheets, in dependency order.
pub(crate) struct InputSet {
    pub(crate) files: Vec<OpenFile>,
    pub(crate) sheets: Vec<MappedSheet>,
    /// Sheets that are not read, with the reason.
    pub(crate) skipped: Vec<(String, String)>,
    /// Files without a header and rows of which the name says what records they have none of.
    pub(crate) empty: Vec<EmptyFile>,
    pub(crate) rules: Rules,
    /// What no output may replace.
    pub(crate) protected: ProtectedFiles,
    /// Every header seen, folded.
    headers: HashSet<String>,
    /// What is decided about look-alike names, until all files are open.
    decisions: Vec<NameDecision>,
}

/// A file of JSON lines without a record: a collection of which there are none is exported as one.
pub(crate) struct EmptyFile {
    pub(crate) name: String,
    pub(crate) entity: &'static Entity,
}

/// An open file.
pub(crate) struct OpenFile {
    pub(crate) input: Input,
    pub(crate) workbook: Workbook,
}

/// A row of a sheet.
#[derive(Clone, Copy)]
pub(crate) struct InputRow<'r> {
    /// As it stands in the sheet.
    pub(crate) typed: &'r Row,
    /// As it counts: with what rules make of its cells, and defaults in place of missing values.
    pub(crate) filled: &'r Row,
}

/// A mapped sheet.
pub(crate) struct MappedSheet {
    pub(crate) file: usize,
    /// Its position in the workbook.
    pub(crate) position: usize,
    pub(crate) name: Option<String>,
    pub(crate) header: Row,
    pub(crate) mapping: Mapping,
    pub(crate) match_on: Vec<&'static str>,
    /// The preset whose export it was recognized as.
    preset: Option<&'static Preset>,
    /// The preset that the user or their mapping file names.
    named_preset: Option<&'static Preset>,
    /// The mapping that was remembered for its header row.
    remembered: Option<RememberedMapping>,
    /// What else it may be.
    doubt: Option<Remark>,
    /// Hidden rows, merged cells and declared totals.
    pub(crate) layout: SheetLayout,
    /// What its rows tell about its columns, as far as they were read.
    facts: ColumnFacts,
    remarks: Vec<Remark>,
}

/// A sheet's mapping, and the fields that tell its records apart.
pub(crate) type SheetRules = (Mapping, Vec<&'static str>);

/// How rows are read: for their own records, and for the further ones that they make.
pub(crate) struct RowRules {
    own: Rules,
    further: Rules,
}

impl RowRules {
    pub(crate) fn new(own: Rules) -> Self {
        // A row that does not say something of another record must not empty it.
        let further = Rules { blank: EmptyCells::Leave, ..own.clone() };
        Self { own, further }
    }
}

impl InputSet {
    /// Leaves of every sheet only what tells which record a row means.
    pub(crate) fn keep_only_keys(&mut self) {
        for sheet in &mut self.sheets {
            sheet.mapping.keep_only(&sheet.match_on);
        }
    }

    pub(crate) fn file_names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.input.name()).collect()
    }

    /// The number of sheets as the user has them.
    pub(crate) fn sheet_count(&self) -> usize {
        self.sheets.iter().filter(|sheet| !sheet.is_further()).count()
    }

    /// The sheet whose rows make the records of this one, if that is another.
    pub(crate) fn owner_of(&self, index: usize) -> Option<usize> {
        let further = self.sheets.get(index).filter(|sheet| sheet.is_further())?;
        self.sheets.iter().position(|sheet| !sheet.is_further() && sheet.place() == further.place())
    }

    /// The sheets of further records that a sheet's rows make, in the order in which they are sent.
    pub(crate) fn further_of(&self, owner: usize) -> Vec<usize> {
        let place = self.sheets[owner].place();
        let is_further = |index: &usize| self.sheets[*index].is_further() && self.sheets[*index].place() == place;
        (0..self.sheets.len()).filter(|_| !self.sheets[owner].is_further()).filter(is_further).collect()
    }

    /// Which sheets hold further records of which other sheets' rows.
    pub(crate) fn further_sheets(&self) -> Vec<(u16, u16)> {
        let owned = |index: usize| Some((index as u16, self.owner_of(index)? as u16));
        (0..self.sheets.len()).filter_map(owned).collect()
    }

    /// Every sheet has to say which records it means.
    ///
    /// # Errors
    /// Where one has neither the key nor ids.
    pub(crate) fn validate_keys(&self) -> Result<()> {
        let mut sheets = self.sheets.iter().enumerate().filter(|(_, sheet)| !sheet.is_further());
        sheets.try_for_each(|(index, sheet)| validate_keys(sheet, &self.label(index)))
    }

    /// What a value to the right of a sheet's last header is. In a workbook notes may stand beside the table; in a CSV
    /// file a value too many means that cells have shifted.
    pub(crate) fn extra_cells(&self, sheet: usize) -> ExtraCells {
        match self.files[self.sheets[sheet].file].workbook.kind() {
            FileKind::Csv => ExtraCells::Problem,
            _ => ExtraCells::Ignored,
        }
    }

    /// A header row that every row goes beyond is one fault of the file, and none of its rows.
    ///
    /// # Errors
    /// Where a sheet whose rows were checked has such a header row.
    pub(crate) fn validate_width(&self, sheet: usize, checker: &Checker<'_>) -> Result<()> {
        let Some(width) = checker.short_header() else { return Ok(()) };
        let (label, values) = (self.label(sheet), counted(width as u64, "value"));
        Err(Error::usage(
            format!("{label}: every row holds more values than the header row, which has {values}"),
            format!(
                "add the header that is missing in row {}; where a value holds the delimiter, put quotes around it",
                self.sheets[sheet].mapping.header_row
            ),
        ))
    }

    /// The id of the run that wrote a file, where it is the workbook of a result.
    ///
    /// # Errors
    /// Where its summary cannot be read.
    pub(crate) fn run_of(&mut self, file: usize) -> Result<Option<String>> {
        own_sheets::run_of(&mut self.files[file].workbook)
    }

    /// The files that are read; standard input has no path.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter_map(|file| match &file.input {
            Input::Path(path) => Some(path.as_path()),
            Input::Stdin => None,
        })
    }

    /// What a sheet is called in messages: its name, or that of a file without sheets. Where others are called so too, the
    /// file is told with it.
    pub(crate) fn label(&self, sheet: usize) -> String {
        let sheet = &self.sheets[sheet];
        let name = |sheet: &MappedSheet| sheet.name.clone().unwrap_or_else(|| self.files[sheet.file].input.stem());
        let own = name(sheet);
        let is_alike = |other: &MappedSheet| name(other).to_lowercase() == own.to_lowercase();
        if !self.sheets.iter().any(|other| other.place() != sheet.place() && is_alike(other)) {
            return own;
        }
        let file = distinct_name(&self.files[sheet.file].input.name(), &self.file_names());
        sheet.name.as_ref().map_or_else(|| file.clone(), |name| format!("{file} › {name}"))
    }

    /// The sheet as its rows and the result need it.
    pub(crate) fn sheet_header(&self, index: usize) -> SheetHeader {
        let sheet = &self.sheets[index];
        let before = |other: &&MappedSheet| !other.is_further() && other.place() < sheet.place();
        let changed = sheet.mapping.timestamp_column(TimestampColumn::Updated);
        let changed = changed.map(|column| (TimestampColumn::Updated.name().to_owned(), column));
        SheetHeader {
            file: self.files[sheet.file].input.name(),
            name: sheet.name.clone(),
            label: self.label(index),
            place: self.sheets.iter().filter(before).count() as u32,
            entity: sheet.mapping.entity,
            header: sheet.header.clone(),
            fields: sheet.mapping.field_columns().chain(changed).collect(),
            decoding: self.decoding(index),
            ignored: self.ignored(index),
            owner: self.owner_of(index).map(|owner| owner as u16),
        }
    }

    /// Every sheet, in the order in which they are sent.
    pub(crate) fn sheet_headers(&self) -> Vec<SheetHeader> {
        (0..self.sheets.len()).map(|index| self.sheet_header(index)).collect()
    }

    /// The files as they are now.
    pub(crate) fn sources(&self) -> Vec<SourceFile> {
        let paths = self.files.iter().filter_map(|file| match &file.input {
            Input::Path(path) => Some(path),
            Input::Stdin => None,
        });
        paths.filter_map(|path| SourceFile::of(path)).collect()
    }

    /// Whether the sheet's letters are surely what was meant.
    pub(crate) fn encoding_confidence(&self, sheet: usize) -> EncodingConfidence {
        match self.files[self.sheets[sheet].file].workbook.decoding() {
            Some(decoding) if decoding.is_doubtful() => EncodingConfidence::Guessed,
            _ => EncodingConfidence::Certain,
        }
    }

    /// Whether other sheets may name the records of this one.
    pub(crate) fn referenced(&self, sheet: usize) -> Referenced {
        let others = self.sheets.iter().enumerate().filter(|(other, _)| *other != sheet);
        Referenced::among(self.sheets[sheet].mapping.entity, others.map(|(_, other)| other.mapping.entity))
    }

    /// A sheet as lookups and plans need it.
    pub(crate) fn sheet_plan<'s>(&self, index: usize, (mapping, match_on): &'s SheetRules) -> SheetPlan<'s> {
        let is_assigned = |further: &usize| self.sheets[*further].mapping.origin == RecordOrigin::Assignment;
        SheetPlan {
            index: index as u16,
            mapping,
            match_on: match_on.clone(),
            encoding: self.encoding_confidence(index),
            referenced: self.referenced(index),
            owner: self.owner_of(index).map(|owner| owner as u16),
            is_assigned: self.further_of(index).iter().any(is_assigned),
            has_preset: self.preset_of(self.owner_of(index).unwrap_or(index)).is_some(),
            is_shared: self.is_shared(index),
        }
    }

    /// Whether another sheet is about records of the same kind.
    fn is_shared(&self, index: usize) -> bool {
        let entity = self.sheets[index].mapping.entity;
        let mut others = self.sheets.iter().enumerate().filter(|(other, _)| *other != index);
        others.any(|(_, other)| other.mapping.entity.name == entity.name)
    }

    /// What messages about rows of other sheets call each sheet: its file, and the sheet in it.
    pub(crate) fn places(&self) -> Vec<String> {
        let place = |sheet: &MappedSheet| {
            let file = self.files[sheet.file].input.name();
            match &sheet.name {
                Some(name) => format!("sheet `{name}` of `{file}`"),
                None => format!("`{file}`"),
            }
        };
        self.sheets.iter().map(place).collect()
    }

    /// How a CSV file was read, for people.
    pub(crate) fn decoding(&self, sheet: usize) -> Option<String> {
        let file = &self.files[self.sheets[sheet].file];
        file.workbook.decoding().map(|decoding| format!("{decoding}{}", misnamed(&file.input, file.workbook.kind())))
    }

    /// The columns that are not used. An export has many that the service sets: they stand in the mapping only.
    pub(crate) fn ignored(&self, sheet: usize) -> Vec<IgnoredColumn> {
        let (mapping, is_exported) = (self.mapping_of(sheet), self.sheets[sheet].mapping.is_exported());
        let ignored =
            mapping.ignored().filter(|column| !(column.is_unneeded() || (is_exported && column.is_read_only())));
        ignored.map(|column| column.as_ignored()).collect()
    }

    /// The mapping of a sheet in use, for reports.
    fn mapping_of(&self, sheet: usize) -> SheetMapping {
        let MappedSheet { mapping, facts, .. } = &self.sheets[sheet];
        let mut described = mapping.describe(&self.label(sheet), self.preset_of(sheet), facts);
        for further in self.further_of(sheet) {
            let MappedSheet { mapping, facts, .. } = &self.sheets[further];
            described.add_further(mapping, facts);
        }
        described
    }

    /// The preset in use for a sheet, be it as part of a remembered mapping.
    fn preset_of(&self, sheet: usize) -> Option<&str> {
        let MappedSheet { preset, named_preset, remembered, .. } = &self.sheets[sheet];
        let remembered = remembered.as_ref().and_then(|known| known.preset.as_deref());
        preset.map(|preset| preset.name).or(remembered).or(named_preset.map(|preset| preset.name))
    }

    /// The mapping of every sheet, in the user's order.
    pub(crate) fn mappings(&self) -> Vec<SheetMapping> {
        self.in_order().map(|sheet| self.mapping_of(sheet)).collect()
    }

    /// What the user should know of the sheets, as far as they were read.
    pub(crate) fn remarks(&self) -> Vec<Remark> {
        let of_sheet = |sheet: usize| {
            let sheet_of = &self.sheets[sheet];
            sheet_of
                .recognition()
                .into_iter()
                .chain(sheet_of.remembered_remark())
                .chain(sheet_of.remarks.iter().cloned())
                .map(move |remark| Remark::new(remark.code, format!("{}: {}", self.label(sheet), remark.message)))
        };
        self.in_order().flat_map(of_sheet).collect()
    }

    /// The sheets in the user's order, which is not the order in which they are sent.
    fn in_order(&self) -> impl Iterator<Item = usize> {
        let mut order: Vec<usize> = (0..self.sheets.len()).filter(|sheet| !self.sheets[*sheet].is_further()).collect();
        order.sort_by_key(|sheet| self.sheets[*sheet].place());
        order.into_iter()
    }

    /// The mapping of every sheet, and the fields that tell its records apart.
    pub(crate) fn sheet_rules(&self) -> Vec<SheetRules> {
        self.sheets.iter().map(|sheet| (sheet.mapping.clone(), sheet.match_on.clone())).collect()
    }
}

impl MappedSheet {
    /// That its mapping was remembered.
    fn remembered_remark(&self) -> Option<Remark> {
        let known = self.remembered.as_ref()?;
        Some(Remark::new(RemarkCode::MappingRemembered, known.remark()))
    }

    /// Whether its records are further ones of another sheet's rows.
    pub(crate) fn is_further(&self) -> bool {
        self.mapping.origin.is_further()
    }

    /// The file and the sheet in it that the rows are read from.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.file, self.position)
    }
}

/// What a file that is called like a workbook is in truth, behind its name: many programs write text and call it Excel.
fn misnamed(input: &Input, kind: FileKind) -> &'static str {
    let Input::Path(path) = input else { return "" };
    let is_workbook_name = |extension: &std::ffi::OsStr| {
        ["xlsx", "xls", "xlsm", "xlsb", "ods"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    };
    match kind {
        FileKind::Csv if path.extension().is_some_and(is_workbook_name) => " (a text file, whatever its name says)",
        FileKind::Jsonl if path.extension().is_some_and(is_workbook_name) => " (a JSON file, whatever its name says)",
        _ => "",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
