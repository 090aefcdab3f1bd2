//! An item of the register: an asset or a license, with everything the register needs to know about it.
//!
//! A [`RegisterItem`] is built from the service's records. A value that is missing or invalid is kept as a
//! [`MissingFigure`], never as zero: the register says what is missing and what to do about it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::currency::Currency;
use super::depreciation::DepreciationSchedule;
use super::record::{JsonRecord, RecordLookup, amount_field, date_field, integer, integer_field, text_field};
use crate::catalog::CurrentField;
use crate::schema::{self, ASSETS, Entity, LICENSES, Meaning};

/// The maximum number of items on a sheet, below its header row.
pub(crate) const MAX_ITEMS: usize = 1_048_575;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ItemKind {
    Asset,
    License,
}

impl ItemKind {
    /// The name used in the register.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::License => "license",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Asset, Self::License].into_iter().find(|kind| name.trim().eq_ignore_ascii_case(kind.name()))
    }
}

/// How an item left the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposal {
    None,
    /// An asset whose status has the type `archived`. The service does not report the date.
    Archived,
    Terminated(Date),
}

/// A missing or invalid value that prevents a figure from being computed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub(crate) enum MissingFigure {
    #[error("no purchase cost")]
    CostMissing,
    #[error("purchase cost `{0}` is not an amount")]
    CostUnreadable(String),
    #[error("purchase cost `{0}` is negative")]
    CostNegative(String),
    #[error("no purchase date")]
    DateMissing,
    #[error("purchase date `{0}` is not a date")]
    DateUnreadable(String),
    /// The owner without a depreciation, as text: `its product` with its name, or the license itself.
    #[error("{0} has no depreciation")]
    NoDepreciation(String),
    #[error("it refers to record {id} of {collection}, which does not exist")]
    RecordMissing { collection: &'static str, id: i64 },
    #[error("the depreciation `{depreciation}` has no number of months")]
    MonthsMissing { depreciation: String },
    #[error("the months `{found}` of the depreciation `{depreciation}` are invalid")]
    MonthsInvalid { depreciation: String, found: String },
    #[error("the minimum value `{found}` of the depreciation `{depreciation}` is not an amount")]
    MinimumUnreadable { depreciation: String, found: String },
    #[error("the minimum value `{found}` of the depreciation `{depreciation}` is negative")]
    MinimumNegative { depreciation: String, found: String },
    #[error("bought on {0}, after the as-of date")]
    BoughtLater(Date),
}

impl MissingFigure {
    /// What to change in the account.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::CostMissing | Self::CostUnreadable(_) | Self::CostNegative(_) => "enter its purchase cost",
            Self::DateMissing | Self::DateUnreadable(_) => "enter its purchase date",
            Self::NoDepreciation(_) => "choose a depreciation; use one of 1 month to expense it immediately",
            Self::RecordMissing { .. } => "choose an existing record",
            Self::MonthsMissing { .. } => "enter the months of the depreciation",
            Self::MonthsInvalid { .. } => "enter a whole number of months, such as 36",
            Self::MinimumUnreadable { .. } | Self::MinimumNegative { .. } => {
                "enter the minimum value of the depreciation"
            }
            Self::BoughtLater(_) => "nothing, or correct the purchase date",
        }
    }
}

/// A value that no figure depends on and that could not be used: the item is listed as if it had none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableValue {
    #[error("termination date `{0}` is not a date: counted as held")]
    Termination(String),
    #[error("its status refers to record {id} of {collection}, which does not exist: counted as held")]
    Status { collection: &'static str, id: i64 },
    #[error("{what} `{found}` is not a date: not listed under Running out")]
    Expiration { what: &'static str, found: String },
}

impl UnusableValue {
    /// What to change in the account.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Termination(_) => "enter its termination date",
            Self::Status { .. } => "choose an existing status",
            Self::Expiration { .. } => "enter the date",
        }
    }
}

/// A record without the integer `id` that every record has (field notes), so it cannot be identified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record of {collection} has no id: {record}")]
pub(crate) struct ItemError {
    pub collection: &'static str,
    /// The first characters of the record.
    pub record: String,
}

/// An asset or license. Texts are trimmed, and empty if the account has no value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RegisterItem {
    pub kind: ItemKind,
    /// The system id, unique within its kind.
    pub id: i64,
    /// The tag (`asset_id`) of an asset, the name of a license.
    pub tag: String,
    /// The name of an asset or of its product, the name of a license.
    pub title: String,
    pub serial: String,
    pub category: String,
    pub department: String,
    pub location: String,
    pub supplier: String,
    /// The name of an asset's status; empty for a license.
    pub status: String,
    pub disposal: Disposal,
    pub currency: Currency,
    pub cost: Result<Decimal, MissingFigure>,
    pub purchase_date: Result<Date, MissingFigure>,
    pub schedule: Result<DepreciationSchedule, MissingFigure>,
    /// The last day of an asset's warranty, or the expiration date of a license.
    pub expires_on: Option<Date>,
    pub unusable: Vec<UnusableValue>,
}

