//! Deletions: planned where their rows are, and sent after everything else, so that what no longer refers to a record frees
//! it first. Rows that name a record which the run deletes are problems.

use super::{Planner, SheetPlan};
use crate::catalog::RecordRef;
use crate::check::{Code, Problem, ValueError};
use crate::plan::missing::DependencyRecord;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::step::{RowId, Step, StepRole, StepSink, WriteKind};
use crate::plan::{RowDecision, order};
use crate::schema::{self, Entity, Reference, Role, Verb};
use crate::table::Row;

/// The deletion of a row's record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlannedDeletion {
    row: RowId,
    entity: &'static Entity,
    record: i64,
}

impl<S: StepSink> Planner<'_, S> {
    /// Plans the deletion of a row's record.
    pub(super) fn delete(&mut self, sheet: &SheetPlan<'_>, row: &Row, record: i64) -> RowDecision {
        let id = RowId { sheet: sheet.index, row: row.number };
        self.deletions.push(PlannedDeletion { row: id, entity: sheet.mapping.entity, record });
        RowDecision::Delete(record)
    }

    /// Adds the steps of the planned deletions: of records that refer to others before those.
    ///
    /// # Errors
    /// If a step cannot be stored.
    pub(crate) fn push_deletions(&mut self) -> Result<(), S::Error> {
        let mut deletions = std::mem::take(&mut self.deletions);
        deletions.sort_by_key(|deletion| std::cmp::Reverse(order::rank(deletion.entity)));
        for PlannedDeletion { row, entity, record } in deletions {
            let write = WriteKind::Delete(record);
            let mut step = Step::new(self.steps.count(), row, StepRole::Row, entity, write);
            step.before = self.before(entity, write, &[], &step);
            // As the run itself leaves it: anything else would look like the change of somebody else.
            step.before.iter_mut().for_each(|before| before.extend(self.moved.fields_left(entity, record)));
            self.count(entity, write, &step);
            self.steps.push(&step)?;
        }
        Ok(())
    }

    /// The problems of what a row names although an earlier row deletes it: `fields` of its own, and the records that are
    /// made for it. A check-in frees the item and who has it.
    pub(super) fn names_of_deleted(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        fields: &[ResolvedField],
        missing: &[(usize, DependencyRecord)],
    ) -> Vec<Problem> {
        let entity = sheet.mapping.entity;
        let is_checkin = entity.role == Role::Action(Verb::Checkin);
        let is_kept = |field: usize| !is_checkin || entity.fields[field].sets.is_some();
        let own = fields.iter().filter(|given| is_kept(given.field)).filter_map(|given| match given.value {
            Resolved::Record(target, reference) => Some((Some(given.column), reference, target)),
            _ => None,
        });
        let of_missing = missing.iter().filter(|(field, _)| is_kept(*field)).flat_map(|(field, record)| {
            let column = sheet.mapping.column_of(entity.fields[*field].name);
            record.references().into_iter().map(move |(reference, target)| (column, reference, target))
        });
        let problem = |(column, reference, target): (Option<u32>, Reference, RecordRef)| {
            let error = self.deleted(sheet, reference, target)?;
            Some(error.at(column, column.map_or("", |column| row.cell(column as usize).text)))
        };
        own.chain(of_missing).filter_map(problem).collect()
    }

    fn deleted(&self, sheet: &SheetPlan<'_>, reference: Reference, target: RecordRef) -> Option<ValueError> {
        let RecordRef::Known(id) = target else { return None };
        let deleting = self.locks.deletion((reference.to, id))?;
        let name = self.catalog.describe(reference.to, target);
        let singular = schema::collection(reference.to).map_or(reference.to, |entity| entity.singular);
        Some(ValueError::new(
            Code::RecordContradicted,
            format!("{} deletes the {singular} `{name}`", self.locks.row_name(deleting, sheet.index)),
            format!("name another {singular}, or leave out the row that deletes this one"),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::plan::RowDecision;
    use crate::plan::missing::CreateMissing;
    use crate::plan::scenario::Scenario;

    fn account() -> Scenario {
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}, {"id": 2, "name": "Broken", "type": "undeployable"}]))
            .holds("manufacturers", json!([{"id": 1, "name": "Dell"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("locations", json!([{"id": 1, "name": "Berlin"}, {"id": 2, "name": "Bonn"}]))
            .holds("employees", json!([{"id": 3, "name": "Ada", "email": "ada@example.com"}]))
            .holds(
                "assets",
                json!([
                    {"id": 5, "asset_id": "T-5", "product_id": 1, "status_id": 1, "location_id": 1},
                    {"id": 6, "asset_id": "T-6", "product_id": 1, "status_id": 1, "location_id": 1,
                     "deployed_to": [{"employee_id": 3}]},
                ]),
            )
    }

    #[test]
    fn records_are_deleted_after_whatever_frees_them() {
        let planned = account()
            .sheet("locations", "name|_action\nBerlin|delete")
            .sheet("assets", "asset_id|location_id|_action\nT-6||delete\nT-5|Bonn|")
            .sheet("checkin_asset", "asset_id|checkin_date|status_id\nT-6|2026-01-02|Broken")
            .plan();
        assert_eq!(
            planned.shown_steps(),
            [
                r#"assets: update 5 {"location_id":2}"#,
                r#"checkin_asset: create {"asset_id":6,"checkin_date":"2026-01-02","status_id":2}"#,
                "assets: delete 6",
                "locations: delete 1",
            ]
        );
        assert_eq!(planned.totals.deletes, 2);
        let before = planned.steps[2].before.as_ref().unwrap();
        assert_eq!((&before["status_id"], &before["location_id"]), (&json!(2), &json!(1)), "as the check-in leaves it");
    }

    #[test]
    fn what_names_a_record_that_the_run_deletes_is_a_problem() {
        let deleting = |entity: &str, name: &str| {
            let key = if entity == "employees" { "email" } else { "name" };
            account().sheet(entity, &format!("{key}|_action\n{name}|delete")).create_missing(CreateMissing::All)
        };
        let rejected = |scenario: Scenario| scenario.plan().shown_rejections();
        let contradicted = |column: &str, message: &str| {
            vec![format!("reject record.contradicted at {column}: row 2 of sheet 1 deletes the {message}")]
        };
        let assets = "asset_id|product_id|status_id|location_id";
        for row in ["N-1|X1|Ready|berlin", "T-5|X1|Ready|#1", "T-5|||Berlin"] {
            let scenario = deleting("locations", "Berlin").sheet("assets", &format!("{assets}\n{row}"));
            assert_eq!(rejected(scenario), contradicted("D", "location `Berlin`"), "{row}");
        }
        let other = deleting("locations", "Berlin").sheet("assets", &format!("{assets}\nT-5|X1|Ready|Bonn"));
        assert!(rejected(other).is_empty());
        let out = "asset_id|employee_id|checkout_date\nT-5|ada@example.com|2026-01-02";
        let out = deleting("employees", "ada@example.com").sheet("checkout_asset", out);
        assert_eq!(rejected(out), contradicted("B", "employee `Ada`"));
        // A check-in frees the item, and leaves it with what it names.
        let back = "asset_id|checkin_date|status_id\nT-6|2026-01-02|Broken";
        let back = |entity: &str, name: &str| deleting(entity, name).sheet("checkin_asset", back);
        assert_eq!(rejected(back("statuses", "Broken")), contradicted("C", "status `Broken`"));
        assert!(rejected(back("employees", "ada@example.com")).is_empty());
        // The product that would be made for the row needs the maker.
        let rows = "asset_id|product_id|manufacturer|category|status_id\nN-1|XPS|Dell|Laptops|Ready";
        let made = deleting("manufacturers", "Dell").sheet("assets", rows);
        assert_eq!(rejected(made), contradicted("B", "manufacturer `Dell`"));
    }

    #[test]
    fn an_unknown_name_in_the_key_of_a_record_to_delete_is_never_created() {
        let plan = account()
            .sheet("audits", "asset_id|audit_date|_action\nT-9|2026-01-02|delete")
            .create_missing(CreateMissing::All)
            .plan();
        let RowDecision::Rejected(problems) = &plan.rows[0].decision else { panic!("rejected") };
        assert_eq!(problems[0].error.message, "`T-9` not found in assets");
        assert_eq!(problems[0].error.hint(), "correct the cell, or leave the row out");
    }
}
