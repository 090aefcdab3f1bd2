//! Stock that replies do not report: they may say how many are left, and not how many there are in all (field notes:
//! `quantity` of consumables is written, and `available` is read).
//!
//! Then nothing shows whether a record has what a row says. What a run of this machine sent last is not sent again; anything
//! else is.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{Decision, Planner, ReadOnlyCell, ReadOnlyState, SheetPlan, StepSink};
use crate::api::integer;
use crate::catalog::Record;
use crate::check::{CheckedRow, RemarkKind};
use crate::plan::diff;
use crate::plan::missing::CreateMissing;
use crate::plan::step::WriteKind;
use crate::schema::{CREATED_AT, Entity, Field, Meaning};
use crate::table::Row;

/// What earlier runs of this machine have sent.
pub(crate) trait SentValues {
    /// The value that a field of a record was last sent with, if that write surely was applied and came after the record was
    /// created: what was sent before was for another record with that id.
    fn last_sent(&self, place: (&'static Entity, &'static Field), id: i64, created: Option<Timestamp>) -> Option<Json>;
}

impl Field {
    /// Whether a reply does not report the field, rather than that it is empty.
    pub(crate) fn is_unreported_in(&self, record: &Record) -> bool {
        self.meaning == Some(Meaning::Stock) && !record.contains_key(self.name)
    }
}

impl<S: StepSink> Planner<'_, S> {
    /// Whether a value that the record may or may not have needs no write: it was sent last, or this is a comparison.
    pub(super) fn is_unreported_and_sent(
        &self,
        entity: &'static Entity,
        id: i64,
        field: &'static Field,
        wanted: &Json,
    ) -> bool {
        let record = self.catalog.record(entity.name, id).filter(|record| field.is_unreported_in(record));
        let Some(record) = record else { return false };
        let number = |field: &Field| integer(record.get(field.name)?);
        // More are left than there are to be in all.
        let is_exceeded = || {
            let left = entity.meaning(Meaning::Available).and_then(number);
            left.zip(integer(wanted)).is_some_and(|(left, wanted)| left > wanted)
        };
        let is_last = || {
            let created = record.get(CREATED_AT).and_then(|at| at.as_str()?.parse().ok());
            let sent = self.sent_values.last_sent((entity, field), id, created);
            sent.is_some_and(|sent| diff::holds(field, wanted, Some(&sent)))
        };
        self.is_comparison() || (!is_exceeded() && is_last())
    }

    /// Remarks the values of a row that the service does not report. In a comparison, returns their cells.
    pub(super) fn remark_unreported(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        decision: &Decision,
    ) -> Vec<ReadOnlyCell> {
        let entity = sheet.mapping.entity;
        let (id, sent) = match decision {
            Decision::Unchanged(id) => (*id, [].as_slice()),
            Decision::Write(draft) => match draft.record {
                Some(WriteKind::Update(id)) => (id, draft.fields.as_slice()),
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let Some(record) = self.catalog.record(entity.name, id) else { return Vec::new() };
        let given = checked.values.iter().map(|given| (given.column, given.field, &entity.fields[given.field]));
        let unreported: Vec<_> = given.filter(|(_, _, field)| field.is_unreported_in(record)).collect();
        if self.is_comparison() {
            let cell = |(column, _, field)| ReadOnlyCell { column, field: Some(field), state: ReadOnlyState::Unknown };
            return unreported.into_iter().map(cell).collect();
        }
        for (column, field, _) in unreported {
            let is_sent = sent.iter().any(|sent| sent.field == field);
            // A row that an earlier run was done with is unchanged whatever has been sent since.
            if is_sent || checked.earlier.is_none() {
                let text = row.cell(column as usize).text.trim();
                checked.remark(RemarkKind::NotReported { is_sent }, column as usize, text);
            }
        }
        Vec::new()
    }

    pub(super) fn is_comparison(&self) -> bool {
        *self.create_missing == CreateMissing::Compared
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::plan::CreateMissing;
    use crate::plan::scenario::Scenario;

    /// A consumable of which the account says only how many are left, and one of which it says all.
    fn account() -> Scenario {
        Scenario::new()
            .holds("categories", json!([{"id": 1, "name": "Small", "type": "consumable"}]))
            .holds("employees", json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}]))
            .holds(
                "consumables",
                json!([{"id": 1, "name": "Toner", "category_id": 1, "available": 9, "notes": "black"},
                    {"id": 2, "name": "Paper", "category_id": 1, "available": 9, "quantity": 10},
                    {"id": 3, "name": "Ink", "category_id": 1, "available": 9, "quantity": null}]),
            )
    }

    fn shown(sent: Option<Json>, text: &str) -> Vec<String> {
        let account = account();
        sent.into_iter().fold(account, Scenario::sent).sheet("consumables", text).shown()
    }

    #[test]
    fn what_the_service_does_not_report_is_sent_unless_it_was_sent_last() {
        let rows = "name|quantity|notes\nToner|10|black\nPaper|10|\nInk|10|";
        let [toner, ink] = [1, 3].map(|id| format!(r#"update {id} {{"quantity":10}}"#));
        assert_eq!(shown(None, rows), [&toner, "unchanged 2", &ink]);
        assert_eq!(shown(Some(json!(10)), rows), ["unchanged 1", "unchanged 2", &ink], "null is reported");
        assert_eq!(shown(Some(json!(20)), rows), [&toner, "unchanged 2", &ink]);
        let lower = shown(Some(json!(8)), "name|quantity\nToner|8");
        assert_eq!(lower, [r#"update 1 {"quantity":8}"#], "more are left than that");
    }

    #[test]
    fn what_was_sent_last_does_not_go_along_and_is_remarked() {
        let outcome = account().sent(json!(10)).sheet("consumables", "name|quantity|notes\nToner|10|red").plan();
        assert_eq!(outcome.shown_rows(), [r#"update 1 {"notes":"red"}"#]);
        let remark = "`quantity`: 1 value, such as `10`, not sent again: the service does not report this field, and the \
                      last run of this machine that wrote it sent the same (B2)";
        assert_eq!(outcome.remarks, [remark]);
        let changed = account().sent(json!(10)).sheet("consumables", "name|quantity\nToner|20").plan();
        assert_eq!(changed.shown_rows(), [r#"update 1 {"quantity":20}"#]);
        let remark = "`quantity`: 1 value, such as `20`, sent: the service does not report this field, so the old value is \
                      not known (B2)";
        assert_eq!(changed.remarks, [remark]);
    }

    #[test]
    fn a_comparison_leaves_out_what_the_service_does_not_report() {
        let account = account().create_missing(CreateMissing::Compared);
        let outcome = account.sheet("consumables", "name|quantity\nToner|10\nPaper|11").plan();
        assert_eq!(outcome.shown_rows(), ["unchanged 1", r#"update 2 {"quantity":11}"#]);
        let cells: Vec<_> = outcome.rows.iter().map(|row| row.read_only.iter().map(|cell| cell.column)).collect();
        assert_eq!(cells.into_iter().map(Iterator::collect).collect::<Vec<Vec<u32>>>(), [vec![1], vec![]]);
    }

    #[test]
    fn what_is_left_is_known_without_the_stock() {
        let out = |count: u32| {
            let row = format!("consumable|employee|quantity|checkout_date\nToner|Ada|{count}|2026-03-01");
            account().sheet("checkout_consumable", &row).shown().remove(0)
        };
        assert!(out(9).starts_with("create"), "{}", out(9));
        assert_eq!(out(10), "reject checkout.refused at C: only 9 of `Toner` are left; the row takes 10");
    }
}
