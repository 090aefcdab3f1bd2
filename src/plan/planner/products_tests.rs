//! Which product a row of an assets sheet is of, with an account in memory.

use serde_json::json;

use super::super::scenario::Scenario;
use crate::plan::CreateMissing;

/// A product by Dell, one without a maker, and one by number.
fn account() -> Scenario {
    Scenario::new()
        .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
        .holds(
            "categories",
            json!([{"id": 1, "name": "Laptops", "type": "asset"}, {"id": 2, "name": "Phones", "type": "asset"}]),
        )
        .holds("manufacturers", json!([{"id": 5, "name": "Dell"}, {"id": 6, "name": "HP"}]))
        .holds(
            "products",
            json!([
                {"id": 1, "name": "Pro 14", "category_id": 1, "manufacturer_id": 5},
                {"id": 2, "name": "Dock", "category_id": 1, "manufacturer_id": null},
                {"id": 3, "name": "X1", "model_number": "G9", "category_id": 1, "manufacturer_id": 5},
            ]),
        )
}

const HEADER: &str = "asset_id|product|manufacturer|model number|category|status";

fn rows(rows: &str) -> Scenario {
    account().sheet("assets", &format!("{HEADER}\n{rows}"))
}

/// The steps that create what rows name, and how many rows follow.
fn created(scenario: Scenario) -> (Vec<String>, usize) {
    let outcome = scenario.create_missing(CreateMissing::AllButPeople).plan();
    let (rows, made): (Vec<String>, Vec<String>) =
        outcome.shown_steps().into_iter().partition(|step| step.starts_with("assets: "));
    (made, rows.len())
}

#[test]
fn a_product_of_another_maker_or_number_is_another_product() {
    for (row, problem) in [
        (
            "T-1|Pro 14|HP||Laptops|Ready",
            "reject name.contradicted at B: no `Pro 14` in products has the manufacturer `HP`; there is Pro 14 (#1, manufacturer Dell)",
        ),
        (
            "T-1|X1|Dell|G10|Laptops|Ready",
            "reject name.contradicted at B: no `X1` in products has the model number `G10`; there is X1 (#3, model number G9)",
        ),
    ] {
        assert_eq!(rows(row).shown(), [problem]);
    }
    assert_eq!(
        created(rows("T-1|Pro 14|HP||Laptops|Ready\nT-2|X1|Dell|G10|Laptops|Ready")).0,
        [
            r#"products: create {"category_id":1,"manufacturer_id":6,"name":"Pro 14"}"#,
            r#"products: create {"category_id":1,"manufacturer_id":5,"model_number":"G10","name":"X1"}"#,
        ]
    );
}

#[test]
fn a_maker_that_is_not_told_or_spelled_otherwise_is_the_same() {
    for row in ["T-1|Pro 14|dell||Laptops|Ready", "T-1|Pro 14|||Laptops|Ready", "T-1|pro 14|#5|||Ready"] {
        let (made, assets) = created(rows(row));
        assert!(made.is_empty() && assets == 1, "{row}: {made:?}");
    }
    let (made, assets) = created(rows("T-1|Dock|HP||Laptops|Ready"));
    assert!(made.is_empty() && assets == 1, "a product without a maker may be anyone's: {made:?}");
}

#[test]
fn rows_that_make_a_product_agree_with_each_other_about_its_maker() {
    let (made, assets) = created(rows(
        "T-1|New|Acme||Laptops|Ready\nT-2|new| ACME ||Laptops|Ready\nT-3|New|||Laptops|Ready\n\
         T-4|New|HP||Laptops|Ready\nT-5|NEW|hp||Laptops|Ready\nT-6|New|acme||Laptops|Ready",
    ));
    assert_eq!(
        made,
        [
            r#"manufacturers: create {"name":"Acme"}"#,
            r#"products: create {"category_id":1,"name":"New"} after 0:manufacturer_id"#,
            r#"products: create {"category_id":1,"manufacturer_id":6,"name":"New"}"#,
        ]
    );
    assert_eq!(assets, 5, "of one row nobody can tell which of the two it means");
    // Wherever it stands.
    for (place, text) in [
        (0, "T-3|New|||Laptops|Ready\nT-1|New|Acme||Laptops|Ready\nT-0|X|||Laptops|Ready\nT-2|New|HP||Laptops|Ready"),
        (1, "T-1|New|Acme||Laptops|Ready\nT-3|New|||Laptops|Ready\nT-0|X|||Laptops|Ready\nT-2|New|HP||Laptops|Ready"),
        (2, "T-1|New|Acme||Laptops|Ready\nT-2|New|HP||Laptops|Ready\nT-3|New|||Laptops|Ready"),
    ] {
        let shown = rows(text).create_missing(CreateMissing::AllButPeople).shown();
        let rejected: Vec<&String> = shown.iter().filter(|row| row.starts_with("reject")).collect();
        assert!(rejected.len() == 1 && rejected[0].starts_with("reject name.ambiguous at B: "), "{place}: {shown:?}");
    }
}

