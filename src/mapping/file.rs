//! Saved mappings and presets: TOML, a table per collection or action.
//!
//! ```toml
//! [assets]
//! "Tag No" = "asset_id"
//! "Rack" = "custom:Rack"
//! "Old remarks" = ""          # ignored
//! ```

use std::path::Path;

use super::{Binding, Mapping, To, Wish};
use crate::error::Diagnostic;
use crate::schema::{self, Entity};

/// Presets by name: header words of another tool, where the schema's own synonyms would mistake them.
const PRESETS: &[(&str, &str)] =
    &[("bluetally", include_str!("presets/bluetally.toml")), ("snipe-it", include_str!("presets/snipe-it.toml"))];

/// Header and target per entity, as saved.
#[derive(Debug, Clone, Default)]
pub struct MappingFile {
    tables: toml::Table,
}

/// A mapping file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingFileError {
    #[error("the mapping file `{path}` cannot be read: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("the mapping file `{path}` is not valid: {message}")]
    Invalid { path: String, message: String },
    #[error("there is no preset `{name}`")]
    NoSuchPreset { name: String },
}

impl MappingFileError {
    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            MappingFileError::Unreadable { .. } => String::from("see that the path is right"),
            MappingFileError::Invalid { .. } => String::from(
                "write a table per collection, `[assets]`, and in it lines such as `\"Tag No\" = \"asset_id\"`",
            ),
            MappingFileError::NoSuchPreset { .. } => {
                let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
                format!("use one of: {}", names.join(", "))
            }
        }
    }
}

impl MappingFile {
    /// # Errors
    /// Where the file cannot be read, is not TOML, or names what the schema does not have.
    pub fn read(path: &Path) -> Result<Self, MappingFileError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| MappingFileError::Unreadable { path: shown.clone(), source })?;
        Self::parse(&text).map_err(|message| MappingFileError::Invalid { path: shown, message })
    }

    /// # Errors
    /// Where there is no such preset.
    pub fn preset(name: &str) -> Result<Self, MappingFileError> {
        let text = PRESETS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
            .ok_or_else(|| MappingFileError::NoSuchPreset { name: name.to_owned() })?;
        Self::parse(text).map_err(|message| MappingFileError::Invalid { path: name.to_owned(), message })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let tables: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        for (name, table) in &tables {
            if schema::find(name).is_none() {
                return Err(format!("`{name}` is not a collection or action"));
            }
            let table = table.as_table().ok_or_else(|| format!("`{name}` must be a table, `[{name}]`"))?;
            if let Some((header, _)) = table.iter().find(|(_, target)| target.as_str().is_none()) {
                return Err(format!("the target of `{header}` must be a text in quotes"));
            }
        }
        Ok(Self { tables })
    }

    /// What the file says of an entity's columns.
    pub fn wishes(&self, entity: &Entity) -> Vec<Wish> {
        let tables =
            self.tables.iter().filter(|(name, _)| schema::find(name).is_some_and(|known| known.name == entity.name));
        tables
            .filter_map(|(_, table)| table.as_table())
            .flatten()
            .filter_map(|(header, target)| {
                let target = target.as_str()?.to_owned();
                Some(Wish { header: header.clone(), target, binding: Binding::Loose })
            })
            .collect()
    }

    /// Adds a mapping in use.
    pub fn add(&mut self, mapping: &Mapping) {
        let known = self.tables.remove(mapping.entity.name);
        let mut table = known.and_then(|known| known.as_table().cloned()).unwrap_or_default();
        for column in &mapping.columns {
            if let Some(target) = target_text(mapping.entity, &column.to) {
                table.insert(column.header.clone(), toml::Value::String(target));
            }
        }
        self.tables.insert(mapping.entity.name.to_owned(), toml::Value::Table(table));
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        format!("# Which column feeds which field. `tallyport import FILE --mapping THIS` uses it.\n\n{}", self.tables)
    }
}

fn target_text(entity: &Entity, to: &To) -> Option<String> {
    match to {
        To::Field { field, .. } => Some(entity.fields[*field].name.to_owned()),
        To::Related { field, related } => Some(format!("{}.{related}", entity.fields[*field].name)),
        To::Custom(name) => Some(format!("custom:{name}")),
        To::Id(_) => Some(String::from("_id")),
        To::Action => Some(String::from("_action")),
        To::Stamp(stamp) => Some(stamp.name().to_owned()),
        To::Result(_) => None,
        To::Ignored(_) => Some(String::new()),
    }
}

impl Diagnostic for MappingFileError {
    fn hint(&self) -> Option<String> {
        Some(MappingFileError::hint(self))
    }
}
