//! Money and counts of both sides: a sum that differs shows at once that something does, and equal sums convince people
//! who do not read lists.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::api::{Record, plain_text};
use crate::schema::{Entity, Field, Kind, Meaning};
use crate::wording::counted;

/// What a sheet has of a collection, and what the account has of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetSums {
    pub sheet: String,
    /// The collection's name, such as `assets`.
    pub collection: &'static str,
    /// Records of the sheet.
    pub expected: u64,
    /// Those of them that the account has; with `--complete`, every record of the collection.
    pub found: u64,
    /// By field and currency.
    pub money: Vec<MoneySum>,
    /// What records of the account lack.
    pub without: Vec<MissingDetails>,
}

/// The sum of a field in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneySum {
    pub field: &'static str,
    /// Empty for the account's own currency.
    pub currency: String,
    pub expected: Decimal,
    pub found: Decimal,
}

/// Records of the account that lack something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingDetails {
    /// `status`, `holder` or `place`.
    pub what: &'static str,
    pub records: u64,
}

/// An amount that a row says, or a run has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatedAmount {
    pub(super) field: &'static str,
    /// None where the row shows exactly what the account has, and that is no amount that an import takes.
    pub(super) amount: Option<Decimal>,
}

/// Adds up one sheet.
#[derive(Debug)]
pub(super) struct SumTally {
    entity: &'static Entity,
    sheet: String,
    expected: u64,
    found: u64,
    money: BTreeMap<(&'static str, String), (Decimal, Decimal)>,
    /// Values of the account in fields of money that are no amounts.
    unreadable: u64,
    details: Vec<(&'static str, &'static str, u64)>,
}

impl SumTally {
    pub(super) fn new(entity: &'static Entity, sheet: String) -> Self {
        let details = details(entity).map(|(what, field)| (what, field.name, 0)).collect();
        Self { entity, sheet, expected: 0, found: 0, money: BTreeMap::new(), unreadable: 0, details }
    }

    /// Adds a record with the amounts that are expected of it, and the record as the account has it.
    pub(super) fn add(&mut self, amounts: &[StatedAmount], currency: Option<&str>, held: Option<&Record>) {
        self.expected += 1;
        let own = held.and_then(|held| self.currency(held));
        let currency = currency.map(currency_code).or(own).unwrap_or_default();
        for stated in amounts {
            let amount = stated.amount.or_else(|| amount(held?.get(stated.field)?));
            if let Some(amount) = amount {
                self.money.entry((stated.field, currency.clone())).or_default().0 += amount;
            }
        }
        if let Some(held) = held {
            self.add_found(held, amounts.iter().map(|stated| stated.field));
        }
    }

    /// Adds a record that only the account has.
    pub(super) fn add_extra(&mut self, held: &Record) {
        let money = self.entity.fields.iter().filter(|field| field.kind == Kind::Money);
        self.add_found(held, money.map(|field| field.name));
    }

    fn add_found(&mut self, held: &Record, fields: impl Iterator<Item = &'static str>) {
        self.found += 1;
        let currency = self.currency(held).unwrap_or_default();
        for field in fields {
            match held.get(field).and_then(amount) {
                Some(amount) => self.money.entry((field, currency.clone())).or_default().1 += amount,
                None => self.unreadable += u64::from(!is_empty(held, field)),
            }
        }
        for (_, field, records) in &mut self.details {
            *records += u64::from(is_empty(held, field));
        }
    }

    fn currency(&self, held: &Record) -> Option<String> {
        let field = self.entity.fields.iter().find(|field| field.kind == Kind::Currency)?;
        held.get(field.name).map(|code| currency_code(&plain_text(code))).filter(|code| !code.is_empty())
    }

    /// What the sums leave out.
    pub(super) fn remark(&self) -> Option<String> {
        let (values, sheet) = (counted(self.unreadable, "value"), &self.sheet);
        let text = || format!("{sheet}: {values} of the account cannot be read as an amount: not in the sums");
        (self.unreadable > 0).then(text)
    }

