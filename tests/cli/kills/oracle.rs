//! The workbook to import with the expected outcome of each row, and the initial records of the account.

use std::path::Path;

use fastrand::Rng;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

/// A sheet with the expected outcome of each row.
pub struct Sheet {
    pub name: &'static str,
    pub header: &'static [&'static str],
    pub rows: Vec<Row>,
}

pub struct Row {
    pub cells: Vec<String>,
    pub ends: ExpectedOutcome,
}

/// The expected status of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedOutcome {
    Created,
    Updated,
}

impl ExpectedOutcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
        }
    }
}

/// Reference columns: the header, its collection and the id field.
pub const REFERENCES: [(&str, &str, &str); 8] = [
    ("location", "locations", "location_id"),
    ("department", "departments", "department_id"),
    ("category", "categories", "category_id"),
    ("manufacturer", "manufacturers", "manufacturer_id"),
    ("product", "products", "product_id"),
    ("status", "statuses", "status_id"),
    ("accessory", "accessories", "accessory_id"),
    ("employee", "employees", "employee_id"),
];

/// The natural key of a sheet.
pub fn key(sheet: &str) -> &'static [&'static str] {
    match sheet {
        "assets" => &["asset_id"],
        "employees" => &["email"],
        "categories" => &["name", "type"],
        "products" => &["name", "model_number"],
        _ => &["name"],
    }
}

const OLD_ASSETS: usize = 14;
/// How many existing assets the sheet updates; the others must not change.
const UPDATED_ASSETS: usize = 10;
const NEW_ASSETS: usize = 30;
const EMPLOYEES: usize = 16;
const ACCESSORIES: usize = 4;
const STOCK: usize = 40;

/// The initial records: assets and what they refer to.
pub fn initial_records() -> Vec<(&'static str, Value)> {
    let mut records = vec![
        ("categories", json!({"name": "Old things", "type": "asset"})),
        ("products", json!({"name": "Old thing", "category_id": 1})),
        ("statuses", json!({"name": "In use", "type": "deployable"})),
    ];
    for number in 0..OLD_ASSETS {
        let asset = json!({
            "asset_id": format!("OLD-{number:02}"), "asset_name": "as before", "notes": "as before",
            "product_id": 1, "status_id": 1, "purchase_cost": 100 + number,
        });
        records.push(("assets", asset));
    }
    records.push(("employees", json!({"name": "First Holder", "email": FIRST_HOLDER})));
    for tag in initially_held() {
        let handed = json!({"asset_id": tag, "employee_id": 1, "checkout_date": "2024-01-02"});
        records.push(("checkout/asset", handed));
    }
    records
}

/// The header of the column that says who is to have an asset.
pub const HOLDER: &str = "holder";
pub const FIRST_HOLDER: &str = "first.holder@example.com";

/// The tags of assets that the first holder has before the import.
pub fn initially_held() -> Vec<String> {
    (5..=8).map(|number| format!("OLD-{number:02}")).collect()
}

/// Who is to have an existing asset after the import: of those that the first holder has, the last one stays.
fn old_holder(number: usize) -> String {
    match number {
        0 | 1 => String::new(),
        8 => FIRST_HOLDER.to_uppercase(),
        number => email(number),
    }
}

fn email(number: usize) -> String {
    format!("person.{}@example.com", number % EMPLOYEES)
}

/// The tags of existing assets that are not in the sheet.
pub fn untouched() -> Vec<String> {
    (UPDATED_ASSETS..OLD_ASSETS).map(|number| format!("OLD-{number:02}")).collect()
}

