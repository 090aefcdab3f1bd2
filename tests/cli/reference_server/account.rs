//! The data of the server: records, assignments, and the activity log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::rules::{self, Purpose};
use super::tables::{Action, COLLECTIONS, Collection, Kind, collection};

/// A record: field names to values, with or without computed fields.
pub type Record = Map<String, Value>;

/// The only user.
pub const USER: (i64, &str) = (1, "admin@example.com");

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub status: u16,
    /// The field, if any, and what is wrong with it.
    pub problems: Vec<(Option<&'static str>, String)>,
}

impl Refusal {
    pub fn of(status: u16, words: impl Into<String>) -> Self {
        Self { status, problems: vec![(None, words.into())] }
    }

    pub fn field(name: &'static str, words: impl Into<String>) -> Self {
        Self { status: 422, problems: vec![(Some(name), words.into())] }
    }

    pub fn sentences(&self) -> Vec<String> {
        let sentence = |(field, words): &(Option<&str>, String)| match field {
            Some(field) => format!("{field} {words}"),
            None => words.clone(),
        };
        self.problems.iter().map(sentence).collect()
    }

    pub fn by_field(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut fields: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (field, words) in &self.problems {
            if let Some(field) = field {
                fields.entry(*field).or_default().push(words.clone());
            }
        }
        fields
    }
}

/// An item checked out to a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The collection of the item.
    pub of: &'static str,
    pub item: i64,
    /// The collection of the holder: employees, locations or assets.
    pub with: &'static str,
    pub holder: i64,
    pub quantity: i64,
    pub date: String,
}

/// An entry of the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub timestamp: String,
    pub kind: &'static str,
    pub event: &'static str,
    pub item: i64,
    pub employee: Option<i64>,
}

#[derive(Default)]
pub struct Account {
    tables: BTreeMap<&'static str, BTreeMap<i64, Record>>,
    /// The assets by their tags.
    tags: BTreeMap<String, i64>,
    /// The highest id used so far, by collection; ids are never reused.
    highest: BTreeMap<&'static str, i64>,
    pub assignments: Vec<Assignment>,
    pub log: Vec<Entry>,
    pub ties: Ties,
    /// The fields that updates accept and leave as they are.
    pub ignored: Vec<&'static str>,
    /// The fields that replies leave out.
    pub unreported: Vec<&'static str>,
    /// Whether updates keep the custom fields that they do not name.
    pub keeps_custom_fields: bool,
    /// Whether the key may not read the activity log.
    pub is_log_closed: bool,
    /// Whether assets say nothing of the places that they are checked out to, but for the day.
    pub lists_people_only: bool,
    /// A filter of the log, with its value, that is refused with this status.
    pub refused_log: Option<(&'static str, String, u16)>,
}

/// The order of records that a sort order does not tell apart; the guide names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    #[default]
    ById,
    /// Another one for each page, as in a database that sorts only as much as a page needs.
    ByPage,
}

impl Account {
    pub fn new(keeps_custom_fields: bool) -> Self {
        Self { keeps_custom_fields, ..Self::default() }
    }

    pub fn create(&mut self, of: &'static Collection, body: &Record) -> Result<i64, Refusal> {
        let mut record = rules::read(self, &of.fields(), body, Purpose::Create)?;
        self.keep_tags_unique(of, &record, None)?;
        let id = self.highest.entry(of.name).or_default();
        *id += 1;
        let id = *id;
        let now = now();
        record.insert("created_at".into(), now.clone().into());
        record.insert("updated_at".into(), now.into());
        self.remember_tag(of, id, &record);
        self.tables.entry(of.name).or_default().insert(id, record);
        self.note(of, "Create", id, None);
        Ok(id)
    }

    /// Creates records at the same time, as a bulk import does.
    pub fn create_at_once(&mut self, of: &'static Collection, bodies: &[Record]) -> Result<(), Refusal> {
        let created_at = Value::from(now());
        for body in bodies {
            let id = self.create(of, body)?;
            if let Some(record) = self.tables.get_mut(of.name).and_then(|table| table.get_mut(&id)) {
                record.insert("created_at".into(), created_at.clone());
            }
        }
        Ok(())
    }

