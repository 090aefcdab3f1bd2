//! The currency of a record's location, which the service takes for its costs (guide: "or the location currency, if
//! applicable"): it decides what a sign such as `$` may stand for.

use super::target::RowDelta;
use super::{Planner, SheetPlan, StepSink};
use crate::catalog::RecordRef;
use crate::check::{CheckedRow, Code, CurrencySign, Problem, RemarkKind, ValueError};
use crate::plan::resolver::Resolved;
use crate::schema::{self, Entity, Field, Kind, Reference};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// Compares the sign of the row's amount with the currency of its location. A sign that the location excludes is
    /// a problem; in neither case is there something to remark.
    pub(super) fn check_sign(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        delta: &RowDelta,
        existing: Option<RecordRef>,
    ) -> Option<Problem> {
        let CurrencySign { column, hint } = checked.sign?;
        let entity = sheet.mapping.entity;
        // A currency that the sign does not tell stays as it is.
        let own = existing.filter(|_| hint.code().is_none()).and_then(|record| self.own_currency(entity, record));
        let (code, whose) = match own {
            Some(code) => (code, "record"),
            None => (self.location_currency(entity, delta, existing)?, "location"),
        };
        checked.remarks.retain(|remark| remark.kind != RemarkKind::SharedSign);
        if hint.allows(&code) {
            return None;
        }
        let error = ValueError::new(
            Code::MoneyCurrency,
            format!("the amount is in `{hint}`, but the currency of its {whose} is `{code}`"),
            "correct the amount, or say its currency in a column `currency`",
        );
        Some(error.at(Some(column), row.cell(column as usize).text))
    }

    fn location_currency(
        &self,
        entity: &'static Entity,
        delta: &RowDelta,
        existing: Option<RecordRef>,
    ) -> Option<String> {
        let (field, reference, currency) = location_field(entity)?;
        let given = delta.all().into_iter().find(|given| entity.fields[given.field].name == field.name);
        let location = match given.map(|given| given.value) {
            Some(Resolved::Record(location, _)) => location,
            Some(_) => return None,
            None => RecordRef::Known(self.current_value(entity, existing?, field.name)?.as_i64()?),
        };
        currency_code(self.catalog.as_planned().value(reference.to, location, currency.name)?)
    }

    fn own_currency(&self, entity: &'static Entity, record: RecordRef) -> Option<String> {
        let field = entity.fields.iter().find(|field| field.kind == Kind::Currency)?;
        currency_code(self.current_value(entity, record, field.name)?)
    }

    fn current_value(&self, entity: &'static Entity, record: RecordRef, field: &str) -> Option<&serde_json::Value> {
        let RecordRef::Known(id) = record else { return None };
        self.catalog.record(entity.name, id)?.get(field)
    }
}

fn currency_code(held: &serde_json::Value) -> Option<String> {
    held.as_str().filter(|code| !code.is_empty()).map(str::to_uppercase)
}

/// The field that refers to a record with a currency of its own, and the field of that currency.
fn location_field(entity: &'static Entity) -> Option<(&'static Field, Reference, &'static Field)> {
    entity.fields.iter().find_map(|field| {
        let reference = field.reference_to()?;
        let referenced = schema::collection(reference.to)?;
        let currency = referenced.fields.iter().find(|field| field.kind == Kind::Currency)?;
        // A license has a currency too, but beside a cost of its own.
        let has_cost = referenced.fields.iter().any(|field| field.kind == Kind::Money);
        (!has_cost).then_some((field, reference, currency))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::scenario::Scenario;

    #[test]
    fn a_sign_is_compared_with_the_currency_of_the_location_or_the_record() {
        let account = || {
            Scenario::new()
                .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
                .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
                .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
                .holds(
                    "locations",
                    json!([
                        {"id": 1, "name": "Berlin", "currency": "eur"},
                        {"id": 2, "name": "Boston", "currency": "USD"},
                        {"id": 3, "name": "Ulm", "currency": ""},
                    ]),
                )
                .holds(
                    "assets",
                    json!([
                        {"id": 8, "asset_id": "A-8", "product_id": 1, "status_id": 1, "location_id": 1},
                        {"id": 9, "asset_id": "A-9", "product_id": 1, "status_id": 1, "currency": "GBP"},
                    ]),
                )
        };
        // A tag, a location, an amount; the currency that contradicts it, and whether the sign is remarked.
        for (tag, location, amount, contradicted, is_remarked) in [
            ("A-1", "Berlin", "$100", Some("location is `EUR`"), false),
            ("A-1", "Berlin", "€100", None, false),
            ("A-1", "Boston", "$100", None, false),
            ("A-1", "Ulm", "$100", None, true),
            ("A-1", "", "$100", None, true),
            ("A-1", "Bern", "$100", Some("location is `CHF`"), false),
            ("A-8", "", "$100", Some("location is `EUR`"), false),
            ("A-8", "Boston", "$100", None, false),
            ("A-9", "", "$100", Some("record is `GBP`"), false),
            ("A-9", "Boston", "$100", Some("record is `GBP`"), false),
        ] {
            let sheet =
                format!("asset_id|product_id|status_id|location_id|purchase_cost\n{tag}|X1|Ready|{location}|{amount}");
            let outcome = account().sheet("locations", "name|currency\nBern|CHF").sheet("assets", &sheet).plan();
            let shown = account().sheet("locations", "name|currency\nBern|CHF").sheet("assets", &sheet).shown();
            let case = format!("{tag} {location} {amount}: {:?} {:?}", shown[1], outcome.remarks);
            match contradicted {
                Some(whose) => assert!(shown[1].contains("money.currency at E") && shown[1].contains(whose), "{case}"),
                None => assert!(!shown[1].starts_with("reject"), "{case}"),
            }
            assert_eq!(outcome.remarks.iter().any(|remark| remark.contains("currency")), is_remarked, "{case}");
        }
    }

    #[test]
    fn the_location_decides_wherever_there_is_one() {
        for name in ["assets", "accessories", "components", "consumables"] {
            let (field, reference, currency) = location_field(schema::collection(name).unwrap()).unwrap();
            assert_eq!((field.name, reference.to, currency.name), ("location_id", "locations", "currency"), "{name}");
        }
        for name in ["licenses", "products"] {
            assert!(location_field(schema::collection(name).unwrap()).is_none(), "{name}");
        }
    }
}
