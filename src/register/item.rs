//! One thing that was bought: an asset or a license, with all that the register needs to know of it.
//!
//! An [`Item`] is made from the service's records as they came. What a field ought to hold and does not is kept as a
//! [`Gap`], never as zero: the register says what is missing and why it matters.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};

use super::amount::{Currency, amount, date, text, whole};
use super::depreciation::Schedule;

/// A record as the service gave it.
pub type Record = Map<String, Json>;

/// The records that others refer to by id.
pub trait Names {
    /// The record of that collection, such as `products`, with that id; none where it is not known.
    fn record(&self, collection: &str, id: i64) -> Option<&Record>;
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Asset,
    License,
}

impl Kind {
    /// As the register spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::License => "license",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Asset, Self::License].into_iter().find(|kind| name.trim().eq_ignore_ascii_case(kind.name()))
    }
}

/// How an item left the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposal {
    /// It did not.
    None,
    /// Its status is of the type `archived`; the service does not say since when.
    Archived,
    /// A license that ends for good on that day.
    Terminated(Date),
}

/// Something that is missing or cannot be read, for which a figure cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    CostMissing,
    CostUnreadable(String),
    CostNegative(String),
    DateMissing,
    DateUnreadable(String),
    /// Whose it should have been: `its product` with its name, or the license itself.
    NoDepreciation(String),
    /// The record that is referred to, such as `depreciations`, is not in the account.
    RecordMissing {
        collection: &'static str,
        id: i64,
    },
    MonthsMissing {
        depreciation: String,
    },
    MinimumUnreadable {
        depreciation: String,
        found: String,
    },
    /// It was bought after the day the register is of.
    BoughtLater(Date),
}

impl std::fmt::Display for Gap {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CostMissing => formatter.write_str("no purchase cost"),
            Self::CostUnreadable(found) => write!(formatter, "purchase cost `{found}` is not an amount"),
            Self::CostNegative(found) => write!(formatter, "purchase cost `{found}` is negative"),
            Self::DateMissing => formatter.write_str("no purchase date"),
            Self::DateUnreadable(found) => write!(formatter, "purchase date `{found}` is not a date"),
            Self::NoDepreciation(whose) => write!(formatter, "{whose} has no depreciation"),
            Self::RecordMissing { collection, id } => {
                write!(formatter, "{collection} has no record {id}, which it refers to")
            }
            Self::MonthsMissing { depreciation } => {
                write!(formatter, "the depreciation `{depreciation}` does not say over how many months")
            }
            Self::MinimumUnreadable { depreciation, found } => {
                write!(formatter, "the depreciation `{depreciation}` has the minimum value `{found}`, not an amount")
            }
            Self::BoughtLater(date) => write!(formatter, "bought on {date}, after the day of the register"),
        }
    }
}

impl Gap {
    /// What to do about it in the account.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::CostMissing | Self::CostUnreadable(_) | Self::CostNegative(_) => "enter its purchase cost",
            Self::DateMissing | Self::DateUnreadable(_) => "enter its purchase date",
            Self::NoDepreciation(_) => "choose a depreciation, of 1 month for what is expensed at once",
            Self::RecordMissing { .. } => "choose an existing one",
            Self::MonthsMissing { .. } => "enter the months of the depreciation",
            Self::MinimumUnreadable { .. } => "enter the minimum value of the depreciation",
            Self::BoughtLater(_) => "nothing, or correct the purchase date",
        }
    }
}

/// A record without the integer `id` that every record has (field notes): it could never be told from others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record of {collection} has no id: {record}")]
pub struct ItemError {
    pub collection: &'static str,
    /// The beginning of it.
    pub record: String,
}

/// One thing that was bought. Texts are trimmed; an empty one is one the account does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub kind: Kind,
    /// The system's id, unique among its kind.
    pub id: i64,
    /// An asset's tag (`asset_id`), a license's name.
    pub tag: String,
    /// An asset's own name or that of its product, a license's name.
    pub title: String,
    pub serial: String,
    pub category: String,
    pub department: String,
    pub location: String,
    pub supplier: String,
    /// An asset's status by name; a license has none.
    pub status: String,
    pub disposal: Disposal,
    pub currency: Currency,
    pub cost: Result<Decimal, Gap>,
    pub purchased: Result<Date, Gap>,
    pub schedule: Result<Schedule, Gap>,
    /// The last day of an asset's warranty, the day a license expires.
    pub runs_out: Option<Date>,
}

impl Item {
    /// An asset as `/assets` gives it. Its product says how it loses value (guide, section "Products").
    ///
    /// # Errors
    ///
    /// A record without an id.
    pub fn asset(record: &Record, names: &dyn Names) -> Result<Item, ItemError> {
        let id = id_of(record, "assets")?;
        let look = Look { record, names };
        let product = look.referred("product_id", "products");
        let product_name = first(&[product.map(|product| text(product, "name")), Some(text(record, "product_name"))]);
        let category = Look { record: product.unwrap_or(record), names }.name("category_id", "categories");
        let status = look.referred("status_id", "statuses");
        let archived = status.is_some_and(|status| text(status, "type").eq_ignore_ascii_case("archived"));
        let product_id = whole(record, "product_id");
        let schedule = match (product, product_id) {
            (Some(product), _) => schedule(product, names, || format!("its product `{product_name}`")),
            (None, Some(id)) => Err(Gap::RecordMissing { collection: "products", id }),
            (None, None) => Err(Gap::NoDepreciation(String::from("it has no product, so it"))),
        };
        Ok(Item {
            tag: text(record, "asset_id"),
            title: first(&[Some(text(record, "asset_name")), Some(product_name.clone())]),
            serial: text(record, "asset_serial"),
            category: first(&[
                Some(look.name("category_id", "categories")),
                Some(category),
                Some(text(record, "category_name")),
            ]),
            location: look.name("location_id", "locations"),
            status: first(&[status.map(|status| text(status, "name")), Some(text(record, "status_name"))]),
            disposal: if archived { Disposal::Archived } else { Disposal::None },
            schedule,
            runs_out: date(record, "warranty_expiration_date").ok().flatten(),
            ..look.bought(Kind::Asset, id)
        })
    }

