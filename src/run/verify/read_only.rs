//! What an export says in columns that the service sets, such as who holds an item, against the account.
//!
//! The id and the name of what a field refers to are one value, which one of the two columns shows for people.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::catalog::{Catalog, RecordRef};
use crate::check::{Remark, RemarkCode};
use crate::plan::{ReadOnlyCell, ReadOnlyState, listed_records, value_text};
use crate::run::journal::SheetHeader;
use crate::schema::{ASSIGNED_TO, Field, Kind, Meaning};
use crate::wording::counted;

/// What a row says of what the service sets.
#[derive(Debug, Default)]
pub(super) struct ReadOnlyFindings {
    /// Values that the account holds.
    pub(super) equal: u64,
    pub(super) different: Vec<ReadOnlyDifference>,
}

/// A value that the account does not hold.
#[derive(Debug)]
pub(super) struct ReadOnlyDifference {
    field: &'static Field,
    /// From 0.
    pub(super) column: u32,
    shown: String,
    held: Json,
    /// Whether another record that may have been changed since the export may explain it.
    pub(super) is_explained: bool,
}

impl ReadOnlyFindings {
    /// Those of the cells of a row that can be compared.
    pub(super) fn of(header: &SheetHeader, cells: Vec<ReadOnlyCell>) -> Self {
        let mut by_field: BTreeMap<&'static str, Vec<(&'static Field, ReadOnlyCell)>> = BTreeMap::new();
        for cell in cells.into_iter().filter(is_compared) {
            if let Some(field) = cell.field {
                by_field.entry(field.name).or_default().push((field, cell));
            }
        }
        let mut findings = Self::default();
        for cells in by_field.into_values() {
            let is_equal = cells.iter().all(|(_, cell)| cell.state == ReadOnlyState::Equal);
            // An id that differs is a difference of its own, whatever its name was.
            let is_explained = cells.iter().all(|(_, cell)| cell.state == ReadOnlyState::Equal || cell.is_explained());
            let is_name = |column: u32| header.header_of(column).is_some_and(|header| header.ends_with("_name"));
            let different = cells.into_iter().filter_map(|(field, ReadOnlyCell { column, state, .. })| match state {
                ReadOnlyState::Different { shown, held, .. } => {
                    Some(ReadOnlyDifference { field, column, shown, held, is_explained })
                }
                ReadOnlyState::Equal | ReadOnlyState::Unknown => None,
            });
            // People read the name.
            findings.different.extend(different.max_by_key(|different| is_name(different.column)));
            findings.equal += u64::from(is_equal);
        }
        findings
    }

    /// The records that the differences name: of each the collection and the id.
    pub(super) fn named_records(&self) -> impl Iterator<Item = (&'static str, i64)> + '_ {
        self.different.iter().flat_map(|different| {
            let shown = different.shown_records().unwrap_or_default();
            listed_records(different.field, &different.held).into_iter().chain(shown)
        })
    }
}

impl ReadOnlyDifference {
    /// The field, as `--map` writes it.
    pub(super) fn field_name(&self) -> &'static str {
        if self.field.meaning == Some(Meaning::Holders) { ASSIGNED_TO } else { self.field.name }
    }

    /// What the cell says and what the account holds: by name, and by id where the names are the same.
    pub(super) fn texts(&self, catalog: &Catalog) -> (String, String) {
        let describe = |(collection, id)| catalog.describe(collection, RecordRef::Known(id));
        let names = |records: Vec<_>| records.into_iter().map(describe).collect::<Vec<_>>().join("; ");
        let held = match self.field.kind {
            Kind::Structure => names(listed_records(self.field, &self.held)),
            _ => value_text(catalog, self.field, &self.held),
        };
        let shown = self.shown_records().map_or_else(|| self.shown.clone(), names);
        if shown == held { (self.shown.clone(), self.held.to_string()) } else { (shown, held) }
    }

    /// The records that the cell names by id.
    fn shown_records(&self) -> Option<Vec<(&'static str, i64)>> {
        let shown = serde_json::from_str::<Json>(&self.shown).ok()?;
        Some(listed_records(self.field, &shown)).filter(|records| !records.is_empty())
    }
}

