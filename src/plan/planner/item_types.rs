//! Parameters of check-ins and check-outs that depend on the type of the item: seats of a license by number, or by key.

use super::{Planner, SheetPlan, StepSink};
use crate::catalog::RecordRef;
use crate::check::{Code, Problem, ValueError};
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::schema::{self, Entity, Meaning, fold_header};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// What a row gives that the type of its item does not take, and what that type requires and the row leaves out. Nothing
    /// where the account does not say the type, or says one that no parameter is for.
    pub(super) fn unfit_for_type(&self, sheet: &SheetPlan<'_>, row: &Row, fields: &[ResolvedField]) -> Vec<Problem> {
        let action = sheet.mapping.entity;
        let Some((entity, id, held)) = self.typed_item(sheet, fields) else { return Vec::new() };
        let mut problems = Vec::new();
        for (index, field) in action.fields.iter().enumerate() {
            let Some(item_type) = field.item_type else { continue };
            let given = fields.iter().find(|given| given.field == index && given.value != Resolved::Clear);
            let (column, which, remedy) = match (given, is_type(item_type, held)) {
                (Some(given), false) => (Some(given.column), "only", "empty the cell"),
                (None, true) => (sheet.mapping.column_of(field.name), "required", "fill it in"),
                (Some(_), true) | (None, false) => continue,
            };
            let item = self.catalog.describe(entity.name, RecordRef::Known(id));
            let message =
                format!("`{}` is {which} for {item_type} {}; `{item}` is of the type {held}", field.name, entity.name);
            let hint = format!("{remedy}, or name another {}", entity.singular);
            let column = column.or_else(|| sheet.mapping.column_of(action.fields[0].name));
            let found = column.map_or("", |column| row.cell(column as usize).text);
            problems.push(ValueError::new(Code::CheckoutRefused, message, hint).at(column, found));
        }
        problems
    }

    /// The item of an action, with its type: one of those that parameters are for.
    fn typed_item(&self, sheet: &SheetPlan<'_>, fields: &[ResolvedField]) -> Option<(&'static Entity, i64, &str)> {
        let (field, reference) = sheet.mapping.entity.item()?;
        let entity = schema::collection(reference.to)?;
        let type_field = entity.meaning(Meaning::ItemType)?;
        let index = sheet.mapping.entity.field_index(field.name)?;
        let given = fields.iter().find(|given| given.field == index)?;
        let Resolved::Record(RecordRef::Known(id), _) = given.value else { return None };
        let held = self.catalog.record(reference.to, id)?.get(type_field.name)?.as_str()?.trim();
        entity.item_types().any(|known| is_type(known, held)).then_some((entity, id, held))
    }
}

/// Whether a type of the guide is the one that a reply has, in whatever spelling.
fn is_type(known: &str, held: &str) -> bool {
    fold_header(known) == fold_header(held)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::scenario::Scenario;

    /// Licenses with an id for each type.
    fn account() -> Scenario {
        let license = |id: i64, name: &str, of_type: Option<&str>| json!({"id": id, "name": name, "category_id": 1, "license_type": of_type, "number_of_seats": 9, "available": 9});
        Scenario::new()
            .holds("categories", json!([{"id": 1, "name": "Apps", "type": "license"}]))
            .holds("employees", json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}]))
            .holds(
                "licenses",
                json!([
                    license(1, "CAD", Some("Dynamic")),
                    license(2, "Windows", Some("product_key")),
                    license(3, "Old", None),
                    license(4, "Odd", Some("Campus")),
                    {"id": 5, "name": "Bare", "category_id": 1},
                ]),
            )
    }

    fn shown(action: &str, text: &str) -> Vec<String> {
        let shown = account().sheet(action, text).shown();
        shown.into_iter().map(|row| if row.starts_with("create") { String::from("create") } else { row }).collect()
    }

    #[test]
    fn a_license_is_given_by_number_or_by_key_as_its_type_says() {
        let rows = "license|employee|quantity|product_key|checkout_date\n\
                    CAD|Ada|1||2026-03-01\nCAD|Ada|1|K-1|2026-03-02\nCAD|Ada|||2026-03-03\n\
                    Windows|Ada||K-1|2026-03-01\nWindows|Ada|1|K-2|2026-03-01\nWindows|Ada|1||2026-03-01\n\
                    Old|Ada|1|K-1|2026-03-01\nOdd|Ada|||2026-03-01\nBare|Ada|1|K-2|2026-03-01";
        let only_keys = "`product_key` is only for Product Key licenses; `CAD` is of the type Dynamic";
        let only_seats = "`quantity` is only for Dynamic licenses; `Windows` is of the type product_key";
        let key_required = "`product_key` is required for Product Key licenses; `Windows` is of the type product_key";
        assert_eq!(
            shown("checkout_license", rows),
            [
                "create",
                &format!("reject checkout.refused at D: {only_keys}"),
                "reject checkout.refused at C: `quantity` is required for Dynamic licenses; `CAD` is of the type Dynamic",
                "create",
                &format!("reject checkout.refused at C: {only_seats}"),
                &format!("reject checkout.refused at C: {only_seats}; checkout.refused at D: {key_required}"),
                "create",
                "create",
                "create",
            ]
        );
    }

    #[test]
    fn a_seat_comes_back_by_its_key_where_it_has_one() {
        let rows = "license|employee|product_key|checkin_date\nCAD|Ada||2026-03-01\nCAD|Ada|K-1|2026-03-01\n\
                    Windows|Ada|K-1|2026-03-01\nOld|Ada||2026-03-01";
        let shown_with = shown("checkin_license", rows);
        assert_eq!(shown_with[0], "create");
        assert!(shown_with[1].starts_with("reject checkout.refused at C: `product_key` is only"), "{shown_with:?}");
        assert_eq!(shown_with[2..], ["create", "create"]);
        let without = shown("checkin_license", "license|employee|checkin_date\nWindows|Ada|2026-03-01");
        assert!(without[0].starts_with("reject checkout.refused at A: `product_key` is required"), "{without:?}");
    }
}