    pub fn update(&mut self, of: &'static Collection, id: i64, body: &Record) -> Result<(), Refusal> {
        self.known(of, id)?;
        let mut changes = rules::read(self, &of.fields(), body, Purpose::Update)?;
        changes.retain(|name, _| !self.ignored.contains(&name.as_str()));
        self.keep_tags_unique(of, &changes, Some(id))?;
        self.remember_tag(of, id, &changes);
        if let Some(record) = self.tables.get_mut(of.name).and_then(|table| table.get_mut(&id)) {
            if self.keeps_custom_fields {
                merge_custom_fields(record, &mut changes);
            }
            record.extend(changes);
            record.insert("updated_at".into(), now().into());
        }
        self.note(of, "Update", id, None);
        Ok(())
    }

    pub fn delete(&mut self, of: &'static Collection, id: i64) -> Result<(), Refusal> {
        self.known(of, id)?;
        if self.held(of.name, id) > 0 {
            return Err(Refusal::of(422, format!("The {} is checked out.", of.singular)));
        }
        let refers = |(name, record): (&'static str, &Record)| {
            let fields = collection(name).map(Collection::fields).unwrap_or_default();
            fields.iter().any(|field| {
                field.kind == Kind::Reference(of.name) && record.get(field.name).is_some_and(|held| *held == id)
            })
        };
        if let Some((name, _)) = self.everything().find(|(name, record)| refers((name, record))) {
            return Err(Refusal::of(422, format!("The {} is used by {name}.", of.singular)));
        }
        let removed = self.tables.entry(of.name).or_default().remove(&id);
        if let Some(tag) = removed.as_ref().and_then(|record| tag_of(of, record)) {
            self.tags.remove(tag);
        }
        self.note(of, "Delete", id, None);
        Ok(())
    }

    /// Performs a check-in or checkout and returns the id of the item.
    pub fn act(&mut self, action: &'static Action, body: &Record) -> Result<i64, Refusal> {
        let given = rules::read(self, &action.fields(), body, Purpose::Create)?;
        let item = self.item_of(action, &given)?;
        let of = collection(action.item).ok_or_else(|| Refusal::of(500, "No such collection."))?;
        let (with, holder) = self.holder_of(action, &given)?.unwrap_or_default();
        let event = if action.is_checkout() {
            self.check_out(action, item, (with, holder), &given)?;
            "Checkout"
        } else {
            self.check_in(action, item, (with, holder), &given)?;
            "Checkin"
        };
        self.note(of, event, item, (with == "employees").then_some(holder));
        Ok(item)
    }

