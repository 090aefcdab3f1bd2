//! Remembered mappings: what made a header row work once is used for every file with the same header row.
//!
//! A mapping is kept in the state folder, in a file of its own that is named after the fingerprint of the header row and the
//! collection: lists of several collections may have the same headers. It is a mapping file like any other, with a table
//! `[remembered]` that says what it was kept for:
//!
//! ```toml
//! entity = "assets"
//!
//! [remembered]
//! fingerprint = "5f0c7d1e9a3b2c4d"
//! date = "2026-11-28"
//! file = "devices.csv"
//! sheet = "Laptops"
//! columns = 12
//!
//! [assets]
//! "Tag No" = "asset_id"
//! ```

mod choice;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;

use jiff::civil::Date;
use ring::digest::{Context, SHA256};
use toml::{Table, Value};

use super::entity::named_entity;
use super::file::MappingFile;
use super::{Mapping, MappingSource, MappingText, TextFormats};
use crate::error::Diagnostic;
use crate::schema::{self, Entity, fold_name, is_secret_header};
use crate::table::Row;
pub(crate) use choice::choose_remembered;
pub(crate) use store::{RememberedMappings, StoredMapping};

/// The columns that a result puts in front: the header row is that of its input.
const RESULT_HEADERS: [&str; 3] = ["_status", "_id", "_message"];

/// The bytes of the digest that make a fingerprint, two digits each.
const FINGERPRINT_BYTES: usize = 8;

/// The digits of the fingerprint in a name.
const NAME_DIGITS: usize = 4;

/// The longest part of a name that comes from the file's name.
const LONGEST_STEM: usize = 40;

/// What tells one header row from another: the headers in their order, whatever their case and white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderFingerprint(String);

impl HeaderFingerprint {
    /// None of a row without headers.
    pub(crate) fn of(header: &Row) -> Option<Self> {
        let folded: Vec<String> = header.cells().map(|cell| fold_name(cell.text).into_owned()).collect();
        let end = folded.iter().rposition(|text| !text.is_empty())? + 1;
        let own = folded[..end].iter().filter(|text| !RESULT_HEADERS.contains(&text.as_str()));
        let mut digest = Context::new(&SHA256);
        let mut is_empty = true;
        for text in own {
            is_empty &= text.is_empty();
            digest.update(text.as_bytes());
            digest.update(b"\x1f");
        }
        let digits =
            digest.finish().as_ref().iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect();
        (!is_empty).then_some(Self(digits))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mapping to remember, and what it was made for.
#[derive(Debug)]
pub(crate) struct UnsavedMapping<'m> {
    pub(crate) header: &'m Row,
    pub(crate) mapping: &'m Mapping,
    /// Those of the further records that its rows make.
    pub(crate) further: Vec<&'m Mapping>,
    /// The preset in use.
    pub(crate) preset: Option<&'m str>,
    /// The name of the file without its extension, and with it.
    pub(crate) stem: &'m str,
    pub(crate) file: &'m str,
    /// None of a file that is a single table.
    pub(crate) sheet: Option<&'m str>,
    pub(crate) date: Date,
}

/// A remembered mapping.
#[derive(Debug)]
pub(crate) struct RememberedMapping {
    /// Such as `devices-5f0c`: what `mappings forget` takes.
    pub(crate) name: String,
    pub(crate) entity: &'static Entity,
    pub(crate) date: Date,
    /// The file that it was made for, and the sheet in it.
    pub(crate) file: String,
    pub(crate) sheet: Option<String>,
    pub(crate) columns: u64,
    pub(crate) preset: Option<String>,
    pub(crate) mapping: MappingFile,
}

/// Why a remembered mapping cannot be used or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RememberedMappingError {
    #[error("the remembered mapping `{path}` is damaged: {reason}")]
    Damaged { path: String, name: String, reason: String },
    #[error("cannot read the remembered mapping `{path}`: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("cannot delete the remembered mapping `{path}`: {source}")]
    Undeletable { path: String, source: std::io::Error },
    #[error("cannot make the folder `{path}` for remembered mappings: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error("no mapping is remembered as `{name}`")]
    NoSuchName { name: String, nearest: Option<String> },
    #[error("neither TALLYPORT_HOME nor a home folder to remember mappings in")]
    NoFolder,
}

