//! Names that a row goes without: their records are missing, and cannot be made from the row.

use super::{Planner, SheetPlan, target};
use crate::check::{CheckedRow, RemarkKind};
use crate::mapping::RecordOrigin;
use crate::plan::step::StepSink;
use crate::schema::Field;
use crate::table::Row;
use crate::unicode::revealed;

/// A name that a row goes without.
pub(super) struct LeftOutName {
    /// Index into the entity's fields.
    pub field: usize,
    /// From 0.
    pub column: u32,
    /// The collection that lacks the record.
    pub collection: &'static str,
    pub name: String,
}

impl LeftOutName {
    /// What a row says of it.
    fn note(&self, field: &Field, is_holder: bool) -> String {
        let Self { name, collection, .. } = self;
        let note = match is_holder {
            true => format!("not checked out to `{name}`: not found in {collection} or locations"),
            false => {
                let field = field.name.trim_end_matches("_id").replace('_', " ");
                format!("{field} left out: `{name}` not found in {collection}")
            }
        };
        revealed(&note).into_owned()
    }
}

impl<S: StepSink> Planner<'_, S> {
    /// Tells of the names that a row goes without, in its message and as remarks. Of a row that is not sent for another reason
    /// that one is told.
    pub(super) fn tell_left_out(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &mut CheckedRow,
        names: Vec<LeftOutName>,
        note: &mut String,
    ) {
        let (entity, is_assignment) = (sheet.mapping.entity, sheet.mapping.origin == RecordOrigin::Assignment);
        if self.is_withheld(sheet, row) || (is_assignment && self.link(sheet, row).is_none()) {
            return;
        }
        for left in names {
            // A row that is done and says what it said was told then.
            let is_told = checked.earlier.as_ref().is_some_and(|earlier| earlier.has_cell(row, left.column));
            if is_assignment && is_told {
                continue;
            }
            let field = &entity.fields[left.field];
            let is_holder = is_assignment && entity.holders().any(|holder| holder.name == field.name);
            target::add_note(note, &left.note(field, is_holder));
            let kind = RemarkKind::NameLeftOut { collection: left.collection, is_holder };
            checked.remark(kind, left.column as usize, &left.name);
        }
    }
}
