//! Items for tests.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::civil::date;
use rust_decimal::Decimal;

use super::currency::Currency;
use super::depreciation::DepreciationSchedule;
use super::item::{Disposal, ItemKind, RegisterItem};

/// A laptop for 1,000.00 euros, bought on 2024-01-15, over 36 months.
pub(super) fn item(id: i64) -> RegisterItem {
    RegisterItem {
        kind: ItemKind::Asset,
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
        purchase_date: Ok(date(2024, 1, 15)),
        schedule: Ok(DepreciationSchedule { name: "Laptops, 3 years".into(), months: 36, minimum: Decimal::ZERO }),
        expires_on: Some(date(2027, 1, 15)),
        unusable: Vec::new(),
    }
}
