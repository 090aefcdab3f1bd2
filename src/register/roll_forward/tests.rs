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

/// For 1,200.00 over 36 months: 33.33… a month, and 11 months by the opening if bought on 1 January of its year.
fn license(id: i64, purchased: Date, ended: Option<Date>) -> RegisterItem {
    RegisterItem {
        kind: ItemKind::License,
        category: "Software".into(),
        cost: Ok(Decimal::from(1200)),
        purchase_date: Ok(purchased),
        disposal: ended.map_or(Disposal::None, Disposal::Terminated),
        ..samples::item(id)
    }
}

#[test]
fn a_license_is_charged_until_it_ends_and_leaves_with_what_it_then_was() {
    let start = date(2024, 1, 1);
    let before = || [license(1, start, None), license(2, start, None)];
    let now = [
        // 17 months at its end: 566.67, of which 366.67 by the opening.
        license(1, start, Some(date(2025, 6, 30))),
        license(2, start, None),
        // Bought and ended since: 4 months, 133.33.
        license(3, date(2025, 1, 15), Some(date(2025, 5, 31))),
    ];
    let lines = lines(CLOSING, now);
    let roll = roll(&previous(before()), &lines).unwrap();
    // Depreciation: 200.00 + 400.00 (11 to 23 months) + 133.33. Disposed of: 566.67 + 133.33.
    insta::assert_snapshot!(csv(&roll), @r#"
    EUR,Software,cost,2400.00,1200.00,-2400.00,0.00,0.00,1200.00,2024-12-31,2025-12-31
    EUR,Software,accumulated_depreciation,733.34,0.00,-700.00,0.00,733.33,766.67,2024-12-31,2025-12-31
    EUR,Software,book_value,1666.66,1200.00,-1700.00,0.00,-733.33,433.33,2024-12-31,2025-12-31
    "#);
    assert_eq!(changes(&roll), ["added 3 Software", "disposed 1 Software", "disposed 3 Software"]);
    // What the register itself says of them.
    for change in roll.changes.iter().filter(|change| change.event == ItemEvent::Disposed) {
        let line = lines.iter().find(|line| line.item.id == change.entry.id).unwrap();
        let figures = line.figures.as_ref().unwrap();
        let disposals = change.movements.map(|movement| -movement.disposals);
        assert_eq!(disposals, [Decimal::from(1200), figures.accumulated, figures.book_value]);
    }
}

#[test]
fn a_license_that_ends_on_the_closing_has_ended_and_one_that_ended_by_the_opening_is_not_charged() {
    let start = date(2024, 1, 1);
    let before = [license(1, start, None), license(2, start, None), license(3, start, Some(OPENING))];
    let now = [
        license(1, start, Some(CLOSING)),
        // Entered late: the opening had charged it up to its own day.
        license(2, start, Some(OPENING)),
        license(3, start, Some(OPENING)),
    ];
    let roll = roll(&previous(before), &lines(CLOSING, now)).unwrap();
    insta::assert_snapshot!(csv(&roll), @r#"
    EUR,Software,cost,2400.00,0.00,-2400.00,0.00,0.00,0.00,2024-12-31,2025-12-31
    EUR,Software,accumulated_depreciation,733.34,0.00,-1133.34,0.00,400.00,0.00,2024-12-31,2025-12-31
    EUR,Software,book_value,1666.66,0.00,-1266.66,0.00,-400.00,0.00,2024-12-31,2025-12-31
    "#);
    assert_eq!(changes(&roll), ["disposed 1 Software", "disposed 2 Software"]);
}

#[test]
fn a_license_that_was_changed_before_it_ended_is_adjusted_first() {
    let (start, end) = (date(2024, 1, 1), Some(date(2025, 6, 30)));
    let no_schedule = || Err(MissingFigure::NoDepreciation("it".into()));
    let before = [
        license(1, start, None),
        license(2, start, None),
        RegisterItem { schedule: no_schedule(), ..license(3, start, None) },
    ];
    let now = [
        RegisterItem { cost: Ok(Decimal::from(1800)), ..license(1, start, end) },
        RegisterItem { category: "Services".into(), ..license(2, start, end) },
        RegisterItem { schedule: no_schedule(), ..license(3, start, end) },
        // Bought before the opening and entered since.
        license(4, start, end),
    ];
    let roll = roll(&previous(before), &lines(CLOSING, now)).unwrap();
    // 1: 50.00 a month for 17 months: 850.00; 550.00 of it by the opening, which had 366.67.
    // 4: 366.67 by the opening, and 200.00 since, as 2 in its new category.
    insta::assert_snapshot!(csv(&roll), @r#"
    EUR,Services,cost,0.00,0.00,-1200.00,1200.00,0.00,0.00,2024-12-31,2025-12-31
    EUR,Services,accumulated_depreciation,0.00,0.00,-566.67,366.67,200.00,0.00,2024-12-31,2025-12-31
    EUR,Services,book_value,0.00,0.00,-633.33,833.33,-200.00,0.00,2024-12-31,2025-12-31
    EUR,Software,cost,3600.00,1200.00,-4200.00,-600.00,0.00,0.00,2024-12-31,2025-12-31
    EUR,Software,accumulated_depreciation,733.34,0.00,-1416.67,183.33,500.00,0.00,2024-12-31,2025-12-31
    EUR,Software,book_value,1666.66,1200.00,-1583.33,-783.33,-500.00,0.00,2024-12-31,2025-12-31
    "#);
    assert_eq!(
        changes(&roll),
        [
            "added 4 Software", "disposed 1 Software", "disposed 2 Services", "disposed 3 Software",
            "disposed 4 Software", "adjusted 1 Software", "moved out 2 Software", "moved in 2 Services",
        ]
    );
}

#[test]
fn assets_that_were_bought_and_archived_since_the_opening_are_counted() {
    let archived = |id, purchased| RegisterItem {
        disposal: Disposal::Archived,
        purchase_date: Ok(purchased),
        ..samples::item(id)
    };
    let before = [samples::item(1)];
    let now = [
        archived(1, date(2024, 1, 15)),
        archived(2, date(2025, 3, 1)),
        // Bought before the opening: it may have been archived then.
        archived(3, OPENING),
        RegisterItem { purchase_date: Ok(date(2025, 3, 1)), ..samples::item(4) },
    ];
    let rolled = roll(&previous(before), &lines(CLOSING, now.clone())).unwrap();
    assert_eq!(rolled.bought_and_archived, 1);
    let empty = PreviousRegister::default();
    assert_eq!(roll(&empty, &lines(CLOSING, now)).unwrap().bought_and_archived, 0, "an empty register has no day");
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
    let fields = (category, code, 0i64..500_000, 1u32..60, -900i32..400, -90i32..400, 0u8..12);
    prop::option::weighted(0.8, fields).prop_map(move |fields| {
        let (category, code, cents, months, days, ends, odd) = fields?;
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
            disposal: match odd {
                2 => Disposal::Archived,
                3..=6 => Disposal::Terminated(OPENING.checked_add(jiff::ToSpan::days(ends)).unwrap()),
                _ => Disposal::None,
            },
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
