//! Files on the command line to mapped sheets: what check and import have in common.

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::ControlFlow;

use super::Error;
use super::args::ReadingArgs;
use super::printer::Printer;
use crate::check::date::DateFormat;
use crate::check::money::DecimalMark;
use crate::check::{CheckedRow, Checker, Duplicates, ExtraCells, Inference, Rules};
use crate::error::Diagnostic;
use crate::mapping::{
    Binding, ColumnTarget, Ignored, Mapping, MappingError, MappingFile, MappingOverride, MappingOverrides, ReadPurpose,
    TimestampColumn, detect_entity, find_header,
};
use crate::plan::{EncodingConfidence, Referenced};
use crate::report;
use crate::run::journal::{SheetHeader, SourceFile};
use crate::schema::{self, Entity};
use crate::table::write::AtomicFile;
use crate::table::{self, Delimiter, Encoding, FileKind, Input, ReadError, ReadOptions, Row, Visibility, Workbook};
use crate::template;

/// The header is looked for in this many rows.
const HEADER_WITHIN: usize = 30;

/// Sheets that tallyport itself puts into a workbook beside the data.
const OUR_OWN_SHEETS: &[&str] = &[template::INSTRUCTIONS, template::LISTS, report::SUMMARY_SHEET];

/// What is read: the open files and their mapped sheets, in dependency order.
pub(super) struct Intake {
    pub books: Vec<Book>,
    pub sheets: Vec<Sheet>,
    /// Sheets that are not read, with the reason.
    pub skipped: Vec<(String, String)>,
    pub rules: Rules,
    beyond: Vec<ExtraCells>,
    /// Every header seen, folded.
    headers: HashSet<String>,
}

/// Which sheets are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holding {
    /// Whatever they hold.
    Anything,
    /// Those that name records of this collection. A sheet that is alone in its file, or named by the user, does.
    Only(&'static Entity),
}

/// An open file.
pub(super) struct Book {
    pub input: Input,
    pub workbook: Workbook,
}

/// A mapped sheet.
pub(super) struct Sheet {
    pub book: usize,
    /// Its position in the workbook.
    pub position: usize,
    pub name: Option<String>,
    pub header: Row,
    pub mapping: Mapping,
    pub match_on: Vec<&'static str>,
}

/// The faults of all sheets' headers.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(super) struct HeaderFaults(Vec<(String, MappingError)>);

impl Diagnostic for HeaderFaults {
    /// What to do now, where there is one fault; of several each says its own.
    fn hint(&self) -> Option<String> {
        match self.0.as_slice() {
            [(_, only)] => Some(only.hint()),
            _ => None,
        }
    }
}

impl HeaderFaults {
    fn text(&self) -> String {
        match self.0.as_slice() {
            [(place, only)] => format!("{place}: {only}"),
            many => {
                let lines: Vec<String> =
                    many.iter().map(|(place, fault)| format!("{place}: {fault}\n    {}", fault.hint())).collect();
                format!("the headers do not fit\n  {}", lines.join("\n  "))
            }
        }
    }
}

impl Intake {
    /// Opens and maps everything the flags name.
    ///
    /// # Errors
    /// Where a file cannot be read, a flag makes no sense, or headers cannot be mapped.
    pub(super) fn open(args: &ReadingArgs, wanted: Holding, printer: Printer) -> Result<Self, Error> {
        let asked = Asked::new(args, wanted)?;
        let mut intake = Intake {
            books: Vec::new(),
            sheets: Vec::new(),
            skipped: Vec::new(),
            rules: asked.rules.clone(),
            beyond: Vec::new(),
            headers: HashSet::new(),
        };
        let mut faults = Vec::new();
        for file in &args.files {
            let input = Input::from_arg(file);
            if intake.books.iter().any(|book| book.input.is_same(&input)) {
                return Err(Error::usage(format!("`{}` is named twice", input.name()), "name each file once"));
            }
            let workbook = Workbook::open(&input, &asked.options)?;
            intake.books.push(Book { input, workbook });
            intake.map_book(&asked, &mut faults)?;
        }
        intake.forgive_absent(&mut faults);
        if !faults.is_empty() {
            return Err(HeaderFaults(faults).into());
        }
        if intake.sheets.is_empty() {
            return Err(intake.nothing_to_read(wanted));
        }
        intake.sheets.sort_by_key(|sheet| crate::plan::order::rank(sheet.mapping.entity));
        intake.beyond = intake.sheets.iter().map(|sheet| intake.beyond_of(sheet)).collect();
        if let Some(path) = &args.layout.save_mapping {
            intake.save_mapping(path)?;
            printer.note(&format!("saved the mapping to {}", path.display()));
        }
        Ok(intake)
    }

