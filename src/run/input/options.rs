//! Which spreadsheets are read, and how: the options as the user gave them, and as they are understood.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::MappedSheet;
use super::rules::{flag_rules, flag_skips};
use crate::check::date::DateFormat;
use crate::check::money::DecimalMark;
use crate::check::{Duplicates, EmptyCells, FractionalCost, Mode, Repeats, Rules};
use crate::error::{Error, Result};
use crate::mapping::{
    ColumnTarget, DetectedEntity, EntityDetectionError, FieldRule, FurtherRecords, HeaderFingerprint, IdOwnership,
    JoinError, JoinTemplate, Mapping, MappingError, MappingFile, MappingOverride, MappingOverrides, MappingSource,
    Preset, ReadPurpose, Recognition, Recognized, RememberedMapping, RememberedMappings, SkipRule, TextFormats,
    choose_remembered, detect_entity, recognize, split_assignment,
};
use crate::observer::Observer;
use crate::run::used_options::UsedOptions;
use crate::schema::{self, Entity, entity_named};
use crate::shell;
use crate::table::{Delimiter, Encoding, Input, ReadOptions, Row, Visibility, Workbook};
use crate::written_files::WrittenFiles;

/// Which spreadsheets are read, and how. Texts are checked when the files are opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct InputOptions {
    /// `-` is stdin.
    pub(crate) files: Vec<PathBuf>,
    /// What the sheets hold; else told by sheet name, file name or headers.
    pub(crate) entity: Option<String>,
    /// Only these sheets; else all that are visible.
    pub(crate) sheets: Vec<String>,
    pub(crate) mapping: MappingOptions,
    /// A spreadsheet of decisions about look-alike names.
    pub(crate) aliases: Option<PathBuf>,
    /// Fields that find existing records; else the natural key.
    pub(crate) match_on: Vec<String>,
    pub(crate) delimiter: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) date_format: Option<String>,
    pub(crate) decimal: Option<char>,
    pub(crate) fractional_cost: FractionalCost,
    pub(crate) blank: EmptyCells,
    pub(crate) mode: Mode,
    pub(crate) allow_duplicates: bool,
}

/// Which column is mapped to which field.
#[derive(Debug, Clone, Default)]
pub(crate) struct MappingOptions {
    /// `Header=field`, `Header=custom:NAME`, or `Header=` to ignore the column.
    pub(crate) map: Vec<String>,
    pub(crate) ignore: Vec<String>,
    /// `field=VALUE`, for rows without a value.
    pub(crate) defaults: Vec<String>,
    /// `field:FROM=TO`: what a cell's text means.
    pub(crate) values: Vec<String>,
    /// `Header=Value`: rows that are left out.
    pub(crate) skip_where: Vec<String>,
    /// A mapping file.
    pub(crate) file: Option<PathBuf>,
    /// The header words of another tool.
    pub(crate) preset: Option<String>,
    /// Unknown columns and sheets are errors.
    pub(crate) strict: bool,
    /// Where to write the mapping in use.
    pub(crate) save_to: Option<PathBuf>,
    /// Where it is noted that tallyport wrote that file, and what it may replace.
    pub(crate) written: Option<WrittenFiles>,
    /// Whether to keep the mapping in use for the header row.
    pub(crate) remember: bool,
    /// Where mappings are kept. Without it, none is used.
    pub(crate) remembered: Option<RememberedMappings>,
}

