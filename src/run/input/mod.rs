//! The spreadsheets of a run: opened, mapped, and streamed row by row as often as needed.

mod aliases;
mod error;

mod options;
mod other_sheets;
pub(crate) mod own_sheets;
mod parallel;
mod protected_files;
mod recognition;
mod remember;
mod rules;

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::check::{
    Aliases, CheckedRow, Checker, EmptyCells, ExtraCells, Inference, NameDecision, Remark, RemarkCode, RowAction, Rules,
};
use crate::error::{Error, Result};
use crate::mapping::{
    ColumnFacts, IgnoredColumn, Mapping, MappingError, MappingRuleError, MappingText, Preset, RecordOrigin,
    RememberedMapping, SheetMapping, TimestampColumn, entity_by_name, header_keys,
};
use crate::observer::Observer;
use crate::plan::{EncodingConfidence, Referenced, SheetPlan};
use crate::run::journal::{SheetHeader, SourceFile};
use crate::schema::Entity;
use crate::shell;
use crate::table::write::{AtomicFile, WriteError};
use crate::table::{self, FileKind, Input, OnRows, ReadError, ReadOptions, Row, SheetLayout, Workbook};
pub(crate) use aliases::ALIAS_HEADERS;
pub(crate) use options::{InputOptions, MappingOptions, SheetFilter};
use options::{ParsedOptions, SkipReason, missing_fields, place_of, validate_keys};
use other_sheets::SheetContent;
pub(crate) use own_sheets::LOOK_ALIKES_SHEET;
pub(crate) use parallel::CheckedRows;
pub(crate) use protected_files::{OutputFile, ProtectedFiles};
use recognition::IdentifiedSheet;

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
    /// The preset in use.
    preset: Option<String>,
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

/// Whether a file could not be opened because it is an empty one of JSON lines.
fn is_of_no_records(error: &Error, file: &Path) -> bool {
    let is_jsonl = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
    is_jsonl && error.downcast_ref().is_some_and(ReadError::is_of_empty_file)
}

fn is_of_lock_file(error: &Error) -> bool {
    error.downcast_ref().is_some_and(ReadError::is_of_lock_file)
}

impl InputSet {
    /// Opens and maps everything the options name.
    ///
    /// # Errors
    /// Where a file cannot be read, an option makes no sense, or headers cannot be mapped.
    pub(crate) fn open(options: &InputOptions, filter: SheetFilter, observer: &mut dyn Observer) -> Result<Self> {
        let parsed = ParsedOptions::new(options, filter)?;
        let rules = parsed.rules.clone();
        let mut set = Self {
            files: Vec::new(),
            sheets: Vec::new(),
            skipped: Vec::new(),
            empty: Vec::new(),
            rules,
            protected: options.protected_files(),
            preset: options.mapping.preset.clone().filter(|name| name != options::NO_PRESET),
            headers: HashSet::new(),
            decisions: Vec::new(),
        };
        set.read_aliases(&parsed)?;
        let (mut errors, mut left_out) = (Vec::new(), None);
        for file in &options.files {
            let input = Input::from_arg(file);
            let name = input.name();
            match set.open_file(input, &parsed) {
                Ok(()) => set.map_last_file(&parsed, &mut errors)?,
                // A collection without records is exported as such a file: JSON lines have no header.
                Err(error) if is_of_no_records(&error, file) => {
                    observer.on_note(&format!("{name} is empty and was skipped"));
                    let stem = Input::from_arg(file).stem();
                    let entity = entity_by_name(options.entity.as_deref().unwrap_or(&stem));
                    set.empty.extend(entity.map(|entity| EmptyFile { name: stem, entity }));
                    left_out = left_out.or(Some(error));
                }
                // A shell's `*.xlsx` names it together with the workbook.
                Err(error) if options.files.len() > 1 && is_of_lock_file(&error) => {
                    observer.on_note(&format!("{name} was skipped: Excel keeps it beside a workbook that is open"));
                    left_out = left_out.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(error)) = (set.files.is_empty(), left_out) {
            return Err(error);
        }
        set.rules.aliases = Arc::new(Aliases::new(std::mem::take(&mut set.decisions))?);
        set.ignore_missing(&mut errors);
        if errors.is_empty() {
            parsed.validate_flags(set.sheets.iter().map(|sheet| sheet.mapping.entity))?;
        }
        if !errors.is_empty() {
            return Err(error::HeaderErrors(errors).into());
        }
        if set.sheets.is_empty() {
            return Err(set.nothing_to_read(&parsed));
        }
        set.sheets.sort_by_key(|sheet| crate::plan::order::rank(sheet.mapping.entity));
        if let Some(path) = &options.mapping.save_to {
            options.protected_from_mapping().check(OutputFile::Mapping, path)?;
            set.save_mapping(path)?;
            options.mapping.written.iter().for_each(|written| written.record(std::slice::from_ref(path)));
            observer.on_note(&format!("saved the mapping to {}", path.display()));
        }
        if options.mapping.remember {
            set.remember_mappings(options, observer)?;
        }
        Ok(set)
    }

    fn read_aliases(&mut self, parsed: &ParsedOptions<'_>) -> Result<()> {
        if let Some(path) = &parsed.options.aliases {
            self.decisions = aliases::read_aliases(path, &ReadOptions::default())?;
        }
        Ok(())
    }

    fn open_file(&mut self, input: Input, parsed: &ParsedOptions<'_>) -> Result<()> {
        if self.files.iter().any(|file| file.input.is_same(&input)) {
            return Err(Error::usage(format!("`{}` is named twice", input.name()), "name each file once"));
        }
        let mut workbook = Workbook::open(&input, &parsed.read)?;
        if own_sheets::is_plan(&mut workbook)? {
            return Err(error::plan_as_input(&input));
        }
        if let Some(kind) = own_sheets::listing_of(&mut workbook)? {
            return Err(error::listing_as_input(&input, kind));
        }
        if matches!(parsed.filter, SheetFilter::Any) {
            self.decisions.extend(aliases::aliases_in(&mut workbook, &input)?);
        }
        self.files.push(OpenFile { input, workbook });
        Ok(())
    }

    fn nothing_to_read(&self, parsed: &ParsedOptions<'_>) -> Error {
        let files = self.file_names().join(", ");
        match parsed.filter {
            SheetFilter::Any => Error::usage(
                format!("no sheet of {files} can be read as a collection or an action"),
                match parsed.options.entity {
                    Some(_) => "name the sheet with --sheet",
                    None => {
                        "say what it holds with --entity and which sheet with --sheet; `tallyport schema` lists what \
                         there is"
                    }
                },
            ),
            SheetFilter::Only(entity) => Error::usage(
                format!("no sheet of {files} says by its name or headers that it holds {}", entity.name),
                "name the sheet with --sheet",
            ),
        }
    }

    /// Leaves of every sheet only what tells which record a row means.
    pub(crate) fn keep_only_keys(&mut self) {
        for sheet in &mut self.sheets {
            sheet.mapping.keep_only(&sheet.match_on);
        }
    }

    pub(crate) fn file_names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.input.name()).collect()
    }

