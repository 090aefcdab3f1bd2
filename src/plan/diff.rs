//! Compares values with a record, so that an update sends only the fields that differ.

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::api::{Body, Record, custom_fields, plain_text};
use crate::check::CustomField;
use crate::schema::{CUSTOM_FIELDS, Entity, Field, Kind, Reference, TextForm, Wire, fold_header, fold_name};
use crate::unicode::without_invisible;

/// Whether a record already has the value a field would be set to. Text is compared as sent, numbers by value, dates
/// by day, options regardless of spelling. Null, empty and absent are equal. False may be null in a reply, while a reply
/// without the field does not say that it is false.
pub(crate) fn holds(field: &Field, wanted: &Json, held: Option<&Json>) -> bool {
    if field.kind == Kind::CustomFields {
        return told_pairs(wanted) == held.map(told_pairs).unwrap_or_default();
    }
    let is_told = held.is_some();
    let Some(held) = held.filter(|held| !is_empty(held)) else {
        return is_empty(wanted) || (is_told && field.kind == Kind::Boolean && truth(wanted) == Some(false));
    };
    if is_empty(wanted) {
        return false;
    }
    match field.kind {
        Kind::Money | Kind::Integer { .. } | Kind::User => {
            decimal(wanted) == decimal(held) && decimal(wanted).is_some()
        }
        Kind::Boolean => truth(wanted) == truth(held),
        Kind::Date => plain_text(wanted).get(..10) == plain_text(held).get(..10),
        Kind::Option(_) => fold_header(&plain_text(wanted)) == fold_header(&plain_text(held)),
        Kind::Currency => plain_text(wanted).eq_ignore_ascii_case(&plain_text(held)),
        Kind::Reference(_) => plain_text(wanted) == plain_text(held),
        // What nobody can see is not worth an update.
        Kind::Text(_) if !field.is_long_text => {
            without_invisible(&plain_text(wanted)) == without_invisible(&plain_text(held))
        }
        Kind::Text(_) | Kind::Structure | Kind::CustomFields => plain_text(wanted).trim() == plain_text(held).trim(),
    }
}

/// How a value that was sent compares with what the record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueMatch {
    Same,
    /// The same text but for case, spacing or Unicode form: a service may store it that way.
    Similar,
    Different,
    /// The reply does not tell.
    NotReported,
}

/// Compares a value as it was sent with what a reply holds. A service may return a reference as an object, a tag as a
/// system id, and an e-mail address in another case. `is_same_record` says whether a tag and what is held mean the same
/// record, where that is known.
pub(crate) fn compare(
    field: &Field,
    wanted: &Json,
    held: &Json,
    is_same_record: impl FnOnce(Reference, &Json, &Json) -> Option<bool>,
) -> ValueMatch {
    let held = match (field.kind, held) {
        (Kind::Reference(_), Json::Object(named)) => named.get("id").unwrap_or(held),
        _ => held,
    };
    if holds(field, wanted, Some(held)) {
        return ValueMatch::Same;
    }
    match field.kind {
        Kind::Reference(reference) if reference.wire == Wire::Tag => match is_same_record(reference, wanted, held) {
            Some(true) => ValueMatch::Same,
            Some(false) => ValueMatch::Different,
            None => ValueMatch::NotReported,
        },
        Kind::Text(form) if is_similar(wanted, held) => match form {
            // Whatever the standard says about the part before the `@`, no service treats case as significant.
            TextForm::Email => ValueMatch::Same,
            TextForm::Plain | TextForm::Url => ValueMatch::Similar,
        },
        _ => ValueMatch::Different,
    }
}

fn is_similar(wanted: &Json, held: &Json) -> bool {
    match (wanted, held) {
        (Json::String(wanted), Json::String(held)) => fold_name(wanted) == fold_name(held),
        _ => false,
    }
}

/// What an update sends so that a record holds what a step was to send, and what the record holds there now. `planned`:
/// what the record held when the step was planned.
pub(crate) fn update_to(entity: &'static Entity, sent: &Body, planned: Option<&Body>, record: &Record) -> (Body, Body) {
    let held = |name: &str| record.get(name).cloned().unwrap_or(Json::Null);
    let (mut body, mut before) = (Body::new(), Body::new());
    for field in entity.updated_fields() {
        let Some(wanted) = sent.get(field.name) else { continue };
        let wanted = match field.kind {
            Kind::CustomFields => {
                let planned =
                    planned.and_then(|planned| planned.get(field.name)).map(custom_fields).unwrap_or_default();
                merged_custom_fields(record.get(field.name), &changed_pairs(wanted, &planned))
            }
            // Whether a tag and an id mean the same asset is not known here: it is part of the key, which is the same.
            _ => match compare(field, wanted, &held(field.name), |_, _, _| None) {
                // False is held only where the reply has the field.
                ValueMatch::Same if !record.contains_key(field.name) && !is_empty(wanted) => {
                    Some(as_updated(field, wanted))
                }
                ValueMatch::Same | ValueMatch::NotReported => None,
                ValueMatch::Similar | ValueMatch::Different => Some(as_updated(field, wanted)),
            },
        };
        if let Some(wanted) = wanted {
            body.insert(field.name.to_owned(), wanted);
            before.insert(field.name.to_owned(), held(field.name));
        }
    }
    (body, before)
}

