#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::check::{Creation, EmptyCells, RemarkTally};
use crate::mapping::{FieldRule, MappingFile, MappingOverride, MappingOverrides, MappingSource, RuleOrigin};
use crate::schema;
use crate::table::Value;

/// A sheet to check: its headers, and rows of text cells or of typed ones.
struct Sheet {
    mapping: Mapping,
    rules: Rules,
    rows: Vec<Row>,
}

impl Sheet {
    fn new(entity: &str, headers: &str) -> Self {
        Self::mapped(entity, headers, &[])
    }

    /// With `--map` entries.
    fn mapped(entity: &str, headers: &str, map: &[(&str, &str)]) -> Self {
        let map = map.iter().map(|(header, target)| MappingOverride {
            header: (*header).to_owned(),
            target: (*target).to_owned(),
            source: MappingSource::CommandLine,
        });
        Self::with_overrides(entity, headers, MappingOverrides { map: map.collect(), ..MappingOverrides::default() })
    }

    /// With a default for each of these fields. Values are texts here, where an import reads them first.
    fn defaulted(entity: &str, headers: &str, defaults: &[(&str, &str)]) -> Self {
        let rule = |(field, value): &(&str, &str)| {
            let origin = RuleOrigin { source: MappingSource::CommandLine, place: String::new() };
            FieldRule { default: Some((*value).into()), ..FieldRule::new(*field, origin) }
        };
        let rules = defaults.iter().map(rule).collect();
        Self::with_overrides(entity, headers, MappingOverrides { rules, ..MappingOverrides::default() })
    }

    /// With the rules of a mapping file.
    fn ruled(entity: &str, headers: &str, file: &str) -> Self {
        let file = MappingFile::parse(file, MappingSource::MappingFile, "m.toml").unwrap();
        let entity_of = schema::find(entity).unwrap();
        let (rules, skips) = (file.rules(entity_of), file.skips(entity_of));
        let map = file.overrides(entity_of);
        Self::with_overrides(entity, headers, MappingOverrides { map, rules, skips, ..MappingOverrides::default() })
    }

    fn with_overrides(entity: &str, headers: &str, overrides: MappingOverrides) -> Self {
        let mut header = Row::default();
        header.clear(1);
        header.split(headers, b'|');
        let mapping = Mapping::new(schema::find(entity).unwrap(), &header, &overrides).unwrap();
        Self { mapping, rules: Rules::default(), rows: Vec::new() }
    }

    /// Adds a row of text cells.
    fn row(mut self, cells: &str) -> Self {
        let mut row = Row::default();
        row.clear(self.rows.len() as u64 + 2);
        row.split(cells, b'|');
        self.rows.push(row);
        self
    }

    /// Every value of the rows, as `field value`.
    fn values(&self) -> Vec<String> {
        let mut checker = Checker::new(&self.mapping, &self.rules, &[], ExtraCells::Problem);
        let (mut checked, mut found) = (CheckedRow::default(), Vec::new());
        for row in &self.rows {
            let filled = checker.check(row, &mut checked).clone();
            assert_eq!(checked.problems, []);
            for given in &checked.values {
                let text = filled.cell(given.column as usize).text;
                let name = self.mapping.entity.fields[given.field].name;
                found.push(match given.value {
                    ParsedValue::Text | ParsedValue::Name(_) => format!("{name} {text}"),
                    ParsedValue::Amount(amount) => format!("{name} {amount}"),
                    ParsedValue::Date(day) => format!("{name} {day}"),
                    ParsedValue::Currency(code) => format!("{name} {code}"),
                    other => format!("{name} {other:?}"),
                });
            }
        }
        found
    }

    /// Gives a cell of the last row another value and number format.
    fn with(mut self, column: usize, value: Value, format: &str) -> Self {
        let row = self.rows.last_mut().unwrap();
        let text = row.cell(column).text.to_owned();
        row.set_formats(&std::sync::Arc::from([format.to_owned()]));
        row.push_formatted(&text, value, u16::from(!format.is_empty()));
        row.move_last_to(column);
        self
    }

    /// Every problem as `A2 code`, and then every remark as `code message`.
    fn check(&self) -> Vec<String> {
        let mut checker = Checker::new(&self.mapping, &self.rules, self.mapping.entity.key, ExtraCells::Problem);
        let (mut checked, mut tally, mut found) = (CheckedRow::default(), RemarkTally::default(), Vec::new());
        for pass in 0..2 {
            checker.rewind();
            (tally, found) = (RemarkTally::default(), Vec::new());
            for row in &self.rows {
                checker.check(row, &mut checked);
                checked.report_missing(&self.mapping, Creation::Certain);
                tally.add(row.number, &checked.remarks);
                found.extend(checked.problems.iter().map(|problem| shown(row.number, problem)));
            }
            if pass == 0 && checker.infer_formats() == Inference::Final {
                break;
            }
        }
        let remarks = tally.remarks(&self.mapping, None);
        found.extend(remarks.iter().map(|remark| format!("{} {}", remark.code.as_str(), remark.message)));
        found
    }
}