/// The columns of a sheet that the service sets and that are not compared.
#[derive(Debug, Default)]
pub(super) struct UncomparedColumns(BTreeMap<u32, DifferentCells>);

/// Cells that differ from the account all the same.
#[derive(Debug, Default)]
struct DifferentCells {
    count: u64,
    first_row: u64,
}

impl UncomparedColumns {
    /// Takes in the cells of a row.
    pub(super) fn add(&mut self, row: u64, cells: &[ReadOnlyCell]) {
        for cell in cells.iter().filter(|cell| !is_compared(cell)) {
            let known = self.0.entry(cell.column).or_default();
            if matches!(cell.state, ReadOnlyState::Different { .. }) {
                known.first_row = if known.count == 0 { row } else { known.first_row };
                known.count += 1;
            }
        }
    }

    pub(super) fn headers<'h>(&'h self, header: &'h SheetHeader) -> impl Iterator<Item = &'h str> {
        self.0.keys().filter_map(|column| header.header_of(*column))
    }

    /// The columns that differ from the account.
    pub(super) fn remarks<'h>(&'h self, header: &'h SheetHeader) -> impl Iterator<Item = Remark> + 'h {
        self.0.iter().filter(|(_, cells)| cells.count > 0).map(|(column, DifferentCells { count, first_row })| {
            let name = header.header_of(*column).unwrap_or_default();
            let differ = if *count == 1 { "differs" } else { "differ" };
            let cells = counted(*count, "cell");
            let message = format!(
                "`{name}` of {} is read-only and not compared: {cells} {differ} from the account, the first in row {first_row}",
                header.label
            );
            Remark::new(RemarkCode::ColumnReadOnly, message)
        })
    }
}

