//! Items for tests.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::civil::date;
use rust_decimal::Decimal;

use super::amount::Currency;
use super::depreciation::Schedule;
use super::item::{Disposal, Item, Kind};

/// A laptop for 1,000.00 euros, bought on 2024-01-15, over 36 months.
pub(super) fn item(id: i64) -> Item {
    Item {
        kind: Kind::Asset,
        id,
        tag: format!("LAP-{id:04}"),
        title: "MacBook Pro 14".into(),
        serial: format!("S{id}"),
        category: "Laptops".into(),
        department: "Finance".into(),
        location: "Berlin".into(),
        supplier: "CDW".into(),
        status: "In Use".into(),
        disposal: Disposal::None,
        currency: Currency::of("EUR"),
        cost: Ok(Decimal::from(1000)),
        purchased: Ok(date(2024, 1, 15)),
        schedule: Ok(Schedule { name: "Laptops, 3 years".into(), months: 36, minimum: Decimal::ZERO }),
        runs_out: Some(date(2027, 1, 15)),
    }
}
