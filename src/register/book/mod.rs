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

mod amounts;
mod chart_data;
mod charts;
mod exceptions;
mod expiring;
mod formulas;
mod groups;
mod method;
mod page;
mod rates;
mod register;
mod roll_forward;
mod styles;
mod summary;

use std::io::BufWriter;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use page::XlsxResult;

use super::content::Register;
use crate::table::write::{AtomicFile, WriteError, catch_write_panic};

pub(super) fn write(file: &mut AtomicFile, register: &Register<'_>) -> Result<(), WriteError> {
    let path = file.path().to_owned();
    catch_write_panic(&path, || {
        let mut workbook = Workbook::new();
        // The rows wait beside the file, not in the system's folder for temporary files, which may be memory.
        workbook.set_tempdir(file.folder())?;
        fill(&mut workbook, register)?;
        workbook.save_to_writer(BufWriter::with_capacity(1 << 18, file.as_file()))
    })
}

fn fill(workbook: &mut Workbook, register: &Register<'_>) -> XlsxResult {
    workbook.set_properties(&properties(register)?);
    let styles = styles::page_styles();
    summary::write(workbook.add_worksheet(), register, &styles)?;
    let category = groups::write_all(workbook, register, &styles)?;
    charts::write(workbook, register, &styles, &category)?;
    expiring::write(workbook.add_worksheet(), register, &styles)?;
    register::write(workbook.add_worksheet_with_constant_memory()?, register, &styles)?;
    if let Some(roll) = &register.roll {
        roll_forward::write(workbook.add_worksheet(), register, roll, &styles)?;
        roll_forward::write_movements(workbook.add_worksheet_with_constant_memory()?, roll, &styles)?;
    }
    exceptions::write(workbook.add_worksheet_with_constant_memory()?, register, &styles)?;
    if let Some(rates) = &register.rates {
        rates::write(workbook.add_worksheet(), rates, &styles)?;
    }
    method::write(workbook.add_worksheet(), register, &styles)?;
    formulas::define_names(workbook, register.lines.len())
}

fn properties(register: &Register<'_>) -> XlsxResult<DocProperties> {
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

#[cfg(test)]
mod tests;