impl InputOptions {
    /// The options that differ from their defaults.
    pub(crate) fn used(&self) -> UsedOptions {
        let mut used = UsedOptions::default();
        used.text("--entity", self.entity.clone());
        used.repeated("--sheet", &self.sheets);
        used.repeated("--map", &self.mapping.map);
        used.repeated("--ignore", &self.mapping.ignore);
        used.repeated("--default", &self.mapping.defaults);
        used.repeated("--value", &self.mapping.values);
        used.repeated("--skip-where", &self.mapping.skip_where);
        used.text("--mapping", self.mapping.file.as_ref().map(|path| path.display()));
        used.text("--preset", self.mapping.preset.clone());
        used.text("--aliases", self.aliases.as_ref().map(|path| path.display()));
        used.once("--remember", self.mapping.remember);
        used.switch("--strict", self.mapping.strict);
        used.list("--match-on", &self.match_on);
        used.text("--date-format", self.date_format.clone());
        used.text("--decimal", self.decimal);
        used.text("--delimiter", self.delimiter.clone());
        used.text("--encoding", self.encoding.clone());
        used.text("--mode", (self.mode != Mode::default()).then_some(self.mode.as_str()));
        used.switch("--allow-duplicates", self.allow_duplicates);
        used.text("--blank", (self.blank != EmptyCells::default()).then_some(self.blank.as_str()));
        let fractions = self.fractional_cost;
        used.text("--fractional-cost", (fractions != FractionalCost::default()).then_some(fractions.as_str()));
        used
    }
}

/// Which sheets are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SheetFilter {
    /// Whatever they hold.
    Any,
    /// Those that name records of this collection. A sheet that is alone in its file, or named by the user, does.
    Only(&'static Entity),
}

/// Why a sheet is not read.
pub(super) enum SkipReason {
    /// It holds something else than what is wanted.
    NotWanted,
    /// Nothing says what it holds.
    Unknown(EntityDetectionError),
    Empty,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::NotWanted => formatter.write_str("it holds something else"),
            SkipReason::Unknown(reason) => reason.fmt(formatter),
            SkipReason::Empty => formatter.write_str("it is empty"),
        }
    }
}

/// The options, parsed.
pub(super) struct ParsedOptions<'a> {
    pub(super) options: &'a InputOptions,
    pub(super) filter: SheetFilter,
    pub(super) read: ReadOptions,
    pub(super) rules: Rules,
    entity: Option<&'static Entity>,
    overrides: Vec<MappingOverride>,
    pub(super) flag_rules: Vec<FieldRule>,
    flag_skips: Vec<SkipRule>,
    mapping_files: Vec<MappingFile>,
}

impl<'a> ParsedOptions<'a> {
    pub(super) fn new(options: &'a InputOptions, filter: SheetFilter) -> Result<Self> {
        let mapping_files = mapping_files(&options.mapping)?;
        let in_file = mapping_files.iter().find_map(|file| file.entity);
        let entity = options.entity.as_deref().map(entity_named).transpose()?;
        if let (Some(asked), Some(in_file)) = (entity, in_file)
            && asked.name != in_file.name
        {
            return Err(Error::usage(
                format!("the mapping file is for `{}`, but --entity says `{}`", in_file.name, asked.name),
                "leave --entity out, or use another mapping file",
            ));
        }
        Ok(Self {
            options,
            filter,
            read: read_options(options)?,
            rules: rules(options)?,
            entity: entity.or(in_file),
            overrides: overrides(&options.mapping)?,
            flag_rules: flag_rules(&options.mapping)?,
            flag_skips: flag_skips(&options.mapping)?,
            mapping_files,
        })
    }

    /// The sheets to read: those named, else the visible ones.
    pub(super) fn sheets_of(&self, workbook: &Workbook, input: &Input) -> Result<Vec<usize>> {
        let sheets = workbook.sheets();
        if self.options.sheets.is_empty() {
            let is_visible = |index: &usize| sheets[*index].visibility == Visibility::Visible;
            return Ok((0..sheets.len()).filter(is_visible).collect());
        }
        let names: Vec<Option<&str>> = sheets.iter().map(|sheet| sheet.name.as_deref()).collect();
        // A file that is a single table is called like the file, in messages and in JSON.
        let stem = input.stem();
        let labels: Vec<Option<&str>> = names.iter().map(|name| name.or(Some(&stem))).collect();
        let mut positions = Vec::new();
        for wanted in &self.options.sheets {
            positions.push(position_of(wanted, &labels).ok_or_else(|| no_such_sheet(wanted, &names, input))?);
        }
        positions.sort_unstable();
        positions.dedup();
        Ok(positions)
    }

    /// The hidden sheets that were not asked for.
    pub(super) fn hidden_sheets(&self, workbook: &Workbook) -> Vec<usize> {
        if !self.options.sheets.is_empty() {
            return Vec::new();
        }
        let sheets = workbook.sheets();
        (0..sheets.len()).filter(|index| sheets[*index].visibility != Visibility::Visible).collect()
    }