#[test]
fn what_one_row_leaves_blank_of_a_missing_record_another_says() {
    for text in [
        "T-1|New|||Laptops|Ready\nT-2|New|Acme||Laptops|Ready",
        "T-1|New|Acme||Laptops|Ready\nT-2|New||||Ready",
        "T-1|New||||Ready\nT-2|New|Acme|||Ready\nT-3|New|||Laptops|Ready",
    ] {
        let (made, assets) = created(rows(text));
        assert_eq!(
            made,
            [
                r#"manufacturers: create {"name":"Acme"}"#,
                r#"products: create {"category_id":1,"name":"New"} after 0:manufacturer_id"#,
            ],
            "{text}"
        );
        assert_eq!(assets, text.lines().count(), "{text}");
    }
}

#[test]
fn a_row_that_may_be_of_either_record_contradicts_neither() {
    let (made, assets) =
        created(rows("T-1|Zed|Acme||Laptops|Ready\nT-2|Zed|Zoom||Phones|Ready\nT-3|Zed|||Phones|Ready"));
    assert_eq!(made.iter().filter(|step| step.starts_with("products")).count(), 2, "{made:?}");
    assert_eq!(assets, 3, "{made:?}");
}

#[test]
fn a_model_number_that_one_row_leaves_blank_another_says() {
    for text in
        ["T-1|Zed|||Laptops|Ready\nT-2|Zed|Acme|M1|Laptops|Ready", "T-2|Zed|Acme|M1|Laptops|Ready\nT-1|Zed||||Ready"]
    {
        let (made, assets) = created(rows(text));
        let products: Vec<&String> = made.iter().filter(|step| step.starts_with("products")).collect();
        assert!(products.len() == 1 && products[0].contains(r#""model_number":"M1""#), "{made:?}");
        assert_eq!(assets, 2);
    }
    let several = "T-1|Zed|||Laptops|Ready\nT-2|Zed||M1|Laptops|Ready\nT-3|Zed||M2|Laptops|Ready";
    let shown = rows(several).create_missing(CreateMissing::AllButPeople).shown();
    assert!(shown[0].starts_with("reject name.ambiguous at B: rows describe several products `Zed`"), "{shown:#?}");
}

#[test]
fn what_a_value_map_says_is_not_replaced_by_what_other_rows_say() {
    let file = "[fields.\"product_id.category_id\"]\ncolumn = \"Kind\"\nvalues = { NB = \"Laptops\" }";
    let planned = |rows: &str| {
        let sheet = format!("asset_id|product|Kind|status\n{rows}");
        account().ruled_sheet("assets", &sheet, file).create_missing(CreateMissing::AllButPeople).plan()
    };
    let outcome = planned("T-1|Zed|NB|Ready\nT-2|Zed|Phones|Ready");
    assert_eq!(outcome.shown_steps()[0], r#"products: create {"category_id":1,"name":"Zed"}"#);
    assert!(outcome.shown_rejections()[0].starts_with("reject name.contradicted"), "{:?}", outcome.shown_rejections());
    for rows in ["T-1|Zed|NB|Ready\nT-2|Zed||Ready", "T-2|Zed||Ready\nT-1|Zed|NB|Ready"] {
        let outcome = planned(rows);
        assert_eq!(outcome.shown_steps()[0], r#"products: create {"category_id":1,"name":"Zed"}"#);
        assert_eq!(outcome.shown_rejections(), [""; 0], "{rows}");
    }
}

#[test]
fn one_value_in_two_spellings_is_no_contradiction() {
    for text in
        ["T-1|Zed|Acme||#1|Ready\nT-2|Zed|Acme||Laptops|Ready", "T-1|Zed|#6||Laptops|Ready\nT-2|Zed|HP||Laptops|Ready"]
    {
        let outcome = rows(text).create_missing(CreateMissing::AllButPeople).plan();
        assert_eq!(outcome.shown_rejections(), [""; 0], "{text}");
    }
}

#[test]
fn rows_that_contradict_each_other_about_a_missing_record_are_problems() {
    let places = |rows: &str| {
        let sheet = format!("asset_id|product|status|location|Location City|Location Zip\n{rows}");
        account().create_missing(CreateMissing::AllButPeople).sheet("assets", &sheet).plan()
    };
    let outcome = places("T-1|Pro 14|Ready|Room 9||1\nT-2|Pro 14|Ready|room 9|Rome|\nT-3|Pro 14|Ready|Room 9|Oslo|");
    assert_eq!(outcome.shown_steps()[0], r#"locations: create {"city":"Rome","name":"Room 9","zip":"1"}"#);
    let rejected = outcome.shown_rejections();
    assert_eq!(
        rejected,
        ["reject record.contradicted at E: another value than in row 3, which describes the same location: `Rome`"]
    );
    // In the other order the one that comes first counts.
    let outcome = places("T-1|Pro 14|Ready|Room 9|Oslo|\nT-2|Pro 14|Ready|room 9|rome|1");
    assert_eq!(outcome.shown_steps()[0], r#"locations: create {"city":"Oslo","name":"Room 9","zip":"1"}"#);
    assert_eq!(outcome.shown_rejections().len(), 1);
}

#[test]
fn a_category_that_a_rule_makes_up_fills_a_new_product_and_excludes_none() {
    let ruled = |rules: &str| {
        let rows = "asset_id|product|OS|status\nT-1|Pro 14|iOS|Ready\nT-2|New|iOS|Ready\nT-3|new|Android|Ready";
        created(account().ruled_sheet("assets", rows, rules))
    };
    let mapped =
        "[fields.\"product_id.category_id\"]\ncolumn = \"OS\"\nvalues = { iOS = \"Phones\", Android = \"Tablets\" }";
    let default = "[fields.\"product_id.category_id\"]\ndefault = \"Phones\"";
    for rules in [mapped, default] {
        let (made, assets) = ruled(rules);
        assert_eq!(made, [r#"products: create {"category_id":2,"name":"New"}"#], "{rules}");
        assert_eq!(assets, 3, "{rules}");
    }
}

#[test]
fn a_category_that_the_row_says_itself_still_counts() {
    assert_eq!(
        rows("T-1|Pro 14|||Phones|Ready").shown(),
        [
            "reject name.contradicted at B: no `Pro 14` in products has the category `Phones`; there is Pro 14 (#1, category Laptops)"
        ]
    );
    let plain = "[fields.\"product_id.category_id\"]\ncolumn = \"OS\"";
    let rows = "asset_id|product|OS|status\nT-1|Pro 14|Phones|Ready";
    assert!(account().ruled_sheet("assets", rows, plain).shown()[0].starts_with("reject name.contradicted"));
}

#[test]
fn a_maker_from_a_value_map_counts_and_one_from_a_default_does_not() {
    let ruled = |rule: &str| {
        let rows = "asset_id|product|Brand name|status\nT-1|Pro 14|Hewlett Packard|Ready\nT-2|Pro 14|DELL Inc.|Ready";
        account().ruled_sheet("assets", rows, rule).shown()
    };
    let mapped = "[fields.\"product_id.manufacturer_id\"]\ncolumn = \"Brand name\"\n\
                  values = { \"Hewlett Packard\" = \"HP\", \"Dell Inc.\" = \"Dell\" }";
    let shown = ruled(mapped);
    assert!(shown[0].contains("has the manufacturer `HP`"), "{shown:?}");
    assert_eq!(shown[1], r#"create {"asset_id":"T-2","product_id":1,"status_id":1}"#);
    let shown = ruled("ignore = [\"Brand name\"]\n[fields.\"product_id.manufacturer_id\"]\ndefault = \"HP\"");
    assert!(shown.iter().all(|row| row.starts_with("create")), "{shown:?}");
}

#[test]
fn what_a_row_says_of_a_product_otherwise_than_the_account_is_remarked() {
    let product = json!({"id": 9, "name": "Air", "category_id": 1, "manufacturer_id": null, "end_of_life_months": 48});
    let remarks = |life: &str, rest: &str| {
        let rows = format!("asset_id|product|life|category|manufacturer|status\nT-1|Air|{life}|{rest}|Ready");
        let scenario = account().holds("products", json!([product]));
        let outcome = scenario.mapped_sheet("assets", &rows, &[("life", "product_id.end_of_life_months")]).plan();
        assert_eq!(outcome.shown_rejections(), [""; 0]);
        outcome.remarks
    };
    let said = |value: &str, place: &str| {
        format!(
            "1 cell with `{value}` not used: the product is in the account with another value or none, and stays as it is ({place})"
        )
    };
    assert_eq!(remarks("36", "Laptops|"), [format!("`life`: {}", said("36", "C2"))]);
    assert_eq!(remarks("48", "laptops|"), [""; 0]);
    assert_eq!(remarks("", "#1|Dell"), [format!("`manufacturer`: {}", said("Dell", "E2"))]);
}
