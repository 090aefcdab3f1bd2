//! `assets.csv`: a flat inventory of a thousand assets, as another system exports it.
//!
//! Some of its products, makers, suppliers and places are new to a fresh sandbox: `--create-missing` makes them.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::Made;
use crate::products::{OF_THE_INVENTORY, Product};
use crate::random::Chance;
use crate::seeded;

const ROWS: u32 = 1000;

const HEADER: &[&str] = &[
    "Asset Tag", "Name", "Serial", "Model", "Model Number", "Category", "Manufacturer", "Status", "Supplier",
    "Location", "Department", "Purchase Date", "Purchase Cost", "Currency", "Warranty Expiration", "Notes",
    "custom:Hostname",
];

/// Locations that a fresh sandbox lacks: name, prefix, currency.
const NEW_LOCATIONS: &[(&str, &str, &str)] = &[("Milwaukee", "MKE", "USD"), ("Hamburg Hafen", "HAM", "EUR")];

const NEW_SUPPLIER: &str = "Lakeside Office Interiors";

/// Notes as people write them: with commas, quotes, line breaks and other alphabets.
const NOTES: &[&str] = &[
    "Battery replaced, see ticket 10482",
    "Sticker says \"property of lab 2\"",
    "24\" screen was swapped for this one",
    "Rückgabe am Empfang, nicht im Büro",
    "Keyboard: UK layout; charger missing",
    "Bought for the trade fair\nkeep the box",
    "=see purchase file",
    "Spare",
];

pub(crate) fn make() -> Made<Vec<u8>> {
    let mut chance = Chance::seeded(4096);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for number in 1..=ROWS {
        writer.write_record(asset(&mut chance, number))?;
    }
    Ok(writer.into_inner()?)
}

fn asset(chance: &mut Chance, number: u32) -> [String; 17] {
    let at = chance.weighted(OF_THE_INVENTORY.iter().map(|(.., weight)| *weight));
    let (product, code, _) = &OF_THE_INVENTORY[at];
    let status = seeded::STATUSES[chance.weighted(seeded::STATUSES.iter().map(|(_, weight)| *weight))].0;
    let (location, prefix, currency) = place(chance, status);
    let bought = match status {
        "On Order" => date(2026, 1, 5),
        "Retired" => chance.workday(date(2018, 1, 8), 900),
        _ => chance.workday(date(2021, 3, 1), 1700),
    };
    let host =
        if product.is_furniture() { String::new() } else { format!("{prefix}-{code}-{number:04}").to_lowercase() };
    let name = if host.is_empty() { product.name.to_owned() } else { host.to_uppercase() };
    let notes = if chance.one_in(12) { chance.pick(NOTES) } else { "" };
    [
        // Six digits with leading zeros: a spreadsheet program that opens this file as it is would eat them.
        format!("{:06}", 1400 + number),
        name,
        product.draw_serial(chance),
        product.name.into(),
        product.model_number.into(),
        product.category.into(),
        product.manufacturer.into(),
        status.into(),
        supplier(chance, product).into(),
        location.into(),
        department(chance, product).into(),
        bought.to_string(),
        price(chance, product).to_string(),
        currency.into(),
        warranty(product, bought),
        notes.into(),
        if host.is_empty() { host } else { format!("{host}.corp.example.com") },
    ]
}

/// What is not in use stands in the warehouse, most of the rest where most people are.
fn place(chance: &mut Chance, status: &str) -> (&'static str, &'static str, &'static str) {
    let warehouse = seeded::LOCATIONS.iter().find(|(name, ..)| *name == "Warehouse");
    match (status, warehouse) {
        ("In Use" | "In Repair" | "Lost or Stolen", _) | (_, None) if chance.one_in(6) => chance.pick(NEW_LOCATIONS),
        ("In Use" | "In Repair" | "Lost or Stolen", _) | (_, None) => chance.pick(&seeded::LOCATIONS[..3]),
        (_, Some(warehouse)) => *warehouse,
    }
}

fn supplier(chance: &mut Chance, product: &Product) -> &'static str {
    if product.is_furniture() { NEW_SUPPLIER } else { chance.pick(seeded::SUPPLIERS) }
}

fn department(chance: &mut Chance, product: &Product) -> &'static str {
    match product.category {
        "Network Equipment" | "Printers" | "Projectors" => "IT",
        _ if chance.one_in(5) => "",
        _ => chance.pick(seeded::DEPARTMENTS),
    }
}

/// Prices change over the years by some ten per cent.
fn price(chance: &mut Chance, product: &Product) -> u32 {
    product.cost * chance.pick(&[92u32, 95, 97, 100, 100, 100, 104, 108]) / 100
}

fn warranty(product: &Product, bought: Date) -> String {
    if product.is_furniture() { String::new() } else { bought.saturating_add(3.years()).to_string() }
}
