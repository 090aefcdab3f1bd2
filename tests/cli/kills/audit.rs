//! Compares the sheets with the account, the summary and the result; every difference is a sentence.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::files;
use super::oracle::{self, ExpectedOutcome, REFERENCES, Row, Sheet};
use super::server::Account;
use crate::harness::sheet_rows;
use crate::reference_server::Record;

/// Every row must have exactly one record with the values of the row, and every checkout must have happened once.
pub fn account(account: &Account, sheets: &[Sheet]) -> Vec<String> {
    let mut differences = Vec::new();
    for sheet in sheets.iter().filter(|sheet| !sheet.name.starts_with("checkout")) {
        for row in &sheet.rows {
            let found = records(account, sheet, row);
            match found.as_slice() {
                [record] => differences.extend(compare(account, sheet, row, record)),
                found => {
                    differences.push(format!("{}: {} records for {}", sheet.name, found.len(), row.cells.join(" | ")))
                }
            }
        }
        let old = oracle::initial_records().iter().filter(|(name, _)| *name == sheet.name).count();
        let updates = sheet.rows.iter().filter(|row| row.ends == ExpectedOutcome::Updated).count();
        let expected = sheet.rows.len() - updates + old;
        let count = account.records(sheet.name).len();
        if count != expected {
            differences.push(format!("{}: {count} records where {expected} are due", sheet.name));
        }
    }
    differences.extend(oracle::untouched().iter().filter_map(|tag| touched(account, tag)));
    differences.extend(handed_out(account, sheets));
    differences
}

/// In the copy of an applied plan every record was created or updated.
pub fn applied(path: &Path, sheets: &[Sheet]) -> Vec<String> {
    let rows = |sheet: &Sheet| {
        let lines = sheet_rows(path, sheet.name).into_iter().skip(1);
        let undone = lines.filter(|line| !["", "created", "updated"].contains(&line[0].as_str()));
        undone.map(|line| format!("{}: {}", sheet.name, line.join(" | "))).collect::<Vec<_>>()
    };
    sheets.iter().flat_map(rows).collect()
}

/// The records that match the key of a row.
fn records<'a>(account: &'a Account, sheet: &Sheet, row: &Row) -> Vec<&'a Record> {
    let cell = |name: &&'static str| (*name, cell(sheet, row, name));
    account.find(sheet.name, &oracle::key(sheet.name).iter().map(cell).collect::<Vec<_>>())
}

fn cell<'a>(sheet: &Sheet, row: &'a Row, header: &str) -> &'a str {
    let column = sheet.header.iter().position(|name| *name == header).unwrap();
    &row.cells[column]
}

fn compare(account: &Account, sheet: &Sheet, row: &Row, record: &Record) -> Vec<String> {
    let mut differences = Vec::new();
    for (header, wanted) in sheet.header.iter().zip(&row.cells).filter(|(_, cell)| !cell.is_empty()) {
        if *header == oracle::HOLDER {
            continue;
        }
        let (field, wanted) = match REFERENCES.iter().find(|(name, ..)| name == header) {
            Some((_, collection, field)) => (*field, named(account, collection, wanted)),
            None => (*header, wanted.clone()),
        };
        let held = text(record.get(field));
        if held != wanted {
            let row = row.cells.join(" | ");
            differences.push(format!("{}: {field} is `{held}` and should be `{wanted}` in {row}", sheet.name));
        }
    }
    differences
}

