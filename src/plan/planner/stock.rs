//! How many of an item in stock, or seats of a license, are left for the rows of a run, as far as the account says.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{Decision, Planner, Rejection, RowDraft, SheetPlan, StepSink, or_problem};
use crate::api::{Body, integer};
use crate::catalog::RecordRef;
use crate::check::{Code, ValueError};
use crate::plan::moved_items::MovedItem;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::step::{Step, WriteKind};
use crate::schema::{self, Entity, Meaning, Role, Verb};
use crate::table::Row;
use crate::wording::thousands;

type StockItem = (&'static str, RecordRef);

/// What the rows so far add to the stock of each item and take from it. None where that is not known.
#[derive(Debug, Default)]
pub(crate) struct StockChanges(HashMap<StockItem, Option<i64>>);

impl StockChanges {
    fn add(&mut self, item: StockItem, change: Option<i64>) {
        let total = self.0.entry(item).or_insert(Some(0));
        *total = total.zip(change).and_then(|(total, change)| total.checked_add(change));
    }
}

impl<S: StepSink> Planner<'_, S> {
    /// Rejects a check-out of more than is left, and counts what a row takes. Check-ins come before check-outs; how many
    /// come back is for the service to say, so that nothing is known of the item from then on.
    pub(super) fn move_stock(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        fields: &[ResolvedField],
    ) -> Result<(), Rejection> {
        let action = sheet.mapping.entity;
        let Some(item) = stock_item(action, fields) else { return Ok(()) };
        if action.role == Role::Action(Verb::Checkin) {
            self.stock.add(item, None);
            return Ok(());
        }
        let Some((quantity, column)) = value_of(action, Meaning::MovedQuantity, fields) else { return Ok(()) };
        if let Some(left) = self.stock_left(item).filter(|left| *left < quantity) {
            return or_problem(self.shortage(item, left, quantity), Some(column), row);
        }
        self.stock.add(item, Some(-quantity));
        Ok(())
    }

    fn shortage(&self, item: StockItem, left: i64, wanted: i64) -> ValueError {
        let name = self.catalog.describe(item.0, item.1);
        let left = match left {
            ..1 => format!("none of `{name}` is left"),
            1 => format!("only 1 of `{name}` is left"),
            _ => format!("only {left} of `{name}` are left"),
        };
        let when = if self.stock.0.contains_key(&item) { " once the earlier rows are sent" } else { "" };
        let hint = "correct the quantity, or add to the stock first";
        ValueError::new(Code::CheckoutRefused, format!("{left}{when}; the row takes {wanted}"), hint)
    }

    /// Rejects a row that leaves an item fewer than are checked out.
    pub(super) fn check_stock(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        decision: Decision,
    ) -> Result<Decision, Rejection> {
        let entity = sheet.mapping.entity;
        let Decision::Write(RowDraft { record: Some(WriteKind::Update(id)), fields, .. }) = &decision else {
            return Ok(decision);
        };
        let Some((stock, column)) = value_of(entity, Meaning::Stock, fields) else { return Ok(decision) };
        let of_account = |meaning| integer(self.catalog.record(entity.name, *id)?.get(entity.meaning(meaning)?.name)?);
        let Some((before, left)) = of_account(Meaning::Stock).zip(of_account(Meaning::Available)) else {
            return Ok(decision);
        };
        let out = before - left;
        // More than before is no worse, even where too many are out.
        if stock >= out || stock >= before {
            return Ok(decision);
        }
        let message = format!("less than the number checked out ({})", thousands(out.unsigned_abs()));
        let comes_back = schema::ACTIONS.iter().any(|action| {
            action.role == Role::Action(Verb::Checkin) && action.item().is_some_and(|(_, item)| item.to == entity.name)
        });
        let hint = match comes_back {
            true => "correct the number, or first check in what has come back",
            false => "correct the number",
        };
        or_problem(ValueError::new(Code::IntegerRange, message, hint), Some(column), row)
    }

    /// Counts what an update adds to the stock of its item.
    pub(super) fn note_stock(&mut self, step: &Step) {
        let (WriteKind::Update(id), Some(field)) = (step.write, step.entity.meaning(Meaning::Stock)) else { return };
        let Some(stock) = step.body.get(field.name) else { return };
        let before = step.before.as_ref().and_then(|before| integer(before.get(field.name)?));
        let change = integer(stock).zip(before).map(|(stock, before)| stock - before);
        self.stock.add((step.entity.name, RecordRef::Known(id)), change);
    }

    /// How many of an item are left once the earlier rows are sent. None where the account does not say: without a stock, as
    /// that of a site license, what is `available` means nothing.
    fn stock_left(&self, item @ (collection, record): StockItem) -> Option<i64> {
        let entity = schema::collection(collection)?;
        let number = |fields: &Body, meaning| integer(fields.get(entity.meaning(meaning)?.name)?);
        let at_first = match record {
            RecordRef::Known(id) => {
                let fields = self.catalog.record(collection, id)?;
                let stock = entity.meaning(Meaning::Stock)?;
                // A stock that is required is there, reported or not.
                let has_stock = integer(fields.get(stock.name).unwrap_or(&Json::Null)).is_some()
                    || (stock.is_required() && stock.is_unreported_in(fields));
                number(fields, Meaning::Available).filter(|left| has_stock && *left >= 0)?
            }
            RecordRef::Planned(step) => number(self.catalog.planned_fields(collection, step)?, Meaning::Stock)?,
        };
        at_first.checked_add(self.stock.0.get(&item).copied().unwrap_or(Some(0))?)
    }
}