/// The custom fields that differ from those of the plan: the others were sent only because they go together.
pub(crate) fn changed_pairs(sent: &Json, planned: &[(String, String)]) -> Vec<CustomField> {
    let pairs = custom_fields(sent).into_iter().map(|(name, value)| CustomField { name, value, column: 0 });
    pairs.filter(|given| differs(planned, given)).collect()
}

/// A value as an update spells it: the guide spells some options in another way than for a create.
fn as_updated(field: &Field, wanted: &Json) -> Json {
    let Kind::Option(choices) = field.kind else { return wanted.clone() };
    let position = choices.create.iter().position(|option| wanted.as_str() == Some(*option));
    position
        .and_then(|position| choices.update.get(position))
        .map_or_else(|| wanted.clone(), |option| Json::from(*option))
}

/// Custom fields with a value, sorted: a service may return them in any order, with empty ones in between.
fn told_pairs(fields: &Json) -> Vec<(String, String)> {
    let mut pairs = custom_fields(fields);
    pairs.retain(|(_, value)| !value.trim().is_empty());
    pairs.sort_unstable();
    pairs
}

/// The record's custom fields with the row's values merged in, so that fields the row does not mention are kept.
/// `None` if nothing changes.
pub(super) fn merged_custom_fields(held: Option<&Json>, given: &[CustomField]) -> Option<Json> {
    let before = held.map(custom_fields).unwrap_or_default();
    let mut after = before.clone();
    for CustomField { name, value, .. } in given {
        match position_of(name, &after).map(|position| &mut after[position]) {
            Some((_, old)) => old.clone_from(value),
            None if value.is_empty() => {}
            None => after.push((name.clone(), value.clone())),
        }
    }
    (after != before).then(|| pairs(&after))
}

/// Whether a row's custom field differs from the record's. Absent and empty are equal.
pub(super) fn differs(held: &[(String, String)], given: &CustomField) -> bool {
    let held = position_of(&given.name, held).map_or("", |position| held[position].1.as_str());
    held != given.value
}

/// How many fields an update empties: fields that become null, and custom fields that lose their value. Custom fields are
/// one field of the body, in which an empty text or a missing name clears.
pub(crate) fn cleared_fields(body: &Body, before: Option<&Body>) -> u64 {
    let nulls = body.iter().filter(|(name, value)| name.as_str() != CUSTOM_FIELDS && value.is_null()).count();
    let custom = body.get(CUSTOM_FIELDS).map_or(0, |after| {
        let before = before.and_then(|before| before.get(CUSTOM_FIELDS)).map(told_pairs).unwrap_or_default();
        let after = told_pairs(after);
        before.iter().filter(|(name, _)| position_of(name, &after).is_none()).count()
    });
    (nulls + custom) as u64
}

/// Position of the custom field with that name, in whatever case and spacing: `Colour` and `colour` are one field.
pub(super) fn position_of(name: &str, pairs: &[(String, String)]) -> Option<usize> {
    let exact = pairs.iter().position(|(known, _)| known == name);
    exact.or_else(|| pairs.iter().position(|(known, _)| fold_name(known) == fold_name(name)))
}