/// The id, as text, of the first record with that name or e-mail address.
fn named(account: &Account, collection: &str, name: &str) -> String {
    let by_name = account.find(collection, &[("name", name)]);
    let found = by_name.into_iter().chain(account.find(collection, &[("email", name)])).next();
    found.map_or_else(|| format!("no record `{name}`"), |record| text(record.get("id")))
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn touched(account: &Account, tag: &str) -> Option<String> {
    let found = account.find("assets", &[("asset_id", tag), ("asset_name", "as before"), ("notes", "as before")]);
    let is_new = found.first().is_some_and(|asset| asset["created_at"] == asset["updated_at"]);
    (found.len() != 1 || !is_new).then(|| format!("assets: {tag} was touched although no row names it"))
}

/// Every checkout is in the log once, assets are with their holders, and the remaining stock is right.
fn handed_out(account: &Account, sheets: &[Sheet]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut due: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    let mut taken: BTreeMap<String, i64> = BTreeMap::new();
    for sheet in sheets.iter().filter(|sheet| sheet.name.starts_with("checkout")) {
        for row in &sheet.rows {
            let employee = named(account, "employees", cell(sheet, row, "employee"));
            let item = match sheet.name {
                "checkout_asset" => {
                    let found = account.find("assets", &[("asset_id", cell(sheet, row, "asset_id"))]);
                    found.first().map_or_else(String::new, |asset| {
                        differences.extend(misplaced(asset, &employee));
                        text(asset.get("id"))
                    })
                }
                _ => {
                    let item = named(account, "accessories", cell(sheet, row, "accessory"));
                    *taken.entry(item.clone()).or_default() += cell(sheet, row, "quantity").parse::<i64>().unwrap();
                    item
                }
            };
            let collection = if sheet.name == "checkout_asset" { "assets" } else { "accessories" };
            *due.entry((collection, item, employee)).or_default() += 1;
        }
    }
    for (sheet, row) in sheets
        .iter()
        .filter(|sheet| sheet.name == "assets")
        .flat_map(|sheet| sheet.rows.iter().map(move |row| (sheet, row)))
    {
        let holder = cell(sheet, row, oracle::HOLDER);
        let found = account.find("assets", &[("asset_id", cell(sheet, row, "asset_id"))]);
        if let (Some(asset), false) = (found.first(), holder.is_empty()) {
            let employee = named(account, "employees", &holder.to_lowercase());
            differences.extend(misplaced(asset, &employee));
            // Who has it already is not given it again.
            if holder.to_lowercase() != oracle::FIRST_HOLDER {
                *due.entry(("assets", text(asset.get("id")), employee)).or_default() += 1;
            }
        }
    }
    for tag in oracle::initially_held() {
        let found = account.find("assets", &[("asset_id", &tag)]);
        if let Some(asset) = found.first() {
            *due.entry(("assets", text(asset.get("id")), String::from("1"))).or_default() += 1;
        }
    }
    let mut done: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    for (collection, item, employee) in &account.checkouts {
        *done.entry((*collection, item.to_string(), employee.to_string())).or_default() += 1;
    }
    let all = due.keys().chain(done.keys().filter(|key| !due.contains_key(key)));
    for key in all.filter(|key| due.get(key) != done.get(key)) {
        let count = |of: &BTreeMap<_, usize>| of.get(key).copied().unwrap_or_default();
        let (collection, item, employee) = key;
        differences.push(format!(
            "{collection}: {item} was handed to employee {employee} {} times and should be {} times",
            count(&done),
            count(&due)
        ));
    }
    for accessory in account.records("accessories") {
        let taken = taken.get(&text(accessory.get("id"))).copied().unwrap_or_default();
        let left = accessory["quantity"].as_i64().unwrap_or_default() - taken;
        if accessory["available"] != left {
            let name = text(accessory.get("name"));
            differences
                .push(format!("accessories: {} of {name} are left and should be {left}", accessory["available"]));
        }
    }
    differences
}

fn misplaced(asset: &Record, employee: &str) -> Option<String> {
    let holders = asset["deployed_to"].as_array().cloned().unwrap_or_default();
    let with: Vec<String> = holders.iter().map(|holder| text(holder.get("employee_id"))).collect();
    (with != [employee]).then(|| {
        format!("assets: {} is with {} and should be with {employee}", text(asset.get("asset_id")), with.join(", "))
    })
}

/// The counts must match the sheets.
pub fn summary(summary: &Value, sheets: &[Sheet]) -> Vec<String> {
    let count =
        |ends: ExpectedOutcome| sheets.iter().flat_map(|sheet| &sheet.rows).filter(|row| row.ends == ends).count();
    let due = [
        ("created", count(ExpectedOutcome::Created)),
        ("updated", count(ExpectedOutcome::Updated)),
        ("unchanged", 0),
        ("failed", 0),
        ("skipped", 0),
        ("unknown", 0),
    ];
    let differs = |(name, due): (&str, usize)| {
        let told = &summary["counts"][name];
        (*told != due).then(|| format!("the summary counts {told} {name} rows, and {due} are due"))
    };
    due.into_iter().filter_map(differs).collect()
}

/// The result must have every row once, in order, with its outcome and the id of its record.
pub fn result(path: &Path, account: &Account, sheets: &[Sheet]) -> Vec<String> {
    if !path.exists() {
        return vec![format!("there is no {}", path.display())];
    }
    sheets.iter().flat_map(|sheet| result_sheet(path, account, sheet)).collect()
}

fn result_sheet(path: &Path, account: &Account, sheet: &Sheet) -> Vec<String> {
    let told = sheet_rows(path, sheet.name);
    if told.len() != sheet.rows.len() + 1 {
        return vec![format!("the result has {} rows of {}, not {}", told.len() - 1, sheet.name, sheet.rows.len())];
    }
    let mut differences = Vec::new();
    for (row, told) in sheet.rows.iter().zip(&told[1..]) {
        let is_action = sheet.name.starts_with("checkout");
        let id = if is_action {
            String::new()
        } else {
            records(account, sheet, row).first().map_or_else(String::new, |record| text(record.get("id")))
        };
        let is_told = told[0] == row.ends.word() && (is_action || told[1] == id) && told[3..] == row.cells;
        if !is_told {
            let due = format!("{} | {id} | {}", row.ends.word(), row.cells.join(" | "));
            differences.push(format!("the result says of {} `{}` and should `{due}`", sheet.name, told.join(" | ")));
        }
    }
    differences
}

/// Files that contain the key, including the parts of workbooks.
pub fn leaks(key: &str, paths: &[&Path]) -> Vec<String> {
    let all = paths.iter().flat_map(|path| files(path)).filter(|path| path.exists());
    let leaking = all.filter(|path| contents(path).iter().any(|bytes| holds(bytes, key)));
    leaking.map(|path| format!("{} holds the key", path.display())).collect()
}

fn contents(path: &Path) -> Vec<Vec<u8>> {
    let mut all = vec![fs::read(path).unwrap()];
    if path.extension().is_some_and(|extension| extension == "xlsx") {
        let mut book = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        for part in 0..book.len() {
            let mut bytes = Vec::new();
            book.by_index(part).unwrap().read_to_end(&mut bytes).unwrap();
            all.push(bytes);
        }
    }
    all
}

fn holds(bytes: &[u8], key: &str) -> bool {
    memchr::memmem::find(bytes, key.as_bytes()).is_some()
}
