//! Values for rows that have none: `--default 'field=VALUE'`.
//!
//! A default is a column of its own behind those of the sheet, which only rows without a value fill. Everything that
//! follows a column to its field works as for columns of the sheet.

use super::headers::{self, HeaderAliases};
use super::{Column, ColumnTarget, Mapping, MappingOverride, MappingSource};
use crate::schema::Entity;
use crate::table::Value;

/// The value of rows that have none.
#[derive(Debug, Clone)]
pub(crate) struct FieldDefault {
    /// The column that it fills, behind those of the sheet; from 0.
    pub column: usize,
    /// The sheet's columns that feed the same field. Where one of them has a value, the default does not count.
    pub rivals: Vec<usize>,
    pub text: String,
    pub value: Value,
}

/// What a default for `field` feeds: a field by name or header word, a field of a referenced record, or a custom field.
/// None if the entity has no such field.
pub(crate) fn default_target(entity: &'static Entity, field: &str) -> Option<ColumnTarget> {
    let (header, target) = (field.to_owned(), field.to_owned());
    let entry = MappingOverride { header, target, source: MappingSource::CommandLine };
    let target = headers::apply_override(&HeaderAliases::new(entity), field, &entry).ok()?;
    let takes_defaults =
        matches!(target, ColumnTarget::Field { .. } | ColumnTarget::Related { .. } | ColumnTarget::Custom(_));
    takes_defaults.then_some(target)
}

impl Mapping {
    /// Adds a default behind the sheet's columns, of which there are at least `width`.
    pub(crate) fn add_default(
        &mut self,
        field: &str,
        target: ColumnTarget,
        (text, value): (String, Value),
        width: usize,
    ) {
        let rivals = self.columns.iter().filter(|column| feeds_same(&column.target, &target));
        let rivals = rivals.map(|column| column.index).collect();
        let column = self.columns.last().map_or(0, |last| last.index + 1).max(width);
        let header = format!("--default {field}");
        let source = MappingSource::CommandLine;
        self.columns.push(Column { index: column, header, target, source });
        self.defaults.push(FieldDefault { column, rivals, text, value });
    }

    /// Whether a column is a default's, and so not in the sheet.
    pub(crate) fn is_default(&self, column: usize) -> bool {
        self.defaults.iter().any(|default| default.column == column)
    }

    /// The columns that the sheet itself has.
    pub(crate) fn sheet_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !self.is_default(column.index))
    }
}

fn feeds_same(one: &ColumnTarget, other: &ColumnTarget) -> bool {
    match (one, other) {
        (ColumnTarget::Field { field, .. }, ColumnTarget::Field { field: rival, .. }) => field == rival,
        _ => one == other,
    }
}
