//! Filters such as `field=value`: which records are exported, and whether the service or this program applies them.

use std::borrow::Cow;
use std::fmt;

use hashbrown::HashSet;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::Value as Json;

use super::columns::custom_of;
use super::names::ReferenceNames;
use super::value::{self, DAY};
use crate::api::RawFields;
use crate::catalog::{CurrentField, LookupResult, ObservedFields, RecordRef};
use crate::error::Diagnostic;
use crate::plan::holds;
use crate::schema::{
    self, CREATED_AT, CUSTOM_FIELDS, Entity, Field, Kind, UPDATED_AT, Wire, fold_header, fold_name, log_field,
};

/// A filter as typed: `field=value` or `assets.field=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterArg {
    /// The collection it applies to; none for every exported collection.
    pub collection: Option<String>,
    pub field: String,
    pub value: String,
}

/// A filter on the records of one collection, with its value resolved.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub field: String,
    pub value: String,
    test: FilterTest,
}

#[derive(Debug, Clone)]
enum FilterTest {
    /// A documented field has this value, in the service's notation.
    Field(CurrentField, Json),
    /// A query parameter that only the service can apply.
    ServerOnly(&'static Field, Json),
    /// A custom field of this name has this value.
    Custom(String, String),
    /// A field that is not in the guide has this value.
    Undocumented(String, String),
    /// A timestamp of the service is on this day, in UTC.
    OnDay(String, Date),
    /// A timestamp of the service is this moment.
    At(String, Timestamp),
    /// The record was changed on or after this date.
    ChangedSince(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppliedBy {
    Server,
    Client,
}

/// An invalid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    #[error("invalid filter `{text}`")]
    NoEquals { text: String },
    #[error("{collection} has no field `{field}`")]
    NoField { collection: &'static str, field: String, nearest: Option<String> },
    #[error("no record named `{value}` for {collection}.{field}")]
    NoRecord { collection: &'static str, field: String, value: String, nearest: Vec<String> },
    #[error("`{value}` matches several records for {collection}.{field}: {}", candidates.join("; "))]
    Ambiguous { collection: &'static str, field: String, value: String, candidates: Vec<String> },
    #[error("two filters for `{field}` of {collection}")]
    Repeated { collection: &'static str, field: String },
    /// A list or object, which has no one value. `instead` is what to write.
    #[error("{collection} cannot be filtered by a value of `{field}`, which holds several")]
    SeveralValues { collection: &'static str, field: &'static str, instead: String },
    #[error("no record of {collection} has a custom field `{name}`")]
    NoCustomField { collection: &'static str, name: String, known: Vec<String> },
    #[error("invalid value `{value}` for {collection}.{field}")]
    Value { collection: &'static str, field: String, value: String, expected: String },
}

impl Diagnostic for FilterError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            FilterError::NoEquals { .. } => String::from("write FIELD=VALUE, such as 'status=In Use'"),
            FilterError::NoField { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            FilterError::NoField { collection, .. } => {
                format!("`tallyport schema {collection}` lists its fields")
            }
            FilterError::NoRecord { nearest, .. } if nearest.is_empty() => {
                String::from("use the name as it is in the account, or `#` and the id")
            }
            FilterError::NoRecord { nearest, .. } => format!("did you mean {}?", quoted(nearest)),
            FilterError::Ambiguous { .. } => String::from("use the id, such as #12"),
            FilterError::Repeated { .. } => {
                String::from("a record has to match every filter: export each value to a file of its own")
            }
            FilterError::SeveralValues { field, instead, .. } => {
                format!("{instead}; `{field}=` finds records without any")
            }
            FilterError::NoCustomField { known, .. } if known.is_empty() => String::from("none has any custom field"),
            FilterError::NoCustomField { known, .. } => format!("choose from {}", known.join(", ")),
            FilterError::Value { expected, .. } => format!("use {expected}"),
        })
    }
}

/// A day typed as `2026-01-31`. `2026-01-31T23:30-05:00` parses as a date too, and its time and zone would be ignored.
pub(crate) fn parse_day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

impl FilterArg {
    /// Parses `field=value`. The field may be prefixed with its collection: `assets.status=Deployed`.
    pub(crate) fn parse(text: &str) -> Result<Self, FilterError> {
        let Some((field, value)) = text.split_once('=') else {
            return Err(FilterError::NoEquals { text: text.to_owned() });
        };
        let (field, value) = (field.trim(), value.trim().to_owned());
        let named = field.split_once('.').and_then(|(name, field)| Some((schema::find(name)?.name.to_owned(), field)));
        let (collection, field) = named.map_or((None, field), |(name, field)| (Some(name), field));
        match field.is_empty() {
            true => Err(FilterError::NoEquals { text: text.to_owned() }),
            false => Ok(Self { collection, field: field.to_owned(), value }),
        }
    }

    pub(crate) fn applies_to(&self, entity: &'static Entity) -> bool {
        self.collection.as_ref().is_none_or(|collection| collection == entity.name)
    }

    /// Refuses two filters for one field, which no record can match both.
    pub(crate) fn check_repeated(filters: &[Self], entity: &'static Entity) -> Result<(), FilterError> {
        let mut seen = HashSet::new();
        for filter in filters.iter().filter(|filter| filter.applies_to(entity)) {
            let custom = filter.field.strip_prefix("custom:");
            let name = custom.map_or_else(
                || Cow::Borrowed(find_field(entity, &filter.field).map_or(filter.field.as_str(), |field| field.name)),
                fold_name,
            );
            if !seen.insert((custom.is_some(), name)) {
                return Err(FilterError::Repeated { collection: entity.name, field: filter.field.clone() });
            }
        }
        Ok(())
    }

    /// Whether the service has an exact query parameter for it.
    pub(crate) fn has_server_filter(&self, entity: &'static Entity) -> bool {
        !self.value.is_empty() && find_field(entity, &self.field).is_some_and(is_filtered_by_server)
    }

    /// The collection whose records the value may name.
    pub(crate) fn referenced_collection(&self, entity: &'static Entity) -> Option<&'static Entity> {
        let reference = find_field(entity, &self.field)?.reference_to()?;
        schema::collection(reference.to).filter(|_| self.applies_to(entity))
    }

    /// Resolves field and value for a collection. `shape` contains the undocumented fields.
    pub(crate) fn resolve(
        &self,
        entity: &'static Entity,
        shape: &ObservedFields,
        names: &ReferenceNames,
    ) -> Result<Filter, FilterError> {
        let test = if let Some(custom) = self.field.strip_prefix("custom:") {
            FilterTest::Custom(custom.trim().to_owned(), self.value.clone())
        } else if let Some(test) = self.moment_test(entity)? {
            test
        } else if let Some(field) = find_field(entity, &self.field) {
            let value = self.parse_value(entity, field, names)?;
            if field.read {
                FilterTest::Field(CurrentField::of(entity, field), value)
            } else {
                FilterTest::ServerOnly(field, value)
            }
        } else if self.field == "id" || shape.fields.contains(&self.field) {
            FilterTest::Undocumented(self.field.clone(), self.undocumented_value(entity)?)
        } else {
            return Err(self.unknown_field(entity));
        };
        Ok(Filter { field: self.field.clone(), value: self.value.clone(), test })
    }

    /// The test of a timestamp of the service: a day or a moment. Records without it are found by an empty value.
    fn moment_test(&self, entity: &'static Entity) -> Result<Option<FilterTest>, FilterError> {
        let is_moment = match self.field.as_str() {
            CREATED_AT | UPDATED_AT => entity.is_collection(),
            log_field::TIMESTAMP => !entity.is_collection(),
            _ => false,
        };
        if !is_moment || self.value.is_empty() {
            return Ok(None);
        }
        if let Ok(moment) = self.value.parse::<Timestamp>() {
            return Ok(Some(FilterTest::At(self.field.clone(), moment)));
        }
        let day = parse_day(&self.value);
        let invalid =
            || self.invalid_value(entity, "a date such as 2026-01-31, or a timestamp such as 2026-01-31T09:30:00Z");
        day.map(|day| Some(FilterTest::OnDay(self.field.clone(), day))).ok_or_else(invalid)
    }

    /// The value of an id, or of a field that is not in the guide.
    fn undocumented_value(&self, entity: &'static Entity) -> Result<String, FilterError> {
        match self.field.as_str() {
            "id" => match parse_id(&self.value) {
                Some(id) => Ok(id.to_string()),
                None => Err(self.invalid_value(entity, "a whole number")),
            },
            _ => Ok(self.value.clone()),
        }
    }

    fn invalid_value(&self, entity: &'static Entity, expected: &str) -> FilterError {
        FilterError::Value {
            collection: entity.name,
            field: self.field.clone(),
            value: self.value.clone(),
            expected: expected.to_owned(),
        }
    }

    fn unknown_field(&self, entity: &'static Entity) -> FilterError {
        let likeness = |field: &Field| strsim::jaro_winkler(field.name, &self.field);
        let comparable = entity.fields.iter().filter(|field| instead_of(field).is_none());
        let nearest = comparable.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        let nearest = nearest.filter(|field| likeness(field) > 0.8).map(|field| field.name.to_owned());
        FilterError::NoField { collection: entity.name, field: self.field.clone(), nearest }
    }

    fn parse_value(&self, entity: &'static Entity, field: &Field, names: &ReferenceNames) -> Result<Json, FilterError> {
        let text = self.value.as_str();
        if text.is_empty() {
            return Ok(Json::Null);
        }
        let collection = entity.name;
        if let Some(instead) = instead_of(field) {
            return Err(FilterError::SeveralValues { collection, field: field.name, instead });
        }
        let invalid = |expected: &str| self.invalid_value(entity, expected);
        match field.kind {
            Kind::Integer { .. } | Kind::User => {
                text.parse::<i64>().map(Json::from).map_err(|_| invalid("a whole number"))
            }
            Kind::Money => {
                let number: serde_json::Number = text.parse().map_err(|_| invalid("an amount such as 1299.50"))?;
                Ok(Json::Number(number))
            }
            Kind::Date => match parse_day(text) {
                Some(day) => Ok(Json::from(day.to_string())),
                None => Err(invalid("a date such as 2026-01-31")),
            },
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "yes" | "true" | "1" => Ok(Json::Bool(true)),
                "no" | "false" | "0" => Ok(Json::Bool(false)),
                _ => Err(invalid("yes or no")),
            },
            Kind::Option(choices) => {
                let folded = fold_header(text);
                let option = choices.create.iter().find(|option| fold_header(option) == folded);
                let known = || invalid(&format!("one of {}", choices.create.join(", ")));
                option.map(|option| Json::from(*option)).ok_or_else(known)
            }
            Kind::Reference(reference) if reference.wire == Wire::Id => {
                match (names.find(reference, text), parse_id(text)) {
                    (LookupResult::One(RecordRef::Known(id)), _) => Ok(Json::from(id)),
                    (LookupResult::Many(candidates), _) => {
                        let candidates = candidates.into_iter().map(|(_, description)| description).collect();
                        Err(FilterError::Ambiguous {
                            collection,
                            field: self.field.clone(),
                            value: self.value.clone(),
                            candidates,
                        })
                    }
                    (_, Some(id)) => Ok(Json::from(id)),
                    (LookupResult::None { nearest }, None) => Err(FilterError::NoRecord {
                        collection,
                        field: self.field.clone(),
                        value: self.value.clone(),
                        nearest,
                    }),
                    (LookupResult::One(RecordRef::Planned(_)), None) => Ok(Json::Null),
                }
            }
            _ => Ok(Json::from(text)),
        }
    }
}

/// Whether the service is asked to filter by a field. An amount has several spellings (`10`, `10.0`), and a service that
/// compares texts would find none of the others.
fn is_filtered_by_server(field: &Field) -> bool {
    field.filter && field.kind != Kind::Money
}

/// What to filter by instead of a field that holds a list or an object; none where it holds one value.
fn instead_of(field: &Field) -> Option<String> {
    match field.kind {
        Kind::CustomFields => Some(String::from("name one custom field, as in 'custom:NAME=VALUE'")),
        Kind::Structure if !field.names.is_empty() => {
            Some(format!("export without it: the column `{}_name` has the names", field.name))
        }
        Kind::Structure => Some(String::from("leave the filter out")),
        _ => None,
    }
}

fn parse_id(text: &str) -> Option<i64> {
    text.strip_prefix('#').unwrap_or(text).parse().ok()
}

/// The field of that name. A reference field may be named without its `_id`, or with `_name`, and one that lists records
/// with `_name`, as exports do.
fn find_field(entity: &'static Entity, name: &str) -> Option<&'static Field> {
    let base = name.strip_suffix("_name").unwrap_or(name);
    let reference = || entity.field(&format!("{base}_id")).filter(|field| field.reference_to().is_some());
    // `category_name` is a field of an asset, but the service filters by `category_id`.
    if name.ends_with("_name") {
        let list = || entity.field(base).filter(|field| !field.names.is_empty());
        reference().or_else(|| entity.field(name)).or_else(list)
    } else {
        entity.field(name).or_else(reference)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            FilterTest::ChangedSince(day) => write!(formatter, "changed since {day}"),
            _ => write!(formatter, "{}={}", self.field, self.value),
        }
    }
}

impl Filter {
    /// Records changed on or after this date, `YYYY-MM-DD`.
    pub(crate) fn since(day: &str) -> Self {
        Self { field: String::from(UPDATED_AT), value: day.to_owned(), test: FilterTest::ChangedSince(day.to_owned()) }
    }

    /// Who applies the filter when a list is requested: the service, if the guide documents an exact query parameter.
    pub(crate) fn applied_by(&self) -> AppliedBy {
        match &self.test {
            FilterTest::Field(current, value) if is_filtered_by_server(current.field) && !value.is_null() => {
                AppliedBy::Server
            }
            FilterTest::ServerOnly(..) => AppliedBy::Server,
            _ => AppliedBy::Client,
        }
    }

    /// The field of a record that it is about.
    pub(crate) fn field_name(&self) -> &str {
        match &self.test {
            FilterTest::Field(CurrentField { field, .. }, _) | FilterTest::ServerOnly(field, _) => field.name,
            FilterTest::Custom(..) => CUSTOM_FIELDS,
            FilterTest::ChangedSince(_) => UPDATED_AT,
            FilterTest::Undocumented(name, _) | FilterTest::OnDay(name, _) | FilterTest::At(name, _) => name,
        }
    }

    /// Whether it is about when a record was changed, and not about what it holds.
    pub(crate) fn is_about_time(&self) -> bool {
        matches!(self.test, FilterTest::ChangedSince(_))
    }

    /// The custom field it is about, if no record with these fields has one of that name.
    pub(crate) fn missing_custom(&self, entity: &'static Entity, shape: &ObservedFields) -> Option<FilterError> {
        let FilterTest::Custom(name, _) = &self.test else { return None };
        let folded = fold_name(name);
        if shape.custom.iter().any(|known| fold_name(known) == folded) {
            return None;
        }
        let known = shape.custom.iter().map(|name| format!("custom:{name}")).collect();
        Some(FilterError::NoCustomField { collection: entity.name, name: name.clone(), known })
    }

    /// Whether only the service can apply it, because records do not contain the field.
    pub(crate) fn is_server_only(&self) -> bool {
        matches!(self.test, FilterTest::ServerOnly(..))
    }

    pub(crate) fn query_parameter(&self) -> Option<(&'static str, String)> {
        match &self.test {
            FilterTest::Field(CurrentField { field, .. }, value) | FilterTest::ServerOnly(field, value) => {
                let text = match value {
                    Json::String(text) => widened_day(field, value, 1).unwrap_or_else(|| text.clone()),
                    other => other.to_string(),
                };
                Some((field.name, text))
            }
            _ => None,
        }
    }

    /// Whether the service is asked for more than the filter lets pass, so that it has to be applied to the answer too.
    pub(crate) fn is_asked_wider(&self) -> bool {
        matches!(&self.test, FilterTest::ServerOnly(field, value) if widened_day(field, value, 1).is_some())
    }

    /// Whether the record shows that the service did not apply the filter. A record that does not contain the field shows
    /// nothing.
    pub(crate) fn is_contradicted_by(&self, record: &RawFields<'_>, names: &ReferenceNames) -> bool {
        match &self.test {
            FilterTest::Field(current, _) => {
                record.get(current.field.name).is_some() && !self.matches_record(record, names)
            }
            FilterTest::ServerOnly(field, wanted) => {
                // An entry about another kind of item may have to do with this item all the same.
                let is_of_kind = item_type(field).is_none_or(|kind| text_of(record, log_field::TYPE) == kind);
                // The day more that is asked for may be one of another time zone.
                let asked = widened_day(field, wanted, 2).map(Json::from);
                is_of_kind && log_match(field, asked.as_ref().unwrap_or(wanted), record) == Some(false)
            }
            _ => false,
        }
    }

    pub(crate) fn matches_record(&self, record: &RawFields<'_>, names: &ReferenceNames) -> bool {
        match &self.test {
            FilterTest::Field(current, wanted) => {
                let null = record.get(current.field.name).map(|_| Json::Null);
                let held = names.current_value(*current, |name| record.get(name)).or(null);
                holds(current.field, wanted, held.as_ref())
            }
            FilterTest::ServerOnly(field, wanted) => log_match(field, wanted, record).unwrap_or(true),
            // Timestamps in one notation compare as text. A record without one is kept rather than lost.
            FilterTest::ChangedSince(day) => value::non_empty(record.get(UPDATED_AT))
                .is_none_or(|json| value::text_of(json).as_ref() >= day.as_str()),
            FilterTest::Undocumented(name, wanted) => {
                let held = value::non_empty(record.get(name)).map_or(Cow::Borrowed(""), value::text_of);
                held.trim() == wanted
            }
            FilterTest::Custom(name, wanted) => {
                let pairs = custom_of(record);
                let folded = || pairs.iter().find(|(known, _)| fold_name(known) == fold_name(name));
                let held = pairs.iter().find(|(known, _)| known.trim() == name).or_else(folded);
                held.map_or("", |(_, value)| value.trim()) == wanted
            }
            FilterTest::OnDay(name, day) => {
                text_of(record, name).get(..DAY).and_then(|held| held.parse().ok()) == Some(*day)
            }
            FilterTest::At(name, moment) => text_of(record, name).parse().ok() == Some(*moment),
        }
    }
}

/// Whether an entry of the log matches a filter for a field that entries do not contain; none if it does not show that.
fn log_match(field: &Field, wanted: &Json, record: &RawFields<'_>) -> Option<bool> {
    if let Some(held) = value::non_empty(record.get(field.name)) {
        let held: Option<Json> = serde_json::from_str(held).ok();
        return Some(holds(field, wanted, held.as_ref()));
    }
    if let (log_field::DATE_FROM | log_field::DATE_TO, Some(day)) = (field.name, wanted.as_str()) {
        let timestamp = text_of(record, log_field::TIMESTAMP);
        let held = timestamp.get(..day.len())?;
        return Some(if field.name == log_field::DATE_FROM { held >= day } else { held <= day });
    }
    let kind = item_type(field)?;
    let item = text_of(record, log_field::ITEM_ID);
    (!item.is_empty()).then(|| text_of(record, log_field::TYPE) == kind && item == wanted.to_string())
}

/// The day of a filter of the log by time, moved outwards by so many days; none for other filters. Neither the time zone
/// of the service's days is documented nor whether `date_to` is the end of the day, so more is asked for than is wanted.
fn widened_day(field: &Field, wanted: &Json, days: i32) -> Option<String> {
    let day = || wanted.as_str()?.parse::<Date>().ok();
    let widened = match field.name {
        log_field::DATE_FROM => day()?.checked_sub(days.days()),
        log_field::DATE_TO => day()?.checked_add(days.days()),
        _ => return None,
    };
    widened.ok().map(|day| day.to_string())
}

/// The type in the log of the items that a filter names by their id.
fn item_type(field: &Field) -> Option<&'static str> {
    schema::collection(field.reference_to()?.to)?.log_type()
}

fn text_of<'r>(record: &RawFields<'r>, name: &str) -> Cow<'r, str> {
    value::non_empty(record.get(name)).map_or(Cow::Borrowed(""), value::text_of)
}

#[cfg(test)]
mod tests;
