//! Leading zeros that a spreadsheet program has dropped: it opens a CSV file with `004212` and saves 4212.
//!
//! Where the account has the same digits behind zeros, they were lost far more often than left off on purpose. But a column
//! that shows leading zeros has kept them, unless some of its cells were written later: then what shows zeros is as long as
//! what the account has.

use std::collections::{BTreeSet, HashMap};

use crate::check::{Code, ValueError};
use crate::mapping::{ColumnTarget, Mapping};
use crate::schema::{Kind, without_leading_zeros};
use crate::table::Row;

/// The most zeros that a key is looked for behind.
const MOST_ZEROS: usize = 20;

/// The text columns that show leading zeros, by sheet, with the lengths of the texts that do.
#[derive(Debug, Default)]
pub(crate) struct ZeroPaddedColumns(HashMap<(u16, u32), BTreeSet<usize>>);

impl ZeroPaddedColumns {
    /// Notes the columns in which a row shows leading zeros.
    pub(crate) fn observe(&mut self, sheet: u16, mapping: &Mapping, row: &Row) {
        for column in &mapping.columns {
            let is_text = match &column.target {
                ColumnTarget::Field { field, .. } => matches!(mapping.entity.fields[*field].kind, Kind::Text(_)),
                ColumnTarget::Custom(_) => true,
                _ => false,
            };
            let text = || row.cell(column.index).text.trim();
            if is_text && without_leading_zeros(text()).len() < text().len() {
                self.0.entry((sheet, column.index as u32)).or_default().insert(text().len());
            }
        }
    }

    /// Whether a column has kept the zeros of texts of that length.
    pub(crate) fn keeps(&self, sheet: u16, column: u32, length: usize) -> bool {
        self.0.get(&(sheet, column)).is_some_and(|lengths| !lengths.contains(&length))
    }
}

/// Whether `text` is `held` without its leading zeros.
pub(super) fn lacks_zeros(text: &str, held: &str) -> bool {
    text != held && without_leading_zeros(held).len() < held.len() && without_leading_zeros(held) == text
}

/// The texts that may have become `text` when they lost their leading zeros, the shortest first.
pub(super) fn padded(text: &str) -> impl Iterator<Item = String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() && !text.starts_with('0');
    (1..=MOST_ZEROS).take_while(move |_| is_number).map(move |zeros| format!("{}{text}", "0".repeat(zeros)))
}

/// The problem of a cell that lacks the zeros of the account's text. `escape` is the `_action` of a row that means what it
/// says.
pub(super) fn zeros_lost(text: &str, held: &str, escape: Option<&str>) -> ValueError {
    let meant = escape
        .map_or_else(String::new, |word| format!("; if `{text}` is right, say so with `{word}` in a column `_action`"));
    ValueError::new(
        Code::CellDamaged,
        format!("leading zeros may be lost; the account has `{held}`"),
        format!("format the column as text and write `{held}`{meant}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::{lacks_zeros, padded};
    use crate::plan::scenario::Scenario;

    fn account() -> Scenario {
        let asset = json!({"id": 5, "asset_id": "004212", "asset_serial": "007", "order_number": "00123", "product_id": 1,
            "status_id": 1, "custom_fields": [{"name": "Zip", "value": "01067"}], "created_at": MOMENT,
            "updated_at": MOMENT});
        let other = json!({"id": 6, "asset_id": "4300", "asset_serial": "S6", "product_id": 1, "status_id": 1});
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("assets", json!([asset, other]))
    }

    const MOMENT: &str = "2026-01-01T08:00:00.000Z";

    fn lost(column: char, held: &str) -> String {
        format!("reject cell.damaged at {column}: leading zeros may be lost; the account has `{held}`")
    }

    #[test]
    fn a_tag_without_the_zeros_of_a_record_makes_no_other_record() {
        let shown = |rows: &str| account().sheet("assets", &format!("asset_id|product|status\n{rows}")).shown();
        assert_eq!(shown("4212|X1|Ready\n4300|X1|Ready"), [lost('A', "004212"), String::from("unchanged 6")]);
        assert!(shown("9999|X1|Ready")[0].starts_with("create"));
        assert!(shown("A4212|X1|Ready")[0].starts_with("create"));
        // A column that keeps zeros is not damaged, unless a cell of the same length was added to it.
        assert!(shown("4212|X1|Ready\n0042|X1|Ready")[0].starts_with("create"));
        assert_eq!(shown("4212|X1|Ready\n004300|X1|Ready")[0], lost('A', "004212"));
        assert_eq!(shown("004212|X1|Ready\n4300|X1|Ready"), ["unchanged 5", "unchanged 6"]);
        let asked = account().sheet("assets", "asset_id|product|status|_action\n4212|X1|Ready|create").shown();
        assert!(asked[0].starts_with("create"), "{asked:?}");
        let asked = account().sheet("assets", "asset_id|product|status|_action\n4212|X1|Ready|upsert").shown();
        assert_eq!(asked, [lost('A', "004212")], "`upsert` does not say whether it is new");
    }

    #[test]
    fn an_update_that_only_drops_zeros_is_a_problem() {
        let sheet = |columns: &str, cells: &str| {
            let text = format!(
                "id|asset_id|{columns}|created_at|updated_at\n5|{cells}|{MOMENT}|{MOMENT}\n6|4300||{MOMENT}|{MOMENT}"
            );
            account().sheet("assets", &text).shown().remove(0)
        };
        assert_eq!(sheet("notes", "4212|"), lost('B', "004212"));
        assert_eq!(sheet("asset_serial", "004212|7"), lost('C', "007"));
        assert_eq!(sheet("order_number", "004212|123"), lost('C', "00123"));
        assert_eq!(sheet("custom:Zip", "004212|1067"), lost('C', "01067"));
        assert_eq!(sheet("order_number", "004212|124"), r#"update 5 {"order_number":"124"}"#);
        let asked = format!("id|asset_id|order_number|_action|updated_at\n5|004212|123|update|{MOMENT}");
        assert_eq!(account().sheet("assets", &asked).shown(), [r#"update 5 {"order_number":"123"}"#]);
        let marked = format!("id|asset_id|notes|_action|created_at|updated_at\n5|4212|new|update|{MOMENT}|{MOMENT}");
        assert_eq!(account().sheet("assets", &marked).shown(), [lost('B', "004212")], "the tag was not looked at");
    }

    #[test]
    fn zeros_are_lost_of_whole_numbers_only() {
        assert!(lacks_zeros("4212", "004212") && lacks_zeros("0", "00"));
        for (text, held) in [("4212", "4212"), ("4212", "A004212"), ("4212", "0042-12"), ("04212", "004212"), ("", "0")]
        {
            assert!(!lacks_zeros(text, held), "{text} {held}");
        }
        assert_eq!(padded("7").next().unwrap(), "07");
        assert_eq!(padded("07").chain(padded("")).chain(padded("A7")).count(), 0);
    }
}