    /// A license as `/licenses` gives it. It has no location and no status; what ends it is its termination date.
    ///
    /// # Errors
    ///
    /// A record without an id.
    pub fn license(record: &Record, names: &dyn Names) -> Result<Item, ItemError> {
        let id = id_of(record, "licenses")?;
        let look = Look { record, names };
        let name = text(record, "name");
        let terminated = date(record, "termination_date").ok().flatten();
        Ok(Item {
            category: first(&[Some(look.name("category_id", "categories")), Some(text(record, "category_name"))]),
            tag: name.clone(),
            title: name,
            disposal: terminated.map_or(Disposal::None, Disposal::Terminated),
            schedule: schedule(record, names, || String::from("the license")),
            runs_out: date(record, "expiration_date").ok().flatten(),
            ..look.bought(Kind::License, id)
        })
    }
}

/// A record, and those it refers to.
struct Look<'a> {
    record: &'a Record,
    names: &'a dyn Names,
}

impl<'a> Look<'a> {
    fn referred(&self, field: &str, collection: &str) -> Option<&'a Record> {
        self.names.record(collection, whole(self.record, field)?)
    }

    /// The name of what a field refers to: `#id` where that is not in the account, nothing where it refers to nothing.
    fn name(&self, field: &str, collection: &str) -> String {
        let Some(id) = whole(self.record, field) else { return String::new() };
        let name = self.names.record(collection, id).map(|record| text(record, "name")).unwrap_or_default();
        if name.is_empty() { format!("#{id}") } else { name }
    }

    /// What assets and licenses have alike.
    fn bought(&self, kind: Kind, id: i64) -> Item {
        let Look { record, .. } = self;
        let place = self.referred("location_id", "locations").map(|location| text(location, "currency"));
        let currency = Currency::of(&first(&[Some(text(record, "currency")), place]));
        Item {
            kind,
            id,
            tag: String::new(),
            title: String::new(),
            serial: String::new(),
            category: String::new(),
            department: self.name("department_id", "departments"),
            location: String::new(),
            supplier: self.name("supplier_id", "suppliers"),
            status: String::new(),
            disposal: Disposal::None,
            cost: cost(record, &currency),
            currency,
            purchased: purchased(record),
            schedule: Err(Gap::NoDepreciation(String::new())),
            runs_out: None,
        }
    }
}

fn id_of(record: &Record, collection: &'static str) -> Result<i64, ItemError> {
    whole(record, "id").ok_or_else(|| {
        let record = Json::Object(record.clone()).to_string().chars().take(80).collect();
        ItemError { collection, record }
    })
}

fn cost(record: &Record, currency: &Currency) -> Result<Decimal, Gap> {
    match amount(record, "purchase_cost", Some(currency)) {
        Ok(None) => Err(Gap::CostMissing),
        Ok(Some(cost)) if cost < Decimal::ZERO => Err(Gap::CostNegative(cost.normalize().to_string())),
        Ok(Some(cost)) => Ok(cost),
        Err(found) => Err(Gap::CostUnreadable(found)),
    }
}

fn purchased(record: &Record) -> Result<Date, Gap> {
    match date(record, "purchase_date") {
        Ok(date) => date.ok_or(Gap::DateMissing),
        Err(found) => Err(Gap::DateUnreadable(found)),
    }
}

/// How a product or a license loses value.
fn schedule(owner: &Record, names: &dyn Names, whose: impl Fn() -> String) -> Result<Schedule, Gap> {
    let Some(id) = whole(owner, "depreciation_id") else { return Err(Gap::NoDepreciation(whose())) };
    let missing = Gap::RecordMissing { collection: "depreciations", id };
    let record = names.record("depreciations", id).ok_or(missing)?;
    let name = first(&[Some(text(record, "name")), Some(format!("#{id}"))]);
    let months = whole(record, "months").and_then(|months| u32::try_from(months).ok()).filter(|months| *months > 0);
    let Some(months) = months else { return Err(Gap::MonthsMissing { depreciation: name }) };
    match amount(record, "minimum_value", None) {
        Ok(minimum) if minimum.is_none_or(|minimum| minimum >= Decimal::ZERO) => {
            Ok(Schedule { name, months, minimum: minimum.unwrap_or_default() })
        }
        Ok(minimum) => {
            let found = minimum.unwrap_or_default().to_string();
            Err(Gap::MinimumUnreadable { depreciation: name, found })
        }
        Err(found) => Err(Gap::MinimumUnreadable { depreciation: name, found }),
    }
}

/// The first text that is not empty.
fn first(texts: &[Option<String>]) -> String {
    texts.iter().flatten().find(|text| !text.is_empty()).cloned().unwrap_or_default()
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;