impl Diagnostic for RememberedMappingError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Damaged { name, .. } => {
                format!("run `tallyport mappings forget {name}`, and pass --remember with the flags again")
            }
            Self::NoSuchName { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`? `tallyport mappings` lists them")
            }
            Self::NoSuchName { nearest: None, .. } => String::from("`tallyport mappings` lists them"),
            Self::Unreadable { .. } | Self::Undeletable { .. } => String::from("check the permissions of the file"),
            Self::Folder { .. } | Self::NoFolder => {
                String::from("set TALLYPORT_HOME to a folder this user can write to")
            }
        })
    }
}

impl UnsavedMapping<'_> {
    /// The text of the file, for a name. Texts beside what looks like a password are left out.
    fn to_text(&self, fingerprint: &HeaderFingerprint, name: &str) -> String {
        let mapping = self.mapping.without_secrets();
        let mut text = MappingText::default();
        text.add(&mapping);
        for further in &self.further {
            text.add_further(mapping.entity, &further.without_secrets());
        }
        let columns = self.mapping.sheet_columns().count();
        let mut about = Table::new();
        about.insert(String::from("fingerprint"), Value::from(fingerprint.as_str()));
        about.insert(String::from("name"), Value::from(name));
        about.insert(String::from("date"), Value::from(self.date.to_string()));
        about.insert(String::from("file"), Value::from(self.file));
        if let Some(sheet) = self.sheet {
            about.insert(String::from("sheet"), Value::from(sheet));
        }
        about.insert(String::from("columns"), Value::from(i64::try_from(columns).unwrap_or(i64::MAX)));
        if let Some(preset) = self.preset {
            about.insert(String::from("preset"), Value::from(preset));
        }
        let mut head = Table::new();
        head.insert(String::from("entity"), Value::from(mapping.entity.name));
        head.insert(String::from("remembered"), Value::Table(about));
        format!("{head}{}", text.to_tables())
    }

    /// Letters and digits of the file's name, and the beginning of the fingerprint; the collection, too, where another
    /// mapping is called so.
    fn name(&self, fingerprint: &HeaderFingerprint, is_taken: impl Fn(&str) -> bool) -> String {
        let digits = &fingerprint.as_str()[..NAME_DIGITS];
        let stem: String = self.stem.chars().take(LONGEST_STEM).collect();
        let stem = Some(plain_words(&stem)).filter(|stem| !stem.is_empty());
        let stem = stem.unwrap_or_else(|| String::from("mapping"));
        let name = format!("{stem}-{digits}");
        if is_taken(&name) { format!("{stem}-{}-{digits}", plain_words(self.mapping.entity.name)) } else { name }
    }
}

/// The letters and digits of a text, with hyphens in place of everything else.
fn plain_words(text: &str) -> String {
    let plain = |char: char| if char.is_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let plain: String = text.chars().map(plain).collect();
    plain.split('-').filter(|word| !word.is_empty()).collect::<Vec<&str>>().join("-")
}

/// The table `[remembered]`.
#[derive(Debug, serde::Deserialize)]
struct About {
    fingerprint: String,
    name: String,
    date: String,
    file: String,
    sheet: Option<String>,
    columns: u64,
    preset: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Head {
    entity: String,
    remembered: About,
}

impl RememberedMapping {
    /// Reads the text of a file that should be for that fingerprint and, if its name has one, that collection.
    ///
    /// # Errors
    /// What is wrong with it.
    fn parse(text: &str, fingerprint: &str, of: Option<&str>) -> Result<Self, String> {
        let head: Head = toml::from_str(text).map_err(|error| crate::redact::TomlMistake::new(text, &error).reason)?;
        let Head { entity, remembered: About { fingerprint: own, name, date, file, sheet, columns, preset } } = head;
        if own != fingerprint {
            return Err(String::from("it belongs to another header row"));
        }
        if of.is_some_and(|name| name != entity) {
            return Err(format!("it is for {entity}, and its name says otherwise"));
        }
        if name.is_empty() || !name.chars().all(|char| char.is_alphanumeric() || char == '-') {
            return Err(String::from("its name has characters that no name has"));
        }
        let date = date.parse().map_err(|_| String::from("its date is invalid"))?;
        let entity = schema::find(&entity).ok_or_else(|| String::from("it is for no known collection or action"))?;
        let place = format!("remembered mapping {name}");
        let mapping = MappingFile::parse(text, MappingSource::Remembered, &place).map_err(|error| error.to_string())?;
        Ok(Self { name, entity, date, file, sheet, columns, preset, mapping })
    }

    /// What the name of the sheet or file says that it was made for, whatever it was made for.
    fn named(&self) -> Option<&'static Entity> {
        let stem = Path::new(&self.file).file_stem().unwrap_or_default();
        named_entity(self.sheet.as_deref(), &stem.to_string_lossy())
    }

    /// That it is in use, and how to get rid of it.
    pub(crate) fn remark(&self) -> String {
        let Self { name, date, file, .. } = self;
        format!("mapping remembered on {date} from {file}; `tallyport mappings forget {name}` forgets it")
    }
}

impl Mapping {
    /// Without the rules that hold texts of fields for passwords; no rule reads a column of them.
    fn without_secrets(&self) -> Self {
        let mut kept = self.clone();
        let secret: Vec<usize> = (self.derived.iter())
            .filter(|derived| {
                is_secret_header(derived.rule.target.strip_prefix("custom:").unwrap_or(&derived.rule.target))
            })
            .map(|derived| derived.column)
            .collect();
        kept.derived.retain(|derived| !secret.contains(&derived.column));
        kept.columns.retain(|column| !secret.contains(&column.index));
        kept
    }

    /// Whether anything but the schema says what its columns are.
    pub(crate) fn is_made_by_user(&self) -> bool {
        let is_said = |source: MappingSource| source != MappingSource::Schema;
        self.columns.iter().any(|column| is_said(column.source))
            || self.derived.iter().any(|derived| is_said(derived.rule.origin.source))
            || !self.skips.is_empty()
            || self.formats != TextFormats::default()
    }
}
