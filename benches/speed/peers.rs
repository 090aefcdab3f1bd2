//! The roofs: the bare libraries, each in a process of its own, so that memory compares.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use calamine::{DataRef, Reader as _, Xlsx, open_workbook};
use futures::StreamExt as _;
use futures::stream;
use reqwest::header::CONTENT_TYPE;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::inputs::{Faults, Record};
use crate::{Outcome, journal};

/// The argument by which the bench knows that it is to be a peer.
pub(crate) const AS_PEER: &str = "--as-peer";

/// Requests in flight, as the program is told.
pub(crate) const IN_FLIGHT: usize = 32;

/// This bench as the peer of that name.
pub(crate) fn command(name: &str, arguments: &[&PathBuf]) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(AS_PEER).arg(name).args(arguments);
    Ok(command)
}

pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["csv", path] => read_csv(Path::new(path)),
        ["xlsx", path] => read_xlsx(Path::new(path)),
        ["send", base_url, api_key, rows] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(send(base_url, api_key, rows.parse()?))
        }
        ["fetch", base_url, api_key, rows, in_flight] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(fetch(base_url, api_key, rows.parse()?, in_flight.parse()?))
        }
        ["write", path, rows] => write_xlsx(Path::new(path), rows.parse()?),
        ["journal", place, base_url, api_key, rows] => journal::run(place, base_url, api_key, rows.parse()?),
        other => Err(format!("no such peer: {other:?}").into()),
    }
}

fn read_csv(path: &Path) -> Outcome<()> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut record = csv::StringRecord::new();
    let mut length = 0;
    while reader.read_record(&mut record)? {
        length += record.iter().map(str::len).sum::<usize>();
    }
    println!("{length}");
    Ok(())
}

fn read_xlsx(path: &Path) -> Outcome<()> {
    let mut workbook: Xlsx<_> = open_workbook(path)?;
    let first = workbook.sheet_names().first().cloned().ok_or("the workbook has no sheet")?;
    let mut cells = workbook.worksheet_cells_reader(&first)?;
    let mut length = 0;
    while let Some(cell) = cells.next_cell()? {
        length += match cell.get_value() {
            DataRef::String(text) => text.len(),
            DataRef::SharedString(text) => text.len(),
            _ => 1,
        };
    }
    println!("{length}");
    Ok(())
}

/// Writes the cells of an export of so many assets, as fast as the library can without holding them.
fn write_xlsx(path: &Path, rows: u64) -> Outcome<()> {
    let mut workbook = Workbook::new();
    workbook.set_zip_compression_level(1);
    let formats = ["@", "yyyy-mm-dd", "[$EUR] #,##0.00", "yyyy-mm-dd hh:mm:ss"];
    let [text, date, money, timestamp] = formats.map(|code| Format::new().set_num_format(code));
    let moment = ExcelDateTime::from_ymd(2026, 11, 29)?.and_hms(20, 10, 0.123)?;
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    for position in 0..rows {
        let (row, cells) = (u32::try_from(position + 1)?, Record::at(position, Faults::None).cells);
        sheet.write_string_with_format(row, 0, row.to_string(), &text)?;
        // The place of each column of the bench among those of an export. Before the name of a reference stands its id.
        for (cell, place) in cells.iter().zip([1, 2, 3, 11, 23, 25, 13, 15, 17, 19, 6, 7, 8, 9, 4, 21]) {
            match (place, cell.parse::<f64>()) {
                _ if cell.is_empty() => continue,
                (4 | 7, _) => {
                    let day = ExcelDateTime::parse_from_str(cell)?;
                    sheet.write_datetime_with_format(row, place, day, &date)?
                }
                (8, Ok(cost)) => sheet.write_number_with_format(row, place, cost, &money)?,
                _ => sheet.write_string_with_format(row, place, cell, &text)?,
            };
            if place > 10 && place != 21 {
                sheet.write_string_with_format(row, place - 1, "7", &text)?;
            }
        }
        sheet.write_datetime_with_format(row, 29, &moment, &timestamp)?;
        sheet.write_datetime_with_format(row, 30, &moment, &timestamp)?;
    }
    workbook.save(path)?;
    Ok(())
}

/// Posts what an import of the same rows posts, and prints the seconds that took.
async fn send(base_url: &str, api_key: &str, rows: u64) -> Outcome<()> {
    // One that is there already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let ids = Ids::fetch(&client, base_url, api_key).await?;
    let bodies = (0..rows).map(|position| ids.body(position)).collect::<Outcome<Vec<_>>>()?;
    let url: reqwest::Url = format!("{base_url}/assets").parse()?;
    let start = Instant::now();
    let mut replies = stream::iter(bodies)
        .map(|body| {
            let request = client.post(url.clone()).bearer_auth(api_key).header(CONTENT_TYPE, "application/json");
            async move {
                let response = request.body(body).send().await?.error_for_status()?;
                response.bytes().await
            }
        })
        .buffer_unordered(IN_FLIGHT);
    while let Some(reply) = replies.next().await {
        reply?;
    }
    println!("{}", start.elapsed().as_secs_f64());
    Ok(())
}