/// Whether a cell can differ because somebody changed its record.
fn is_compared(cell: &ReadOnlyCell) -> bool {
    cell.state != ReadOnlyState::Unknown && cell.field.is_some_and(|field| !field.is_computed())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::schema;
    use crate::table::Row;

    const HEADERS: [&str; 6] =
        ["id", "category_id", "category_name", "deployed_to", "deployed_to_name", "number_of_repairs"];

    fn field(collection: &str, name: &str) -> &'static Field {
        schema::collection(collection).unwrap().field(name).unwrap()
    }

    fn header() -> SheetHeader {
        let mut header = Row::default();
        header.clear(1);
        HEADERS.iter().for_each(|text| header.push_text(text));
        SheetHeader { header, ..SheetHeader::without_columns(schema::collection("assets").unwrap()) }
    }

    fn cell(column: u32, field: &'static Field, state: ReadOnlyState) -> ReadOnlyCell {
        ReadOnlyCell { column, field: Some(field), state }
    }

    fn different(shown: &str, held: Json, is_explained: bool) -> ReadOnlyState {
        ReadOnlyState::Different { shown: shown.to_owned(), held, is_explained }
    }

    /// A cell with how many are left, which the service computes.
    fn computed(column: u32) -> ReadOnlyCell {
        cell(column, field("accessories", "available"), different("1", json!(2), false))
    }

    /// What a single cell of that field differs in.
    fn difference(name: &str, shown: &str, held: Json) -> ReadOnlyFindings {
        ReadOnlyFindings::of(&header(), vec![cell(1, field("assets", name), different(shown, held, false))])
    }

    #[test]
    fn an_id_and_its_name_are_one_value_of_which_the_name_is_told() {
        let (category, holder) = (field("assets", "category_id"), field("assets", "deployed_to"));
        let findings = ReadOnlyFindings::of(
            &header(),
            vec![
                cell(2, category, different("Laptops", json!(5), true)),
                cell(1, category, different("3", json!(5), false)),
                cell(3, holder, ReadOnlyState::Equal),
                cell(4, holder, different("Ada", json!([]), true)),
                cell(5, field("assets", "checkout_date"), ReadOnlyState::Equal),
                cell(6, field("assets", "manufacturer_id"), ReadOnlyState::Equal),
                cell(7, field("assets", "product_name"), ReadOnlyState::Unknown),
                computed(8),
                ReadOnlyCell { column: 9, field: None, state: different("x", json!("y"), false) },
            ],
        );
        assert_eq!(findings.equal, 2);
        let told = findings.different.iter().map(|different| (different.column, different.is_explained));
        assert_eq!(told.collect::<Vec<_>>(), [(2, false), (4, true)], "an id that differs is not explained");
        assert_eq!(
            findings.different.iter().map(|it| it.field_name()).collect::<Vec<_>>(),
            ["category_id", ASSIGNED_TO]
        );
    }

    #[test]
    fn the_records_that_cell_and_account_name_by_id_are_known() {
        let named = |name, shown: &str, held| difference(name, shown, held).named_records().collect::<Vec<_>>();
        assert_eq!(named("category_id", "3", json!(5)), [("categories", 5), ("categories", 3)]);
        assert_eq!(named("category_id", "Laptops", json!(5)), [("categories", 5)]);
        assert_eq!(named("category_id", "[]", json!(null)), [("", 0); 0]);
        let held = json!([{"employee_id": 1}]);
        assert_eq!(named("deployed_to", r#"[{"location_id": 7}]"#, held), [("employees", 1), ("locations", 7)]);
    }

    #[test]
    fn values_are_told_by_name_and_by_id_where_the_names_are_the_same() {
        let mut catalog = Catalog::default();
        let records =
            [("employees", 1, "Ada"), ("locations", 7, "Berlin"), ("categories", 5, "Mice"), ("categories", 6, "Mice")];
        for (collection, id, name) in records {
            let record = json!({"id": id, "name": name}).as_object().cloned().unwrap();
            catalog.insert_known(schema::collection(collection).unwrap(), id, record);
        }
        let texts = |name, shown: &str, held| difference(name, shown, held).different[0].texts(&catalog);
        let pair = |shown: &str, held: &str| (shown.to_owned(), held.to_owned());
        let ada = json!([{"employee_id": 1}]);
        assert_eq!(texts("deployed_to", "Bob", ada.clone()), pair("Bob", "Ada"));
        assert_eq!(texts("deployed_to", r#"[{"location_id":7},{"employee_id":1}]"#, ada), pair("Berlin; Ada", "Ada"));
        assert_eq!(texts("deployed_to", "Bob", json!([])), pair("Bob", ""));
        assert_eq!(texts("category_id", "Cables", json!(5)), pair("Cables", "Mice"));
        assert_eq!(texts("category_id", "6", json!(5)), pair("6", "5"));
    }

    #[test]
    fn columns_that_are_not_compared_and_differ_are_told_with_their_first_row() {
        let (mut columns, header) = (UncomparedColumns::default(), header());
        let unknown = || cell(2, field("assets", "category_name"), ReadOnlyState::Unknown);
        let compared = || cell(4, field("assets", "deployed_to"), different("Ada", json!([]), false));
        columns.add(4, &[unknown(), computed(5), compared()]);
        let remarks = |columns: &UncomparedColumns| {
            columns.remarks(&header).map(|remark| remark.message.clone()).collect::<Vec<String>>()
        };
        let begin = "`number_of_repairs` of a is read-only and not compared:";
        assert_eq!(remarks(&columns), [format!("{begin} 1 cell differs from the account, the first in row 4")]);
        columns.add(9, &[computed(5)]);
        assert_eq!(remarks(&columns), [format!("{begin} 2 cells differ from the account, the first in row 4")]);
        assert_eq!(columns.headers(&header).collect::<Vec<_>>(), ["category_name", "number_of_repairs"]);
    }
}