/// The item in stock that an action moves some of. None for what is moved as a whole.
fn stock_item(action: &'static Entity, fields: &[ResolvedField]) -> Option<StockItem> {
    let (item, reference) = action.item()?;
    let given = fields.iter().find(|given| action.fields[given.field].name == item.name)?;
    match given.value {
        Resolved::Record(record, _) if MovedItem::of(action, fields).is_none() => Some((reference.to, record)),
        _ => None,
    }
}

/// The number that a row gives in the field with that meaning, and its column.
fn value_of(entity: &'static Entity, meaning: Meaning, fields: &[ResolvedField]) -> Option<(i64, u32)> {
    let field = entity.meaning(meaning)?;
    let given = fields.iter().find(|given| entity.fields[given.field].name == field.name)?;
    match &given.value {
        Resolved::Value(value @ Json::Number(_)) => Some((integer(value)?, given.column)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::scenario::Scenario;

    fn account() -> Scenario {
        let item = |id: i64, name: &str, all: i64, left: i64| json!({"id": id, "name": name, "category_id": 1, "quantity": all, "available": left});
        Scenario::new()
            .holds(
                "categories",
                json!([{"id": 1, "name": "Small", "type": "accessory"}, {"id": 2, "name": "Apps", "type": "license"}]),
            )
            .holds("employees", json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}]))
            .holds(
                "accessories",
                json!([item(1, "Mouse", 5, 3), {"id": 2, "name": "Dock", "category_id": 1},
                    {"id": 3, "name": "Site", "category_id": 1, "quantity": null, "available": 0}]),
            )
            .holds(
                "licenses",
                json!([{"id": 1, "name": "CAD", "category_id": 2, "number_of_seats": 2, "available": 2}]),
            )
    }

    const OUT: &str = "accessory|employee|quantity|checkout_date\n";

    fn rows(quantities: &[(&str, u32)]) -> String {
        quantities.iter().map(|(item, count)| format!("{item}|Ada|{count}|2026-03-0{count}\n")).collect()
    }

    fn starts(shown: &[String]) -> Vec<&str> {
        shown.iter().map(|row| if row.starts_with("create") { "create" } else { row.as_str() }).collect()
    }

    #[test]
    fn more_than_is_left_is_not_checked_out() {
        let out = |quantities: &[(&str, u32)]| {
            account().sheet("checkout_accessory", &(OUT.to_owned() + &rows(quantities))).shown()
        };
        assert_eq!(starts(&out(&[("Mouse", 3)])), ["create"]);
        assert_eq!(out(&[("Mouse", 4)]), ["reject checkout.refused at C: only 3 of `Mouse` are left; the row takes 4"]);
        let later =
            "reject checkout.refused at C: only 1 of `Mouse` is left once the earlier rows are sent; the row takes 2";
        assert_eq!(starts(&out(&[("Mouse", 2), ("Mouse", 2), ("Mouse", 1)])), ["create", later, "create"]);
        assert_eq!(starts(&out(&[("Dock", 9)])), ["create"], "the account does not say how many are left");
        assert_eq!(starts(&out(&[("Site", 9)])), ["create"], "without a stock there is no shortage");
        let seats = "license|employee|quantity|checkout_date\nCAD|Ada|1|2026-03-01\nCAD|Ada|2|2026-03-02\n";
        let shown = account().sheet("checkout_license", seats).shown();
        assert!(shown[1].starts_with("reject checkout.refused at C: only 1 of `CAD` is left"), "{shown:?}");
    }

    #[test]
    fn what_the_run_adds_or_takes_back_before_can_be_checked_out() {
        let four = OUT.to_owned() + &rows(&[("Mouse", 4)]);
        let back = "accessory|employee|checkin_date\nMouse|Ada|2026-03-01";
        let returned = account().sheet("checkin_accessory", back).sheet("checkout_accessory", &four).shown();
        assert_eq!(starts(&returned), ["create", "create"]);
        let raised =
            account().sheet("accessories", "name|quantity\nMouse|6").sheet("checkout_accessory", &four).shown();
        assert_eq!(starts(&raised[1..]), ["create"]);
        let lowered =
            account().sheet("accessories", "name|quantity\nMouse|4").sheet("checkout_accessory", &four).shown();
        assert!(lowered[1].contains("only 2 of `Mouse` are left"), "{lowered:?}");
        let new = "name|category|quantity\nCable|Small|3";
        let made = |count| OUT.to_owned() + &rows(&[("Cable", count)]);
        let sent =
            |count| account().sheet("accessories", new).sheet("checkout_accessory", &made(count)).shown().remove(1);
        assert!(sent(3).starts_with("create"), "{}", sent(3));
        assert!(sent(4).contains("only 3 of `Cable` are left"), "{}", sent(4));
    }

    #[test]
    fn a_stock_is_not_made_smaller_than_what_is_checked_out() {
        let lowered = |count: u32| account().sheet("accessories", &format!("name|quantity\nMouse|{count}")).shown();
        assert_eq!(lowered(2), [r#"update 1 {"quantity":2}"#]);
        assert_eq!(lowered(1), ["reject integer.range at B: less than the number checked out (2)"]);
        let over = json!([{"id": 1, "name": "Mouse", "category_id": 1, "quantity": 1, "available": -2}]);
        let shown = |count: u32| {
            let account = account().holds("accessories", over.clone());
            account.sheet("accessories", &format!("name|quantity\nMouse|{count}")).shown()
        };
        assert_eq!(shown(2), [r#"update 1 {"quantity":2}"#], "better than before");
        assert!(shown(0)[0].starts_with("reject"), "{:?}", shown(0));
    }
}