fn shown(row: u64, problem: &Problem) -> String {
    let at = problem.column.map_or(format!("row {row}"), |column| crate::table::CellRef { row, column }.to_string());
    format!("{at} {}", problem.code().as_str())
}

#[test]
fn error_values_as_text_are_problems_in_every_column() {
    let sheet = Sheet::new("assets", "Asset Tag|Model|Status|Serial|Location|Category|custom:Rack|Purchase Cost|_id")
        .row("#REF!|#NAME?|#WERT!|#NV|Err:502|#VALEUR!|#N/A|#DIV/0!|#BEZUG!");
    let columns = ["A2", "B2", "C2", "D2", "E2", "F2", "G2", "H2", "I2"];
    assert_eq!(sheet.check(), columns.map(|column| format!("{column} cell.error")));
}

#[test]
fn damage_is_a_problem_in_columns_that_describe_others_too() {
    let assets = Sheet::new("assets", "Asset Tag|Model|Status|Model Number|Manufacturer|custom:IMEI|Location")
        .row("A-1|Mac|Ready|6.37702E+15|6.4E+15|8.9E+18|1.2E+15");
    assert_eq!(assets.check(), ["D2 cell.damaged", "E2 cell.damaged", "F2 cell.damaged", "G2 cell.damaged"]);
    let date = Value::Date(jiff::civil::date(2026, 3, 5).at(0, 0, 0, 0));
    let dated = Sheet::new("assets", "Asset Tag|Model|Status|Serial|Order Number|Notes|custom:Checked")
        .row("5-Mar|Mac|Ready|2026-03-05|x|2026-03-05|2026-03-05")
        .with(3, date, "d-mmm")
        .with(5, date, "d-mmm")
        .with(6, date, "d-mmm");
    assert_eq!(dated.check(), ["A2 cell.damaged", "D2 cell.damaged"], "notes and custom fields may hold dates");
    let rounded = Sheet::new("assets", "Asset Tag|Model|Status|Serial").row("A-1|Mac|Ready|1235").with(
        3,
        Value::Number(1234.5),
        "0",
    );
    assert_eq!(rounded.check(), ["D2 cell.damaged"]);
}

#[test]
fn words_for_no_value_are_remarked_once_per_column() {
    let sheet = Sheet::new("assets", "Asset Tag|Model|Status|Notes|Category")
        .row("A-1|Mac|Ready|NIL|none")
        .row("A-2|Mac|Ready|TBA|Laptops")
        .row("A-3|Mac|Ready|NIL|");
    assert_eq!(
        sheet.check(),
        [
            "value.none `Notes`: 3 cells with `NIL`, `TBA` read as empty (first D2)",
            "value.none `Category`: 1 cell with `none` read as empty (E2)",
        ]
    );
    assert_eq!(Sheet::new("assets", "Asset Tag|Model|Status").row("n/a|Mac|Ready").check(), ["A2 required.no_value"]);
    // Nor are such rows rows of one record.
    let twice = Sheet::new("assets", "Asset Tag|Model|Status").row("n/a|Mac|Ready").row("n/a|Mac|Ready");
    assert_eq!(twice.check(), ["A2 required.no_value", "A3 required.no_value"]);
}

#[test]
fn a_checkout_to_nobody_is_a_problem() {
    for (action, headers, good, bad) in [
        ("checkout_asset", "asset|employee|location|checkout date", "A-1||HQ|2026-01-01", "A-1|n/a||2026-01-01"),
        ("checkout_accessory", "accessory|employee|quantity|checkout date", "M|Ada|1|2026-01-01", "M||1|2026-01-01"),
        ("checkin_license", "license|employee|checkin date", "M|Ada|2026-01-01", "M| |2026-01-01"),
    ] {
        assert_eq!(Sheet::new(action, headers).row(good).check(), [""; 0], "{action}");
        let found = Sheet::new(action, headers).row(bad).check();
        assert_eq!(found[0], "B2 required.missing", "{action}");
    }
    let without_column = Sheet::new("checkout_asset", "asset|checkout date").row("A-1|2026-01-01");
    assert_eq!(without_column.check(), ["row 2 required.missing"]);
    let component = Sheet::new("checkin_component", "component|asset|checkin date").row("RAM|A-1|2026-01-01");
    assert_eq!(component.check(), [""; 0], "its holder is required already");
}

