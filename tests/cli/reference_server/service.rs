//! The endpoints of the guide: request to response.

use std::cmp::Ordering;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use serde_json::{Value, json};

use super::account::{Account, Entry, Record, Refusal, Ties, USER};
use super::shapes::Shapes;
use super::tables::{Collection, Kind, action, collection};

/// A request below the base URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    /// Without a leading slash.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The key of the Authorization header.
    pub key: Option<String>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Reply {
    fn json(status: u16, value: &Value) -> Self {
        let body = if value.is_null() { Vec::new() } else { value.to_string().into_bytes() };
        Self { status, content_type: "application/json", body }
    }

    fn refused(shapes: Shapes, refusal: &Refusal) -> Self {
        let body = shapes.refused(refusal);
        let content_type = if shapes == Shapes::IdOnly { "text/plain" } else { "application/json" };
        Self { status: refusal.status, content_type, body }
    }

    /// An HTML page.
    pub fn page(status: u16) -> Self {
        let body = "<!DOCTYPE html><html><head><title>Something went wrong</title></head><body></body></html>";
        Self { status, content_type: "text/html", body: body.into() }
    }

    pub fn error(shapes: Shapes, status: u16) -> Self {
        Self::refused(shapes, &Refusal::of(status, "Something went wrong."))
    }
}

/// Handles a request.
pub fn answer(account: &mut Account, shapes: Shapes, key: &str, request: &Request) -> Reply {
    let answered = if request.key.as_deref() == Some(key) {
        route(account, shapes, request)
    } else {
        Err(Refusal::of(401, "The API key is not valid."))
    };
    match answered {
        Ok((status, value)) => Reply::json(status, &value),
        Err(refusal) => Reply::refused(shapes, &refusal),
    }
}

fn route(account: &mut Account, shapes: Shapes, request: &Request) -> Result<(u16, Value), Refusal> {
    let (first, rest) = request.path.split_once('/').unwrap_or((request.path.as_str(), ""));
    let nowhere = || Refusal::of(404, "There is nothing here.");
    match (request.method.as_str(), first, rest) {
        ("GET", "tenants", "") => return Ok((200, json!({"tenants": []}))),
        ("GET", "activity", "") if account.is_log_closed => return Err(Refusal::of(403, "You may not read the log.")),
        ("GET", "activity", "") => return Ok((200, activity(account, shapes, request)?)),
        ("POST", "checkin" | "checkout", _) => {
            let action = action(&request.path).ok_or_else(nowhere)?;
            let id = account.act(action, &body(request)?)?;
            let of = collection(action.item).ok_or_else(nowhere)?;
            return Ok(shapes.moved(of, id, shown(account, shapes, of, id)));
        }
        _ => {}
    }
    let of = collection(first).ok_or_else(nowhere)?;
    let id = || rest.parse::<i64>().map_err(|_| nowhere());
    match (request.method.as_str(), rest) {
        ("GET", "") => Ok((200, list(account, shapes, of, request)?)),
        ("GET", _) => match account.shown(of, id()?) {
            Some(_) => Ok((200, shown(account, shapes, of, id()?).into())),
            None => Err(Refusal::of(404, format!("There is no {} {rest}.", of.singular))),
        },
        ("POST", "") => {
            let id = account.create(of, &body(request)?)?;
            Ok(shapes.created(of, id, shown(account, shapes, of, id)))
        }
        ("PUT", _) => {
            account.update(of, id()?, &body(request)?)?;
            Ok(shapes.updated(of, shown(account, shapes, of, id()?)))
        }
        ("DELETE", _) => {
            account.delete(of, id()?)?;
            Ok(shapes.deleted(of))
        }
        _ => Err(Refusal::of(405, "That method is not offered.")),
    }
}

fn shown(account: &Account, shapes: Shapes, of: &Collection, id: i64) -> Record {
    let mut record = shapes.record(of, account.shown(of, id).unwrap_or_default());
    record.retain(|name, _| !account.unreported.contains(&name.as_str()));
    record
}

fn body(request: &Request) -> Result<Record, Refusal> {
    serde_json::from_slice(&request.body).map_err(|_| Refusal::of(400, "The body must be a JSON object."))
}

fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

fn number(request: &Request, name: &str, default: usize) -> Result<usize, Refusal> {
    match parameter(request, name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Refusal::of(400, format!("{name} must be a whole number."))),
    }
}

/// The requested page. A limit above the longest page is reduced silently.
fn page<T>(rows: Vec<T>, shapes: Shapes, request: &Request) -> Result<Vec<T>, Refusal> {
    let limit = number(request, "limit", 50)?.min(shapes.longest_page());
    let offset = number(request, "offset", 0)?;
    Ok(rows.into_iter().skip(offset).take(limit).collect())
}