    fn nothing_to_read(&self, wanted: Holding) -> Error {
        let files = self.file_names().join(", ");
        match wanted {
            Holding::Anything => Error::usage(
                format!("no sheet of {files} can be read as a collection or an action"),
                "say what it holds with --entity; `tallyport schema` lists what there is",
            ),
            Holding::Only(entity) => Error::usage(
                format!("no sheet of {files} says by its name or headers that it holds {}", entity.name),
                "name the sheet with --sheet",
            ),
        }
    }

    /// Leaves of every sheet only what tells which record a row means.
    pub(super) fn keep_only_keys(&mut self) {
        for sheet in &mut self.sheets {
            sheet.mapping.keep_only(&sheet.match_on);
        }
    }

    pub(super) fn file_names(&self) -> Vec<String> {
        self.books.iter().map(|book| book.input.name()).collect()
    }

    /// A header of --map or --ignore has to stand in one of the sheets, not in each.
    fn forgive_absent(&self, faults: &mut Vec<(String, MappingError)>) {
        faults.retain(|(_, fault)| match fault {
            MappingError::NoSuchHeader { header } => !self.headers.contains(&schema::fold_header(header)),
            _ => true,
        });
    }

    fn map_book(&mut self, asked: &Asked<'_>, faults: &mut Vec<(String, MappingError)>) -> Result<(), Error> {
        let position = self.books.len() - 1;
        let Some(book) = self.books.last_mut() else { return Ok(()) };
        let mut chosen = asked.sheets_of(&book.workbook, &book.input)?;
        chosen.sort_unstable();
        chosen.dedup();
        let alone = chosen.len() == 1;
        for index in chosen {
            let name = book.workbook.sheets()[index].name.clone();
            let place = place_of(&book.input, name.as_deref());
            let rows = book.workbook.first_rows(index, HEADER_WITHIN)?;
            let entity = match asked.detect_entity(name.as_deref(), &book.input.stem(), &rows, alone) {
                Ok(entity) => entity,
                Err(Unread::NotWanted) => continue,
                Err(Unread::Told(reason)) if alone || asked.args.layout.strict => {
                    return Err(Error::usage(
                        format!("{place}: {reason}"),
                        "say what it holds with --entity, such as --entity assets",
                    ));
                }
                Err(Unread::Told(reason)) => {
                    self.skipped.push((place, reason));
                    continue;
                }
            };
            let Some(header) = find_header(&rows, &[entity]) else {
                self.skipped.push((place, String::from("it is empty")));
                continue;
            };
            let header = rows[header].clone();
            self.headers.extend(header.cells().map(|cell| schema::fold_header(cell.text)));
            match Mapping::new(entity, &header, &asked.overrides(entity)) {
                Ok(mapping) => {
                    let match_on = asked.match_on(entity)?;
                    asked.see_match_columns(&place, &mapping)?;
                    self.sheets.push(Sheet { book: position, position: index, name, header, mapping, match_on });
                }
                Err(found) => faults.extend(found.into_iter().map(|fault| (place.clone(), fault))),
            }
        }
        Ok(())
    }

    /// In a workbook notes may stand beside the table; in a CSV file a value too many means that cells have shifted.
    fn beyond_of(&self, sheet: &Sheet) -> ExtraCells {
        match self.books[sheet.book].workbook.kind() {
            FileKind::Csv => ExtraCells::Problem,
            _ => ExtraCells::Ignored,
        }
    }

    /// What a value to the right of a sheet's last header is.
    pub(super) fn beyond(&self, sheet: usize) -> ExtraCells {
        self.beyond[sheet]
    }

    fn save_mapping(&self, path: &std::path::Path) -> Result<(), Error> {
        let mut file = MappingFile::default();
        for sheet in &self.sheets {
            file.add(&sheet.mapping);
        }
        let whole = AtomicFile::create(path)?;
        whole.as_file().write_all(file.to_text().as_bytes())?;
        whole.commit()?;
        Ok(())
    }

