//! Every collection with every documented parameter, read off the schema.

use super::*;
use crate::fuzz::few_or_all;
use crate::schema::{self, ACTIONS, COLLECTIONS, Entity, Field, Kind, TextForm, Use, Wire};

/// A value of that field which is right. Texts differ by `number`, so that unique ones are.
fn sample(api: &Api, entity: &Entity, field: &Field, number: usize) -> Json {
    match field.kind {
        Kind::Text(TextForm::Plain) => json!(format!("{} {number}", field.name)),
        Kind::Text(TextForm::Email) => json!(format!("{}.{number}@example.com", field.name)),
        Kind::Text(TextForm::Url) => json!(format!("https://example.com/{}/{number}", field.name)),
        Kind::Integer { least } => json!(least + 7 + number as i64),
        Kind::Money => json!(1000 + number),
        Kind::Date => json!(format!("2024-05-{:02}", number + 1)),
        Kind::Boolean => json!(number.is_multiple_of(2)),
        Kind::Currency => json!(["EUR", "USD", "GBP"][number % 3]),
        Kind::Option(choices) => json!(choices.create[number % choices.create.len()]),
        Kind::User => json!(1 + number % 2),
        Kind::CustomFields => json!(format!(r#"[{{"name": "Rack", "value": "{number}"}}]"#)),
        Kind::Structure => Json::Null,
        Kind::Reference(reference) => {
            let narrowed = reference.narrowed.map_or(String::new(), |(field, value)| format!("?{field}={value}"));
            let found = api.list(&format!("/{}{narrowed}", reference.to));
            let found = found.first().unwrap_or_else(|| panic!("{} refers to {}", entity.name, reference.to));
            found[if reference.wire == Wire::Tag { "asset_id" } else { "id" }].clone()
        }
    }
}

/// A body with every field that a create may carry.
fn full_body(api: &Api, entity: &Entity, number: usize) -> Json {
    let fields = entity.created_fields().map(|field| (field.name.to_owned(), sample(api, entity, field, number)));
    Json::Object(fields.collect())
}

/// An account with a record of every collection, and the ids in the order of [`COLLECTIONS`].
fn furnished() -> (Api, Vec<i64>) {
    let api = Api::new();
    let ids = COLLECTIONS.iter().map(|entity| api.made(entity.name, full_body(&api, entity, 4))).collect();
    (api, ids)
}

/// What a reply carries for a value that was sent.
fn replied(field: &Field, sent: &Json) -> Json {
    match field.kind {
        Kind::CustomFields => serde_json::from_str(sent.as_str().unwrap()).unwrap(),
        _ => sent.clone(),
    }
}

#[test]
fn every_field_that_is_created_is_replied_listed_and_read() {
    let (api, _) = furnished();
    for entity in COLLECTIONS {
        let body = full_body(&api, entity, 5);
        let created = api.post(&format!("/{}", entity.path), body.clone()).accepted();
        let id = created["id"].as_i64().unwrap();
        for field in entity.created_fields().filter(|field| field.read) {
            assert_eq!(created[field.name], replied(field, &body[field.name]), "{} {}", entity.name, field.name);
        }
        for field in entity.fields.iter().filter(|field| field.read) {
            assert!(created.get(field.name).is_some(), "{} {} is missing", entity.name, field.name);
        }
        for name in ["created_at", "updated_at"] {
            let time = created[name].as_str().unwrap();
            assert!(time.len() == 24 && time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        }
        assert_eq!(api.record(entity.name, id), created);
        let listed = api.list(&format!("/{}?limit=1000", entity.path));
        assert!(listed.contains(&created), "{}", entity.name);
    }
}

#[test]
fn the_required_fields_are_enough_and_each_is_required() {
    let (api, _) = furnished();
    for entity in COLLECTIONS {
        let full = full_body(&api, entity, 6);
        let required: Vec<&Field> = entity.created_fields().filter(|field| field.is_required()).collect();
        let body: Json =
            Json::Object(required.iter().map(|field| (field.name.to_owned(), full[field.name].clone())).collect());
        for field in &required {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(field.name);
            let path = format!("/{}", entity.path);
            assert_eq!(api.post(&path, without.clone()).blamed(), [field.name], "{}", entity.name);
            without[field.name] = Json::Null;
            assert_eq!(api.post(&path, without).blamed(), [field.name], "{} null", entity.name);
        }
        let created = api.post(&format!("/{}", entity.path), body).accepted();
        for field in entity.created_fields().filter(|field| field.create == Use::Optional && field.read) {
            let expected = if field.name == "end_of_life_type" { json!("Fixed Date") } else { Json::Null };
            assert_eq!(created[field.name], expected, "{} {} is unset", entity.name, field.name);
        }
        let all: Vec<&str> = required.iter().map(|field| field.name).collect();
        assert_eq!(api.post(&format!("/{}", entity.path), json!({})).blamed(), all, "all at once");
    }
}

#[test]
fn every_field_can_be_updated_alone_and_optional_ones_cleared() {
    let (api, ids) = furnished();
    for (entity, id) in COLLECTIONS.iter().zip(ids) {
        let path = format!("/{}/{id}", entity.path);
        for field in entity.updated_fields() {
            let before = api.record(entity.name, id);
            let value = match field.kind {
                // A category keeps its type while it is used; see the test of that.
                _ if (entity.name, field.name) == ("categories", "type") => before["type"].clone(),
                Kind::Option(choices) => json!(choices.update[1 % choices.update.len()]),
                _ => sample(&api, entity, field, 9),
            };
            let after = api.put(&path, json!({field.name: value})).accepted();
            let expected = match field.kind {
                Kind::Option(choices) => {
                    let at = choices.update.iter().position(|option| *option == value).unwrap();
                    json!(choices.create[at])
                }
                _ => replied(field, &value),
            };
            assert_eq!(after[field.name], expected, "{} {}", entity.name, field.name);
            assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{} {}", entity.name, field.name);
            assert_eq!(after["created_at"], before["created_at"]);
            assert_eq!(api.record(entity.name, id), after);
            let cleared = api.put(&path, json!({field.name: null}));
            match field.is_required() {
                true => assert_eq!(cleared.blamed(), [field.name], "{}", entity.name),
                false => assert_eq!(cleared.accepted()[field.name], Json::Null, "{} {}", entity.name, field.name),
            }
        }
    }
}

#[test]
fn every_documented_filter_and_sort_works() {
    let (api, ids) = furnished();
    for (entity, id) in COLLECTIONS.iter().zip(ids) {
        let record = api.record(entity.name, id);
        for field in entity.filters() {
            let value = match &record[field.name] {
                Json::String(text) => text.clone(),
                Json::Null => "nobody@example.com".to_owned(),
                other => other.to_string(),
            };
            let query: String =
                url::form_urlencoded::Serializer::new(String::new()).append_pair(field.name, &value).finish();
            let found = api.list(&format!("/{}?{query}&limit=1000", entity.path));
            let expected = field.name != "employee_email";
            assert_eq!(found.contains(&record), expected, "{} {query}", entity.name);
            assert!(
                found.iter().all(|row| !expected || row[field.name] == record[field.name]),
                "{} {query}",
                entity.name
            );
        }
        for sort in entity.sorts {
            for order in ["asc", "desc"] {
                let rows = api.list(&format!("/{}?sort={sort}&order={order}&limit=1000", entity.path));
                assert!(rows.contains(&record), "{} {sort} {order}", entity.name);
            }
        }
    }
}

#[test]
fn wrong_types_are_refused_in_every_field_of_every_call() {
    let (api, ids) = furnished();
    // Of many fields alike some.
    let step = few_or_all(3, 1) as usize;
    for (entity, id) in COLLECTIONS.iter().zip(ids) {
        for field in entity.updated_fields().step_by(step) {
            for wrong in wrong_for(field.kind) {
                let answer = api.put(&format!("/{}/{id}", entity.path), json!({field.name: wrong}));
                assert_eq!(answer.blamed(), [field.name], "{} {wrong}", entity.name);
            }
        }
    }
    for entity in COLLECTIONS.iter().chain(ACTIONS) {
        for field in entity.created_fields().step_by(step) {
            for wrong in wrong_for(field.kind) {
                let answer = api.post(&format!("/{}", entity.path), json!({field.name: wrong}));
                assert!(
                    answer.blamed().iter().any(|name| name == field.name),
                    "{} {} {wrong}",
                    entity.name,
                    field.name
                );
            }
        }
    }
}

fn wrong_for(kind: Kind) -> Vec<Json> {
    let list = |values: Json| values.as_array().unwrap().clone();
    match kind {
        Kind::Text(TextForm::Plain) => list(json!([1, true, ["a"], {"a": 1}])),
        Kind::Text(TextForm::Email) => list(json!([
            1, "ada", "ada@", "@example.com", "a b@example.com", "ada@example", "", "a@b@example.com",
            "Ada <ada@example.com>"
        ])),
        Kind::Text(TextForm::Url) => list(json!([
            1, "example.com", "ftp://example.com", "https://", "https:example.com", "javascript:alert(1)", "",
            "https://exa mple.com"
        ])),
        Kind::Integer { .. } => list(json!(["5", 5.0, 5.5, true, -1, 1e300, 9_007_199_254_740_992_i64, [5]])),
        Kind::Money => list(json!(["5", 5.5, 12.0, true, -1])),
        Kind::Date => list(json!([
            20240501, "2024-02-30", "2023-02-29", "2024-5-1", "01/02/2024", "2024-05-01T00:00:00Z", "", "20240501",
            "+2024-05-01", "2024-13-01"
        ])),
        Kind::Boolean => list(json!(["true", 1, 0, "yes"])),
        Kind::Currency => list(json!([978, "eur", "€", "EURO", "DEM", "HRK", "XXX", ""])),
        Kind::Option(_) => list(json!([1, "nonsense", "", " "])),
        Kind::User => list(json!(["1", 99, 0, 1.0])),
        Kind::CustomFields => list(json!([
            [{"name": "a", "value": "b"}],
            "text", "{}", "[1]", r#"[{"name": "a"}]"#, r#"[{"name": "a", "value": 1}]"#, r#"[{"name": "", "value": "b"}]"#,
            r#"[{"name": "a", "value": "b", "unit": "c"}]"#, r#"[{"name": "a", "value": "b"}, {"name": "a", "value": "c"}]"#,
        ])),
        Kind::Reference(reference) if reference.wire == Wire::Tag => list(json!([1, "no such tag", ""])),
        Kind::Reference(_) => list(json!(["1", 999_999, 0, -1, 1.5, "Laptops"])),
        Kind::Structure => Vec::new(),
    }
}

#[test]
fn each_call_knows_only_its_own_spelling_of_an_option() {
    let (api, ids) = furnished();
    for (entity, id) in COLLECTIONS.iter().zip(ids) {
        for field in entity.fields {
            let Kind::Option(choices) = field.kind else { continue };
            for (create, update) in
                choices.create.iter().zip(choices.update).filter(|(create, update)| create != update)
            {
                let mut body = full_body(&api, entity, 7);
                body[field.name] = json!(update);
                assert_eq!(api.post(&format!("/{}", entity.path), body).blamed(), [field.name]);
                let path = format!("/{}/{id}", entity.path);
                assert_eq!(api.put(&path, json!({field.name: create})).blamed(), [field.name]);
                let record = api.put(&path, json!({field.name: update})).accepted();
                assert_eq!(record[field.name], *create, "lists and filters know one spelling");
            }
        }
    }
}

#[test]
fn unknown_parameters_are_refused_by_every_call() {
    let (api, ids) = furnished();
    let strange = ["colour", "Name", "asset_tag", "limit ", "created_at", "updated_at", "", "id;"];
    for (entity, id) in COLLECTIONS.iter().zip(ids) {
        for name in strange {
            let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, "1").finish();
            assert_eq!(api.get(&format!("/{}?{query}", entity.path)).blamed(), [name], "{}", entity.name);
            assert_eq!(
                api.put(&format!("/{}/{id}", entity.path), json!({name: 1})).blamed(),
                [name],
                "{}",
                entity.name
            );
        }
        for field in entity.fields.iter().filter(|field| !field.update) {
            let answer = api.put(&format!("/{}/{id}", entity.path), json!({field.name: 1}));
            assert_eq!(answer.blamed(), [field.name], "{}", entity.name);
        }
        let not_filters = entity.fields.iter().filter(|field| !field.filter).map(|field| field.name);
        for name in not_filters {
            assert_eq!(api.get(&format!("/{}?{name}=1", entity.path)).blamed(), [name], "{}", entity.name);
        }
    }
    for entity in schema::importable() {
        for name in strange.into_iter().chain(["id"]) {
            let answer = api.post(&format!("/{}", entity.path), json!({name: 1}));
            assert!(answer.blamed().iter().any(|blamed| blamed == name), "{} {name}", entity.name);
        }
    }
    for name in strange {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, "1").finish();
        assert_eq!(api.get(&format!("/activity?{query}")).blamed(), [name]);
    }
}
