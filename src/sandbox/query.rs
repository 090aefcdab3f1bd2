//! Query parameters: only those in the guide, each at most once and of the right type.

use rusqlite::types::Value;

use super::refusal::{FieldErrors, Refusal};
use super::rules;
use crate::schema::{ACTIVITY, Entity, Field, Kind, Wire};

/// The default `limit` of a list. Guide: "Default value is 50".
const DEFAULT_LIMIT: u32 = 50;

/// Query parameters, in the order sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

#[derive(Debug, Clone)]
pub(super) struct ListQuery {
    /// Fields and the exact values to filter by.
    pub(super) filters: Vec<(&'static Field, Value)>,
    /// One of the sort options of the entity.
    pub(super) sort: &'static str,
    pub(super) order: SortOrder,
    pub(super) limit: u32,
    pub(super) offset: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortOrder {
    Ascending,
    Descending,
}

impl SortOrder {
    pub(super) fn sql(self) -> &'static str {
        match self {
            SortOrder::Ascending => "ASC",
            SortOrder::Descending => "DESC",
        }
    }
}

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// Removes a parameter and returns its values.
    pub(super) fn take(&mut self, name: &str) -> Vec<String> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(other, _)| other == name);
        self.0 = left;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Refuses any remaining parameter.
    pub(super) fn refuse_any(&self) -> Result<(), Refusal> {
        let mut errors = FieldErrors::default();
        for (name, _) in &self.0 {
            errors.add(name, UNKNOWN);
        }
        errors.refuse()
    }

    /// Parses the query of a list, or refuses it with the errors of all parameters.
    pub(super) fn list_query(&self, entity: &'static Entity, page_limit: u32) -> Result<ListQuery, Refusal> {
        let mut query = ListQuery {
            filters: Vec::new(),
            sort: entity.sorts.first().copied().unwrap_or("created_at"),
            // Guide: the activity log is the only list that is newest first by default.
            order: if entity.name == ACTIVITY.name { SortOrder::Descending } else { SortOrder::Ascending },
            limit: DEFAULT_LIMIT.min(page_limit),
            offset: 0,
        };
        let mut errors = FieldErrors::default();
        for (position, (name, value)) in self.0.iter().enumerate() {
            let given_before = self.0[..position].iter().any(|(other, _)| other == name);
            let read = match given_before {
                true => Err("is given twice".into()),
                false => query.read(entity, page_limit, name, value),
            };
            if let Err(error) = read {
                errors.add(name, error);
            }
        }
        errors.refuse()?;
        Ok(query)
    }
}

const UNKNOWN: &str = "is not a parameter of this call";

impl ListQuery {
    fn read(&mut self, entity: &'static Entity, page_limit: u32, name: &str, value: &str) -> Result<(), String> {
        match name {
            "limit" => self.limit = limit(value, page_limit)?,
            "offset" => self.offset = integer(value, 0)?,
            "sort" => self.sort = one_of(entity.sorts, value)?,
            "order" => self.order = order(value)?,
            _ => {
                let field = entity.filters().find(|field| field.name == name).ok_or(UNKNOWN)?;
                self.filters.push((field, filter(field, value)?));
            }
        }
        Ok(())
    }
}

fn limit(value: &str, page_limit: u32) -> Result<u32, String> {
    let limit = integer(value, 1)?;
    match u32::try_from(limit) {
        Ok(limit) if limit <= page_limit => Ok(limit),
        _ => Err(format!("must be at most {page_limit}, not `{limit}`")),
    }
}

fn order(value: &str) -> Result<SortOrder, String> {
    let is_ascending = one_of(&["asc", "desc"], value)? == "asc";
    Ok(if is_ascending { SortOrder::Ascending } else { SortOrder::Descending })
}

fn one_of(options: &'static [&'static str], value: &str) -> Result<&'static str, String> {
    options.iter().copied().find(|option| *option == value).ok_or_else(|| rules::not_an_option(options, value))
}

/// Parses the value of a filter according to the type of its field.
fn filter(field: &Field, value: &str) -> Result<Value, String> {
    match field.kind {
        Kind::Integer { .. } | Kind::Money | Kind::User => integer(value, i64::MIN).map(Value::Integer),
        Kind::Reference(reference) if reference.wire == Wire::Id => integer(value, i64::MIN).map(Value::Integer),
        Kind::Date => rules::date(value).map(Value::Text),
        Kind::Boolean => boolean(value),
        Kind::Option(choices) => one_of(choices.create, value).map(|option| Value::Text(option.into())),
        _ => Ok(Value::Text(value.into())),
    }
}

/// Parses an integer in its only valid spelling: no plus sign, no blanks, no leading zeros.
pub(super) fn integer(value: &str, least: i64) -> Result<i64, String> {
    match value.parse::<i64>() {
        Ok(integer) if integer.to_string() != value => Err(format!("must be an integer, not `{value}`")),
        Ok(integer) if integer >= least => Ok(integer),
        Ok(integer) => Err(format!("must be at least {least}, not `{integer}`")),
        Err(_) => Err(format!("must be an integer, not `{value}`")),
    }
}

fn boolean(value: &str) -> Result<Value, String> {
    match value {
        "true" => Ok(Value::Integer(1)),
        "false" => Ok(Value::Integer(0)),
        _ => Err(format!("must be `true` or `false`, not `{value}`")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::schema::COLLECTIONS;

    proptest! {
        #[test]
        fn a_parameter_nobody_documented_is_always_refused(name in ".{0,20}", value in ".{0,20}") {
            for entity in COLLECTIONS.iter().chain([&&ACTIVITY]) {
                let documented = entity.filters().any(|field| field.name == name)
                    || ["limit", "offset", "sort", "order"].contains(&name.as_str());
                let query = Query(vec![(name.clone(), value.clone())]);
                prop_assert!(documented || query.list_query(entity, 1000).is_err());
            }
        }

        #[test]
        fn integers_have_one_spelling(text in "[-+0-9. ]{0,6}") {
            if let Ok(integer) = integer(&text, i64::MIN) {
                prop_assert_eq!(integer.to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_not_asked_for_is_the_documented_default() {
        let query = Query::default().list_query(&ACTIVITY, 1000).unwrap();
        assert_eq!((query.order, query.limit, query.offset), (SortOrder::Descending, 50, 0));
        let query = Query::default().list_query(COLLECTIONS[0], 20).unwrap();
        assert_eq!((query.sort, query.order, query.limit), ("name", SortOrder::Ascending, 20));
    }

    #[test]
    fn a_parameter_is_taken_once_and_gone() {
        let mut query = Query::parse(Some("tenant_id=1&a=%C3%A4+b&tenant_id=2"));
        assert_eq!(query.take("tenant_id"), ["1", "2"]);
        assert_eq!(query.0, [("a".to_owned(), "ä b".to_owned())]);
    }
}