#[test]
fn the_sign_or_header_of_an_amount_is_its_currency() {
    let costs = |headers: &str, row: &str| Sheet::new("accessories", headers).row(row);
    let header = "Name|Category|Quantity|Purchase Cost";
    for (headers, row, currency) in [
        (header, "Mouse|Mice|1|€29", "currency EUR"),
        (header, "Mouse|Mice|1|£29", "currency GBP"),
        (header, "Mouse|Mice|1|US$29", "currency USD"),
        ("Name|Category|Quantity|Purchase Cost (EUR)", "Mouse|Mice|1|29", "currency EUR"),
        ("Name|Category|Quantity|Purchase Cost (£)", "Mouse|Mice|1|29", "currency GBP"),
        ("Name|Category|Quantity|Purchase Cost ($)", "Mouse|Mice|1|29 CAD", "currency CAD"),
        ("Name|Category|Quantity|Purchase Cost|Currency", "Mouse|Mice|1|£29|EGP", "currency EGP"),
    ] {
        let values = costs(headers, row).values();
        assert!(values.iter().any(|value| value == currency), "{headers} {row}: {values:?}");
        assert_eq!(costs(headers, row).check(), [""; 0], "{headers} {row}");
    }
    for (headers, row) in [
        ("Name|Category|Quantity|Purchase Cost (EUR)", "Mouse|Mice|1|$29"),
        ("Name|Category|Quantity|Purchase Cost|Currency", "Mouse|Mice|1|€29|USD"),
        ("Name|Category|Quantity|Purchase Cost (EUR)|Currency", "Mouse|Mice|1|29|USD"),
    ] {
        assert_eq!(costs(headers, row).check(), ["D2 money.currency"], "{headers} {row}");
    }
    let number = costs(header, "Mouse|Mice|1|29").with(3, Value::Number(29.0), "[$$-409]#,##0");
    assert!(number.values().contains(&String::from("currency USD")));
}

#[test]
fn a_shared_sign_is_remarked_once_per_column() {
    let header = "Name|Category|Quantity|Purchase Cost";
    let sheet = Sheet::new("accessories", header).row("A|Mice|1|$29").row("B|Mice|1|$30").row("C|Mice|1|kr 500");
    let remark = "money.symbol `Purchase Cost`: 3 amounts with `$`, `kr` sent in the account's currency; if it is \
                  another, name it with `--default currency=CODE` (first D2)";
    assert_eq!(sheet.check(), [remark]);
    let named = Sheet::defaulted("accessories", header, &[("currency", "CAD")]).row("A|Mice|1|$29").row("B|Mice|1|€5");
    assert_eq!(named.check(), [""; 0]);
    let currencies: Vec<String> = named.values().into_iter().filter(|value| value.starts_with("currency")).collect();
    assert_eq!(currencies, ["currency CAD", "currency EUR"], "a default is for rows that say nothing");
    let excluded = Sheet::defaulted("accessories", header, &[("currency", "EUR")]).row("A|Mice|1|$29");
    assert_eq!(excluded.check(), ["D2 money.currency"]);
    let product = Sheet::new("products", "Name|Category|Default Cost").row("Mac|Laptops|€1299");
    let remark = "money.symbol `Default Cost`: 1 amount with `€` sent without a currency, because the service takes none \
                  here (C2)";
    assert_eq!(product.check(), [remark]);
}

#[test]
fn amounts_in_thousands_are_multiplied() {
    // The qualifier makes the column a question, which the mapping answers.
    let map = [("Purchase Cost (k EUR)", "purchase_cost")];
    let sheet = Sheet::mapped("accessories", "Name|Category|Quantity|Purchase Cost (k EUR)", &map).row("A|Mice|1|2.5");
    assert!(sheet.values().contains(&String::from("purchase_cost 2500")), "{:?}", sheet.values());
    let remark = "money.multiplied `Purchase Cost (k EUR)`: 1 amount multiplied by 1000, such as `2.5` (D2)";
    assert_eq!(sheet.check(), [remark]);
}

#[test]
fn defaults_stand_in_for_what_rows_do_not_say() {
    let defaults = [
        ("status", "Ready"),
        ("purchase_date", "2026-01-31"),
        ("purchase_cost", "1299"),
        ("location", "HQ"),
        ("custom:Rack", "B4"),
    ];
    let sheet = Sheet::defaulted("assets", "Asset Tag|Model|Status|Purchase Date|Purchase Cost", &defaults)
        .row("A-1|Mac|n/a|31/12/2025|")
        .row("A-2|Mac|Broken||1.234,00");
    assert_eq!(sheet.check(), [""; 0]);
    let values = sheet.values();
    for value in ["status_id Ready", "status_id Broken", "purchase_date 2025-12-31", "purchase_date 2026-01-31"] {
        assert_eq!(values.iter().filter(|other| *other == value).count(), 1, "{value}: {values:?}");
    }
    assert!(
        values.contains(&String::from("purchase_cost 1299")) && values.contains(&String::from("purchase_cost 1234"))
    );
    assert_eq!(values.iter().filter(|value| *value == "location_id HQ").count(), 2);
}