/// The sheets for a seed, in random order.
pub fn sheets(random: &mut Rng) -> Vec<Sheet> {
    let emails: Vec<String> = (0..EMPLOYEES).map(email).collect();
    let mut sheets = vec![
        created("locations", &["name", "city"], 8, |n| vec![place(n), format!("Ville-sur-Ève {n}")]),
        created("departments", &["name", "email", "phone"], 5, |n| {
            vec![format!("Dept. {n}/{n}"), format!("dept{n}@example.com"), format!("+49 30 {n:05}")]
        }),
        created("manufacturers", &["name", "url"], 4, |n| vec![maker(n), format!("https://example.com/{n}")]),
        created("categories", &["name", "type"], 4, |n| match n {
            0 => vec!["Laptops".into(), "asset".into()],
            1 => vec!["Mice".into(), "accessory".into()],
            2 => vec!["Spare".into(), "asset".into()],
            _ => vec!["Spare".into(), "accessory".into()],
        }),
        created("statuses", &["name", "type"], 2, |n| match n {
            0 => vec!["Ready".into(), "deployable".into()],
            _ => vec!["Broken".into(), "undeployable".into()],
        }),
        // The last two share a name and differ by model number.
        created("products", &["name", "model_number", "category", "manufacturer"], 8, |n| {
            vec![product(n.min(6)), format!("MN/{n}"), "Laptops".into(), maker(n % 4)]
        }),
        // Every two share a name.
        created("employees", &["name", "email", "location", "department"], EMPLOYEES, |n| {
            let name = format!("Pérson {}", n / 2);
            vec![name, emails[n].clone(), place(n % 8), format!("Dept. {0}/{0}", n % 5)]
        }),
        created("accessories", &["name", "quantity", "category"], ACCESSORIES, |n| {
            vec![accessory(n), STOCK.to_string(), "Mice".into()]
        }),
        assets(random),
    ];
    let mut people: Vec<&String> = emails.iter().collect();
    random.shuffle(&mut people);
    sheets.push(created("checkout_asset", &["asset_id", "employee", "checkout_date"], 14, |n| {
        let tag = if n < 2 { format!("OLD-{n:02}") } else { format!("NEW-{n:02}") };
        vec![tag, people[n].clone(), "2024-06-03".into()]
    }));
    let quantities: Vec<usize> = (0..EMPLOYEES).map(|_| random.usize(1..4)).collect();
    sheets.push(created("checkout_accessory", &["accessory", "employee", "quantity", "checkout_date"], 16, |n| {
        vec![accessory(n % ACCESSORIES), people[n / 2].clone(), quantities[n].to_string(), "2024-06-04".into()]
    }));
    random.shuffle(&mut sheets);
    sheets
}

fn created(
    name: &'static str,
    header: &'static [&'static str],
    count: usize,
    cells: impl Fn(usize) -> Vec<String>,
) -> Sheet {
    let rows = (0..count).map(|number| Row { cells: cells(number), ends: ExpectedOutcome::Created }).collect();
    Sheet { name, header, rows }
}

/// New assets and updates, shuffled; an empty cell leaves the field alone.
fn assets(random: &mut Rng) -> Sheet {
    let header = &["asset_id", "asset_name", "product", "status", "location", "purchase_cost", "notes", HOLDER];
    let mut sheet = created("assets", header, NEW_ASSETS, |n| {
        let status = if n >= 24 { "Broken" } else { "Ready" };
        let cost = (500 + n).to_string();
        let holder = if (14..22).contains(&n) { email(n) } else { String::new() };
        let (tag, name) = (format!("NEW-{n:02}"), format!("Nº {n}"));
        vec![tag, name, product(n % 6), status.into(), place(n % 8), cost, String::new(), holder]
    });
    sheet.rows.extend((0..UPDATED_ASSETS).map(|n| {
        let product = if n % 2 == 0 { product(n % 6) } else { String::new() };
        let notes = format!("changed {n}: \"50 % & more\"");
        let (tag, holder) = (format!("OLD-{n:02}"), old_holder(n));
        let cells = vec![tag, String::new(), product, String::new(), place(n % 8), String::new(), notes, holder];
        Row { cells, ends: ExpectedOutcome::Updated }
    }));
    random.shuffle(&mut sheet.rows);
    sheet
}

/// Names that must be encoded in a search.
fn place(number: usize) -> String {
    ["Zürich Süd", "R&D + Lab", "50% Hub", "O'Hare; Gate", "A/B Haus", "東京", "Q? Street", "Name=Value"][number].into()
}

fn maker(number: usize) -> String {
    ["Häagen & Co", "Acme+", "Ünï", "Plain"][number].into()
}

fn product(number: usize) -> String {
    format!("Model {number} & up")
}

fn accessory(number: usize) -> String {
    format!("Mouse №{number}")
}

pub fn save(sheets: &[Sheet], path: &Path) {
    let mut book = Workbook::new();
    for sheet in sheets {
        let page = book.add_worksheet();
        page.set_name(sheet.name).unwrap();
        page.write_row(0, 0, sheet.header.iter().copied()).unwrap();
        for (number, row) in sheet.rows.iter().enumerate() {
            page.write_row(number as u32 + 1, 0, row.cells.iter().map(String::as_str)).unwrap();
        }
    }
    book.save(path).unwrap();
}