    /// What a sheet is called in messages and results.
    pub(super) fn label(&self, sheet: usize) -> String {
        let sheet = &self.sheets[sheet];
        sheet.name.clone().unwrap_or_else(|| self.books[sheet.book].input.stem())
    }

    /// The sheet as its rows and the result need it.
    pub(super) fn head(&self, index: usize) -> SheetHeader {
        let sheet = &self.sheets[index];
        let before = |other: &&Sheet| (other.book, other.position) < (sheet.book, sheet.position);
        let fed = sheet.mapping.fed_fields().map(|field| (field.name, sheet.mapping.column_of(field.name)));
        let changed = (TimestampColumn::Updated.name(), sheet.mapping.timestamp_column(TimestampColumn::Updated));
        SheetHeader {
            file: self.books[sheet.book].input.name(),
            name: sheet.name.clone(),
            label: self.label(index),
            place: self.sheets.iter().filter(before).count() as u32,
            entity: sheet.mapping.entity,
            header: sheet.header.clone(),
            fields: fed.chain([changed]).filter_map(|(name, column)| Some((name.to_owned(), column?))).collect(),
            decoding: self.decoding(index),
            ignored: self.ignored(index),
        }
    }

    /// Every sheet, in the order in which they are sent.
    pub(super) fn heads(&self) -> Vec<SheetHeader> {
        (0..self.sheets.len()).map(|index| self.head(index)).collect()
    }

    /// The files as they are now.
    pub(super) fn sources(&self) -> Vec<SourceFile> {
        let paths = self.books.iter().filter_map(|book| match &book.input {
            Input::Path(path) => Some(path),
            Input::Stdin => None,
        });
        paths.filter_map(|path| SourceFile::of(path)).collect()
    }

    /// Whether the sheet's letters are surely what was meant.
    pub(super) fn trust(&self, sheet: usize) -> EncodingConfidence {
        match self.books[self.sheets[sheet].book].workbook.decoding() {
            Some(decoding) if decoding.is_doubtful() => EncodingConfidence::Guessed,
            _ => EncodingConfidence::Certain,
        }
    }

    /// Whether other sheets may name the records of this one.
    pub(super) fn named(&self, sheet: usize) -> Referenced {
        let others = self.sheets.iter().enumerate().filter(|(other, _)| *other != sheet);
        Referenced::among(self.sheets[sheet].mapping.entity, others.map(|(_, other)| other.mapping.entity))
    }

    /// How a CSV file was read, for people.
    pub(super) fn decoding(&self, sheet: usize) -> Option<String> {
        self.books[self.sheets[sheet].book].workbook.decoding().map(ToString::to_string)
    }

    /// The columns that are not used.
    pub(super) fn ignored(&self, sheet: usize) -> Vec<String> {
        let ignored = self.sheets[sheet].mapping.ignored();
        ignored
            .filter(|(_, why)| !matches!(why, Ignored::ReadOnly | Ignored::ByUser))
            .map(|(column, why)| ignored_text(&column.header, why))
            .collect()
    }