    /// What a sheet holds; `alone` is the only one there is.
    pub(super) fn detect_entity(
        &self,
        sheet: Option<&str>,
        stem: &str,
        rows: &[Row],
        alone: bool,
    ) -> std::result::Result<DetectedEntity, SkipReason> {
        let detected = || {
            let found = match self.mapping_file() {
                Some(file) => file.detect_entity((sheet, stem), rows, alone),
                None => detect_entity(sheet, stem, rows),
            };
            found.map_err(SkipReason::Unknown)
        };
        let given = |entity| Ok(DetectedEntity { entity, overruled: None });
        match (self.filter, self.entity) {
            (SheetFilter::Only(entity), _) if alone || !self.options.sheets.is_empty() => given(entity),
            (SheetFilter::Only(entity), _) if detected()?.entity.name == entity.name => given(entity),
            (SheetFilter::Only(_), _) => Err(SkipReason::NotWanted),
            (SheetFilter::Any, Some(entity)) => given(entity),
            (SheetFilter::Any, None) => detected(),
        }
    }

    /// The file of `--mapping`.
    fn mapping_file(&self) -> Option<&MappingFile> {
        self.mapping_files.first().filter(|_| self.options.mapping.file.is_some())
    }

    /// The preset that the mapping file is a copy of, for an entity.
    pub(super) fn copied_preset(&self, entity: &Entity) -> Option<&'static Preset> {
        self.mapping_file()?.copied_preset(entity)
    }

    /// The preset that `--preset` or the mapping file names, for an entity.
    pub(super) fn named_preset(&self, entity: &Entity) -> Option<&'static Preset> {
        let in_file = self.mapping_file().and_then(|file| file.preset.as_deref());
        let named = self.options.mapping.preset.as_deref().or(in_file).and_then(|name| Preset::find(name).ok());
        named.or_else(|| self.copied_preset(entity))
    }

    /// The header row that the mapping file was made for.
    pub(super) fn row_of_mapping_file(&self, entity: &'static Entity, rows: &[Row]) -> Option<usize> {
        let fit = self.mapping_file()?.fit(entity, rows)?;
        fit.is_most().then_some(fit.row)
    }

    /// Whether the mapping file is about any of the sheets, of which the header rows are given.
    ///
    /// # Errors
    /// Where it is about other collections only: the sheets were read as something that nobody said.
    pub(super) fn validate_mapping_file<'s>(
        &self,
        sheets: impl Iterator<Item = (&'static Entity, &'s Row)>,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let (Some(file), Some(path)) = (self.mapping_file(), &self.options.mapping.file) else { return Ok(()) };
        let (about, others): (Vec<_>, Vec<_>) = sheets.partition(|(entity, _)| file.is_about(entity));
        let unused = format!("nothing of the mapping file `{}` is used", path.display());
        let tables = file.table_entities();
        if let (true, Some((entity, _)), Some(table)) = (about.is_empty(), others.first(), tables.first()) {
            let names: Vec<String> = tables.iter().map(|table| format!("`{}`", table.name)).collect();
            return Err(Error::usage(
                format!("{unused}: it is for {}, and what is read is `{}`", names.join(", "), entity.name),
                format!("pass --entity {} if that is what the file holds, or leave --mapping out", table.name),
            ));
        }
        if !about.is_empty() && !about.iter().any(|(entity, header)| file.is_used(entity, header)) {
            observer.on_note(&format!("{unused}: no sheet has a header that it names"));
        }
        Ok(())
    }

    /// The export that the rows of a sheet begin with. A mapping file or `--preset` says what a file is, and `--entity` what
    /// it is not.
    pub(super) fn recognize(&self, rows: &[Row]) -> Recognition {
        let is_open = self.options.mapping.preset.is_none() && self.mapping_files.is_empty();
        let recognition = if is_open { recognize(rows) } else { Recognition::default() };
        let wanted = match self.filter {
            SheetFilter::Only(entity) => Some(entity),
            SheetFilter::Any => self.entity,
        };
        let is_other = |found: &Recognized| wanted.is_some_and(|entity| entity.name != found.entity.name);
        if recognition.found.as_ref().is_some_and(is_other) { Recognition::default() } else { recognition }
    }

    /// The mapping that is remembered for one of the rows, and the position of that row. A mapping file or `--preset` says
    /// what a file is, and `--entity` or the name of the sheet or file what it is not.
    ///
    /// # Errors
    /// Where it is damaged.
    pub(super) fn remembered(
        &self,
        (sheet, stem): (Option<&str>, &str),
        rows: &[Row],
    ) -> Result<std::result::Result<Option<(usize, RememberedMapping)>, SkipReason>> {
        let is_open = self.options.mapping.preset.is_none() && self.mapping_files.is_empty();
        let is_open = is_open && matches!(self.filter, SheetFilter::Any);
        let Some(store) = self.options.mapping.remembered.as_ref().filter(|_| is_open) else { return Ok(Ok(None)) };
        for (index, row) in rows.iter().enumerate() {
            let Some(fingerprint) = HeaderFingerprint::of(row) else { continue };
            let found = store.find(&fingerprint)?;
            let chosen = match self.entity {
                Some(entity) => Ok(found.into_iter().find(|known| known.entity.name == entity.name)),
                None => choose_remembered(found, (sheet, stem), rows),
            };
            match chosen {
                Ok(None) => {}
                Ok(Some(found)) => return Ok(Ok(Some((index, found)))),
                Err(reason) => return Ok(Err(SkipReason::Unknown(reason))),
            }
        }
        Ok(Ok(None))
    }

    pub(super) fn overrides(
        &self,
        entity: &'static Entity,
        header: &Row,
        recognized: Option<&Recognized>,
        remembered: Option<&RememberedMapping>,
    ) -> MappingOverrides {
        let kept = remembered.map(|known| &known.mapping).or(recognized.map(|known| &known.file));
        let translated: Vec<Cow<'_, MappingFile>> =
            self.mapping_files.iter().chain(kept).map(|file| file.in_language_of(header)).collect();
        let files = || translated.iter();
        let saved = files().flat_map(|file| file.overrides(entity));
        let purpose = match self.filter {
            SheetFilter::Any => ReadPurpose::Write,
            SheetFilter::Only(_) => ReadPurpose::Lookup,
        };
        let mut map = self.overrides.iter().cloned().chain(saved).collect();
        let rules = files().flat_map(|file| file.rules(entity));
        let mut rules = self.flag_rules.iter().cloned().chain(rules).collect();
        let mut further: Vec<FurtherRecords> = Vec::new();
        let assignment = split_assignment(entity, &mut map, &mut rules, today());
        if purpose == ReadPurpose::Write {
            files().flat_map(|file| file.also(entity)).for_each(|records| records.add_to(&mut further));
            further.extend(assignment);
        }
        let skips = files().flat_map(|file| file.skips(entity));
        let skips = self.flag_skips.iter().cloned().chain(skips).collect();
        let flags = TextFormats { date: self.options.date_format.clone(), decimal: self.options.decimal };
        let formats = files().fold(flags, |formats, file| formats.or(&file.formats(entity)));
        let strict = self.options.mapping.strict;
        let is_lenient = remembered.is_some() || files().any(|file| file.is_preset);
        MappingOverrides { map, rules, skips, formats, further, strict, is_lenient, purpose }
    }

    /// A field that no column is mapped to finds no record, and every row would be taken for a new one.
    pub(super) fn validate_match_columns(&self, place: &str, mapping: &Mapping) -> Result<()> {
        let is_there = |name: &str| match name {
            "id" | "_id" => mapping.columns.iter().any(|column| matches!(column.target, ColumnTarget::Id(_))),
            name => mapping.feeds(name),
        };
        let names = self.options.match_on.iter().map(|name| name.trim());
        let Some(lacking) = names.filter(|_| mapping.entity.is_collection()).find(|name| !is_there(name)) else {
            return Ok(());
        };
        Err(Error::usage(
            format!("{place}: no column is mapped to `{lacking}`, so --match-on cannot find records by it"),
            format!("add the column, map one with --map 'Header={lacking}', or match on another field"),
        ))
    }

    /// The fields that say "the same record": those of --match-on where the collection has them, else its natural key.
    pub(super) fn match_on(&self, entity: &'static Entity) -> Result<Vec<&'static str>> {
        if self.options.match_on.is_empty() || entity.is_action() {
            return Ok(entity.key.to_vec());
        }
        let fields = self.options.match_on.iter().filter(|name| !matches!(name.trim(), "id" | "_id"));
        let field = |name: &String| {
            entity.field(name.trim()).map(|field| field.name).ok_or_else(|| {
                Error::usage(
                    format!("`{}` has no field `{name}` to match on", entity.name),
                    format!("`tallyport schema {}` lists the fields", entity.name),
                )
            })
        };
        fields.map(field).collect()
    }
}

