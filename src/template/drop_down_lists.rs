//! Drop-downs whose values are in a range of cells: currencies, and names of records.

use iso_currency::{Currency, IntoEnumIterator};
use rust_xlsxwriter::{ColNum, Formula, RowNum, Worksheet, XlsxError, utility};

use super::styles::TemplateStyles;
use super::{LISTS_SHEET, LiveNames, names_key};
use crate::run::input::own_sheets::CURRENCIES;
use crate::schema::{Entity, Field, Kind, Reference};

/// How many rows of another sheet a drop-down covers.
const SIBLING_ROWS: RowNum = 10_000;

/// The hidden sheet, and where each drop-down finds its values.
pub(super) struct DropDownLists {
    columns: Vec<DropDownColumn>,
    siblings: Vec<&'static Entity>,
}

struct DropDownColumn {
    key: String,
    values: Vec<String>,
}

/// What a drop-down offers, and how strictly.
pub(super) enum DropDown {
    Complete(Formula),
    /// What the workbook's other sheet holds so far; the account may hold more.
    Open(Formula),
}

impl DropDownLists {
    pub(super) fn new(entities: &[&'static Entity], live: Option<&LiveNames>) -> Self {
        let mut lists = Self { columns: Vec::new(), siblings: entities.to_vec() };
        for field in entities.iter().flat_map(|entity| entity.created_fields()) {
            match (field.kind, live) {
                (Kind::Currency, _) => lists.add(CURRENCIES.to_owned(), currencies),
                (Kind::Reference(reference), Some(live)) => {
                    if let Some((key, names)) = live_names(reference, live) {
                        lists.add(key, || names.to_vec());
                    }
                }
                _ => {}
            }
        }
        lists
    }

    fn add(&mut self, key: String, values: impl FnOnce() -> Vec<String>) {
        if self.columns.iter().all(|column| column.key != key) {
            self.columns.push(DropDownColumn { key, values: values() });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The range a field's drop-down reads, if it has one.
    pub(super) fn drop_down(&self, field: &Field) -> Option<DropDown> {
        match field.kind {
            Kind::Currency => self.column(CURRENCIES).map(DropDown::Complete),
            Kind::Reference(reference) => self
                .column(&names_key(reference))
                .or_else(|| self.column(reference.to))
                .map(DropDown::Complete)
                .or_else(|| self.sibling(reference).map(DropDown::Open)),
            _ => None,
        }
    }

    fn column(&self, key: &str) -> Option<Formula> {
        let index = self.columns.iter().position(|column| column.key == key)?;
        let rows = self.columns[index].values.len() as RowNum;
        (rows > 0).then(|| {
            let column = index as ColNum;
            Formula::new(format!("={LISTS_SHEET}!{}", utility::cell_range_absolute(1, column, rows, column)))
        })
    }

    /// The names filled in on another sheet of this workbook.
    fn sibling(&self, reference: Reference) -> Option<Formula> {
        let entity = self.siblings.iter().find(|entity| entity.name == reference.to)?;
        let named = entity.naming_field()?;
        let column = entity.created_fields().position(|field| field.name == named.name)? as ColNum;
        let first = utility::cell_range_absolute(1, column, 1, column);
        let all = utility::cell_range_absolute(1, column, SIBLING_ROWS, column);
        let sheet = entity.name;
        Some(Formula::new(format!("=OFFSET({sheet}!{first},0,0,MAX(1,COUNTA({sheet}!{all})),1)")))
    }

    pub(super) fn write(&self, sheet: &mut Worksheet, styles: &TemplateStyles) -> Result<(), XlsxError> {
        sheet.set_name(LISTS_SHEET)?.set_hidden(true);
        for (column, list) in self.columns.iter().enumerate() {
            let column = column as ColNum;
            sheet.write_string_with_format(0, column, &list.key, &styles.head)?;
            for (row, value) in list.values.iter().enumerate() {
                sheet.write_string(row as RowNum + 1, column, value)?;
            }
            sheet.set_column_width(column, 24)?;
        }
        Ok(())
    }
}

fn live_names(reference: Reference, live: &LiveNames) -> Option<(String, &[String])> {
    let narrowed = names_key(reference);
    let key = if live.contains_key(&narrowed) { narrowed } else { reference.to.to_owned() };
    let names = live.get(&key)?;
    Some((key, names))
}

/// The codes of currencies that money is held in: no funds, metals, test codes or currencies that were replaced.
fn currencies() -> Vec<String> {
    let mut codes: Vec<&str> =
        Currency::iter().filter(|currency| is_in_use(*currency)).map(|currency| currency.code()).collect();
    codes.sort_unstable();
    codes.into_iter().map(str::to_owned).collect()
}

fn is_in_use(currency: Currency) -> bool {
    // ISO 4217 lists VES beside VED; both are in use, though the crate's data has the one replace the other.
    let replaced = currency.is_superseded().is_some() && currency != Currency::VES;
    !currency.is_fund() && !currency.is_special() && !replaced
}
