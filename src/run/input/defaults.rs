//! `--default 'field=VALUE'`: a value for rows that have none.

use super::options::ParsedOptions;
use crate::check::default_cell;
use crate::error::{Error, Result};
use crate::mapping::{ColumnTarget, Mapping, default_target};
use crate::schema::Entity;

/// One `--default`, split.
pub(super) struct DefaultOption<'a> {
    field: &'a str,
    value: &'a str,
}

impl<'a> DefaultOption<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let (field, value) = text.split_once('=').ok_or_else(|| {
            Error::usage(
                format!("--default '{text}' does not say a value"),
                "write it as --default 'field=VALUE', such as --default currency=EUR",
            )
        })?;
        Ok(Self { field: field.trim(), value: value.trim() })
    }
}

impl ParsedOptions<'_> {
    /// Adds the defaults to the mapping of a sheet whose header has `width` cells; other sheets may have the fields that
    /// this one lacks.
    ///
    /// # Errors
    /// Where a value is none for its field, or the field tells the rows apart.
    pub(super) fn add_defaults(&self, mapping: &mut Mapping, width: usize) -> Result<()> {
        for DefaultOption { field, value } in &self.defaults {
            let Some(target) = default_target(mapping.entity, field) else { continue };
            if is_key(mapping.entity, &target) {
                return Err(Error::usage(
                    format!("--default '{field}={value}' would give several rows the same key"),
                    format!("fill in the column; `{field}` tells the records of {} apart", mapping.entity.name),
                ));
            }
            let cell = default_cell(mapping, &target, value, &self.rules).map_err(|error| {
                let hint = error.hint.clone().unwrap_or_else(|| "write it as --default 'field=VALUE'".into());
                Error::usage(format!("--default '{field}={value}': {}", error.message), hint)
            })?;
            mapping.add_default(field, target, cell, width);
        }
        Ok(())
    }

    /// A default has to concern one of the sheets, not each.
    pub(super) fn validate_defaults(&self, entities: impl Iterator<Item = &'static Entity>) -> Result<()> {
        let entities: Vec<&'static Entity> = entities.collect();
        let is_known = |field: &str| entities.iter().any(|entity| default_target(entity, field).is_some());
        let unknown = self.defaults.iter().find(|default| !is_known(default.field));
        let (Some(DefaultOption { field, value }), Some(entity)) = (unknown, entities.first()) else { return Ok(()) };
        Err(Error::usage(
            format!("--default '{field}={value}': `{}` has no field `{field}`", entity.name),
            format!("`tallyport schema {}` lists the fields", entity.name),
        ))
    }
}

/// Whether the field is the first of the collection's key.
fn is_key(entity: &Entity, target: &ColumnTarget) -> bool {
    matches!(target, ColumnTarget::Field { field, .. } if entity.key.first() == Some(&entity.fields[*field].name))
}
