//! The register as CSV, for a ledger: one line per item.
//!
//! UTF-8, comma, CR LF, a header of the names below. Dates are `YYYY-MM-DD`; amounts are plain digits with a point, all
//! digits of the currency's minor unit and no code; what is not known is empty, never zero. Texts that a spreadsheet
//! program would take for a formula are guarded by an apostrophe ([`crate::table::formula`], design rule 12).
//!
//! | column | what it holds |
//! |---|---|
//! | `kind` | `asset` or `license` |
//! | `id` | the system's id, unique with the kind |
//! | `tag`, `name` | an asset's tag and its name or its product's; a license's name twice |
//! | `category`, `department`, `location`, `status` | by name |
//! | `standing` | `held`, `disposed` or `not yet bought`: only what is held counts in totals |
//! | `currency` | ISO 4217, or `unstated` |
//! | `cost`, `purchase_date` | |
//! | `months`, `months_elapsed` | of the schedule; whole ones at the end of the day `as_of` |
//! | `accumulated_depreciation`, `book_value` | at the end of the day `as_of` |
//! | `depreciation`, `minimum_value` | the schedule's name, and what it leaves |
//! | `fully_depreciated`, `disposed` | `yes` or `no` |
//! | `fully_depreciated_on`, `runs_out_on` | the day the last month is over; the end of the warranty or license |
//! | `serial`, `supplier` | |
//! | `not_computed_because` | why there is no book value |
//! | `as_of` | the day of the register |

use std::io::Write;

use jiff::civil::Date;

use super::amount::Currency;
use super::columns::{COLUMNS, Missing, Told};
use super::line::Line;
use crate::table::formula::escape_formula;

/// Writes the register of `as_of`.
pub(super) fn write(out: impl Write, lines: &[Line], as_of: Date) -> Result<(), csv::Error> {
    let mut out = writer(out);
    out.write_record(COLUMNS.iter().map(|column| column.name))?;
    for line in lines {
        for column in COLUMNS {
            let told = column.of.told(line, as_of, Missing::Blank);
            out.write_field(&*spelled(&told, &line.item.currency))?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    Ok(out.flush()?)
}

/// The writer of all our CSV for finance.
pub(super) fn writer<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(1 << 16).from_writer(out)
}

fn spelled<'a>(told: &'a Told<'a>, currency: &Currency) -> std::borrow::Cow<'a, str> {
    match told {
        Told::Blank => "".into(),
        Told::Text(text) => escape_formula(text),
        Told::Number(number) => number.to_string().into(),
        Told::Money(amount) => currency.plain(*amount).into(),
        Told::Date(day) => day.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;

    use super::super::item::{Gap, Item};
    use super::super::samples;
    use super::*;

    #[test]
    fn a_line_per_item_and_nothing_that_runs() {
        let as_of = date(2024, 2, 29);
        let bare = Item {
            tag: "=cmd".into(),
            title: "a, \"b\"".into(),
            category: String::new(),
            cost: Err(Gap::CostMissing),
            runs_out: None,
            ..samples::item(2)
        };
        let lines = [samples::item(1), bare].map(|item| Line::on(as_of, item));
        let mut out = Vec::new();
        write(&mut out, &lines, as_of).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap().replace('\r', ""), @r#"
    kind,id,tag,name,category,department,location,status,standing,currency,cost,purchase_date,months,months_elapsed,accumulated_depreciation,book_value,depreciation,minimum_value,fully_depreciated,disposed,fully_depreciated_on,runs_out_on,serial,supplier,not_computed_because,as_of
    asset,1,LAP-0001,MacBook Pro 14,Laptops,Finance,Berlin,In Use,held,EUR,1000.00,2024-01-15,36,1,27.78,972.22,"Laptops, 3 years",0.00,no,no,2027-01-15,2027-01-15,S1,CDW,,2024-02-29
    asset,2,'=cmd,"a, ""b""",,Finance,Berlin,In Use,held,EUR,,2024-01-15,36,,,,"Laptops, 3 years",0.00,,no,2027-01-15,,S2,CDW,no purchase cost,2024-02-29
    "#);
    }
}
