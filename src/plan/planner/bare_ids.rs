//! Bare numbers in columns such as `status_id`: an export of another system has its own ids there, which must not be taken
//! for this account's.

use super::{Planner, SheetPlan, StepSink};
use crate::catalog::RecordRef;
use crate::check::{CheckedRow, Code, Problem, RemarkKind, ValueError, text};
use crate::mapping::{IdOwnership, Ids};
use crate::plan::resolver::{Resolved, ResolvedField, wire_value};
use crate::plan::step::WriteKind;
use crate::plan::target::RowDelta;
use crate::schema::{Reference, Wire, fold_name};
use crate::shell;
use crate::table::Row;

/// The reference fields that a row gives twice, by id and by name: the name confirms the id, or contradicts it, which is
/// a problem of its own.
pub(super) fn given_by_name_too(fields: &[ResolvedField]) -> Vec<usize> {
    let says_same_field = |one: &ResolvedField, other: &ResolvedField| {
        one.field == other.field && one.column != other.column && other.value != Resolved::Clear
    };
    let twice = fields.iter().filter(|given| fields.iter().any(|other| says_same_field(given, other)));
    twice.map(|given| given.field).collect()
}

impl<S: StepSink> Planner<'_, S> {
    /// Asks about the ids that a row would write and that nothing confirms. In a sheet with signs of another system they
    /// are problems; elsewhere they are remarked. `record`: what the row is about, which has what it has.
    pub(super) fn question_bare_ids(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        (delta, record, named): (&RowDelta, Option<RecordRef>, &[usize]),
        problems: &mut Vec<Problem>,
    ) {
        let is_foreign =
            sheet.mapping.has_foreign_ids() || checked.id.is_some_and(|id| id.ownership == IdOwnership::Unverified);
        for given in delta.edited.iter().filter(|given| !named.contains(&given.field)) {
            let cell = row.cell(given.column as usize).text;
            let is_known = || problems.iter().any(|problem| problem.column == Some(given.column));
            if !self.is_bare_id(sheet, given, text::trimmed(cell)) || self.is_of_record(sheet, given, record) {
                continue;
            }
            match is_foreign {
                true if is_known() => {}
                true => problems.push(foreign_id(sheet, given.column, cell)),
                false => checked.remark(RemarkKind::BareId, given.column as usize, text::trimmed(cell)),
            }
        }
    }

    /// Whether a cell names a record by nothing but a number that is its id, and nobody said that the column has ids.
    fn is_bare_id(&self, sheet: &SheetPlan<'_>, given: &ResolvedField, cell: &str) -> bool {
        let Resolved::Record(RecordRef::Known(id), reference) = given.value else { return false };
        let mapping = sheet.mapping;
        mapping.ids_in(given.column) == Some(Ids::Bare)
            && !mapping.is_vouched_for(given.column)
            && !mapping.is_derived(given.column as usize)
            && cell.parse() == Ok(id)
            && !self.is_tag(id, reference, cell)
    }

    /// Whether the number is the asset's tag.
    fn is_tag(&self, id: i64, reference: Reference, cell: &str) -> bool {
        let tag = wire_value(self.catalog, RecordRef::Known(id), reference).filter(|_| reference.wire == Wire::Tag);
        tag.is_some_and(|tag| tag.as_str().is_some_and(|tag| fold_name(tag) == fold_name(cell)))
    }

    /// Whether the record that the row is about has that reference already.
    fn is_of_record(&self, sheet: &SheetPlan<'_>, given: &ResolvedField, record: Option<RecordRef>) -> bool {
        let entity = sheet.mapping.entity;
        let Some(RecordRef::Known(id)) = record else { return false };
        let field = &entity.fields[given.field];
        let held = self.catalog.record(entity.name, id).and_then(|record| record.get(field.name));
        self.json(entity, given, WriteKind::Update(id)).is_some_and(|wanted| self.held(field, given, &wanted, held))
    }
}

fn foreign_id(sheet: &SheetPlan<'_>, column: u32, cell: &str) -> Problem {
    let header = sheet.mapping.header(column).unwrap_or_default();
    let field = sheet.mapping.field_of(column).map_or(header, |field| field.name);
    let error = ValueError::new(
        Code::IdForeign,
        "a number that may be another system's id; the sheet has other columns of ids that are not this account's",
        format!(
            "pass {} and add a column with the names, or {} if these are this account's own ids",
            shell::flag("--ignore", header),
            shell::flag("--map", &format!("{header}={field}"))
        ),
    );
    error.at(Some(column), cell)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::plan::scenario::Scenario;

    #[test]
    fn numbers_in_the_place_of_names_are_told_and_names_are_not() {
        let account = || {
            Scenario::new()
                .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
                .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
                .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
        };
        let told = |rows: &str| {
            let outcome = account().sheet("assets", &format!("asset_id|product_id|status_id\n{rows}")).plan();
            assert_eq!(outcome.steps.len(), 2);
            outcome.remarks.into_iter().filter(|remark| remark.contains("taken as ids")).count()
        };
        assert_eq!(told("A-1|X1|Ready\nA-2|X1|Ready"), 0);
        assert_eq!(told("A-1|1|Ready\nA-2|1|Ready"), 1, "of a column once");
        assert_eq!(told("A-1|1|1\nA-2|X1|Ready"), 2);
        assert_eq!(told("A-1|#1|#1\nA-2|X1|Ready"), 0, "marked as ids");
    }

    #[test]
    fn beside_ids_of_another_system_a_number_is_a_problem_unless_its_cell_has_one() {
        let account =
            Scenario::new().holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}])).holds(
                "products",
                json!([{"id": 1, "name": "X1", "category_id": 1}, {"id": 2, "name": "X2", "category_id": 1}]),
            );
        let outcome = account
            .sheet("products", "name|category_id|rack_id\nX3|1|7")
            .sheet("products", "category_id|rack_id\n1|7")
            .match_on(&["category_id"])
            .plan();
        let rejected = outcome.shown_rejections();
        assert_eq!(
            rejected[0],
            "reject id.foreign at B: a number that may be another system's id; the sheet has other columns of ids that are \
             not this account's"
        );
        assert!(rejected[1].starts_with("reject ") && !rejected[1].contains("id.foreign"), "{}", rejected[1]);
    }
}
