#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::check::RemarkTally;
use crate::mapping::MappingOverrides;
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
        let mut header = Row::default();
        header.clear(1);
        header.split(headers, b'|');
        let entity = schema::find(entity).unwrap();
        let mapping = Mapping::new(entity, &header, &MappingOverrides::default()).unwrap();
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

    /// Gives a cell of the last row another value and number format.
    fn with(mut self, column: usize, value: Value, format: &str) -> Self {
        let row = self.rows.last_mut().unwrap();
        let text = row.cell(column).text.to_owned();
        row.set_formats(std::sync::Arc::from([format.to_owned()]));
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
                checked.report_missing(&self.mapping);
                tally.add(row.number, &checked.remarks);
                found.extend(checked.problems.iter().map(|problem| shown(row.number, problem)));
            }
            if pass == 0 && checker.infer_formats() == Inference::Final {
                break;
            }
        }
        let remarks = tally.remarks(&self.mapping, None);
        found.extend(remarks.iter().map(|remark| format!("{} {}", remark.code, remark.message)));
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