#[test]
fn ids_with_empty_decimals_are_ids() {
    let sheet =
        Sheet::new("assets", "_id|asset_id|product_id|status_id|location_id").row("7.0|A-1|2.0|#3.0|Berlin 2.0");
    assert_eq!(sheet.check(), [""; 0]);
    let values = sheet.values();
    assert!(values.contains(&String::from("product_id 2")) && values.contains(&String::from("status_id #3")));
    assert!(values.contains(&String::from("location_id Berlin 2.0")));
}

#[test]
fn months_of_life_set_their_type() {
    let implied = |headers: &str, row: &str| {
        let values = Sheet::new("products", headers).row(row).values();
        values.into_iter().find(|value| value.starts_with("end_of_life_type")).unwrap_or_default()
    };
    assert_eq!(implied("Name|Category|EOL Months", "Mac|Laptops|48"), "end_of_life_type Option(1)");
    assert_eq!(implied("Name|Category|EOL Months", "Mac|Laptops|"), "");
    assert_eq!(implied("Name|Category|EOL Months|EOL Type", "Mac|Laptops|48|Fixed Date"), "end_of_life_type Option(0)");
    assert_eq!(implied("Name|Category|EOL Months|EOL Date", "Mac|Laptops|48|2029-01-31"), "");
}

#[test]
fn nulls_of_databases_are_no_values() {
    let sheet = Sheet::new("assets", "Asset Tag|Model|Status|Notes|custom:Rack|custom:Dock").row("A|M|R|\\N|\\N|none");
    let found = sheet.check();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|remark| remark.contains("1 cell with `\\N` read as empty")), "{found:?}");
    let cleared = Sheet::new("assets", "Asset Tag|Notes").row("A|<CLEAR>").values();
    assert_eq!(cleared, ["asset_id A", "notes Clear"]);
}

#[test]
fn dates_that_a_spreadsheet_has_swapped_are_not_taken() {
    let date = |month, day| Value::Date(jiff::civil::date(2024, month, day).at(0, 0, 0, 0));
    let sheet = || Sheet::new("assets", "Asset Tag|Model|Status|Purchase Date");
    let swapped = sheet()
        .row("A-1|M|R|2024-01-02")
        .with(3, date(1, 2), "m/d/yyyy")
        .row("A-2|M|R|13/02/2024")
        .row("A-3|M|R|2024-03-03")
        .with(3, date(3, 3), "m/d/yyyy");
    assert_eq!(swapped.check(), ["D2 date.swapped"]);
    let mixed = sheet().row("A-1|M|R|2024-01-16").with(3, date(1, 16), "m/d/yyyy").row("A-2|M|R|13/02/2024");
    assert_eq!(mixed.check(), [""; 0]);
}

#[test]
fn dots_prove_nothing_for_slashes() {
    let sheet =
        Sheet::new("assets", "Asset Tag|Model|Status|Purchase Date").row("A|M|R|05.03.2024").row("B|M|R|3/5/24");
    assert_eq!(sheet.check(), ["D3 date.ambiguous"]);
    let proved = sheet.row("C|M|R|3/25/24");
    assert_eq!(proved.check(), [""; 0]);
}

#[test]
fn moments_whose_local_day_is_in_doubt_are_remarked() {
    let sheet = Sheet::new("assets", "Asset Tag|Model|Status|Purchase Date")
        .row("A|M|R|2024-03-04T23:00:00Z")
        .row("B|M|R|2024-03-04T00:00:00Z")
        .row("C|M|R|2024-03-04T23:00:00+01:00");
    let remark = "date.timezone `Purchase Date`: 1 timestamp in UTC, such as `2024-03-04T23:00:00Z`, taken as the day in \
                  UTC; the local day may be another (D2)";
    assert_eq!(sheet.check(), [remark]);
}

#[test]
fn two_columns_of_one_fact_must_agree() {
    let sheet = Sheet::new("assets", "Asset Tag|Model|Status|Category|Type|custom:Colour|custom:colour")
        .row("A-1|Mac|Ready|Laptops|laptops|red|red")
        .row("A-2|Mac|Ready|Laptops|Phones|red|")
        .row("A-3|Mac|Ready||Phones||blue")
        .row("A-4|Mac|Ready|Laptops||red|blue");
    assert_eq!(sheet.check(), ["E3 column.conflict", "G5 column.conflict"]);
    let fields = Sheet::new("assets", "Asset Tag|Model|Status|custom:Room  No|custom_fields")
        .row("A-1|Mac|Ready|5|[{\"name\": \"Room No\", \"value\": \"6\"}]");
    assert_eq!(fields.check(), ["E2 column.conflict"]);
}

