//! Opens the files of a run and finds out what their sheets hold.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::options::{InputOptions, ParsedOptions, SheetFilter, SkipReason, missing_fields, place_of};
use super::other_sheets::SheetContent;
use super::recognition::IdentifiedSheet;
use super::{
    EmptyFile, HEADER_WITHIN, InputSet, MappedSheet, OpenFile, OutputFile, aliases, error, misnamed, own_sheets,
};
use crate::check::Aliases;
use crate::error::{Error, Result};
use crate::mapping::{ColumnFacts, Mapping, MappingError, MappingRuleError, MappingText, entity_by_name, header_keys};
use crate::observer::Observer;
use crate::shell;
use crate::table::write::{AtomicFile, WriteError};
use crate::table::{Input, ReadError, ReadOptions, Workbook};
use crate::written_files::WrittenFiles;

/// Whether a file could not be opened because it is an empty one of JSON lines.
fn is_of_no_records(error: &Error, file: &Path) -> bool {
    let is_jsonl = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
    is_jsonl && error.downcast_ref().is_some_and(ReadError::is_of_empty_file)
}

fn is_of_lock_file(error: &Error) -> bool {
    error.downcast_ref().is_some_and(ReadError::is_of_lock_file)
}

/// The sheets of a file while they are mapped.
#[derive(Default)]
struct FileSheets {
    /// The position of the file.
    position: usize,
    /// Whether only one of its sheets is read.
    is_alone: bool,
    /// Whether a sheet may be skipped that cannot be mapped.
    may_skip: bool,
    /// Sheets that are something else, with the reason, and the errors that are told if no other sheet is read.
    others: Vec<(String, String, Vec<MappingError>)>,
    /// Sheets whose name says that they hold something else.
    named_otherwise: Vec<(usize, String, &'static str)>,
    /// Whether a sheet's name says that it holds what it was read as.
    is_named_so: bool,
}

/// The mapping of a sheet, or why there is none. What its header lacks of what was asked for goes to `errors`.
fn map(
    sheet: &IdentifiedSheet,
    match_on: &[&'static str],
    (place, parsed): (&str, &ParsedOptions<'_>),
    errors: &mut Vec<(String, MappingError)>,
) -> Result<std::result::Result<Mapping, Vec<MappingError>>> {
    let IdentifiedSheet { entity, header, recognized, remembered, .. } = sheet;
    let overrides = parsed.overrides(entity, header, recognized.as_ref(), remembered.as_ref());
    let mut mapped = Mapping::new(entity, header, &overrides);
    if let Ok(mapping) = &mut mapped {
        errors.extend(mapping.absent.iter().map(|error| (place.to_owned(), error.clone())));
        parsed.type_rules(mapping)?;
    }
    let preset = recognized.as_ref().map(|known| known.preset).or_else(|| parsed.copied_preset(entity));
    Ok(mapped.and_then(|mapping| match missing_fields(&mapping, match_on, preset, parsed) {
        missing if missing.is_empty() => Ok(mapping),
        missing => Err(missing),
    }))
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
        let read = set.sheets.iter().filter(|sheet| !sheet.is_further());
        parsed.validate_mapping_file(read.map(|sheet| (sheet.mapping.entity, &sheet.header)), observer)?;
        set.sheets.sort_by_key(|sheet| crate::plan::order::rank(sheet.mapping.entity));
        if let Some(path) = &options.mapping.save_to {
            options.protected_from_mapping().check(OutputFile::Mapping, path)?;
            set.save_mapping(path, options.mapping.written.as_ref())?;
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
        for sheet in hidden.into_iter().filter_map(|index| file.workbook.sheets()[index].name.clone()) {
            let reason = format!("it is hidden; {} reads it", shell::flag("--sheet", &sheet));
            self.skipped.push((place_of(&file.input, Some(&sheet)), reason));
        }
        let is_alone = chosen.len() == 1;
        let may_skip = !is_alone && parsed.options.sheets.is_empty() && !parsed.options.mapping.strict;
        let mut sheets = FileSheets { position, is_alone, may_skip, ..FileSheets::default() };
        for index in chosen {
            self.map_sheet(index, &mut sheets, parsed, errors)?;
        }
        if sheets.is_named_so {
            for (index, place, other) in sheets.named_otherwise {
                self.sheets.retain(|sheet| (sheet.file, sheet.position) != (position, index));
                let reason = format!("by its name it holds {other}; --sheet NAME reads it all the same");
                self.skipped.push((place, reason));
            }
        }
        self.skip_others(position, sheets.others, errors);
        Ok(())
    }

    fn map_sheet(
        &mut self,
        index: usize,
        sheets: &mut FileSheets,
        parsed: &ParsedOptions<'_>,
        errors: &mut Vec<(String, MappingError)>,
    ) -> Result<()> {
        let file = &mut self.files[sheets.position];
        let name = file.workbook.sheets()[index].name.clone();
        let place = place_of(&file.input, name.as_deref()) + misnamed(&file.input, file.workbook.kind());
        let rows = file.workbook.first_rows(index, HEADER_WITHIN)?;
        if rows.iter().any(own_sheets::is_register) {
            return Err(error::register_as_input(&place));
        }
        if parsed.options.sheets.is_empty() && rows.iter().any(own_sheets::is_changes) {
            self.skipped.push((place, String::from("it holds the changes between two exports, and no records")));
            return Ok(());
        }
        let identified = match parsed.identify((name.as_deref(), &file.input.stem(), sheets.is_alone), &rows)? {
            Ok(identified) => identified,
            Err(SkipReason::NotWanted) => return Ok(()),
            Err(SkipReason::Unknown(reason)) if sheets.is_alone || parsed.options.mapping.strict => {
                let has_sheets = file.workbook.sheets().len() > 1;
                return Err(error::unrecognized(&place, &reason, &rows, has_sheets));
            }
            Err(reason) => {
                self.skipped.push((place, reason.to_string()));
                return Ok(());
            }
        };
        self.headers.extend(identified.header.cells().flat_map(|cell| header_keys(cell.text)));
        let match_on = parsed.match_on(identified.entity)?;
        let mapped = map(&identified, &match_on, (&place, parsed), errors)?;
        let IdentifiedSheet { entity, header, recognized, remembered, doubt } = identified;
        let content = SheetContent { name: name.as_deref(), rows: &rows, header: &header, entity };
        match mapped {
            Ok(mapping) => {
                sheets.is_named_so |= content.is_named_so();
                if let Some(other) = content.named_otherwise().filter(|_| sheets.may_skip) {
                    sheets.named_otherwise.push((index, place.clone(), other.name));
                }
                parsed.validate_match_columns(&place, &mapping)?;
                let sheet = MappedSheet {
                    file: sheets.position,
                    position: index,
                    layout: self.files[sheets.position].workbook.layout(index)?,
                    name,
                    header,
                    mapping,
                    match_on,
                    preset: recognized.map(|known| known.preset),
                    named_preset: parsed.named_preset(entity),
                    remembered,
                    doubt,
                    facts: ColumnFacts::default(),
                    remarks: Vec::new(),
                };
                self.sheets.extend(parsed.with_further(sheet)?);
            }
            Err(found)
                if sheets.may_skip
                    && let Some(reason) = content.other_than(&found) =>
            {
                sheets.others.push((place, reason, found));
            }
            Err(found) => errors.extend(found.into_iter().map(|error| (place.clone(), error))),
        }
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

    fn save_mapping(&self, path: &Path, written: Option<&WrittenFiles>) -> Result<()> {
        let mut file = MappingText::default();
        for (index, sheet) in self.sheets.iter().enumerate() {
            match self.owner_of(index) {
                Some(owner) => file.add_further(self.sheets[owner].mapping.entity, &sheet.mapping),
                None => {
                    file.add(&sheet.mapping);
                    self.preset_of(index).into_iter().for_each(|preset| file.add_preset(preset));
                }
            }
        }
        let whole = AtomicFile::create(path)?.listed_in(written);
        whole.as_file().write_all(file.to_text().as_bytes()).map_err(|source| WriteError::from_io(path, source))?;
        whole.commit()?;
        Ok(())
    }
}