impl RegisterItem {
    /// Builds the item of an asset record. Its depreciation is that of its product (guide, section "Products").
    ///
    /// # Errors
    ///
    /// A record without an id.
    pub(crate) fn asset(record: &JsonRecord, names: &dyn RecordLookup) -> Result<RegisterItem, ItemError> {
        let item = RecordContext { entity: &ASSETS, record, names };
        let id = item.id()?;
        let product = item.referred("product_id");
        let product_name = first_non_empty([name_of(product), item.text("product_name")]);
        let status = item.referred("status_id");
        let archived = status.is_some_and(|status| status.text("type").eq_ignore_ascii_case("archived"));
        let missing_status = item.reference("status_id").filter(|_| status.is_none());
        let missing_status =
            missing_status.map(|(statuses, id)| UnusableValue::Status { collection: statuses.name, id });
        let (expires_on, invalid_warranty) = item.expiration("warranty_expiration_date", "warranty expiration date");
        let schedule = match (product, item.reference("product_id")) {
            (Some(product), _) => product.schedule(|| format!("its product `{product_name}`")),
            (None, Some((products, id))) => Err(MissingFigure::RecordMissing { collection: products.name, id }),
            (None, None) => Err(MissingFigure::NoDepreciation(String::from("it has no product, so it"))),
        };
        // The name beside the id is a copy too: it counts where there is no product to ask.
        let copied_category = if product.is_none() { item.text("category_name") } else { String::new() };
        Ok(RegisterItem {
            tag: item.text(Meaning::Tag.field_name()),
            title: first_non_empty([item.text("asset_name"), product_name]),
            serial: item.text("asset_serial"),
            category: first_non_empty([item.name("category_id"), copied_category]),
            location: item.name("location_id"),
            status: first_non_empty([name_of(status), item.text("status_name"), item.name("status_id")]),
            disposal: if archived { Disposal::Archived } else { Disposal::None },
            schedule,
            expires_on,
            unusable: missing_status.into_iter().chain(invalid_warranty).collect(),
            ..item.common_fields(ItemKind::Asset, id)
        })
    }

    /// Builds the item of a license record. A license has no location and no status; it ends on its termination date.
    ///
    /// # Errors
    ///
    /// A record without an id.
    pub(crate) fn license(record: &JsonRecord, names: &dyn RecordLookup) -> Result<RegisterItem, ItemError> {
        let item = RecordContext { entity: &LICENSES, record, names };
        let id = item.id()?;
        let name = item.text("name");
        let (terminated, invalid_termination) = match date_field(record, "termination_date") {
            Ok(terminated) => (terminated, None),
            Err(found) => (None, Some(UnusableValue::Termination(found))),
        };
        let (expires_on, invalid_expiration) = item.expiration("expiration_date", "expiration date");
        Ok(RegisterItem {
            category: first_non_empty([item.name("category_id"), item.text("category_name")]),
            tag: name.clone(),
            title: name,
            disposal: terminated.map_or(Disposal::None, Disposal::Terminated),
            schedule: item.schedule(|| String::from("the license")),
            expires_on,
            unusable: invalid_termination.into_iter().chain(invalid_expiration).collect(),
            ..item.common_fields(ItemKind::License, id)
        })
    }
}

/// A record together with the records it refers to.
#[derive(Clone, Copy)]
struct RecordContext<'a> {
    entity: &'static Entity,
    record: &'a JsonRecord,
    names: &'a dyn RecordLookup,
}

impl<'a> RecordContext<'a> {
    fn id(&self) -> Result<i64, ItemError> {
        integer_field(self.record, "id").ok_or_else(|| {
            let record = Json::Object(self.record.clone()).to_string().chars().take(80).collect();
            ItemError { collection: self.entity.name, record }
        })
    }

    fn text(&self, field: &str) -> String {
        text_field(self.record, field)
    }

    /// The collection and the id that a field refers to now; none if it is empty.
    fn reference(&self, field: &str) -> Option<(&'static Entity, i64)> {
        let field = self.entity.field(field)?;
        let own = |name: &str| self.record.get(name).cloned();
        let id = CurrentField::of(self.entity, field).value(&own, &|name, id| self.names.record(name, id));
        Some((schema::collection(field.reference_to()?.to)?, integer(&id?)?))
    }

