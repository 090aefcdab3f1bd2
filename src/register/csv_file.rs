//! The register as CSV, for import into accounting software: one line per item.
//!
//! UTF-8, comma-separated, CR LF, with a header row of the names below. Dates are `YYYY-MM-DD`. Amounts are plain
//! digits with a decimal point and all decimal places of the currency's minor unit, without the currency code. Unknown
//! values are empty, never zero. Text that a spreadsheet program would evaluate as a formula gets an apostrophe in
//! front ([`crate::table::formula`], design rule 14).
//!
//! | column | content |
//! |---|---|
//! | `kind` | `asset` or `license` |
//! | `id` | the system id, unique within its kind |
//! | `tag`, `name` | for an asset its tag and its own or its product's name; for a license its name twice |
//! | `category`, `department`, `location`, `status` | names |
//! | `standing` | the state: `held`, `disposed` or `not yet bought`; totals include held items only |
//! | `currency` | ISO 4217, or `unstated` |
//! | `cost`, `purchase_date` | |
//! | `months`, `months_elapsed` | of the depreciation schedule; whole months elapsed at the end of `as_of` |
//! | `accumulated_depreciation`, `book_value` | at the end of `as_of` |
//! | `depreciation`, `minimum_value` | the schedule's name and its residual value |
//! | `fully_depreciated`, `disposed` | `yes` or `no` |
//! | `fully_depreciated_on`, `runs_out_on` | the day the last month ends; the end of the warranty or license |
//! | `serial`, `supplier` | |
//! | `not_computed_because` | why there is no book value |
//! | `as_of` | the day of the register |

use std::io::Write;

use jiff::civil::Date;

use super::columns::{COLUMNS, CellValue};
use super::currency::Currency;
use super::line::RegisterLine;
use crate::table::formula::escape_formula;

pub(super) fn write(out: impl Write, lines: &[RegisterLine], as_of: Date) -> Result<(), csv::Error> {
    let mut out = writer(out);
    out.write_record(COLUMNS.iter().map(|column| column.name))?;
    for line in lines {
        for column in COLUMNS {
            let value = column.source.value(line, as_of);
            out.write_field(&*spelled(&value, &line.item.currency))?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    Ok(out.flush()?)
}

/// A CSV writer with the dialect of all register files.
pub(super) fn writer<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(1 << 16).from_writer(out)
}

fn spelled<'a>(value: &'a CellValue<'a>, currency: &Currency) -> std::borrow::Cow<'a, str> {
    match value {
        CellValue::Blank => "".into(),
        CellValue::Text(text) => escape_formula(text),
        CellValue::Number(number) => number.to_string().into(),
        CellValue::Money(amount) => currency.plain(*amount).into(),
        CellValue::Date(day) => day.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;

    use super::super::item::{MissingFigure, RegisterItem};
    use super::super::samples;
    use super::*;

    #[test]
    fn a_line_per_item_and_nothing_that_runs() {
        let as_of = date(2024, 2, 29);
        let bare = RegisterItem {
            tag: "=cmd".into(),
            title: "a, \"b\"".into(),
            category: String::new(),
            cost: Err(MissingFigure::CostMissing),
            expires_on: None,
            ..samples::item(2)
        };
        let lines = [samples::item(1), bare].map(|item| RegisterLine::on(as_of, item));
        let mut out = Vec::new();
        write(&mut out, &lines, as_of).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap().replace('\r', ""), @r#"
    kind,id,tag,name,category,department,location,status,standing,currency,cost,purchase_date,months,months_elapsed,accumulated_depreciation,book_value,depreciation,minimum_value,fully_depreciated,disposed,fully_depreciated_on,runs_out_on,serial,supplier,not_computed_because,as_of
    asset,1,LAP-0001,MacBook Pro 14,Laptops,Finance,Berlin,In Use,held,EUR,1000.00,2024-01-15,36,1,27.78,972.22,"Laptops, 3 years",0.00,no,no,2027-01-15,2027-01-15,S1,CDW,,2024-02-29
    asset,2,'=cmd,"a, ""b""",,Finance,Berlin,In Use,held,EUR,,2024-01-15,36,,,,"Laptops, 3 years",0.00,,no,2027-01-15,,S2,CDW,no purchase cost,2024-02-29
    "#);
    }
}
