//! The columns of amounts, which the tables of totals and of groups share: items, items without a book value, cost, cost
//! without a book value, accumulated depreciation, book value; and, with exchange rates, the converted amounts.

use rust_decimal::Decimal;
use rust_xlsxwriter::Format;

use super::page::{Header, Page, XlsxResult, right};
use super::rates;
use super::styles::money;
use crate::register::currency::Currency;
use crate::register::rates::Rates;
use crate::register::totals::Amounts;
use crate::table::ColumnName;
use crate::table::write::styles;

pub(super) const COLUMNS: u16 = 6;

/// The converted amounts, by their positions among the six.
const CONVERTED: [usize; 3] = [2, 4, 5];

pub(super) const HEADERS: [Header; COLUMNS as usize] = [
    right("Items", 9.0),
    right("Without book value", 11.0),
    right("Cost", 16.0),
    right("Cost without book value", 15.0),
    right("Accumulated depreciation", 16.0),
    right("Book value", 16.0),
];

pub(super) fn converted_headers(rates: &Rates) -> [Header; 3] {
    let base = &rates.base.code;
    ["Cost", "Accum. depr.", "Book value"].map(|what| Header::amount(format!("{what} in {base}"), 18.5))
}

pub(super) fn values(amounts: &Amounts) -> [Decimal; 6] {
    [
        Decimal::from(amounts.items),
        Decimal::from(amounts.uncomputed_items),
        amounts.cost,
        amounts.uncomputed_cost,
        amounts.accumulated,
        amounts.book_value,
    ]
}

pub(super) fn letters(column: u16) -> ColumnName {
    ColumnName(u32::from(column))
}

/// A row of amounts in one currency.
pub(super) struct AmountRow<'a> {
    pub(super) row: u32,
    /// The first of the six columns.
    pub(super) first: u16,
    pub(super) currency: &'a Currency,
    pub(super) amounts: &'a Amounts,
    /// The format of the row's cells, to which number formats are added.
    pub(super) format: &'a Format,
}

impl AmountRow<'_> {
    /// Writes the six columns, with these formulas or as plain numbers.
    pub(super) fn write(&self, page: &mut Page<'_>, formulas: Option<[String; 6]>) -> XlsxResult {
        let count = styles::right(self.format).set_num_format("#,##0");
        let money = money(self.format, self.currency);
        for (index, value) in values(self.amounts).into_iter().enumerate() {
            let at = (self.row, self.first + index as u16);
            let format = if index < 2 { &count } else { &money };
            if index >= 2 {
                page.make_room(at.1, value, self.currency)?;
            }
            match &formulas {
                Some(formulas) => page.formula(at, &formulas[index], value, format)?,
                None => page.amount(at, value, format)?,
            }
        }
        Ok(())
    }

    /// Writes the converted amounts from `column` on, or `no rate`.
    pub(super) fn write_converted(&self, page: &mut Page<'_>, rates: &Rates, column: u16) -> XlsxResult {
        let money = money(self.format, &rates.base);
        let values = values(self.amounts);
        for (column, index) in (column..).zip(CONVERTED) {
            let at = (self.row, column);
            match (rates.converted(values[index], self.currency), rates::cell(rates, self.currency)) {
                (Some(result), Some(rate)) => {
                    let source = letters(self.first + index as u16);
                    let formula = format!("=ROUND({source}{}*{rate},{})", self.row + 1, rates.base.digits);
                    page.make_room(column, result, &rates.base)?;
                    page.formula(at, &formula, result, &money)?;
                }
                _ => page.text(at, "no rate", &styles::right(self.format))?,
            }
        }
        Ok(())
    }
}
