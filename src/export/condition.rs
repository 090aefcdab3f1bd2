//! `--where field=value`: which records of a collection are exported, and who picks them.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value as Json;

use super::names::Names;
use super::value;
use crate::api::{RawFields, custom_fields};
use crate::catalog::{LookupResult, ObservedFields, RecordRef};
use crate::plan::holds;
use crate::schema::{Entity, Field, Kind, fold_header};

/// A condition as typed: `field=value`, or `assets.field=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The collection it is for; none for every one that has the field.
    pub collection: Option<String>,
    pub field: String,
    pub value: String,
}

/// A condition on the records of one collection.
#[derive(Debug, Clone)]
pub struct Condition {
    pub field: String,
    pub value: String,
    test: Test,
}

/// What a record has to hold.
#[derive(Debug, Clone)]
enum Test {
    /// A documented field, with the value as the service spells it.
    Field(&'static Field, Json),
    /// A parameter that only the service knows how to apply.
    Asked(&'static Field, Json),
    Custom(String, String),
    /// A field that the guide does not know.
    Own(String, String),
    /// A day on or after which the record was changed.
    Since(String),
}

/// Who applies a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Service,
    Here,
}

/// Why a condition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("`{text}` is no condition")]
    NoEquals { text: String },
    #[error("{collection} has no field `{field}`")]
    NoField { collection: &'static str, field: String, nearest: Option<String> },
    #[error("no record is called `{value}`, which {collection} should have as `{field}`")]
    NoRecord { collection: &'static str, field: String, value: String, nearest: Vec<String> },
    #[error("`{value}` means several records as `{field}` of {collection}: {}", candidates.join("; "))]
    Several { collection: &'static str, field: String, value: String, candidates: Vec<String> },
    #[error("`{value}` is nothing that `{field}` of {collection} can hold: {expected}")]
    Value { collection: &'static str, field: String, value: String, expected: String },
}

impl ConditionError {
    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            ConditionError::NoEquals { .. } => String::from("write FIELD=VALUE, such as --where status=Deployed"),
            ConditionError::NoField { nearest: Some(nearest), .. } => format!("perhaps `{nearest}` is meant"),
            ConditionError::NoField { collection, .. } => {
                format!("`tallyport schema {collection}` lists its fields")
            }
            ConditionError::NoRecord { nearest, .. } if nearest.is_empty() => {
                String::from("give the name as the account has it, or `#` and the id")
            }
            ConditionError::NoRecord { nearest, .. } => format!("perhaps {} is meant", quoted(nearest)),
            ConditionError::Several { .. } => String::from("give the id, such as #12"),
            ConditionError::Value { expected, .. } => format!("give {expected}"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

impl Wish {
    /// Reads `field=value`. A field may have its collection before it: `assets.status=Deployed`.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let Some((field, value)) = text.split_once('=') else {
            return Err(ConditionError::NoEquals { text: text.to_owned() });
        };
        let (field, value) = (field.trim(), value.trim().to_owned());
        let (collection, field) = match field.split_once('.') {
            Some((collection, field)) if crate::schema::find(collection).is_some() => {
                (crate::schema::find(collection).map(|entity| entity.name.to_owned()), field)
            }
            _ => (None, field),
        };
        match field.is_empty() {
            true => Err(ConditionError::NoEquals { text: text.to_owned() }),
            false => Ok(Self { collection, field: field.to_owned(), value }),
        }
    }

    /// Whether it is about that collection.
    pub fn is_for(&self, entity: &'static Entity) -> bool {
        self.collection.as_ref().is_none_or(|collection| collection == entity.name)
    }

    /// Whether the service has an exact filter for it.
    pub fn is_asked(&self, entity: &'static Entity) -> bool {
        !self.value.is_empty() && field_of(entity, &self.field).is_some_and(|field| field.filter)
    }

    /// The collection whose names it takes.
    pub fn names(&self, entity: &'static Entity) -> Option<&'static Entity> {
        let reference = field_of(entity, &self.field)?.reference_to()?;
        crate::schema::collection(reference.to).filter(|_| self.is_for(entity))
    }

    /// The condition that it is for a collection. `shape` tells of fields that the guide does not know.
    ///
    /// # Errors
    /// A field that the collection does not have, and a value that it cannot hold.
    pub fn on(
        &self,
        entity: &'static Entity,
        shape: &ObservedFields,
        names: &Names,
    ) -> Result<Condition, ConditionError> {
        let test = self.test(entity, shape, names)?;
        Ok(Condition { field: self.field.clone(), value: self.value.clone(), test })
    }

    fn test(&self, entity: &'static Entity, shape: &ObservedFields, names: &Names) -> Result<Test, ConditionError> {
        if let Some(custom) = self.field.strip_prefix("custom:") {
            return Ok(Test::Custom(custom.trim().to_owned(), self.value.clone()));
        }
        if let Some(field) = field_of(entity, &self.field) {
            let value = self.value_of(entity, field, names)?;
            return Ok(if field.read { Test::Field(field, value) } else { Test::Asked(field, value) });
        }
        if self.field == "id" || shape.fields.contains(&self.field) {
            let value = self.value.strip_prefix('#').filter(|_| self.field == "id").unwrap_or(&self.value);
            return Ok(Test::Own(self.field.clone(), value.to_owned()));
        }
        let nearest = entity.fields.iter().map(|field| field.name).max_by(|one, other| {
            let likeness = |name: &str| strsim::jaro_winkler(name, &self.field);
            likeness(one).total_cmp(&likeness(other))
        });
        let nearest = nearest.filter(|name| strsim::jaro_winkler(name, &self.field) > 0.8).map(str::to_owned);
        Err(ConditionError::NoField { collection: entity.name, field: self.field.clone(), nearest })
    }

    fn value_of(&self, entity: &'static Entity, field: &Field, names: &Names) -> Result<Json, ConditionError> {
        let text = self.value.as_str();
        if text.is_empty() {
            return Ok(Json::Null);
        }
        let refuse = |expected: &str| ConditionError::Value {
            collection: entity.name,
            field: self.field.clone(),
            value: self.value.clone(),
            expected: expected.to_owned(),
        };
        match field.kind {
            Kind::Integer { .. } | Kind::User => {
                text.parse::<i64>().map(Json::from).map_err(|_| refuse("a whole number"))
            }
            Kind::Money => {
                let number: serde_json::Number = text.parse().map_err(|_| refuse("an amount such as 1299.50"))?;
                Ok(Json::Number(number))
            }
            Kind::Date => match text.parse::<jiff::civil::Date>() {
                Ok(day) => Ok(Json::from(day.to_string())),
                Err(_) => Err(refuse("a day such as 2026-01-31")),
            },
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "yes" | "true" | "1" => Ok(Json::Bool(true)),
                "no" | "false" | "0" => Ok(Json::Bool(false)),
                _ => Err(refuse("yes or no")),
            },
            Kind::Option(choices) => {
                let folded = fold_header(text);
                let option = choices.create.iter().find(|option| fold_header(option) == folded);
                let known = || refuse(&format!("one of {}", choices.create.join(", ")));
                option.map(|option| Json::from(*option)).ok_or_else(known)
            }
            Kind::Reference(reference) if reference.wire == crate::schema::Wire::Id => {
                match names.meant(reference, text) {
                    LookupResult::One(RecordRef::Known(id)) => Ok(Json::from(id)),
                    LookupResult::Many(several) => Err(ConditionError::Several {
                        collection: entity.name,
                        field: self.field.clone(),
                        value: self.value.clone(),
                        candidates: several.into_iter().map(|(_, told)| told).collect(),
                    }),
                    LookupResult::None { .. } | LookupResult::One(RecordRef::Planned(_))
                        if numbered(text).is_some() =>
                    {
                        Ok(numbered(text).map_or(Json::Null, Json::from))
                    }
                    LookupResult::None { nearest } => Err(ConditionError::NoRecord {
                        collection: entity.name,
                        field: self.field.clone(),
                        value: self.value.clone(),
                        nearest,
                    }),
                    LookupResult::One(RecordRef::Planned(_)) => Ok(Json::Null),
                }
            }
            _ => Ok(Json::from(text)),
        }
    }
}

fn numbered(text: &str) -> Option<i64> {
    text.strip_prefix('#').unwrap_or(text).parse().ok()
}

/// The field of that name; a reference may go without its `_id`, or with `_name`.
fn field_of(entity: &'static Entity, name: &str) -> Option<&'static Field> {
    let base = name.strip_suffix("_name").unwrap_or(name);
    let reference = || entity.field(&format!("{base}_id")).filter(|field| field.reference_to().is_some());
    // `category_name` of an asset is a field, but its category is what can be asked for.
    if name.ends_with("_name") {
        reference().or_else(|| entity.field(name))
    } else {
        entity.field(name).or_else(reference)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Since(day) => write!(formatter, "changed since {day}"),
            _ => write!(formatter, "{}={}", self.field, self.value),
        }
    }
}

impl Condition {
    /// Records changed on that day, written as `YYYY-MM-DD`, or later.
    pub fn since(day: &str) -> Self {
        Self { field: String::from("updated_at"), value: day.to_owned(), test: Test::Since(day.to_owned()) }
    }

    /// Who applies it where the service is asked for a list: it, if the guide has an exact filter for it.
    pub fn by(&self) -> By {
        match &self.test {
            Test::Field(field, value) if field.filter && !value.is_null() => By::Service,
            Test::Asked(..) => By::Service,
            _ => By::Here,
        }
    }

    /// Whether only the service can apply it: records do not carry what it looks at.
    pub fn is_beyond_us(&self) -> bool {
        matches!(self.test, Test::Asked(..))
    }

    /// The documented parameter and its value.
    pub fn filter(&self) -> Option<(&'static str, String)> {
        match &self.test {
            Test::Field(field, value) | Test::Asked(field, value) => {
                let text = match value {
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                };
                Some((field.name, text))
            }
            _ => None,
        }
    }

    /// Whether a record meets it.
    pub fn is_met(&self, record: &RawFields<'_>) -> bool {
        match &self.test {
            Test::Field(field, wanted) => {
                let held = value::told(record.get(field.name)).and_then(|json| serde_json::from_str(json).ok());
                holds(field, wanted, held.as_ref())
            }
            // The service has applied it.
            Test::Asked(..) => true,
            // Moments of one spelling sort as texts; one that cannot be told is rather shown than lost.
            Test::Since(day) => {
                value::told(record.get("updated_at")).is_none_or(|json| value::plain(json).as_ref() >= day.as_str())
            }
            Test::Own(name, wanted) => {
                let held = value::told(record.get(name)).map_or(Cow::Borrowed(""), value::plain);
                held.trim() == wanted
            }
            Test::Custom(name, wanted) => {
                let fields = value::told(record.get("custom_fields")).and_then(|json| serde_json::from_str(json).ok());
                let pairs = fields.map(|fields: Json| custom_fields(&fields)).unwrap_or_default();
                let held = pairs.iter().find(|(known, _)| known.trim() == name).map_or("", |(_, value)| value.trim());
                held == wanted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;
    use crate::schema::collection;

    fn names() -> Names {
        let mut catalog = Catalog::default();
        for (id, name) in [(1, "Ready"), (2, "In repair"), (3, "ready")] {
            let record = json!({"id": id, "name": name, "type": "deployable"}).as_object().unwrap().clone();
            catalog.insert_known(collection("statuses").unwrap(), id, record);
        }
        Names::new(catalog)
    }

    fn condition(text: &str) -> Result<Condition, ConditionError> {
        let mut shape = ObservedFields::default();
        shape.observe_json(r#"{"id":1,"shelf":"a"}"#);
        Wish::parse(text)?.on(collection("assets").unwrap(), &shape, &names())
    }

    #[test]
    fn names_and_ids_mean_records() {
        for text in ["status=In repair", "status_id=2", "status_id=#2", "status_name=in  repair", "assets.status=#2"] {
            let condition = condition(text).unwrap();
            assert_eq!(
                (condition.by(), condition.filter()),
                (By::Service, Some(("status_id", String::from("2")))),
                "{text}"
            );
        }
        assert!(matches!(condition("status=Lost"), Err(ConditionError::NoRecord { .. })));
        assert_eq!(condition("status=Ready").unwrap().filter().unwrap().1, "1", "an exact name wins");
        assert!(matches!(condition("status=READY"), Err(ConditionError::Several { .. })));
    }

    #[test]
    fn what_the_service_cannot_filter_is_picked_here() {
        let record = RawFields::of(
            r#"{"id":7,"shelf":"B4","currency":"EUR","notes":null,"custom_fields":"[{\"name\":\"Rack\",\"value\":\"9\"}]"}"#,
        )
        .unwrap();
        for (text, is_met) in [
            ("currency=eur", true),
            ("currency=USD", false),
            ("notes=", true),
            ("custom:Rack=9", true),
            ("custom:Rack=", false),
            ("custom:Other=", true),
            ("shelf=B4", true),
            ("id=#7", true),
            ("id=8", false),
        ] {
            let condition = condition(text).unwrap();
            assert_eq!((condition.by(), condition.is_met(&record)), (By::Here, is_met), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_says_what_could() {
        for (text, hint) in [
            ("status", "write FIELD=VALUE, such as --where status=Deployed"),
            ("asset_serail=7", "perhaps `asset_serial` is meant"),
            ("qqq=7", "`tallyport schema assets` lists its fields"),
            ("purchase_date=1/2/24", "give a day such as 2026-01-31"),
            ("status=In repar", "perhaps `In repair` is meant"),
        ] {
            assert_eq!(condition(text).unwrap_err().hint(), hint, "{text}");
        }
    }
}
