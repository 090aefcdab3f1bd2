//! The register as a workbook.
//!
//! ```text
//! Summary        the day, the counts, the totals of each currency
//! By category, By department, By location, By status
//! Charts         book value by category, spend by month, what runs out; drawn from Chart data
//! Running out    warranties and licenses that end in the next twelve months
//! Register       a line per item; every number elsewhere is a live formula over it
//! Roll-forward   from the earlier register to this one; Movements has the items
//! Exceptions     what could not be computed, and why
//! Rates          the user's rates; converted totals refer to them
//! Method         in words, with a real line as worked example
//! ```
//!
//! Formulas name the register's columns (`Reg_Cost`, `Reg_Currency`) and carry the results that were computed exactly
//! here, so that programs that do not calculate show them too.

mod charts;
mod exceptions;
mod groups;
mod live;
mod method;
mod paint;
mod rates;
mod register;
mod rolled;
mod running;
mod sheet;
mod summary;

use std::io::BufWriter;

use jiff::civil::Date;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::write::Register;
use crate::table::write::{AtomicFile, WriteError, catch_write_panic};
use live::Live;
use paint::Looks;

/// Writes the workbook into `whole`.
pub(super) fn write(whole: &mut AtomicFile, register: &Register<'_>) -> Result<(), WriteError> {
    let path = whole.path().to_owned();
    catch_write_panic(&path, || {
        let mut workbook = Workbook::new();
        // The rows wait beside the file, not in the system's folder for temporary files, which may be memory.
        workbook.set_tempdir(whole.folder())?;
        fill(&mut workbook, register)?;
        workbook.save_to_writer(BufWriter::with_capacity(1 << 18, whole.as_file()))
    })
}

fn fill(workbook: &mut Workbook, register: &Register<'_>) -> Result<(), XlsxError> {
    workbook.set_properties(&properties(register)?);
    let looks = Looks::new();
    let live = Live::new(register.lines.len());
    summary::write(workbook.add_worksheet(), register, &looks)?;
    let category = groups::write_all(workbook, register, &looks, &live)?;
    charts::write(workbook, register, &looks, &category)?;
    running::write(workbook.add_worksheet(), register, &looks)?;
    register::write(workbook.add_worksheet_with_constant_memory()?, register, &looks)?;
    if let Some(roll) = &register.roll {
        rolled::write(workbook.add_worksheet(), register, roll, &looks, &live)?;
        rolled::write_movements(workbook.add_worksheet_with_constant_memory()?, roll, &looks)?;
    }
    exceptions::write(workbook.add_worksheet_with_constant_memory()?, register, &looks)?;
    if let Some(rates) = &register.rates {
        rates::write(workbook.add_worksheet(), rates, &looks)?;
    }
    method::write(workbook.add_worksheet(), register, &looks)?;
    live.define_names(workbook)
}

fn properties(register: &Register<'_>) -> Result<DocProperties, XlsxError> {
    let options = register.options;
    let made = options.generated_at.to_string();
    // The writer reads moments to the millisecond.
    let made = ExcelDateTime::parse_from_str(made.get(..19).unwrap_or("2000-01-01T00:00:00"))?;
    Ok(DocProperties::new()
        .set_title(format!("Fixed-asset register as of {}", options.as_of))
        .set_author("tallyport")
        .set_comment(format!("Account: {}", options.account.base_url))
        .set_creation_datetime(&made))
}

/// A day as a cell's value.
fn excel_day(day: Date) -> Option<ExcelDateTime> {
    let year = u16::try_from(day.year()).ok()?;
    ExcelDateTime::from_ymd(year, day.month() as u8, day.day() as u8).ok()
}

#[cfg(test)]
mod tests;