    /// A header of --map or --ignore has to stand in one of the sheets, not in each.
    fn ignore_missing(&self, errors: &mut Vec<(String, MappingError)>) {
        errors.retain(|(_, error)| match error {
            MappingError::NoSuchHeader { header }
            | MappingError::Rule(MappingRuleError::NoSuchColumn { header, .. }) => {
                !header_keys(header).iter().any(|key| self.headers.contains(key))
            }
            _ => true,
        });
    }

    fn map_last_file(&mut self, parsed: &ParsedOptions<'_>, errors: &mut Vec<(String, MappingError)>) -> Result<()> {
        let position = self.files.len() - 1;
        let Some(file) = self.files.last_mut() else { return Ok(()) };
        let mut chosen = parsed.sheets_of(&file.workbook, &file.input)?;
        let mut hidden = parsed.hidden_sheets(&file.workbook);
        if parsed.options.sheets.is_empty() {
            own_sheets::leave_out(&mut file.workbook, &mut chosen)?;
        }
        own_sheets::leave_out(&mut file.workbook, &mut hidden)?;
        let alone = chosen.len() == 1;
        let may_skip = !alone && parsed.options.sheets.is_empty() && !parsed.options.mapping.strict;
        // What does not count as long as another sheet does, with the errors that are told if none does.
        let (mut others, mut named_otherwise, mut is_named_so) = (Vec::new(), Vec::new(), false);
        for sheet in hidden.into_iter().filter_map(|index| file.workbook.sheets()[index].name.clone()) {
            let reason = format!("it is hidden; {} reads it", shell::flag("--sheet", &sheet));
            self.skipped.push((place_of(&file.input, Some(&sheet)), reason));
        }
        for index in chosen {
            let name = file.workbook.sheets()[index].name.clone();
            let place = place_of(&file.input, name.as_deref()) + misnamed(&file.input, file.workbook.kind());
            let rows = file.workbook.first_rows(index, HEADER_WITHIN)?;
            if rows.iter().any(own_sheets::is_register) {
                return Err(Error::usage(
                    format!("{place} is a fixed-asset register: it holds figures, and no records to read back"),
                    "name an export of the records, such as that of `tallyport export assets`",
                ));
            }
            if parsed.options.sheets.is_empty() && rows.iter().any(own_sheets::is_changes) {
                self.skipped.push((place, String::from("it holds the changes between two exports, and no records")));
                continue;
            }
            let identified = match parsed.identify((name.as_deref(), &file.input.stem(), alone), &rows)? {
                Ok(identified) => identified,
                Err(SkipReason::NotWanted) => continue,
                Err(SkipReason::Unknown(reason)) if alone || parsed.options.mapping.strict => {
                    let has_sheets = file.workbook.sheets().len() > 1;
                    return Err(error::unrecognized(&place, &reason, &rows, has_sheets));
                }
                Err(reason) => {
                    self.skipped.push((place, reason.to_string()));
                    continue;
                }
            };
            let IdentifiedSheet { entity, header, recognized, remembered, doubt } = identified;
            self.headers.extend(header.cells().flat_map(|cell| header_keys(cell.text)));
            let match_on = parsed.match_on(entity)?;
            let overrides = parsed.overrides(entity, &header, recognized.as_ref(), remembered.as_ref());
            let mut mapped = Mapping::new(entity, &header, &overrides);
            if let Ok(mapping) = &mut mapped {
                errors.extend(mapping.absent.iter().map(|error| (place.clone(), error.clone())));
                parsed.type_rules(mapping)?;
            }
            let preset = recognized.as_ref().map(|known| known.preset);
            let mapped = mapped.and_then(|mapping| match missing_fields(&mapping, &match_on, preset, parsed) {
                missing if missing.is_empty() => Ok(mapping),
                missing => Err(missing),
            });
            let content = SheetContent { name: name.as_deref(), rows: &rows, header: &header, entity };
            match mapped {
                Ok(mapping) => {
                    is_named_so |= content.is_named_so();
                    if let Some(other) = content.named_otherwise().filter(|_| may_skip) {
                        named_otherwise.push((index, place.clone(), other.name));
                    }
                    parsed.validate_match_columns(&place, &mapping)?;
                    let sheet = MappedSheet {
                        file: position,
                        position: index,
                        layout: file.workbook.layout(index)?,
                        name,
                        header,
                        mapping,
                        match_on,
                        preset: recognized.map(|known| known.preset),
                        remembered,
                        doubt,
                        facts: ColumnFacts::default(),
                        remarks: Vec::new(),
                    };
                    self.sheets.extend(parsed.with_further(sheet)?);
                }
                Err(found) if may_skip && let Some(reason) = content.other_than(&found) => {
                    others.push((place, reason, found));
                }
                Err(found) => errors.extend(found.into_iter().map(|error| (place.clone(), error))),
            }
        }
        if is_named_so {
            for (index, place, other) in named_otherwise {
                self.sheets.retain(|sheet| (sheet.file, sheet.position) != (position, index));
                let reason = format!("by its name it holds {other}; --sheet NAME reads it all the same");
                self.skipped.push((place, reason));
            }
        }
        self.skip_others(position, others, errors);
        Ok(())
    }