    /// Runs the check over every row of a sheet until what only a whole column tells is known. The checker is then
    /// ready for the passes that follow.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(super) fn survey<'i>(
        &mut self,
        sheet: usize,
        checkers: &mut [Checker<'i>],
        on_row: &mut dyn FnMut(&Row, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let mut rows = self.each_checked(sheet, &mut checkers[sheet], on_row)?;
        if checkers[sheet].infer_formats() == Inference::NeedsSecondPass {
            checkers[sheet].rewind();
            rows = self.each_checked(sheet, &mut checkers[sheet], on_row)?;
        }
        Ok(rows)
    }

    /// Streams the rows below the header, each with its check.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(super) fn each_checked(
        &mut self,
        sheet: usize,
        checker: &mut Checker<'_>,
        on_row: &mut dyn FnMut(&Row, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let mut rows = 0;
        let mut checked = CheckedRow::default();
        self.each_row(sheet, &mut |row| {
            rows += 1;
            checker.check(row, &mut checked);
            on_row(row, &mut checked);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// Streams the rows below the header.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(super) fn each_row(
        &mut self,
        sheet: usize,
        on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let Sheet { book, position, ref mapping, .. } = self.sheets[sheet];
        let first = mapping.header_row + 1;
        table::each_row_ahead(&mut self.books[book].workbook, position, first, on_row)
    }
}

/// Why a sheet is not read.
enum Unread {
    /// It holds something else than what is asked for.
    NotWanted,
    Told(String),
}

/// The reading flags, parsed.
struct Asked<'a> {
    args: &'a ReadingArgs,
    wanted: Holding,
    options: ReadOptions,
    entity: Option<&'static Entity>,
    rules: Rules,
    overrides: Vec<MappingOverride>,
    files: Vec<MappingFile>,
}

impl<'a> Asked<'a> {
    fn new(args: &'a ReadingArgs, wanted: Holding) -> Result<Self, Error> {
        let mut files = Vec::new();
        if let Some(path) = &args.layout.mapping {
            files.push(MappingFile::read(path)?);
        }
        if let Some(name) = &args.layout.preset {
            files.push(MappingFile::preset(name)?);
        }
        Ok(Self {
            args,
            options: read_options(args)?,
            wanted,
            entity: entity(args)?,
            rules: rules(args)?,
            overrides: overrides(args)?,
            files,
        })
    }

    /// The sheets to read: those named, else the visible ones that are not our own notes.
    fn sheets_of(&self, workbook: &Workbook, input: &Input) -> Result<Vec<usize>, Error> {
        let sheets = workbook.sheets();
        let names: Vec<&str> = sheets.iter().filter_map(|sheet| sheet.name.as_deref()).collect();
        if self.args.layout.sheet.is_empty() {
            let wanted = |index: &usize| {
                let sheet = &sheets[*index];
                let ours = sheet.name.as_deref().is_some_and(|name| OUR_OWN_SHEETS.contains(&name));
                sheet.visibility == Visibility::Visible && !ours
            };
            return Ok((0..sheets.len()).filter(wanted).collect());
        }
        self.args
            .layout
            .sheet
            .iter()
            .map(|wanted| {
                let folded = schema::fold_header(wanted);
                let exact = sheets.iter().position(|sheet| sheet.name.as_deref() == Some(wanted));
                exact
                    .or_else(|| {
                        sheets.iter().position(|sheet| {
                            sheet.name.as_deref().is_some_and(|name| schema::fold_header(name) == folded)
                        })
                    })
                    .ok_or_else(|| {
                        let hint = match names.is_empty() {
                            true => String::from("leave --sheet out: the file is a single table"),
                            false => format!("its sheets are: {}", names.join(", ")),
                        };
                        Error::usage(format!("{} has no sheet `{wanted}`", input.name()), hint)
                    })
            })
            .collect()
    }

    /// What a sheet holds; `alone` is the only one there is.
    fn detect_entity(
        &self,
        sheet: Option<&str>,
        stem: &str,
        rows: &[Row],
        alone: bool,
    ) -> Result<&'static Entity, Unread> {
        let told = || detect_entity(sheet, stem, rows).map_err(|fault| Unread::Told(fault.to_string()));
        match (self.wanted, self.entity) {
            (Holding::Only(entity), _) if alone || !self.args.layout.sheet.is_empty() => Ok(entity),
            (Holding::Only(entity), _) if told()?.name == entity.name => Ok(entity),
            (Holding::Only(_), _) => Err(Unread::NotWanted),
            (Holding::Anything, Some(entity)) => Ok(entity),
            (Holding::Anything, None) => told(),
        }
    }

    fn overrides(&self, entity: &Entity) -> MappingOverrides {
        let saved = self.files.iter().flat_map(|file| file.overrides(entity));
        let purpose = match self.wanted {
            Holding::Anything => ReadPurpose::Write,
            Holding::Only(_) => ReadPurpose::Lookup,
        };
        let map = self.overrides.iter().cloned().chain(saved).collect();
        MappingOverrides { map, strict: self.args.layout.strict, purpose }
    }

    /// A field that no column feeds finds no record, and every row would be taken for a new one.
    fn see_match_columns(&self, place: &str, mapping: &Mapping) -> Result<(), Error> {
        let is_there = |name: &str| match name {
            "id" | "_id" => mapping.columns.iter().any(|column| matches!(column.target, ColumnTarget::Id(_))),
            name => mapping.feeds(name),
        };
        let names = self.args.layout.match_on.iter().map(|name| name.trim());
        let Some(lacking) = names.filter(|_| mapping.entity.is_collection()).find(|name| !is_there(name)) else {
            return Ok(());
        };
        Err(Error::usage(
            format!("{place}: no column feeds `{lacking}`, so --match-on cannot find records by it"),
            format!("add the column, map one with --map 'Header={lacking}', or match on another field"),
        ))
    }

    /// The fields that say "the same record": those of the flag where the collection has them, else its natural key.
    fn match_on(&self, entity: &'static Entity) -> Result<Vec<&'static str>, Error> {
        if self.args.layout.match_on.is_empty() || entity.is_action() {
            return Ok(entity.key.to_vec());
        }
        let fields = self.args.layout.match_on.iter().filter(|name| !matches!(name.trim(), "id" | "_id"));
        fields
            .map(|name| {
                entity.field(name.trim()).map(|field| field.name).ok_or_else(|| {
                    Error::usage(
                        format!("`{}` has no field `{name}` to match on", entity.name),
                        format!("`tallyport schema {}` lists the fields", entity.name),
                    )
                })
            })
            .collect()
    }
}

fn read_options(args: &ReadingArgs) -> Result<ReadOptions, Error> {
    let delimiter = args.layout.delimiter.as_deref().map(|text| {
        Delimiter::parse(text)
            .ok_or_else(|| Error::usage(format!("`{text}` is not a delimiter"), "use `,`, `;`, `|` or `tab`"))
    });
    let encoding = args.layout.encoding.as_deref().map(|text| {
        Encoding::parse(text).ok_or_else(|| {
            Error::usage(
                format!("`{text}` is not an encoding"),
                "use a name such as utf-8, windows-1252, utf-16le or shift_jis",
            )
        })
    });
    Ok(ReadOptions { delimiter: delimiter.transpose()?, encoding: encoding.transpose()? })
}

fn entity(args: &ReadingArgs) -> Result<Option<&'static Entity>, Error> {
    args.entity.as_deref().map(named_entity).transpose()
}

/// The collection or action a flag names.
pub(super) fn named_entity(name: &str) -> Result<&'static Entity, Error> {
    super::schema::entity(name)
}