#[test]
fn codes_that_look_like_others_and_shared_serial_numbers_are_remarked() {
    let sheet = Sheet::new("assets", "Asset Tag|Serial|Model|Status|Notes")
        .row("LAP\u{2013}1|S-1|Mac|Ready|5\u{2013}6 years")
        .row("L\u{410}P-2|S-2|Mac|Ready|")
        .row("LAP-3|s-1|Mac|Ready|");
    assert_eq!(
        sheet.check(),
        [
            "text.look_alike `Asset Tag`: 1 cell with `\u{2013}` (U+2013) that looks like `-`, such as `LAP\u{2013}1` (A2)",
            "text.look_alike `Asset Tag`: 1 cell with `\u{410}` (U+0410) that looks like `A`, such as `L\u{410}P-2` (A3)",
            "serial.repeated `Serial`: 1 row with a serial number that another row has, such as `s-1` (B4)",
        ]
    );
}

#[test]
fn rules_make_values_from_the_cells_of_a_row() {
    let rules = r#"
        ignore = ["Shelf"]
        [fields.asset_id]
        first_of = ["Tag", "Serial number"]
        [fields.product_id]
        join = "{Maker} {Model}"
        [fields.status_id]
        column = "Device state"
        strip = "suffix:brackets"
        values = { "managed" = "In use", "retired" = "" }
        otherwise = "error"
        default = "Ready"
        [fields.purchase_date]
        column = "Enrolled"
        format = "MM/DD/YYYY"
        [fields.location_id]
        column = "Site"
        strip = ["parents:path"]
        [custom.OS]
        column = "OS version"
        default = "none"
        [[skip]]
        column = "Owner"
        is = ["personal"]
    "#;
    let headers = "Tag|Serial number|Maker|Model|Device state|Enrolled|Site|OS version|Owner|Shelf";
    let sheet = || Sheet::ruled("assets", headers, rules);
    let given = sheet()
        .row("A-1|S-1|Apple|Mac|MANAGED  (deployable)|02/01/2026|Root > Berlin|14|Company|B4")
        .row("|S-2||Mac|retired||Berlin||Company|")
        .row("A-3|S-3|Apple|Mac|lost|||| Personal |")
        .row("n/a|S-4|Apple||||||Company|");
    let remark = "path.shortened `Site`: 1 cell read as the last part of a path, such as `Root > Berlin`: what has the \
                  same last part becomes one (G2)";
    assert_eq!(given.check(), [remark]);
    let values = given.values();
    for (row, expected) in [
        (
            0,
            [
                "asset_id A-1", "product_id Apple Mac", "status_id In use", "purchase_date 2026-02-01",
                "location_id Berlin",
            ]
            .as_slice(),
        ),
        (1, &["asset_id S-2", "product_id Mac", "status_id Ready", "location_id Berlin"]),
        (2, &["asset_id S-4", "product_id Apple", "status_id Ready"]),
    ] {
        for value in expected {
            assert!(values.contains(&String::from(*value)), "{row} {value}: {values:?}");
        }
    }
    assert!(!values.iter().any(|value| value.contains("A-3")), "{values:?}");
    let unknown = sheet().row("A-1|S-1|Apple|Mac|lost|13/32/2026||||");
    assert_eq!(unknown.check(), ["E2 value.unlisted", "F2 date.invalid"]);
    let twice = sheet().row("A-1|S-1|Apple|Mac||||||").row("|a-1|Apple|Mac||||||");
    assert_eq!(twice.check(), ["B3 duplicate.key"]);
}

#[test]
fn problems_of_derived_values_name_their_source() {
    let sheet =
        Sheet::ruled("employees", "Name|Mail|UPN", "[fields.email]\nfirst_of = [\"Mail\", \"UPN\"]").row("Ada||ada");
    let mut checker = Checker::new(&sheet.mapping, &sheet.rules, &["email"], ExtraCells::Problem);
    let mut checked = CheckedRow::default();
    checker.check(&sheet.rows[0], &mut checked);
    let [problem] = &checked.problems[..] else { panic!("{:?}", checked.problems) };
    assert_eq!((problem.column, &*problem.found), (Some(2), "ada"));
    assert!(problem.error.message.starts_with("email from UPN, C2: invalid"), "{}", problem.error.message);
    checker.check(
        &{
            let mut row = Row::default();
            row.clear(3);
            row.split("Ada||", b'|');
            row
        },
        &mut checked,
    );
    checked.report_missing(&sheet.mapping, Creation::Certain);
    checked.locate(&sheet.rows[0], &sheet.mapping);
    assert_eq!(checked.problems[0].column, Some(1), "the preferred column is to be filled in");
}

#[test]
fn yes_may_mean_no() {
    let sheet =
        Sheet::ruled("employees", "Name|Email|Enabled", "[fields.archived]\ncolumn = \"Enabled\"\ninvert = true")
            .row("Ada|ada@example.com|True")
            .row("Bob|bob@example.com|FALSE")
            .row("Cy|cy@example.com|");
    let archived: Vec<String> = sheet.values().into_iter().filter(|value| value.starts_with("archived")).collect();
    assert_eq!(archived, ["archived Boolean(false)", "archived Boolean(true)"]);
    let mapped = "[fields.archived]\ncolumn = \"Enabled\"\ninvert = true\nvalues = { gone = \"yes\" }";
    let mapped = Sheet::ruled("employees", "Name|Email|Enabled", mapped).row("Ada|ada@example.com|gone").values();
    assert!(mapped.contains(&String::from("archived Boolean(true)")), "a value map says what the field is: {mapped:?}");
    let odd = Sheet::ruled("employees", "Name|Email|Enabled", "[fields.archived]\ncolumn = \"Enabled\"\ninvert = true")
        .row("Ada|ada@example.com|maybe");
    assert_eq!(odd.check(), ["C2 boolean.invalid"]);
}