/// Custom fields in the guide's format: `[{"name": .., "value": ..}, ..]`.
pub(super) fn pairs(fields: &[(String, String)]) -> Json {
    fields.iter().map(|(name, value)| serde_json::json!({"name": name, "value": value})).collect()
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn decimal(value: &Json) -> Option<Decimal> {
    plain_text(value).trim().parse::<Decimal>().ok().map(|decimal| decimal.normalize())
}

pub(super) fn truth(value: &Json) -> Option<bool> {
    match plain_text(value).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::schema::collection;
    use serde_json::json;

    #[test]
    fn equal_values_in_other_spellings_are_held() {
        let field = |collection_name: &str, name: &str| collection(collection_name).unwrap().field(name).unwrap();
        for (entity, name, wanted, held) in [
            ("assets", "purchase_cost", json!(1299), json!("1299.00")),
            ("assets", "purchase_date", json!("2024-05-01"), json!("2024-05-01T00:00:00.000Z")),
            ("employees", "archived", json!(false), json!(0)),
            ("employees", "archived", json!(false), json!(null)),
            ("employees", "archived", json!(null), json!(null)),
            ("maintenances", "type", json!("hardware support"), json!("hardware_support")),
            ("assets", "notes", json!("x"), json!("x ")),
            ("assets", "asset_name", json!("Lab 1"), json!("Lab\u{200B} 1")),
            ("assets", "notes", json!(null), json!("")),
            ("assets", "product_id", json!(7), json!(7)),
            (
                "assets",
                "custom_fields",
                json!([{"name": "Rack", "value": "B4"}, {"name": "MAC", "value": "aa"}]),
                json!({"MAC": "aa", "Rack": "B4", "Owner": ""}),
            ),
        ] {
            assert!(holds(field(entity, name), &wanted, Some(&held)), "{name}");
        }
        assert!(!holds(field("assets", "notes"), &json!("x"), None));
        assert!(
            !holds(field("assets", "notes"), &json!("x y"), Some(&json!("x\u{200B} y"))),
            "long texts are kept as they are"
        );
        let archived = |wanted: Json, held: Option<&Json>| holds(field("employees", "archived"), &wanted, held);
        assert!(!archived(json!(true), Some(&Json::Null)) && !archived(json!(null), Some(&json!(false))));
        assert!(!archived(json!(false), None), "a reply without the field says nothing");
        assert!(!holds(field("assets", "purchase_cost"), &json!(1), Some(&json!("about one"))));
    }

    #[test]
    fn custom_fields_not_named_by_the_row_stay() {
        let held = json!(r#"[{"name":"Rack","value":"B4"},{"name":"MAC","value":"aa"}]"#);
        let given = |name: &str, value: &str| CustomField { name: name.to_owned(), value: value.to_owned(), column: 0 };
        assert!(!differs(&custom_fields(&held), &given("MAC", "aa")) && !differs(&[], &given("MAC", "")));
        let given = [given("MAC", "bb")];
        let merged = merged_custom_fields(Some(&held), &given).unwrap();
        assert_eq!(merged, json!([{"name": "Rack", "value": "B4"}, {"name": "MAC", "value": "bb"}]));
        assert_eq!(merged_custom_fields(Some(&merged), &given), None);
    }

    #[test]
    fn an_update_sends_what_the_record_does_not_hold_yet() {
        let object = |value: Json| value.as_object().cloned().unwrap();
        let entity = collection("assets").unwrap();
        let record = object(json!({
            "id": 7, "asset_id": "LT-1", "status_id": {"id": 2, "name": "In use"}, "asset_name": "old", "notes": "theirs",
            "custom_fields": [{"name": "OS", "value": "14"}, {"name": "Colour", "value": "red"}],
        }));
        let sent = object(json!({
            "asset_id": "LT-1", "status_id": 2, "asset_name": "new",
            "custom_fields": [{"name": "OS", "value": "13"}, {"name": "colour", "value": "blue"}],
        }));
        let (body, before) = update_to(entity, &sent, None, &record);
        assert_eq!(body.keys().collect::<Vec<_>>(), ["asset_name", "custom_fields"]);
        assert_eq!(before["asset_name"], "old");
        assert_eq!(body["custom_fields"], json!([{"name": "OS", "value": "13"}, {"name": "Colour", "value": "blue"}]));
        let planned = object(json!({"custom_fields": [{"name": "OS", "value": "13"}]}));
        let (body, _) = update_to(entity, &sent, Some(&planned), &record);
        assert_eq!(body["custom_fields"], json!([{"name": "OS", "value": "14"}, {"name": "Colour", "value": "blue"}]));
        assert_eq!(update_to(entity, &body, None, &body), (Body::new(), Body::new()), "nothing is left to do");
    }

    #[test]
    fn false_is_sent_where_the_record_does_not_tell() {
        let object = |value: Json| value.as_object().cloned().unwrap();
        let sent = object(json!({"name": "Ada", "archived": false}));
        let updates = |record: Json| update_to(collection("employees").unwrap(), &sent, None, &object(record)).0;
        assert_eq!(updates(json!({"name": "Ada", "archived": null})), Body::new());
        assert_eq!(updates(json!({"name": "Ada"})), object(json!({"archived": false})));
    }

    #[test]
    fn a_custom_field_without_its_value_is_cleared_like_any_other_field() {
        let body = |value: Json| value.as_object().cloned().unwrap();
        let custom = |fields: Json| body(json!({"custom_fields": fields}));
        let before =
            custom(json!(r#"[{"name":"Rack","value":"B4"},{"name":"OS","value":"13"},{"name":"MAC","value":""}]"#));
        let cleared = |after: Json| cleared_fields(&custom(after), Some(&before));
        assert_eq!(cleared(json!([{"name": "Rack", "value": ""}, {"name": "OS", "value": "14"}])), 1);
        assert_eq!(cleared(json!([{"name": "MAC", "value": ""}])), 2, "what is not there any more is empty too");
        assert_eq!(cleared(json!([{"name": "rack", "value": "B5"}, {"name": "OS", "value": "13"}])), 0);
        assert_eq!(cleared_fields(&body(json!({"notes": null, "custom_fields": null})), Some(&before)), 3);
        assert_eq!(cleared_fields(&body(json!({"notes": null, "asset_name": "x"})), None), 1);
    }

    #[test]
    fn an_update_spells_an_option_in_its_own_way() {
        for entity in crate::schema::COLLECTIONS {
            for field in entity.updated_fields() {
                let Kind::Option(choices) = field.kind else { continue };
                let (created, updated) = (choices.create[0], choices.update[0]);
                let sent = Body::from_iter([(field.name.to_owned(), json!(created))]);
                let (body, _) = update_to(entity, &sent, None, &Record::new());
                assert_eq!(body[field.name], updated, "{} {}", entity.name, field.name);
            }
        }
    }
}