    fn check_out(
        &mut self,
        action: &Action,
        item: i64,
        (with, holder): (&'static str, i64),
        given: &Record,
    ) -> Result<(), Refusal> {
        let is_asset = action.item == "assets";
        let quantity = if is_asset { 1 } else { given.get("quantity").and_then(Value::as_i64).unwrap_or(1) };
        if quantity < 1 {
            return Err(Refusal::field("quantity", "must be 1 or more"));
        }
        let left = if is_asset { 1 - self.held("assets", item) } else { self.available(action.item, item) };
        if quantity > left && is_asset {
            return Err(Refusal::field("asset_id", "is checked out already"));
        }
        if quantity > left {
            return Err(Refusal::field("quantity", format!("must not exceed the {left} available")));
        }
        let date = given["checkout_date"].as_str().unwrap_or_default().to_owned();
        self.assignments.push(Assignment { of: action.item, item, with, holder, quantity, date });
        if is_asset {
            self.settle_asset(item, given);
        }
        Ok(())
    }

    /// Checks in everything of the item that the holder has.
    fn check_in(
        &mut self,
        action: &Action,
        item: i64,
        (with, holder): (&'static str, i64),
        given: &Record,
    ) -> Result<(), Refusal> {
        let is_asset = action.item == "assets";
        let is_meant = |held: &Assignment| {
            held.of == action.item && held.item == item && (is_asset || (held.with, held.holder) == (with, holder))
        };
        if !self.assignments.iter().any(is_meant) {
            return Err(Refusal::field(action.item_field().name, "is not checked out"));
        }
        self.assignments.retain(|held| !is_meant(held));
        if is_asset {
            self.settle_asset(item, given);
        }
        Ok(())
    }

    /// Applies the location and status parameters of a move of an asset.
    fn settle_asset(&mut self, id: i64, given: &Record) {
        let Some(asset) = self.tables.get_mut("assets").and_then(|assets| assets.get_mut(&id)) else { return };
        for (from, to) in
            [("asset_location_id", "location_id"), ("asset_department_id", "department_id"), ("status_id", "status_id")]
        {
            if let Some(value) = given.get(from).filter(|value| !value.is_null()) {
                asset.insert(to.into(), value.clone());
            }
        }
        asset.insert("updated_at".into(), now().into());
    }

    /// The id of the moved item: given as a tag in `checkout/asset`, otherwise as an id.
    fn item_of(&self, action: &Action, given: &Record) -> Result<i64, Refusal> {
        let field = action.item_field();
        let id = match field.kind {
            Kind::Tag => given[field.name].as_str().and_then(|tag| self.asset_tagged(tag)),
            _ => given[field.name].as_i64(),
        };
        id.ok_or_else(|| Refusal::field(field.name, "is not known"))
    }

    /// The holder: exactly one of the parameters that the action has. A check-in of an asset has none.
    fn holder_of(&self, action: &Action, given: &Record) -> Result<Option<(&'static str, i64)>, Refusal> {
        let mut holders = Vec::new();
        for field in action.fields().into_iter().skip(1) {
            let value = given.get(field.name).unwrap_or(&Value::Null);
            match (field.name, field.kind) {
                ("employee_id" | "location_id" | "asset_id", Kind::Reference(with)) => {
                    holders.extend(value.as_i64().map(|id| (with, id)));
                }
                ("asset_id", Kind::Tag) => {
                    holders.extend(value.as_str().and_then(|tag| self.asset_tagged(tag)).map(|id| ("assets", id)));
                }
                _ => {}
            }
        }
        match holders.as_slice() {
            [one] => Ok(Some(*one)),
            [] if action.path == "checkin/asset" => Ok(None),
            [] => Err(Refusal::of(422, "One of employee, location and asset must be given.")),
            _ => Err(Refusal::of(422, "Only one of employee, location and asset can be given.")),
        }
    }

    /// The stored records of a collection, by id.
    pub fn table(&self, name: &str) -> impl Iterator<Item = (i64, &Record)> {
        self.tables.get(name).into_iter().flatten().map(|(id, record)| (*id, record))
    }

    pub fn has(&self, name: &str, id: i64) -> bool {
        self.tables.get(name).is_some_and(|table| table.contains_key(&id))
    }

    /// The id of the asset with exactly that tag.
    pub fn asset_tagged(&self, tag: &str) -> Option<i64> {
        self.tags.get(tag).copied()
    }

    /// A record as shown to clients: every field, including computed ones.
    pub fn shown(&self, of: &Collection, id: i64) -> Option<Record> {
        let kept = self.tables.get(of.name)?.get(&id)?;
        let mut shown = Record::new();
        shown.insert("id".into(), id.into());
        for field in of.fields() {
            shown.insert(field.name.into(), kept.get(field.name).cloned().unwrap_or(Value::Null));
        }
        match of.name {
            "assets" => self.add_computed_asset(id, &mut shown),
            "employees" => self.add_computed_employee(id, &mut shown),
            "accessories" | "components" | "consumables" => {
                shown.insert("available".into(), self.available(of.name, id).into());
            }
            "licenses" => {
                shown.insert("license_type".into(), "Dynamic".into());
                shown.insert("unit_cost".into(), Value::Null);
                shown.insert("available".into(), self.available(of.name, id).into());
            }
            _ => {}
        }
        shown.insert("created_at".into(), kept["created_at"].clone());
        shown.insert("updated_at".into(), kept["updated_at"].clone());
        // Undocumented fields.
        shown.insert("revision".into(), json!({"by": USER.0}));
        Some(shown)
    }

    fn add_computed_asset(&self, id: i64, shown: &mut Record) {
        let named = |name: &str, id: &Value| {
            let record = id.as_i64().and_then(|id| self.tables.get(name)?.get(&id));
            record.cloned().unwrap_or_default()
        };
        let product = named("products", &shown["product_id"]);
        let (category_id, manufacturer_id) =
            (product.get("category_id").cloned(), product.get("manufacturer_id").cloned());
        let text = |record: Record| record.get("name").cloned().unwrap_or(Value::Null);
        let category = named("categories", category_id.as_ref().unwrap_or(&Value::Null));
        let manufacturer = named("manufacturers", manufacturer_id.as_ref().unwrap_or(&Value::Null));
        let held: Vec<&Assignment> =
            self.assignments.iter().filter(|held| held.of == "assets" && held.item == id).collect();
        let holder = |held: &&Assignment| {
            let field = if held.with == "employees" { "employee_id" } else { "location_id" };
            json!({field: held.holder, "checkout_date": held.date})
        };
        shown.insert("checkout_date".into(), held.first().map_or(Value::Null, |held| held.date.clone().into()));
        let listed = held.iter().filter(|held| held.with == "employees" || !self.lists_people_only);
        shown.insert("deployed_to".into(), listed.map(holder).collect());
        shown.insert("product_name".into(), text(product));
        shown.insert("category_id".into(), category_id.unwrap_or(Value::Null));
        shown.insert("category_name".into(), text(category));
        shown.insert("manufacturer_id".into(), manufacturer_id.unwrap_or(Value::Null));
        shown.insert("manufacturer_name".into(), text(manufacturer));
    }

    fn add_computed_employee(&self, id: i64, shown: &mut Record) {
        let held = |of: &str| {
            let is_theirs = |held: &&Assignment| held.of == of && (held.with, held.holder) == ("employees", id);
            self.assignments.iter().filter(is_theirs).cloned().collect::<Vec<_>>()
        };
        let assets: Vec<i64> = held("assets").iter().map(|held| held.item).collect();
        shown.insert("manager_id".into(), Value::Null);
        shown.insert("number_of_assets".into(), assets.len().into());
        shown.insert("assets".into(), assets.into());
        for of in ["accessories", "consumables", "licenses"] {
            let count: i64 = held(of).iter().map(|held| held.quantity).sum();
            shown.insert(format!("number_of_{of}"), count.into());
        }
    }

    /// The quantity of an item that is checked out.
    fn held(&self, of: &str, item: i64) -> i64 {
        self.assignments.iter().filter(|held| held.of == of && held.item == item).map(|held| held.quantity).sum()
    }

    /// The quantity left to check out.
    fn available(&self, of: &str, item: i64) -> i64 {
        let field = if of == "licenses" { "number_of_seats" } else { "quantity" };
        let total = self.tables.get(of).and_then(|table| table.get(&item)?.get(field)?.as_i64());
        total.unwrap_or(0) - self.held(of, item)
    }

    /// The id of the employee with that e-mail address.
    pub fn employee(&self, email: &str) -> Option<i64> {
        self.table("employees").find(|(_, employee)| employee["email"] == email).map(|(id, _)| id)
    }

    fn known(&self, of: &Collection, id: i64) -> Result<(), Refusal> {
        if self.has(of.name, id) { Ok(()) } else { Err(Refusal::of(404, format!("There is no {} {id}.", of.singular))) }
    }

    fn keep_tags_unique(&self, of: &Collection, given: &Record, but: Option<i64>) -> Result<(), Refusal> {
        match tag_of(of, given).and_then(|tag| self.asset_tagged(tag)).filter(|id| Some(*id) != but) {
            Some(_) => Err(Refusal::field("asset_id", "has already been taken")),
            None => Ok(()),
        }
    }

    /// Keeps the tag of an asset that is created or renamed.
    fn remember_tag(&mut self, of: &Collection, id: i64, given: &Record) {
        let Some(tag) = tag_of(of, given) else { return };
        let before = self.tables.get(of.name).and_then(|table| tag_of(of, table.get(&id)?));
        if let Some(before) = before {
            self.tags.remove(before);
        }
        self.tags.insert(tag.to_owned(), id);
    }

    fn everything(&self) -> impl Iterator<Item = (&'static str, &Record)> {
        let names = COLLECTIONS.iter().map(|collection| collection.name);
        names.flat_map(|name| self.table(name).map(move |(_, record)| (name, record)))
    }

    fn note(&mut self, of: &Collection, event: &'static str, item: i64, employee: Option<i64>) {
        if let Some(kind) = of.log {
            self.log.push(Entry { timestamp: now(), kind, event, item, employee });
        }
    }
}

/// Adds the custom fields of a record that its changes do not name to them.
fn merge_custom_fields(record: &Record, changes: &mut Record) {
    let Some(changed) = changes.get_mut("custom_fields") else { return };
    let list = |pairs: Option<&Value>| pairs.and_then(Value::as_array).cloned().unwrap_or_default();
    let given = list(Some(changed));
    let mut merged = list(record.get("custom_fields"));
    merged.retain(|pair| given.iter().all(|given| given["name"] != pair["name"]));
    merged.extend(given);
    *changed = merged.into();
}

/// The tag in a record or body of an asset.
fn tag_of<'r>(of: &Collection, record: &'r Record) -> Option<&'r str> {
    record.get("asset_id").and_then(Value::as_str).filter(|_| of.name == "assets")
}

/// The current time in the format of the service.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