    /// Sheets that are something else are named and skipped where another sheet of the file is read.
    fn skip_others(
        &mut self,
        file: usize,
        others: Vec<(String, String, Vec<MappingError>)>,
        errors: &mut Vec<(String, MappingError)>,
    ) {
        let is_any_read = self.sheets.iter().any(|sheet| sheet.file == file);
        for (place, reason, found) in others {
            if is_any_read {
                self.skipped.push((place, reason));
            } else {
                errors.extend(found.into_iter().map(|error| (place.clone(), error)));
            }
        }
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

    fn save_mapping(&self, path: &Path) -> Result<()> {
        let mut file = MappingText::default();
        for (index, sheet) in self.sheets.iter().enumerate() {
            match self.owner_of(index) {
                Some(owner) => file.add_further(self.sheets[owner].mapping.entity, &sheet.mapping),
                None => file.add(&sheet.mapping),
            }
        }
        let whole = AtomicFile::create(path)?;
        whole.as_file().write_all(file.to_text().as_bytes()).map_err(|source| WriteError::from_io(path, source))?;
        whole.commit()?;
        Ok(())
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

    /// What a sheet is called in messages and results.
    pub(crate) fn label(&self, sheet: usize) -> String {
        let sheet = &self.sheets[sheet];
        sheet.name.clone().unwrap_or_else(|| self.files[sheet.file].input.stem())
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
            place: self.shared_place(index),
        }
    }

    /// The file, and the sheet in it, where another sheet is about records of the same kind.
    fn shared_place(&self, index: usize) -> Option<String> {
        let (sheet, entity) = (&self.sheets[index], self.sheets[index].mapping.entity);
        let mut others = self.sheets.iter().enumerate().filter(|(other, _)| *other != index);
        let file = self.files[sheet.file].input.name();
        others.any(|(_, other)| other.mapping.entity.name == entity.name).then(|| match &sheet.name {
            Some(name) => format!("sheet `{name}` of `{file}`"),
            None => format!("`{file}`"),
        })
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
        let MappedSheet { preset, remembered, .. } = &self.sheets[sheet];
        let remembered = remembered.as_ref().and_then(|known| known.preset.as_deref());
        preset.map(|preset| preset.name).or(remembered).or(self.preset.as_deref())
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

    /// The check of each sheet.
    pub(crate) fn checkers<'c>(&self, sheets: &'c [SheetRules], rules: &'c RowRules) -> Vec<Checker<'c>> {
        let checker = |(index, (mapping, match_on)): (usize, &'c SheetRules)| match mapping.origin {
            RecordOrigin::Rows => Checker::new(mapping, &rules.own, match_on, self.extra_cells(index))
                .with_layout(&self.sheets[index].layout),
            // Many rows may describe one record, and what stands beside the table is told once.
            RecordOrigin::Described | RecordOrigin::Assignment => {
                Checker::new(mapping, &rules.further, &[], ExtraCells::Ignored).with_merged(&self.sheets[index].layout)
            }
        };
        sheets.iter().enumerate().map(checker).collect()
    }

    /// The mapping of every sheet, and the fields that tell its records apart.
    pub(crate) fn sheet_rules(&self) -> Vec<SheetRules> {
        self.sheets.iter().map(|sheet| (sheet.mapping.clone(), sheet.match_on.clone())).collect()
    }

    /// Runs the check over every row of a sheet, and over the further records of each, until what only a whole column
    /// tells is known. The checkers are then ready for the passes that follow. The callback gets the position of the
    /// sheet that the record belongs to; the row's own record comes first.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn survey(
        &mut self,
        sheet: usize,
        checkers: &mut [Checker<'_>],
        on_record: &mut dyn FnMut(usize, InputRow<'_>, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let further = self.further_of(sheet);
        let mut rows = self.each_record(sheet, checkers, on_record)?;
        let of_rows = || std::iter::once(sheet).chain(further.iter().copied());
        let learned: Vec<Inference> = of_rows().map(|index| checkers[index].infer_formats()).collect();
        if learned.contains(&Inference::NeedsSecondPass) {
            of_rows().for_each(|index| checkers[index].rewind());
            rows = self.each_record(sheet, checkers, on_record)?;
        }
        Ok(rows)
    }

    /// Streams the rows below the header, each with the check of its own record and of the further ones that it makes.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_record(
        &mut self,
        sheet: usize,
        checkers: &mut [Checker<'_>],
        on_record: &mut dyn FnMut(usize, InputRow<'_>, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let further = self.further_of(sheet);
        let mut rows = 0;
        let mut checked = CheckedRow::default();
        self.each_row(sheet, &mut |row| {
            rows += 1;
            let filled = checkers[sheet].check(row, &mut checked);
            on_record(sheet, InputRow { typed: row, filled }, &mut checked);
            if checked.action != Some(RowAction::Skip) {
                for index in &further {
                    let filled = checkers[*index].check(row, &mut checked);
                    if checked.says_record {
                        on_record(*index, InputRow { typed: row, filled }, &mut checked);
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        for index in std::iter::once(sheet).chain(further) {
            self.sheets[index].learn_from(&checkers[index]);
        }
        Ok(rows)
    }

    /// Streams the rows below the header, each with the check of the sheet's record.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_checked(
        &mut self,
        sheet: usize,
        checker: &mut Checker<'_>,
        on_row: &mut dyn FnMut(InputRow<'_>, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let mut rows = 0;
        let mut checked = CheckedRow::default();
        let mut hasher = checker.row_hasher();
        self.each_batch(sheet, |row| hasher.hashes(row), &mut |batch, keys| {
            checker.expect(keys);
            for row in batch {
                rows += 1;
                let filled = checker.check(row, &mut checked);
                on_row(InputRow { typed: row, filled }, &mut checked);
            }
            ControlFlow::Continue(())
        })?;
        self.sheets[sheet].learn_from(checker);
        Ok(rows)
    }

    /// Streams the rows below the header.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_row(
        &mut self,
        sheet: usize,
        on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.each_batch(sheet, |_| (), &mut |rows, _| rows.iter().try_for_each(&mut *on_row))
    }

    /// As [`table::each_batch_ahead`], for the rows below the header.
    fn each_batch<P: Send>(
        &mut self,
        sheet: usize,
        prepare: impl FnMut(&Row) -> P + Send,
        on_rows: &mut OnRows<'_, P>,
    ) -> Result<(), ReadError> {
        let MappedSheet { file, position, ref mapping, .. } = self.sheets[sheet];
        let first = mapping.header_row + 1;
        table::each_batch_ahead(&mut self.files[file].workbook, (position, first), prepare, on_rows)
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

    fn learn_from(&mut self, checker: &Checker<'_>) {
        self.facts = checker.column_facts();
        if !self.is_further() {
            self.remarks = checker.remarks();
        }
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