fn rules(args: &ReadingArgs) -> Result<Rules, Error> {
    let date_format = args.layout.date_format.as_deref().map(|pattern| {
        DateFormat::parse(pattern).map_err(|_| {
            Error::usage(
                format!("`{pattern}` is not a date format"),
                "write one such as DD.MM.YYYY, MM/DD/YY or D MMM YYYY",
            )
        })
    });
    let decimal = args.layout.decimal.map(|mark| match mark {
        ',' => Ok(DecimalMark::Comma),
        '.' => Ok(DecimalMark::Point),
        other => Err(Error::usage(format!("`{other}` is not a decimal mark"), "use `,` or `.`")),
    });
    Ok(Rules {
        mode: args.mode,
        blank: args.blank,
        fraction: args.fractional_cost,
        date_format: date_format.transpose()?,
        decimal: decimal.transpose()?,
        duplicates: if args.allow_duplicates { Duplicates::Allowed } else { Duplicates::Refused },
        conflicts: None,
    })
}

fn overrides(args: &ReadingArgs) -> Result<Vec<MappingOverride>, Error> {
    let mapped = args.layout.map.iter().map(|entry| {
        let (header, target) = entry.rsplit_once('=').ok_or_else(|| {
            Error::usage(format!("--map '{entry}' does not say what to feed"), "write it as --map 'Header=field'")
        })?;
        Ok(MappingOverride { header: header.to_owned(), target: target.to_owned(), binding: Binding::Required })
    });
    let ignored = args.layout.ignore.iter().map(|header| {
        Ok(MappingOverride { header: header.clone(), target: String::new(), binding: Binding::Required })
    });
    mapped.chain(ignored).collect()
}

fn place_of(input: &Input, sheet: Option<&str>) -> String {
    match sheet {
        Some(sheet) => format!("{}, sheet `{sheet}`", input.name()),
        None => input.name(),
    }
}

fn ignored_text(header: &str, why: Ignored) -> String {
    match why {
        Ignored::Secret => format!("{header} (it looks like passwords: neither read nor copied)"),
        Ignored::Superseded => format!("{header} (another column feeds its field)"),
        Ignored::ReadOnly => format!("{header} (the service sets it)"),
        Ignored::Unknown | Ignored::ByUser => header.to_owned(),
    }
}
