//! Mapping files and presets: TOML that says which column feeds which field, and how.
//!
//! ```toml
//! entity = "assets"
//! formats = { date = "DD.MM.YYYY", decimal = "," }
//! ignore = ["Old remarks"]
//!
//! [fields.asset_id]
//! first_of = ["Asset tag", "Serial number"]
//!
//! [custom."OS version"]
//! column = "OS"
//!
//! [[skip]]
//! column = "Ownership"
//! is = ["Personal"]
//! ```
//!
//! For several collections, the same stands below the name of each: `[assets.fields.asset_id]`, `[[assets.skip]]`. A
//! plain line there, `"Tag No" = "asset_id"` below `[assets]`, renames a header; an empty text ignores the column.

mod parse;
mod preset_copy;
mod table_fit;
mod write;

use std::borrow::Cow;
use std::path::Path;

use super::presets::{self, Languages, Preset};
use super::rule::{FieldRule, FurtherRecords, RuleSource, SkipRule, TextFormats};
use super::{MappingOverride, MappingSource};
use crate::error::Diagnostic;
use crate::schema::Entity;
use crate::table::Row;
use crate::text_file;

/// The most bytes of a mapping file; what is larger is something else.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// A mapping file, parsed.
#[derive(Debug, Clone, Default)]
pub(crate) struct MappingFile {
    /// What its sheets hold, where it says so.
    pub entity: Option<&'static Entity>,
    /// The preset that it starts from.
    pub preset: Option<String>,
    /// The presets that it is a copy of, changed or not.
    copies: Vec<(&'static Preset, MappingFile)>,
    /// Whether it is a preset or a copy of one, and so knows what its files have.
    pub is_preset: bool,
    /// Of a preset or its copy: its headers in other languages.
    languages: Option<Languages>,
    sections: Vec<Section>,
}

/// What a file says for one collection, or for any.
#[derive(Debug, Clone, Default)]
struct Section {
    entity: Option<&'static Entity>,
    overrides: Vec<MappingOverride>,
    rules: Vec<FieldRule>,
    skips: Vec<SkipRule>,
    formats: TextFormats,
    also: Vec<FurtherRecords>,
}

/// An unusable mapping file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MappingFileError {
    #[error("could not read the mapping file `{path}`: {source}")]
    Unreadable { path: String, source: std::io::Error },
    /// The text of the line is not shown: the file may be one with a key, named by mistake.
    #[error("{place}: {message}")]
    Invalid { place: String, message: String, hint: String },
    #[error("unknown preset `{name}`")]
    NoSuchPreset { name: String },
}

impl MappingFile {
    /// # Errors
    /// If the file cannot be read, is not TOML, or uses words that mapping files do not have.
    pub(crate) fn read(path: &Path) -> Result<Self, MappingFileError> {
        let shown = path.display().to_string();
        let unreadable = |source| MappingFileError::Unreadable { path: shown.clone(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
            let hint = String::from("name the mapping file, not the spreadsheet");
            return Err(MappingFileError::Invalid {
                place: shown,
                message: String::from("too large for a mapping file"),
                hint,
            });
        }
        let text = text_file::read(path).map_err(unreadable)?;
        Self::parse(&text, MappingSource::MappingFile, &shown)
    }

    /// # Errors
    /// If there is no such preset.
    pub(crate) fn preset(name: &str) -> Result<Self, MappingFileError> {
        let preset = Preset::find(name)?;
        let file = Self::parse(preset.text, MappingSource::Preset, &format!("preset {name}"))?;
        Ok(Self { languages: preset.languages(), is_preset: true, ..file })
    }

    /// The file with its headers in the language of a header row.
    pub(crate) fn in_language_of(&self, header: &Row) -> Cow<'_, Self> {
        let file = match self.languages.and_then(|languages| languages.of_header_row(header)) {
            Some(words) => Cow::Owned(self.with_headers(|header| words.of(header).to_owned())),
            None => Cow::Borrowed(self),
        };
        if self.copies.is_empty() { file } else { Cow::Owned(file.into_owned().with_origins(header)) }
    }

    fn with_headers(&self, other: impl Fn(&str) -> String) -> Self {
        let mut file = self.clone();
        for section in &mut file.sections {
            section.overrides.iter_mut().for_each(|entry| entry.header = other(&entry.header));
            let further = section.also.iter_mut().flat_map(|records| records.rules.iter_mut());
            for rule in section.rules.iter_mut().chain(further) {
                rule.source = rule.source.as_ref().map(|source| source.with_headers(&other));
            }
            let skipped = section.skips.iter_mut().flat_map(|skip| skip.headers.iter_mut());
            skipped.for_each(|header| *header = other(header));
        }
        file
    }

    fn sections(&self, entity: &Entity) -> impl Iterator<Item = &Section> {
        let name = entity.name;
        let own = self.entity;
        self.sections.iter().filter(move |section| section.entity.or(own).is_none_or(|known| known.name == name))
    }

    /// Every header that the file names for an entity's sheets.
    pub(crate) fn headers(&self, entity: &Entity) -> impl Iterator<Item = &str> {
        self.sections(entity).flat_map(|section| {
            let further = section.also.iter().flat_map(|records| &records.rules);
            let read = section.rules.iter().chain(further).filter_map(|rule| rule.source.as_ref());
            let skipped = section.skips.iter().flat_map(|skip| skip.headers.iter().map(String::as_str));
            let plain = section.overrides.iter().map(|entry| entry.header.as_str());
            plain.chain(read.flat_map(RuleSource::headers)).chain(skipped)
        })
    }

    /// The file's plain `Header=field` lines for an entity.
    pub(crate) fn overrides(&self, entity: &Entity) -> Vec<MappingOverride> {
        self.sections(entity).flat_map(|section| section.overrides.iter().cloned()).collect()
    }

    /// The file's rules for an entity.
    pub(crate) fn rules(&self, entity: &Entity) -> Vec<FieldRule> {
        self.sections(entity).flat_map(|section| section.rules.iter().cloned()).collect()
    }

    /// The rows of an entity's sheets that the file leaves out.
    pub(crate) fn skips(&self, entity: &Entity) -> Vec<SkipRule> {
        self.sections(entity).flat_map(|section| section.skips.iter().cloned()).collect()
    }
}

impl MappingFile {
    /// How the texts of an entity's sheets write dates and amounts.
    pub(crate) fn formats(&self, entity: &Entity) -> TextFormats {
        self.sections(entity).fold(TextFormats::default(), |formats, section| formats.or(&section.formats))
    }

    /// The further records that the file makes from the rows of an entity's sheets.
    pub(crate) fn also(&self, entity: &Entity) -> Vec<FurtherRecords> {
        self.sections(entity).flat_map(|section| section.also.iter().cloned()).collect()
    }
}

impl Diagnostic for MappingFileError {
    /// What to do now.
    fn hint(&self) -> Option<String> {
        Some(match self {
            MappingFileError::Unreadable { .. } => String::from("check the path"),
            MappingFileError::Invalid { hint, .. } => hint.clone(),
            MappingFileError::NoSuchPreset { name } => {
                let near: Vec<&str> = presets::named_like(name);
                match near.as_slice() {
                    [] => String::from("`tallyport presets` lists them"),
                    near => format!("did you mean `{}`? `tallyport presets` lists them", near.join("` or `")),
                }
            }
        })
    }
}

pub(crate) use write::MappingText;
pub(super) use write::copy_line;
