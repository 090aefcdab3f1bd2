//! Inventories made up row by row, the same every time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::Outcome;

pub(crate) const HEADERS: [&str; 16] = [
    "Asset Tag", "Asset Name", "Serial", "Model", "Category", "Manufacturer", "Status", "Supplier", "Location",
    "Department", "Order Number", "Purchase Date", "Purchase Cost", "Currency", "Warranty Expiration", "Notes",
];

/// Which rows are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    None,
    /// By turns: a date that is none, a status left out, an unknown currency, a cost with a fraction, a tag twice.
    OneInHundred,
}

/// Products with their category and manufacturer, as a fresh sandbox has them.
const PRODUCTS: [(&str, &str, &str); 10] = [
    ("MacBook Pro 14", "Laptops", "Apple"),
    ("Latitude 5450", "Laptops", "Dell"),
    ("ThinkPad T14", "Laptops", "Lenovo"),
    ("EliteDesk 800", "Desktops", "HP"),
    ("UltraSharp 27", "Monitors", "Dell"),
    ("iPhone 16", "Phones", "Apple"),
    ("Galaxy S24", "Phones", "Samsung"),
    ("iPad Air", "Tablets", "Apple"),
    ("LaserJet Pro", "Printers", "HP"),
    ("Catalyst 1300", "Network Equipment", "Cisco"),
];
const STATUSES: [&str; 4] = ["Ready to Deploy", "In Use", "In Repair", "Retired"];
const SUPPLIERS: [&str; 4] = ["Northwind IT", "Contoso Supplies", "Fabrikam Hardware", "Adventure Office"];
const LOCATIONS: [&str; 4] = ["Headquarters", "Berlin", "London", "Warehouse"];
const DEPARTMENTS: [&str; 5] = ["Engineering", "Finance", "Human Resources", "IT", "Sales"];
const CURRENCIES: [&str; 3] = ["USD", "EUR", "GBP"];
const NOTES: [&str; 5] = [
    "Battery replaced in May, docking station",
    "Spare, kept in the store room",
    "",
    "Returned by the previous holder with all parts",
    "Shared device",
];

/// One row as text, in the order of [`HEADERS`].
pub(crate) struct Record {
    pub(crate) cells: [String; 16],
}

impl Record {
    /// The row at a position, from 0.
    pub(crate) fn at(position: u64, faults: Faults) -> Self {
        let pick = |count: usize, salt: u64| (mixed(position ^ (salt << 40)) % count as u64) as usize;
        let (model, category, manufacturer) = PRODUCTS[pick(PRODUCTS.len(), 1)];
        let location = LOCATIONS[pick(LOCATIONS.len(), 2)];
        let (year, month, day) = (2016 + pick(10, 3), 1 + pick(12, 4), 1 + pick(28, 5));
        let mut cells = [
            format!("AST-{:07}", position + 1),
            format!("{}-device-{}", location.to_lowercase(), position + 1),
            format!("5CG{:010X}", mixed(position) & 0xFF_FFFF_FFFF),
            model.to_owned(),
            category.to_owned(),
            manufacturer.to_owned(),
            STATUSES[pick(STATUSES.len(), 6)].to_owned(),
            SUPPLIERS[pick(SUPPLIERS.len(), 7)].to_owned(),
            location.to_owned(),
            DEPARTMENTS[pick(DEPARTMENTS.len(), 8)].to_owned(),
            format!("PO-{year}-{:05}", pick(100_000, 9)),
            format!("{year}-{month:02}-{day:02}"),
            (50 + pick(3950, 10)).to_string(),
            CURRENCIES[pick(CURRENCIES.len(), 11)].to_owned(),
            format!("{}-{month:02}-{day:02}", year + 3),
            NOTES[pick(NOTES.len(), 12)].to_owned(),
        ];
        if faults == Faults::OneInHundred && position % 100 == 99 {
            spoil(&mut cells, position / 100);
        }
        Self { cells }
    }
}

fn spoil(cells: &mut [String; 16], turn: u64) {
    match turn % 5 {
        0 => cells[11] = String::from("2023-02-30"),
        1 => cells[6].clear(),
        2 => cells[13] = String::from("QQQ"),
        3 => cells[12].push_str(".55"),
        _ => cells[0] = String::from("AST-0000001"),
    }
}

/// A number that looks like chance (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

pub(crate) fn csv(path: &Path, rows: u64, faults: Faults) -> Outcome<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    writer.write_record(HEADERS)?;
    for position in 0..rows {
        writer.write_record(&Record::at(position, faults).cells)?;
    }
    writer.into_inner()?.flush()?;
    Ok(())
}

/// As Excel would store it: shared strings, numbers as numbers, dates as dates.
pub(crate) fn xlsx(path: &Path, rows: u64, faults: Faults) -> Outcome<()> {
    let mut workbook = Workbook::new();
    let date_format = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet_with_low_memory()?.set_name("Assets")?;
    sheet.write_row(0, 0, HEADERS)?;
    for position in 0..rows {
        let row = u32::try_from(position + 1)?;
        for (column, cell) in (0u16..).zip(&Record::at(position, faults).cells) {
            match (column, ExcelDateTime::parse_from_str(cell), cell.parse::<f64>()) {
                _ if cell.is_empty() => {}
                (11 | 14, Ok(date), _) => drop(sheet.write_datetime_with_format(row, column, &date, &date_format)?),
                (12, _, Ok(cost)) => drop(sheet.write_number(row, column, cost)?),
                _ => drop(sheet.write_string(row, column, cell)?),
            }
        }
    }
    workbook.save(path)?;
    Ok(())
}
