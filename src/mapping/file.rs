//! Saved mappings and presets: TOML, a table per collection or action.
//!
//! ```toml
//! [assets]
//! "Tag No" = "asset_id"
//! "Rack" = "custom:Rack"
//! "Old remarks" = ""          # ignored
//! ```

use crate::error::Diagnostic;
use std::path::Path;

use super::headers::target_text;
use super::{ColumnTarget, Mapping, MappingOverride, MappingSource};
use crate::redact::{TomlMistake, is_plain_name};
use crate::schema::{self, Entity};

/// Presets by name: header words of another tool that the schema's aliases would misread.
const PRESETS: &[(&str, &str)] =
    &[("bluetally", include_str!("presets/bluetally.toml")), ("snipe-it", include_str!("presets/snipe-it.toml"))];

/// Headers and targets per entity, as saved.
#[derive(Debug, Clone, Default)]
pub(crate) struct MappingFile {
    tables: toml::Table,
    is_preset: bool,
}

/// An unusable mapping file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MappingFileError {
    #[error("could not read the mapping file `{path}`: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("invalid mapping file `{path}`: {message}")]
    Invalid { path: String, message: String },
    #[error("unknown preset `{name}`")]
    NoSuchPreset { name: String },
}

impl MappingFileError {
    /// What to do now.
    pub(crate) fn hint(&self) -> String {
        match self {
            MappingFileError::Unreadable { .. } => String::from("check the path"),
            MappingFileError::Invalid { .. } => {
                String::from("use a table per collection, `[assets]`, with lines such as `\"Tag No\" = \"asset_id\"`")
            }
            MappingFileError::NoSuchPreset { .. } => {
                let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
                format!("use one of: {}", names.join(", "))
            }
        }
    }
}

impl MappingFile {
    /// # Errors
    /// If the file cannot be read, is not TOML, or names something that the schema does not have.
    pub(crate) fn read(path: &Path) -> Result<Self, MappingFileError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| MappingFileError::Unreadable { path: shown.clone(), source })?;
        Self::parse(&text).map_err(|message| MappingFileError::Invalid { path: shown, message })
    }

    /// # Errors
    /// If there is no such preset.
    pub(crate) fn preset(name: &str) -> Result<Self, MappingFileError> {
        let text = PRESETS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
            .ok_or_else(|| MappingFileError::NoSuchPreset { name: name.to_owned() })?;
        let file = Self::parse(text).map_err(|message| MappingFileError::Invalid { path: name.to_owned(), message })?;
        Ok(Self { is_preset: true, ..file })
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // Somebody may name the file with the key by mistake: its lines are not shown.
        let mistake = |error: toml::de::Error| TomlMistake::new(text, &error).described();
        let tables: toml::Table = text.parse().map_err(mistake)?;
        for (name, table) in &tables {
            if schema::find(name).is_none() {
                let name = if is_plain_name(name) { name } else { "***" };
                return Err(format!("`{name}` is not a collection or action"));
            }
            let table = table.as_table().ok_or_else(|| format!("`{name}` must be a table, `[{name}]`"))?;
            if let Some((header, _)) = table.iter().find(|(_, target)| target.as_str().is_none()) {
                return Err(format!("the target of `{header}` must be a text in quotes"));
            }
        }
        Ok(Self { tables, is_preset: false })
    }

    /// The file's entries for an entity.
    pub(crate) fn overrides(&self, entity: &Entity) -> Vec<MappingOverride> {
        let source = if self.is_preset { MappingSource::Preset } else { MappingSource::MappingFile };
        let tables =
            self.tables.iter().filter(|(name, _)| schema::find(name).is_some_and(|known| known.name == entity.name));
        tables
            .filter_map(|(_, table)| table.as_table())
            .flatten()
            .filter_map(|(header, target)| {
                let target = target.as_str()?.to_owned();
                Some(MappingOverride { header: header.clone(), target, source })
            })
            .collect()
    }

    /// Adds a mapping in use.
    pub(crate) fn add(&mut self, mapping: &Mapping) {
        let known = self.tables.remove(mapping.entity.name);
        let mut table = known.and_then(|known| known.as_table().cloned()).unwrap_or_default();
        for column in mapping.sheet_columns() {
            if matches!(column.target, ColumnTarget::Result(_)) {
                continue;
            }
            // An empty text ignores the column.
            let target = target_text(mapping.entity, &column.target).unwrap_or_default();
            table.insert(column.header.clone(), toml::Value::String(target));
        }
        self.tables.insert(mapping.entity.name.to_owned(), toml::Value::Table(table));
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        format!("# Which column feeds which field. `tallyport import FILE --mapping THIS` uses it.\n\n{}", self.tables)
    }
}

impl Diagnostic for MappingFileError {
    fn hint(&self) -> Option<String> {
        Some(MappingFileError::hint(self))
    }
}