    /// The record that a field refers to, if it exists.
    fn referred(&self, field: &str) -> Option<Self> {
        let (entity, id) = self.reference(field)?;
        Some(Self { entity, record: self.names.record(entity.name, id)?, names: self.names })
    }

    /// The name of the record a field refers to: `#id` if it does not exist, empty if the field is empty.
    fn name(&self, field: &str) -> String {
        let Some((_, id)) = self.reference(field) else { return String::new() };
        let name = self.referred(field).map(|referred| referred.text("name")).unwrap_or_default();
        if name.is_empty() { format!("#{id}") } else { name }
    }

    /// The fields that assets and licenses share.
    fn common_fields(&self, kind: ItemKind, id: i64) -> RegisterItem {
        let local = self.referred("location_id").map(|location| location.text("currency")).unwrap_or_default();
        let currency = Currency::of(&first_non_empty([self.text("currency"), local]));
        RegisterItem {
            kind,
            id,
            tag: String::new(),
            title: String::new(),
            serial: String::new(),
            category: String::new(),
            department: self.name("department_id"),
            location: String::new(),
            supplier: self.name("supplier_id"),
            status: String::new(),
            disposal: Disposal::None,
            cost: cost(self.record, &currency),
            currency,
            purchase_date: purchase_date(self.record),
            schedule: Err(MissingFigure::NoDepreciation(String::new())),
            expires_on: None,
            unusable: Vec::new(),
        }
    }

    /// The date on which an item runs out, and the value found if it is not a date.
    fn expiration(&self, field: &str, what: &'static str) -> (Option<Date>, Option<UnusableValue>) {
        match date_field(self.record, field) {
            Ok(date) => (date, None),
            Err(found) => (None, Some(UnusableValue::Expiration { what, found })),
        }
    }

    /// The depreciation schedule of a product or a license.
    fn schedule(&self, whose: impl Fn() -> String) -> Result<DepreciationSchedule, MissingFigure> {
        let Some((depreciations, id)) = self.reference("depreciation_id") else {
            return Err(MissingFigure::NoDepreciation(whose()));
        };
        let missing = MissingFigure::RecordMissing { collection: depreciations.name, id };
        let record = self.names.record(depreciations.name, id).ok_or(missing)?;
        let name = first_non_empty([text_field(record, "name"), format!("#{id}")]);
        let months = months(record, &name)?;
        match amount_field(record, "minimum_value", None).map(Option::unwrap_or_default) {
            Ok(minimum) if minimum < Decimal::ZERO => {
                Err(MissingFigure::MinimumNegative { depreciation: name, found: minimum.normalize().to_string() })
            }
            Ok(minimum) => Ok(DepreciationSchedule { name, months, minimum }),
            Err(found) => Err(MissingFigure::MinimumUnreadable { depreciation: name, found }),
        }
    }
}

/// The months of a depreciation: at least 1.
fn months(record: &JsonRecord, depreciation: &str) -> Result<u32, MissingFigure> {
    let months = integer_field(record, "months").and_then(|months| u32::try_from(months).ok());
    if let Some(months) = months.filter(|months| *months > 0) {
        return Ok(months);
    }
    let depreciation = depreciation.to_owned();
    match record.get("months") {
        None | Some(Json::Null) => Err(MissingFigure::MonthsMissing { depreciation }),
        Some(Json::String(text)) if text.trim().is_empty() => Err(MissingFigure::MonthsMissing { depreciation }),
        Some(Json::String(found)) => Err(MissingFigure::MonthsInvalid { depreciation, found: found.clone() }),
        Some(found) => Err(MissingFigure::MonthsInvalid { depreciation, found: found.to_string() }),
    }
}

fn cost(record: &JsonRecord, currency: &Currency) -> Result<Decimal, MissingFigure> {
    match amount_field(record, "purchase_cost", Some(currency)) {
        Ok(None) => Err(MissingFigure::CostMissing),
        Ok(Some(cost)) if cost < Decimal::ZERO => Err(MissingFigure::CostNegative(cost.normalize().to_string())),
        Ok(Some(cost)) => Ok(cost),
        Err(found) => Err(MissingFigure::CostUnreadable(found)),
    }
}

fn purchase_date(record: &JsonRecord) -> Result<Date, MissingFigure> {
    match date_field(record, "purchase_date") {
        Ok(date) => date.ok_or(MissingFigure::DateMissing),
        Err(found) => Err(MissingFigure::DateUnreadable(found)),
    }
}

/// The name of a record; empty if there is none.
fn name_of(record: Option<RecordContext<'_>>) -> String {
    record.map(|record| record.text("name")).unwrap_or_default()
}

/// The first text that is not empty.
fn first_non_empty<const N: usize>(texts: [String; N]) -> String {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