/// The records of one page.
const PAGE: u64 = 1_000;

/// An asset as a program declares it that wants its fields.
#[derive(Deserialize)]
#[allow(dead_code, reason = "parsing the fields is what is measured")]
struct Asset {
    id: i64,
    asset_id: Option<String>,
    asset_name: Option<String>,
    asset_serial: Option<String>,
    warranty_expiration_date: Option<String>,
    end_of_life_date: Option<String>,
    order_number: Option<String>,
    purchase_date: Option<String>,
    purchase_cost: Option<f64>,
    currency: Option<String>,
    product_id: Option<i64>,
    status_id: Option<i64>,
    supplier_id: Option<i64>,
    location_id: Option<i64>,
    department_id: Option<i64>,
    logo: Option<String>,
    notes: Option<String>,
    custom_fields: Option<Json>,
    category_id: Option<i64>,
    category_name: Option<String>,
    product_name: Option<String>,
    manufacturer_id: Option<i64>,
    manufacturer_name: Option<String>,
    checkout_date: Option<String>,
    deployed_to: Option<Json>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

/// Fetches every page of the assets, parses it and drops it, with so many pages in flight.
async fn fetch(base_url: &str, api_key: &str, rows: u64, in_flight: usize) -> Outcome<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let mut pages = stream::iter((0..rows.div_ceil(PAGE)).map(|page| page * PAGE))
        .map(|offset| {
            let url = format!("{base_url}/assets?limit={PAGE}&offset={offset}&sort=created_at&order=asc");
            let request = client.get(url).bearer_auth(api_key);
            async move { request.send().await?.error_for_status()?.bytes().await }
        })
        .buffered(in_flight);
    let mut fetched = 0;
    while let Some(page) = pages.next().await {
        fetched += serde_json::from_slice::<Vec<Asset>>(&page?)?.len() as u64;
    }
    match fetched >= rows {
        true => Ok(()),
        false => Err(format!("{fetched} of {rows} assets").into()),
    }
}

/// The ids of the records that rows name, by collection and name.
pub(crate) struct Ids(HashMap<(&'static str, String), Json>);

/// Columns that name a record: position, field and collection.
const REFERENCES: [(usize, &str, &str); 5] = [
    (3, "product_id", "products"),
    (6, "status_id", "statuses"),
    (7, "supplier_id", "suppliers"),
    (8, "location_id", "locations"),
    (9, "department_id", "departments"),
];

/// Columns that are sent as they are: position and field.
const TEXTS: [(usize, &str); 8] = [
    (0, "asset_id"),
    (1, "asset_name"),
    (2, "asset_serial"),
    (10, "order_number"),
    (11, "purchase_date"),
    (13, "currency"),
    (14, "warranty_expiration_date"),
    (15, "notes"),
];

impl Ids {
    pub(crate) async fn fetch(client: &reqwest::Client, base_url: &str, api_key: &str) -> Result<Self, Box<dyn Error>> {
        let mut ids = HashMap::new();
        for (_, _, collection) in REFERENCES {
            let request = client.get(format!("{base_url}/{collection}")).bearer_auth(api_key);
            let body = request.send().await?.error_for_status()?.bytes().await?;
            let records: Vec<Map<String, Json>> = serde_json::from_slice(&body)?;
            for record in records {
                if let (Some(name), Some(id)) = (record.get("name").and_then(Json::as_str), record.get("id")) {
                    ids.insert((collection, name.to_owned()), id.clone());
                }
            }
        }
        Ok(Self(ids))
    }

    pub(crate) fn body(&self, position: u64) -> Outcome<Vec<u8>> {
        let cells = Record::at(position, Faults::None).cells;
        let mut body = Map::new();
        for (column, field) in TEXTS.into_iter().filter(|(column, _)| !cells[*column].is_empty()) {
            body.insert(field.to_owned(), cells[column].as_str().into());
        }
        body.insert(String::from("purchase_cost"), cells[12].parse::<i64>()?.into());
        for (column, field, collection) in REFERENCES {
            let id = self.0.get(&(collection, cells[column].clone()));
            body.insert(field.to_owned(), id.ok_or_else(|| format!("no `{}` in {collection}", cells[column]))?.clone());
        }
        Ok(serde_json::to_vec(&body)?)
    }
}