/// The required fields that no column is mapped to, where that keeps every row from being written: an action needs them all,
/// and a row of a collection has to say which record it means.
pub(super) fn missing_fields(
    mapping: &Mapping,
    match_on: &[&'static str],
    preset: Option<&'static Preset>,
    parsed: &ParsedOptions<'_>,
) -> Vec<MappingError> {
    if matches!(parsed.filter, SheetFilter::Only(_)) {
        return Vec::new();
    }
    let entity = mapping.entity;
    let says_record = mapping.id_column().is_some() || match_on.first().is_some_and(|name| mapping.feeds(name));
    let not_understood = mapping.not_understood();
    let error = |field: &'static str| MappingError::MissingField { field, not_understood: not_understood.clone() };
    if let Some(preset) = preset.filter(|_| says_record && parsed.rules.mode != Mode::Update) {
        let fields: Vec<&'static str> = mapping.unfed_fields().map(|field| field.name).collect();
        let lacks = MappingError::ExportLacks { title: preset.title, fields };
        return if mapping.unfed_fields().next().is_some() { vec![lacks] } else { Vec::new() };
    }
    if entity.is_collection() && says_record {
        return Vec::new();
    }
    if entity.is_collection() && parsed.rules.mode == Mode::Update {
        return match_on.first().map(|name| error(name)).into_iter().collect();
    }
    mapping.unfed_fields().map(|field| error(field.name)).collect()
}

/// Every sheet has to say which records it means.
pub(super) fn validate_keys(sheet: &MappedSheet, label: &str) -> Result<()> {
    let mapping = &sheet.mapping;
    let has_key = sheet.match_on.first().is_some_and(|name| mapping.feeds(name));
    let ids = mapping.columns.iter().find(|column| matches!(column.target, ColumnTarget::Id(_)));
    let hint = match (ids, sheet.match_on.first()) {
        (Some(_), _) if mapping.id_ownership() == IdOwnership::Verified => return Ok(()),
        _ if has_key => return Ok(()),
        (Some(column), _) => {
            let flag = shell::flag("--map", &format!("{}=_id", column.header));
            format!("add {flag} if that column holds this account's own ids")
        }
        (None, Some(name)) => format!("add a column `{name}` or `_id`, or map one with --map 'Header={name}'"),
        (None, None) => String::from("add a column `_id`, or map one with --map 'Header=_id'"),
    };
    Err(Error::usage(format!("no column of {label} says which records are meant"), hint))
}

/// The sheet of that name, exactly or after folding.
fn position_of(wanted: &str, names: &[Option<&str>]) -> Option<usize> {
    let folded = schema::fold_header(wanted);
    let is_alike = |name: &Option<&str>| name.is_some_and(|name| schema::fold_header(name) == folded);
    names.iter().position(|name| *name == Some(wanted)).or_else(|| names.iter().position(is_alike))
}

fn no_such_sheet(wanted: &str, names: &[Option<&str>], input: &Input) -> Error {
    let names: Vec<&str> = names.iter().filter_map(|name| *name).collect();
    let hint = if names.is_empty() {
        String::from("leave --sheet out: the file is a single table")
    } else {
        format!("its sheets are: {}", names.join(", "))
    };
    Error::usage(format!("{} has no sheet `{wanted}`", input.name()), hint)
}

fn read_options(options: &InputOptions) -> Result<ReadOptions> {
    let delimiter = options.delimiter.as_deref().map(|text| {
        Delimiter::parse(text)
            .ok_or_else(|| Error::usage(format!("`{text}` is not a delimiter"), "use `,`, `;`, `|` or `tab`"))
    });
    let encoding = options.encoding.as_deref().map(|text| {
        Encoding::parse(text).ok_or_else(|| {
            Error::usage(
                format!("`{text}` is not an encoding"),
                "use a name such as utf-8, windows-1252, utf-16le or shift_jis",
            )
        })
    });
    Ok(ReadOptions { delimiter: delimiter.transpose()?, encoding: encoding.transpose()? })
}

fn rules(options: &InputOptions) -> Result<Rules> {
    let date_format = options
        .date_format
        .as_deref()
        .map(|pattern| DateFormat::parse(pattern).map_err(|error| Error::usage(error.to_string(), DATE_FORMAT_HINT)));
    let decimal = options.decimal.map(|mark| {
        let unknown = || Error::usage(format!("`{mark}` is not a decimal mark"), "use `,` or `.`");
        DecimalMark::of_char(mark).ok_or_else(unknown)
    });
    Ok(Rules {
        mode: options.mode,
        blank: options.blank,
        fraction: options.fractional_cost,
        date_format: date_format.transpose()?,
        decimal: decimal.transpose()?,
        repeats: Repeats::default(),
        duplicates: if options.allow_duplicates { Duplicates::Allowed } else { Duplicates::Refused },
        conflicts: None,
        aliases: Arc::default(),
    })
}

pub(super) const DATE_FORMAT_HINT: &str = "write it with D, M and Y, such as DD.MM.YYYY, MM/DD/YY or D MMM YYYY";

/// What `--preset` says to recognize nothing.
const NO_PRESET: &str = "none";

/// The mapping file and the preset, in the order of their weight. `--preset` goes before the file's own.
fn mapping_files(options: &MappingOptions) -> Result<Vec<MappingFile>> {
    let mut files: Vec<MappingFile> = Vec::new();
    if let Some(path) = &options.file {
        files.push(MappingFile::read(path)?);
    }
    let preset = options.preset.clone().or_else(|| files.first().and_then(|file| file.preset.clone()));
    if let Some(name) = preset.filter(|name| name != NO_PRESET) {
        files.push(MappingFile::preset(&name)?);
    }
    Ok(files)
}

fn overrides(options: &MappingOptions) -> Result<Vec<MappingOverride>> {
    let mapped = options.map.iter().map(|text| {
        let (header, target) = text.rsplit_once('=').ok_or_else(|| {
            let flag = shell::flag("--map", text);
            Error::usage(format!("{flag} does not name a field"), "write it as --map 'Header=field'")
        })?;
        check_braces(text, header, target)?;
        Ok(MappingOverride { header: header.to_owned(), target: target.to_owned(), source: MappingSource::CommandLine })
    });
    let ignored = options.ignore.iter().map(|header| {
        Ok(MappingOverride { header: header.clone(), target: String::new(), source: MappingSource::CommandLine })
    });
    mapped.chain(ignored).collect()
}

/// Folded, `{Name` would be the header `Name`. Nothing is joined in a column that is ignored.
fn check_braces(text: &str, header: &str, target: &str) -> Result<()> {
    match JoinTemplate::parse(header) {
        Err(error @ (JoinError::Unpaired | JoinError::Empty)) if !target.trim().is_empty() => {
            let hint = "write headers in braces: --map '{First name} {Last name}=field'; {{ and }} are braces";
            Err(Error::usage(format!("{}: {error}", shell::flag("--map", text)), hint))
        }
        _ => Ok(()),
    }
}

fn today() -> jiff::civil::Date {
    jiff::tz::TimeZone::system().to_datetime(jiff::Timestamp::now()).date()
}

/// Where a header is wrong: `assets.xlsx, sheet `Laptops``.
pub(super) fn place_of(input: &Input, sheet: Option<&str>) -> String {
    match sheet {
        Some(sheet) => format!("{}, sheet `{sheet}`", input.name()),
        None => input.name(),
    }
}