    pub(super) fn finish(self) -> SheetSums {
        let sum = |((field, currency), (expected, found)): ((&'static str, String), (Decimal, Decimal))| MoneySum {
            field,
            currency,
            expected: expected.normalize(),
            found: found.normalize(),
        };
        SheetSums {
            sheet: self.sheet,
            collection: self.entity.name,
            expected: self.expected,
            found: self.found,
            money: self.money.into_iter().map(sum).collect(),
            without: self.details.into_iter().map(|(what, _, records)| MissingDetails { what, records }).collect(),
        }
    }
}

/// The amount in a field of a record.
pub(super) fn amount(value: &Json) -> Option<Decimal> {
    let text = plain_text(value);
    let text = text.trim();
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

/// A currency as it is summed: the comparison does not tell letters apart by case either.
fn currency_code(text: &str) -> String {
    text.trim().to_uppercase()
}

/// The fields whose absence is worth a number: where a thing is, who has it, and in what state it is.
fn details(entity: &'static Entity) -> impl Iterator<Item = (&'static str, &'static Field)> {
    let status = entity.fields.iter().find(|field| field.record_kinds().is_some());
    let place = entity.fields.iter().find(|field| {
        entity.meaning(Meaning::Holders).is_some()
            && field.is_written()
            && field.reference_to().is_some_and(|reference| reference.to == "locations")
    });
    let fields = [("status", status), ("holder", entity.meaning(Meaning::Holders)), ("place", place)];
    fields.into_iter().filter_map(|(what, field)| Some((what, field?)))
}

fn is_empty(held: &Record, field: &str) -> bool {
    match held.get(field) {
        None | Some(serde_json::Value::Null) => true,
        Some(serde_json::Value::String(text)) => text.trim().is_empty(),
        Some(serde_json::Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::schema::collection;

    #[test]
    fn money_is_summed_by_currency_and_what_is_lacking_is_counted() {
        let mut tally = SumTally::new(collection("assets").unwrap(), String::from("assets"));
        let record = |value: serde_json::Value| value.as_object().cloned().unwrap();
        let cost = |amount: i64| [StatedAmount { field: "purchase_cost", amount: Some(Decimal::from(amount)) }];
        let held = record(json!({"purchase_cost": "12.50", "currency": "EUR", "status_id": 1, "deployed_to": []}));
        tally.add(&cost(12), Some("EUR"), Some(&held));
        tally.add(&cost(5), None, Some(&record(json!({"purchase_cost": 5, "location_id": 2}))));
        tally.add(&cost(7), None, None);
        let sums = tally.finish();
        assert_eq!((sums.expected, sums.found), (3, 2));
        let money: Vec<_> = sums
            .money
            .iter()
            .map(|sum| (sum.currency.as_str(), sum.expected.to_string(), sum.found.to_string()))
            .collect();
        assert_eq!(money, [("", "12".into(), "5".into()), ("EUR", "12".into(), String::from("12.5"))]);
        let without: Vec<_> = sums.without.iter().map(|without| (without.what, without.records)).collect();
        assert_eq!(without, [("status", 1), ("holder", 2), ("place", 1)]);
    }

    #[test]
    fn currencies_are_summed_as_they_are_compared_and_nothing_is_left_out_in_silence() {
        let mut tally = SumTally::new(collection("assets").unwrap(), String::from("assets"));
        let held =
            |cost: serde_json::Value| json!({"purchase_cost": cost, "currency": "eur "}).as_object().cloned().unwrap();
        let cost = |amount: Option<&str>| {
            [StatedAmount { field: "purchase_cost", amount: amount.map(|amount| amount.parse().unwrap()) }]
        };
        tally.add(&cost(Some("1299.99")), Some("EUR"), Some(&held(json!(1299.99))));
        tally.add(&cost(None), None, Some(&held(json!("-250.50"))));
        tally.add(&cost(Some("1000")), Some("EUR"), Some(&held(json!(1e3))));
        tally.add(&cost(Some("1")), Some("EUR"), Some(&held(json!("n/a"))));
        assert_eq!(
            tally.remark().unwrap(),
            "assets: 1 value of the account cannot be read as an amount: not in the sums"
        );
        let sums = tally.finish();
        let money: Vec<_> = sums.money.iter().map(|sum| (sum.currency.as_str(), sum.expected, sum.found)).collect();
        let sum = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(money, [("EUR", sum("2050.49"), sum("2049.49"))]);
    }

    #[test]
    fn an_extra_record_counts_on_one_side() {
        let mut tally = SumTally::new(collection("accessories").unwrap(), String::from("a"));
        tally.add_extra(json!({"purchase_cost": 3}).as_object().unwrap());
        let sums = tally.finish();
        assert_eq!((sums.expected, sums.found, sums.money[0].found), (0, 1, Decimal::from(3)));
        assert!(sums.without.is_empty());
    }
}
