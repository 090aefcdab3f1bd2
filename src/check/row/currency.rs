//! The currency of a row's amounts, from their signs, their headers and the currency column.

use super::Checker;
use crate::check::checked_row::{CheckedRow, CurrencySign, ParsedField, ParsedValue};
use crate::check::money::CurrencyHint;
use crate::check::problem::{Code, ValueError};
use crate::check::remarks::RemarkKind;
use crate::table::Row;

/// What an amount shows of its currency.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct AmountCurrency {
    /// The cell's column, from 0.
    pub(in crate::check) column: u32,
    pub(in crate::check) in_header: Option<CurrencyHint>,
    pub(in crate::check) in_cell: Option<CurrencyHint>,
}

impl AmountCurrency {
    /// What header and cell allow together.
    fn combined(self) -> Result<Option<CurrencyHint>, ValueError> {
        let (Some(header), Some(cell)) = (self.in_header, self.in_cell) else {
            return Ok(self.in_cell.or(self.in_header));
        };
        let agreed = header.and(cell).map(Some);
        agreed.ok_or_else(|| {
            contradiction(cell, &format!("the header says `{header}`"), "correct the amount or the header")
        })
    }
}

impl Checker<'_> {
    /// Compares the currencies of the row's amounts with each other and with the currency column. Where that is empty,
    /// they fill it if they leave no choice.
    pub(super) fn infer_currency(&mut self, row: &Row, checked: &mut CheckedRow) {
        let mut known: Option<CurrencyHint> = None;
        for amount in &self.amounts {
            let hint = match amount.combined() {
                Ok(None) => continue,
                Ok(Some(hint)) => hint,
                Err(error) => {
                    checked.problems.push(error.at(Some(amount.column), row.cell(amount.column as usize).text));
                    return;
                }
            };
            match known.map_or(Some(hint), |known| known.and(hint)) {
                Some(agreed) => known = Some(agreed),
                None => {
                    let error = contradiction(hint, "another amount of the row has another currency", ONE_CURRENCY);
                    checked.problems.push(error.at(Some(amount.column), row.cell(amount.column as usize).text));
                    return;
                }
            }
        }
        let (Some(hint), Some(amount)) = (known, self.amounts.first()) else { return };
        let (column, is_stated) = (amount.column, amount.in_header.is_some());
        let Some(field) = self.mapping.entity.field_index("currency") else {
            checked.remark(RemarkKind::NoCurrencyField, column as usize, &hint.to_string());
            return;
        };
        match checked.parsed(field).copied() {
            None => self.fill_currency(field, CurrencySign { column, hint }, is_stated, checked),
            Some(ParsedField { value: ParsedValue::Currency(code), column: from, .. }) if !hint.allows(code) => {
                let is_default = checked.is_default(from);
                // A default is for rows that say nothing of their currency.
                if let Some(stated) = hint.code().filter(|_| is_default) {
                    checked.values.retain(|given| given.field != field);
                    checked.values.push(ParsedField { field, column, value: ParsedValue::Currency(stated) });
                    return;
                }
                let whose = if is_default { "--default" } else { "the currency column" };
                let says = format!("{whose} says `{code}`");
                let error = contradiction(hint, &says, "correct the currency or the amount");
                checked.problems.push(error.at(Some(column), row.cell(column as usize).text));
            }
            Some(_) => {}
        }
    }

    fn fill_currency(&self, field: usize, sign: CurrencySign, is_stated: bool, checked: &mut CheckedRow) {
        let CurrencySign { column, hint } = sign;
        match hint.code() {
            Some(code) => checked.values.push(ParsedField { field, column, value: ParsedValue::Currency(code) }),
            None => checked.remark(RemarkKind::SharedSign, column as usize, &hint.to_string()),
        }
        // What a code or the header says stands, whatever the location's currency is.
        checked.sign = Some(sign).filter(|_| hint.is_sign() && !(is_stated && hint.code().is_some()));
    }
}

const ONE_CURRENCY: &str = "give the amounts of a row in one currency";

fn contradiction(hint: CurrencyHint, says: &str, fix: &'static str) -> ValueError {
    ValueError::new(Code::MoneyCurrency, format!("the amount is in `{hint}`, but {says}"), fix)
}
