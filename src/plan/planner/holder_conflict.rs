//! Keeps a row from taking an item from whoever got it after the row was written: after the export that it is a row of, or
//! after the run whose result it is.

use super::assignment::RowLink;
use super::{Planner, SheetPlan, StepSink};
use crate::catalog::RecordRef;
use crate::check::{CheckedRow, Conflicts, EarlierRunRow};
use crate::plan::conflict::{ChangeByOthers, Conflict, Since};
use crate::plan::edited_result::changed_since_run;
use crate::plan::prior_actions::{ActionRequest, ItemState};
use crate::plan::target::{self, TargetRecord};
use crate::table::Row;

/// How much a row knows of its record's present state.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum RowView {
    /// It does not say.
    #[default]
    Unknown,
    /// It shows the last change of the record, or who has it.
    Current,
    /// The record was changed since.
    Outdated(ChangeByOthers),
}

impl<S: StepSink> Planner<'_, S> {
    /// Remembers how much a row knows of its record, for the check-out beside it.
    pub(super) fn note_view(&mut self, sheet: &SheetPlan<'_>, row: &Row, checked: &CheckedRow) {
        let Some(RecordRef::Known(id)) = self.link_mut(sheet, row).map(|link| link.record) else { return };
        let view = self.view(sheet, row, checked, id);
        if let Some(link) = self.link_mut(sheet, row) {
            link.view = view;
        }
    }

    fn view(&self, sheet: &SheetPlan<'_>, row: &Row, checked: &CheckedRow, id: i64) -> RowView {
        let mapping = sheet.mapping;
        let Some(record) = self.catalog.record(mapping.entity.name, id) else { return RowView::Unknown };
        if target::shows_last_change(mapping, row, record) {
            return RowView::Current;
        }
        match self.change_since_run(sheet, checked, id).or_else(|| self.change_since_export(sheet, row, checked, id)) {
            None => RowView::Unknown,
            Some(_) if self.shows_holders(sheet, row, record) => RowView::Current,
            Some(change) => RowView::Outdated(change),
        }
    }

    fn change_since_export(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        id: i64,
    ) -> Option<ChangeByOthers> {
        // That the row is about the record with this id was decided already.
        let target_record = TargetRecord::find(sheet.mapping, row, checked, self.catalog, |_| true)?;
        ChangeByOthers::since_export(&target_record).filter(|_| target_record.id.number == id)
    }

    /// The change since an earlier run that was done with the row's own record, but maybe not with the check-out beside it. What
    /// nobody has is taken from nobody.
    fn change_since_run(&self, sheet: &SheetPlan<'_>, checked: &CheckedRow, id: i64) -> Option<ChangeByOthers> {
        let action = sheet.mapping.entity.assigned_by()?;
        let record = self.catalog.record(sheet.mapping.entity.name, id);
        let since = changed_since_run(checked.earlier.as_ref()?, record)?;
        let is_held = self.current_holders(action, id).is_some_and(|holders| !holders.is_empty());
        is_held.then(|| ChangeByOthers::of(since, record))
    }

    /// The conflict of a row that would move an item, where others may have moved it since; with the item's id. `column` is that
    /// of the holder.
    pub(super) fn holder_conflict(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        link: &RowLink,
        column: u32,
    ) -> Option<(Conflict, i64)> {
        let RecordRef::Known(id) = link.record else { return None };
        if self.rules.conflicts == Some(Conflicts::Mine) {
            return None;
        }
        let holders = self.current_holders(sheet.mapping.entity, id).unwrap_or_default();
        let record = self.catalog.record(sheet.mapping.entity.item()?.1.to, id);
        let change = match (&checked.earlier, link.view) {
            (_, RowView::Current) | (None, RowView::Unknown) => return None,
            (None, RowView::Outdated(change)) => change,
            (Some(EarlierRunRow::Unknown), _) => ChangeByOthers::of(Since::Unknown, record),
            (Some(earlier @ EarlierRunRow::Known { .. }), _) => {
                // What nobody has is taken from nobody.
                if holders.is_empty() || self.is_where_left(sheet, checked) {
                    return None;
                }
                ChangeByOthers::of(changed_since_run(earlier, record)?, record)
            }
        };
        Some((Conflict::of_holder(change, &holders, column, (sheet.mapping, row)), id))
    }

    /// Whether an item is where its row said it should be when an earlier run was done with it.
    fn is_where_left(&self, sheet: &SheetPlan<'_>, checked: &CheckedRow) -> bool {
        let (Some(values), Some(EarlierRunRow::Known { row, .. })) =
            (self.earlier_values(sheet.mapping, checked), &checked.earlier)
        else {
            return false;
        };
        let mut fields = values.fields;
        self.complete_assignment(sheet, row, &mut fields, &mut Vec::new());
        let request = ActionRequest::of(self.catalog, sheet.mapping.entity, &fields);
        request.is_some_and(|request| ItemState::of(self.catalog, &request, &fields) == ItemState::Done)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::check::Conflicts;
    use crate::plan::scenario::Scenario;

    const EXPORTED: &str = "2026-01-01T08:00:00.000Z";
    const CHANGED: &str = "2026-02-02T08:00:00.000Z";
    const MAPPING: &str = "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"Holder\"\n";

    /// An account whose asset was changed on that day and is with those.
    fn account(held: Json) -> Scenario {
        let person = |id: i64, name: &str| json!({"id": id, "name": name, "email": format!("{name}@example.com")});
        let asset = json!([{"id": 5, "asset_id": "A-1", "product_id": 1, "status_id": 1, "deployed_to": held,
            "created_at": EXPORTED, "updated_at": CHANGED}]);
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("employees", json!([person(1, "Ada"), person(2, "Bob"), person(3, "Cy")]))
            .holds("assets", asset)
    }

    fn row(columns: &str, cells: &str, updated: &str) -> String {
        format!("id|asset_id|updated_at|{columns}\n5|A-1|{updated}|{cells}")
    }

    fn told(scenario: Scenario) -> Vec<String> {
        let outcome = scenario.plan();
        outcome
            .shown_rows()
            .into_iter()
            .skip(1)
            .zip(&outcome.rows[1..])
            .map(|(row, plan)| format!("{row} {}", plan.note))
            .collect()
    }

    #[test]
    fn an_item_that_was_moved_after_the_export_stays_there() {
        let plan = |held: Json, holder: &str, updated: &str| {
            told(account(held).ruled_sheet("assets", &row("Holder", holder, updated), MAPPING))
        };
        let since = "the record was changed on 2026-02-02 08:00:00.000 UTC, after the export";
        let with_bob = || json!([{"employee_id": 2}]);
        assert_eq!(
            plan(with_bob(), "Ada", EXPORTED),
            [format!("reject record.conflict at E: `Bob` has it now; {since} ")]
        );
        assert_eq!(
            plan(json!([]), "Ada", EXPORTED),
            [format!("reject record.conflict at E: nobody has it now; {since} ")]
        );
        let text = row("notes|Holder", "new|Ada", EXPORTED);
        let both = account(with_bob()).ruled_sheet("assets", &text, MAPPING).shown();
        assert!(both[0].starts_with("reject record.conflict at D: the service has "), "{both:?}");
        assert!(both[1].starts_with("reject record.conflict at F: `Bob` has it now"), "{both:?}");
        assert_eq!(plan(with_bob(), "Bob", EXPORTED), [""; 0]);
        assert_eq!(plan(with_bob(), "", EXPORTED), [""; 0]);
        let unreadable = plan(with_bob(), "Ada", "####");
        assert!(unreadable[0].contains("`Bob` has it now, and `updated_at` cannot be read"), "{unreadable:?}");
        for updated in [CHANGED, ""] {
            let moved = plan(with_bob(), "Ada", updated);
            assert!(moved[0].ends_with("check-in from Bob, check-out to Ada"), "{updated}: {moved:?}");
        }
    }

    #[test]
    fn an_item_that_is_where_the_export_shows_it_moves() {
        let plan = |shown: &str| {
            let text = row("Holder|deployed_to_name", &format!("Cy|{shown}"), EXPORTED);
            told(account(json!([{"employee_id": 2}])).ruled_sheet("assets", &text, MAPPING)).remove(0)
        };
        assert!(plan("Bob").ends_with("check-in from Bob, check-out to Cy"), "{}", plan("Bob"));
        assert!(plan("Ada").starts_with("reject record.conflict"), "{}", plan("Ada"));
    }

    #[test]
    fn who_wins_of_two_holders_is_as_the_flag_says() {
        let plan = |conflicts: Conflicts| {
            let scenario = account(json!([{"employee_id": 2}])).conflicts(conflicts);
            told(scenario.ruled_sheet("assets", &row("Holder", "Ada", EXPORTED), MAPPING)).remove(0)
        };
        assert!(plan(Conflicts::Mine).ends_with("check-in from Bob, check-out to Ada"));
        for to in [Conflicts::Theirs, Conflicts::Skip] {
            let kept = plan(to);
            assert!(kept.starts_with(&format!("keep 5 for {to:?} changed on the service on 2026-02-02")), "{kept}");
            assert!(kept.ends_with("`Holder` is `Bob` on the service, `Ada` in the sheet"), "{kept}");
        }
    }

    #[test]
    fn a_blank_cell_shows_that_nobody_has_the_item() {
        let plan = |held: Json| {
            let text = row("Holder|deployed_to_name", "Cy|", EXPORTED);
            told(account(held).ruled_sheet("assets", &text, MAPPING)).remove(0)
        };
        for held in [json!([]), json!(null)] {
            assert!(plan(held.clone()).ends_with("check-out to Cy"), "{held}: {}", plan(held.clone()));
        }
        let with_bob = plan(json!([{"employee_id": 2}]));
        assert!(with_bob.starts_with("reject record.conflict at F: `Bob` has it now"), "{with_bob}");
    }

    #[test]
    fn an_item_that_is_where_an_earlier_run_left_it_moves() {
        let plan = |holder: i64, earlier: &str| {
            let scenario = account(json!([{"employee_id": holder}]));
            let scenario = scenario.ruled_sheet("assets", "_id|asset_id|Holder\n5|A-1|Cy", MAPPING);
            told(scenario.done_as(&format!("5|A-1|{earlier}"), EXPORTED)).remove(0)
        };
        assert!(plan(1, "Ada").ends_with("check-in from Ada, check-out to Cy"), "{}", plan(1, "Ada"));
        for (holder, earlier) in [(2, "Ada"), (1, "")] {
            let moved_since = plan(holder, earlier);
            assert!(moved_since.starts_with("reject record.conflict at D"), "{holder} {earlier}: {moved_since}");
        }
    }
}
