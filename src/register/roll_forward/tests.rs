#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::civil::date;
use proptest::prelude::*;

use super::super::depreciation::DepreciationSchedule;
use super::super::item::{Disposal, ItemKind, MissingFigure, RegisterItem};
use super::super::{csv_file, samples};
use super::*;
use crate::fuzz::cases;

const OPENING: Date = date(2024, 12, 31);
const CLOSING: Date = date(2025, 12, 31);

fn lines(day: Date, items: impl IntoIterator<Item = RegisterItem>) -> Vec<RegisterLine> {
    items.into_iter().map(|item| RegisterLine::on(day, item)).collect()
}

/// The register of the opening as the next one reads it.
fn previous(items: impl IntoIterator<Item = RegisterItem>) -> PreviousRegister {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.csv");
    csv_file::write(std::fs::File::create(&path).unwrap(), &lines(OPENING, items), OPENING).unwrap();
    PreviousRegister::read(&path, CLOSING).unwrap()
}

fn csv(roll: &RollForward) -> String {
    let mut out = Vec::new();
    write_csv(&mut out, roll, CLOSING).unwrap();
    String::from_utf8(out).unwrap().replace('\r', "").lines().skip(1).map(|line| line.to_owned() + "\n").collect()
}

fn changes(roll: &RollForward) -> Vec<String> {
    let shown = |change: &ItemChange| {
        format!("{} {} {}", change.event.name(), change.entry.id, name_or_none(&change.entry.category))
    };
    roll.changes.iter().map(shown).collect()
}

#[test]
fn time_alone_is_depreciation() {
    let roll = roll(&previous([samples::item(1)]), &lines(CLOSING, [samples::item(1)])).unwrap();
    insta::assert_snapshot!(csv(&roll), @r#"
    EUR,Laptops,cost,1000.00,0.00,0.00,0.00,0.00,1000.00,2024-12-31,2025-12-31
    EUR,Laptops,accumulated_depreciation,305.56,0.00,0.00,0.00,333.33,638.89,2024-12-31,2025-12-31
    EUR,Laptops,book_value,694.44,0.00,0.00,0.00,-333.33,361.11,2024-12-31,2025-12-31
    "#);
    assert_eq!(changes(&roll), [""; 0]);
}

#[test]
fn what_is_new_what_is_gone_and_what_was_changed() {
    let schedule = |months| Ok(DepreciationSchedule { name: "S".into(), months, minimum: Decimal::ZERO });
    let before = [
        samples::item(1),
        samples::item(2),
        samples::item(3),
        samples::item(4),
        RegisterItem { schedule: Err(MissingFigure::NoDepreciation("it".into())), ..samples::item(5) },
        RegisterItem { disposal: Disposal::Archived, ..samples::item(6) },
    ];
    let now = [
        RegisterItem { disposal: Disposal::Archived, ..samples::item(1) },
        RegisterItem { cost: Ok(Decimal::from(1200)), ..samples::item(2) },
        RegisterItem { category: "Desktops".into(), ..samples::item(3) },
        // 4 is deleted; 5 gets a schedule; 6 comes back; 7 is bought; 8 was entered late; 9 has no figures.
        RegisterItem { schedule: schedule(36), ..samples::item(5) },
        samples::item(6),
        RegisterItem { purchase_date: Ok(date(2025, 6, 15)), ..samples::item(7) },
        samples::item(8),
        RegisterItem { schedule: Err(MissingFigure::NoDepreciation("it".into())), ..samples::item(9) },
    ];
    let roll = roll(&previous(before), &lines(CLOSING, now)).unwrap();
    insta::assert_snapshot!(csv(&roll), @r#"
    EUR,Desktops,cost,0.00,0.00,0.00,1000.00,0.00,1000.00,2024-12-31,2025-12-31
    EUR,Desktops,accumulated_depreciation,0.00,0.00,0.00,305.56,333.33,638.89,2024-12-31,2025-12-31
    EUR,Desktops,book_value,0.00,0.00,0.00,694.44,-333.33,361.11,2024-12-31,2025-12-31
    EUR,Laptops,cost,5000.00,4000.00,-2000.00,-800.00,0.00,6200.00,2024-12-31,2025-12-31
    EUR,Laptops,accumulated_depreciation,1222.24,0.00,-611.12,672.23,1566.66,2850.01,2024-12-31,2025-12-31
    EUR,Laptops,book_value,2777.76,3000.00,-1388.88,-472.23,-1566.66,2349.99,2024-12-31,2025-12-31
    "#);
    assert_eq!(
        changes(&roll),
        [
            "added 6 Laptops", "added 7 Laptops", "added 8 Laptops", "added 9 Laptops", "disposed 1 Laptops",
            "disposed 4 Laptops", "adjusted 2 Laptops", "adjusted 5 Laptops", "moved out 3 Laptops",
            "moved in 3 Desktops",
        ]
    );
}

#[test]
fn an_opening_that_is_not_what_it_says_is_an_error_that_names_the_items() {
    let mut previous = previous([samples::item(1)]);
    previous.entries.get_mut(&(ItemKind::Asset, 1)).unwrap().book_value = Some(Decimal::from(1));
    let differences = roll(&previous, &lines(CLOSING, [samples::item(1)])).unwrap_err();
    assert_eq!(differences, ["asset 1 `LAP-0001`"]);
}

fn any_item(id: i64) -> impl Strategy<Value = Option<RegisterItem>> {
    let category = prop::sample::select(vec!["Laptops", "laptops", "Desks", ""]);
    let code = prop::sample::select(vec!["EUR", "JPY", "KWD", ""]);
    let fields = (category, code, 0i64..500_000, 1u32..60, -900i32..400, 0u8..12);
    prop::option::weighted(0.8, fields).prop_map(move |fields| {
        let (category, code, cents, months, days, odd) = fields?;
        let item = samples::item(id);
        Some(RegisterItem {
            category: category.into(),
            currency: Currency::of(code),
            cost: if odd == 0 { Err(MissingFigure::CostMissing) } else { Ok(Decimal::new(cents, 2)) },
            purchase_date: Ok(OPENING.checked_add(jiff::ToSpan::days(days)).unwrap()),
            schedule: match odd {
                1 => Err(MissingFigure::NoDepreciation("it".into())),
                _ => Ok(DepreciationSchedule { name: "S".into(), months, minimum: Decimal::from(10) }),
            },
            disposal: if odd == 2 { Disposal::Archived } else { Disposal::None },
            ..item
        })
    })
}

fn any_items() -> impl Strategy<Value = Vec<RegisterItem>> {
    (1..9i64).map(any_item).collect::<Vec<_>>().prop_map(|items| items.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn whatever_happens_it_ties(before in any_items(), now in any_items()) {
        let (previous, lines) = (previous(before), lines(CLOSING, now));
        let roll_forward = roll(&previous, &lines);
        prop_assert!(roll_forward.is_ok(), "{roll_forward:?}");
    }
}