#[test]
fn first_and_last_name_are_the_name_where_no_column_has_it() {
    let names = |headers: &str, row: &str| {
        let values = Sheet::new("employees", headers).row(row).values();
        values.into_iter().filter_map(|value| value.strip_prefix("name ").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(names("First name|Last name|Email", "Ada|Byron|ada@example.com"), ["Ada Byron"]);
    assert_eq!(names("Nachname|Vorname|E-Mail", "Byron|Ada|ada@example.com"), ["Ada Byron"]);
    assert_eq!(names("Display name|First name|Last name|Email", "Ada B.|Ada|Byron|ada@example.com"), ["Ada B."]);
    assert_eq!(names("First name|Last name|Email", "|Byron|ada@example.com"), ["Byron"]);
}

#[test]
fn cleared_serial_numbers_are_not_shared() {
    let mut sheet = Sheet::new("assets", "Asset Tag|Serial|Model|Status")
        .row("A-1|<clear>|Mac|Ready")
        .row("A-2|<CLEAR>|Mac|Ready")
        .row("A-3||Mac|Ready")
        .row("A-4||Mac|Ready");
    assert_eq!(sheet.check(), [""; 0]);
    sheet.rules.blank = EmptyCells::Clear;
    assert_eq!(sheet.check(), [""; 0]);
}

#[test]
fn half_a_name_that_is_a_word_for_nothing_is_remarked() {
    let file = "entity = \"employees\"\n[fields.name]\njoin = \"{First} {Last}\"\n";
    let sheet = Sheet::ruled("employees", "First|Last|email", file)
        .row("John|Null|john@example.com")
        .row("Jane|Doe|jane@example.com")
        .row("Joan|N/A|joan@example.com");
    assert_eq!(sheet.check(), ["value.none `Last`: 2 cells with `Null`, `N/A` read as empty (first B2)"]);
}

#[test]
fn free_text_that_was_read_in_another_encoding_is_remarked() {
    let sheet = Sheet::new("assets", "Asset Tag|Model|Status|Name|custom:City")
        .row("A-1|Mac|Ready|MÃ¼ller|Köln")
        .row("A-2|Mac|Ready|Müller? really?yes &amp; more|KÃ¶ln");
    let tail = "whose letters were read in another encoding: export the file again as UTF-8, or name its encoding with --encoding";
    assert_eq!(
        sheet.check(),
        [
            format!("text.misread `Name`: 1 cell with `MÃ¼ller` {tail} (D2)"),
            format!("text.misread `custom:City`: 1 cell with `KÃ¶ln` {tail} (E3)"),
        ]
    );
}

#[test]
fn something_goes_to_one_holder() {
    let sheet = Sheet::new("checkout_asset", "asset_id|employee|location|checkout_date")
        .row("A-1|Ada|Berlin|2024-01-01")
        .row("A-2|Ada||2024-01-01")
        .row("A-3|-|Berlin|2024-01-01");
    let told = sheet.check();
    assert!(told.contains(&String::from("C2 column.conflict")), "{told:?}");
    assert_eq!(told.iter().filter(|problem| !problem.starts_with("value.none")).count(), 1, "{told:?}");
}

#[test]
fn only_where_a_field_may_be_empty_a_hint_says_so() {
    let mut optional = 0;
    for entity in schema::importable() {
        for field in entity.fields.iter().filter(|field| field.create != schema::Use::No) {
            for text in ["soon (at) work", "-5", "2027-02-31"] {
                let sheet = Sheet::new(entity.name, field.name).row(text);
                let mut checker = Checker::new(&sheet.mapping, &sheet.rules, &[], ExtraCells::Problem);
                let mut checked = CheckedRow::default();
                checker.check(&sheet.rows[0], &mut checked);
                let of_cell = checked.problems.iter().filter(|problem| problem.column == Some(0));
                let says_so = of_cell.filter(|problem| problem.error.hint().ends_with("leave the cell empty")).count();
                assert!(says_so == 0 || !field.is_required(), "{} {}: {text}", entity.name, field.name);
                optional += says_so;
            }
        }
    }
    assert!(optional > 10, "{optional}");
    let asset = Sheet::new("assets", "asset_id|warranty_expiration").row("A-1|soon");
    let audit = Sheet::new("audits", "asset|audit_date").row("A-1|soon");
    let hint = |sheet: &Sheet| {
        let mut checker = Checker::new(&sheet.mapping, &sheet.rules, &[], ExtraCells::Problem);
        let mut checked = CheckedRow::default();
        checker.check(&sheet.rows[0], &mut checked);
        checked.problems[0].error.hint().to_owned()
    };
    assert_eq!(hint(&asset), "write the date as `YYYY-MM-DD`, or leave the cell empty");
    assert_eq!(hint(&audit), "write the date as `YYYY-MM-DD`");
}

#[test]
fn what_firmware_reports_is_neither_serial_number_nor_tag() {
    let rules = "[fields.asset_id]\nfirst_of = [\"Serial\", \"Device\"]\n[fields.asset_serial]\ncolumn = \"Serial\"\n";
    let sheet = Sheet::ruled("assets", "Serial|Device|Model|Status", rules)
        .row("Default string|PC-1|Mac|Ready")
        .row("default string|PC-2|Mac|Ready")
        .row("0||Mac|Ready")
        .row("0||Mac|Ready");
    assert_eq!(
        sheet.check(),
        [
            "E4 required.missing",
            "E5 required.missing",
            "value.none `Serial`: 4 cells with `Default string`, `default string`, `0` read as empty (first A2)",
        ]
    );
    // Both are the column itself.
    let rules = "[fields.asset_id]\ncolumn = \"Serial\"\n[fields.asset_serial]\ncolumn = \"Serial\"\n";
    let sheet = Sheet::ruled("assets", "Serial|Model|Status", rules).row("0|Mac|Ready").row("0|Mac|Ready");
    assert_eq!(
        sheet.check(),
        [
            "A2 required.no_value",
            "A3 required.no_value",
            "value.none `Serial`: 2 cells with `0` read as empty (first A2)",
        ]
    );
    // A tag of its own, and the names of other things, may be anything.
    let sheet = Sheet::new("assets", "Asset Tag|Asset Name|Serial|Model|Status").row("0|Default|S-1|OEM|Unknown");
    assert_eq!(sheet.check(), [""; 0]);
}

#[test]
fn a_text_is_joined_where_the_first_columns_are_blank() {
    let rules = "[fields.name]\nfirst_of = [\"Shown\"]\njoin = \"{First} {Last}\"\n";
    let sheet = Sheet::ruled("employees", "Shown|First|Last|Email", rules)
        .row("Ada B.|Ada|Byron|ada@example.com")
        .row("|Bob|Stone|bob@example.com")
        .row("|||cy@example.com");
    assert_eq!(sheet.check(), ["E4 required.missing"]);
    let without = Sheet::ruled("employees", "Shown|First|Email", rules).row("Ada|x|ada@example.com");
    assert_eq!(without.check(), [""; 0]);
    assert_eq!(without.mapping.derived[0].rule.source.as_ref().unwrap().flag_text(), "Shown");
}

#[test]
fn what_clears_a_field_is_no_text_for_rules() {
    let rules = r#"
        [fields.location_id]
        column = "Site"
        strip = ["suffix:brackets"]
        values = { "hq" = "Berlin" }
        otherwise = "Bonn"
        [fields.asset_name]
        first_of = ["Name", "Host"]
        strip = ["suffix:brackets"]
        [fields.notes]
        join = "{N1}/{N2}"
        [custom.Rack]
        first_of = ["Rack"]
        join = "{N1}-{N2}"
    "#;
    let sheet = |row: &str| Sheet::ruled("assets", "Asset Tag|Site|Name|Host|N1|N2|Rack", rules).row(row);
    let values = |row: &str| sheet(row).values();
    assert_eq!(values("A|<CLEAR>|||||"), ["asset_id A", "location_id Clear"]);
    assert_eq!(values("A||<clear>|pc-1|||"), ["asset_id A", "asset_name Clear"]);
    assert_eq!(values("A|||<clear>|||"), ["asset_id A", "asset_name Clear"]);
    assert_eq!(values("A||pc|<clear>|||"), ["asset_id A", "asset_name pc"]);
    for both in ["<clear>|<clear>", " <Clear>|", "n/a|<clear>"] {
        assert!(values(&format!("A||||{both}|")).contains(&String::from("notes Clear")), "{both}");
    }
    let beside = sheet("A||||top|<clear>|").check();
    assert_eq!(beside[..2], ["F2 clear.not_allowed", "F2 clear.not_allowed"]);
    assert_eq!(sheet("A||||top|<clear>|B4").check()[0], "F2 clear.not_allowed", "the rack has a cell of its own");
    let half = Sheet::new("employees", "First name|Last name|Email").row("Ada|<clear>|a@x.org");
    let row = &half.rows[0];
    let (mut checker, mut checked) =
        (Checker::new(&half.mapping, &half.rules, &[], ExtraCells::Problem), CheckedRow::default());
    checker.check(row, &mut checked);
    checked.locate(row, &half.mapping);
    let [problem] = &checked.problems[..] else { panic!("{:?}", checked.problems) };
    let told = "name from Last name, B2: cannot clear a part of `{First name} {Last name}`";
    assert_eq!((&*problem.error.message, &*problem.found), (told, "<clear>"));
    let whole = Sheet::new("employees", "First name|Last name|Email").row("<clear>|<clear>|a@x.org");
    assert_eq!(whole.check(), ["A2 clear.not_allowed"]);
    let json = Sheet::new("assets", "Asset Tag|custom_fields").row(r#"A|{"Rack": "<clear>"}"#);
    let mut checker = Checker::new(&json.mapping, &json.rules, &[], ExtraCells::Problem);
    let filled = checker.check(&json.rows[0], &mut checked).clone();
    assert_eq!(checked.custom_fields(&json.mapping, &filled)[0].value, "");
}

#[test]
fn a_path_of_which_only_the_last_part_counts_is_remarked() {
    let rules = "[fields.location_id]\ncolumn = \"Place\"\nstrip = \"parents:path\"\n";
    let sheet = Sheet::ruled("assets", "Asset Tag|Model|Status|Place", rules)
        .row("A-1|Mac|Ready|Root > Berlin > Floor 2")
        .row("A-2|Mac|Ready|Root > Oslo > Floor 2")
        .row("A-3|Mac|Ready|Berlin");
    assert_eq!(
        sheet.check(),
        [
            "path.shortened `Place`: 2 cells read as the last part of a path, such as `Root > Berlin > Floor 2`, `Root > \
             Oslo > Floor 2`: what has the same last part becomes one (first D2)",
        ]
    );
}

#[test]
fn what_several_fields_find_in_one_cell_is_one_problem() {
    let told = |rules: &str, row: &str| {
        let sheet = Sheet::ruled("assets", "No|Other|Model|Status", rules).row(row);
        let mut checker = Checker::new(&sheet.mapping, &sheet.rules, &["asset_id"], ExtraCells::Problem);
        let mut checked = CheckedRow::default();
        checker.check(&sheet.rows[0], &mut checked);
        let shown = checked.problems.iter().map(|problem| {
            let message = problem.error.message.split(';').next().unwrap_or_default();
            format!("{} {message}", shown(2, problem))
        });
        shown.collect::<Vec<String>>()
    };
    let both =
        "[fields.asset_id]\nfirst_of = [\"No\", \"Other\"]\n[fields.asset_serial]\nfirst_of = [\"Other\", \"No\"]";
    let damaged = told(both, "5.12E+08||Mac|Ready");
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert!(damaged[0].starts_with("A2 cell.damaged asset_id and asset_serial from No, A2: "), "{damaged:?}");
    // In two cells there are two.
    assert_eq!(told(both, "5.12E+08|5.13E+08|Mac|Ready").len(), 2);
    let direct = told(
        "[fields.asset_id]\nfirst_of = [\"No\", \"Other\"]\n[fields.asset_serial]\ncolumn = \"No\"",
        "5.12E+08||Mac|Ready",
    );
    assert_eq!(direct.len(), 1, "{direct:?}");
    assert!(direct[0].starts_with("A2 cell.damaged ") && !direct[0].contains(" from "), "{direct:?}");
}

#[test]
fn a_value_beyond_the_header_row_has_shifted_and_one_below_a_blank_header_has_not() {
    let headed = "Asset Tag|Model|Status";
    let unheaded = |headers: &str, rows: &[&str]| {
        let sheet = rows.iter().fold(Sheet::new("assets", headers), |sheet, row| sheet.row(row));
        let mut checker = Checker::new(&sheet.mapping, &sheet.rules, &[], ExtraCells::Problem);
        let mut checked = CheckedRow::default();
        for row in &sheet.rows {
            checker.check(row, &mut checked);
        }
        (sheet.check(), checker.column_facts().unheaded, checker.short_header())
    };
    let rows = ["A-1|Mac|Ready|n", "A-2|Mac|Ready|", "A-3|Mac|Ready"];
    assert_eq!(unheaded(&format!("{headed}|"), &rows), (vec![], vec![(3, 1)], None));
    assert_eq!(unheaded(headed, &rows).0, ["D2 column.extra"]);
    // A spreadsheet program ends every row like its header row: a longer one has shifted into the column without a header.
    let rows = ["A-1|Mac|Ready|299|", "A-2|Mac|Ready|"];
    assert_eq!(unheaded(&format!("{headed}|"), &rows), (vec![String::from("D2 column.extra")], vec![(3, 1)], None));
    let rows = ["A-1|Mac|Ready|1|299", "A-2|Mac|Ready|1|300"];
    assert_eq!(unheaded(&format!("{headed}|"), &rows).2, Some(4));
    assert_eq!(unheaded(&format!("{headed}|"), &rows[..1]).2, None, "one row tells nothing of the others");
}