/// Applies the filters. Undocumented parameters are ignored, as many services do.
fn list(account: &Account, shapes: Shapes, of: &Collection, request: &Request) -> Result<Value, Refusal> {
    let mut ids: Vec<i64> = account.table(of.name).map(|(id, _)| id).collect();
    for field in of.fields().into_iter().filter(|field| field.searched) {
        let Some(wanted) = parameter(request, field.name) else { continue };
        let holds = |id: &i64| {
            account.shown(of, *id).is_some_and(|record| is_text(shapes, &record[field.name], wanted, field.kind))
        };
        ids.retain(holds);
    }
    // The category of an asset is that of its product; the remaining consumables are computed.
    for (collection, computed) in [("consumables", "available"), ("assets", "category_id")] {
        let Some(wanted) = parameter(request, computed).filter(|_| of.name == collection) else { continue };
        let holds = |id: &i64| {
            account.shown(of, *id).is_some_and(|record| is_text(shapes, &record[computed], wanted, Kind::Integer))
        };
        ids.retain(holds);
    }
    if let (Some(email), "accessories" | "assets" | "licenses") = (parameter(request, "employee_email"), of.name) {
        let employee = account.employee(email);
        let is_theirs = |id: &i64| {
            account.assignments.iter().any(|held| {
                held.of == of.name && held.item == *id && held.with == "employees" && Some(held.holder) == employee
            })
        };
        ids.retain(is_theirs);
    }
    sort(account, of, request, &mut ids);
    let ids = page(ids, shapes, request)?;
    Ok(ids.into_iter().map(|id| Value::from(shown(account, shapes, of, id))).collect())
}

fn is_text(shapes: Shapes, held: &Value, wanted: &str, kind: Kind) -> bool {
    match held {
        Value::String(held) if kind == Kind::Text && shapes.folds_case() => {
            held.to_lowercase() == wanted.to_lowercase()
        }
        Value::String(held) => held == wanted,
        Value::Null => false,
        other => serde_json::from_str(wanted).is_ok_and(|wanted: Value| wanted == *other),
    }
}

/// Sorts by a field or timestamp, then as the account sorts ties; by the default field of the collection if `sort` is
/// missing.
fn sort(account: &Account, of: &Collection, request: &Request, ids: &mut [i64]) {
    let asked = parameter(request, "sort").unwrap_or(of.sort);
    let is_known = matches!(asked, "created_at" | "updated_at") || of.fields().iter().any(|field| field.name == asked);
    let by = if is_known { asked } else { of.sort };
    let keys: std::collections::HashMap<i64, Value> =
        account.table(of.name).map(|(id, record)| (id, record.get(by).cloned().unwrap_or_default())).collect();
    let page = (parameter(request, "offset"), parameter(request, "limit"));
    let place = |id: &i64| match account.ties {
        Ties::ById => (0, *id),
        Ties::ByPage => (BuildHasherDefault::<DefaultHasher>::default().hash_one((page, id)), *id),
    };
    ids.sort_by(|one, other| compare(&keys[one], &keys[other]).then_with(|| place(one).cmp(&place(other))));
    if parameter(request, "order") == Some("desc") {
        ids.reverse();
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => one.as_str().unwrap_or_default().cmp(other.as_str().unwrap_or_default()),
    }
}

/// The activity log, newest first by default.
fn activity(account: &Account, shapes: Shapes, request: &Request) -> Result<Value, Refusal> {
    let refused = account.refused_log.as_ref();
    if let Some((_, _, status)) = refused.filter(|(filter, id, _)| parameter(request, filter) == Some(id)) {
        return Err(Refusal::of(*status, "There is no log of that."));
    }
    let mut entries: Vec<&Entry> = account
        .log
        .iter()
        .filter(|entry| request.query.iter().all(|filter| is_asked(account, shapes, entry, filter)))
        .collect();
    if parameter(request, "order") != Some("asc") {
        entries.reverse();
    }
    let row = |entry: &Entry| {
        let mut row = json!({
            "timestamp": entry.timestamp, "type": entry.kind, "event": entry.event, "item_id": entry.item,
            "user_id": USER.0,
        });
        if shapes.tells_holders() {
            row["employee_id"] = entry.employee.into();
            row["user_email"] = USER.1.into();
        }
        row
    };
    Ok(page(entries, shapes, request)?.into_iter().map(row).collect())
}

fn is_asked(account: &Account, shapes: Shapes, entry: &Entry, (name, wanted): &(String, String)) -> bool {
    let item_of = |kind: &str| entry.kind == kind && entry.item.to_string() == *wanted;
    match name.as_str() {
        "date_from" => &entry.timestamp[..10] >= wanted.as_str(),
        "date_to" => shapes.is_until(&entry.timestamp, wanted),
        "type" => entry.kind == wanted,
        "event" => entry.event == wanted,
        "user_id" => USER.0.to_string() == *wanted,
        "user_email" => USER.1 == wanted,
        "employee_id" => entry.employee.is_some_and(|id| id.to_string() == *wanted),
        "employee_email" => entry.employee.is_some() && entry.employee == account.employee(wanted),
        "asset_id" => item_of("Asset"),
        "accessory_id" => item_of("Accessory"),
        "component_id" => item_of("Component"),
        "consumable_id" => item_of("Consumable"),
        "license_id" => item_of("License"),
        _ => true,
    }
}
