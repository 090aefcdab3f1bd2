#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::*;
use crate::sandbox::body::JsonBody;
use crate::schema;

/// A copy of these records, opened as a sandbox opens it.
struct CopiedStore {
    store: RecordStore,
    omissions: CopyOmissions,
    _folder: TempDir,
}

fn entity(name: &str) -> &'static Entity {
    schema::collection(name).unwrap()
}

fn copy(collections: &[(&str, &[&str])]) -> CopiedStore {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let mut copy = CopyBuilder::create(&path, None).unwrap();
    let id = |json: &str| serde_json::from_str::<Json>(json).unwrap()["id"].as_i64().unwrap();
    for (name, records) in collections {
        let first = record::split(records[0]).unwrap();
        copy.begin(entity(name), first.iter().map(|(name, _)| name.as_str())).unwrap();
        records.iter().for_each(|json| copy.add(entity(name), id(json), json).unwrap());
    }
    for (name, records) in collections {
        records.iter().for_each(|json| copy.reconcile(entity(name), id(json), json).unwrap());
    }
    let omissions = copy.finish().unwrap();
    CopiedStore { store: RecordStore::in_file(&path).unwrap(), omissions, _folder: folder }
}

impl CopiedStore {
    fn served(&self, collection: &str, id: i64) -> String {
        let reply = self.store.read(AccountId::ONLY, entity(collection), id).unwrap();
        String::from_utf8(reply.body).unwrap()
    }

    fn update(&mut self, collection: &str, id: i64, body: Json) -> Json {
        let members = body.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let reply = self.store.update(AccountId::ONLY, entity(collection), id, &JsonBody(members)).unwrap();
        serde_json::from_slice(&reply.body).unwrap()
    }
}

const TIMES: &str = r#""created_at":null,"updated_at":"2024-05-01 12:00:00""#;

#[test]
fn a_record_is_served_to_the_letter() {
    let odd = format!(
        r#"{{"revision":{{"by":1,"a":[1.50]}},"id":4,"name":"Caf\u00e9","type":"pending","show_in_nav":1,{TIMES}}}"#
    );
    let records = [odd.as_str(), r#"{"id":9,"updated_at":"x"}"#];
    let copy = copy(&[("statuses", &records)]);
    assert_eq!(copy.served("statuses", 4), odd);
    assert_eq!(copy.served("statuses", 9), records[1], "members that the account omits are missing");
}

#[test]
fn what_is_written_is_served_from_then_on() {
    let product =
        r#"{"id":1,"name":"X1","category_id":2,"default_purchase_cost":"12.50","extra":7,"updated_at":"2024"}"#;
    let mut copy = copy(&[("products", &[product])]);
    let renamed = copy.update("products", 1, json!({"name": "X2"}));
    assert_eq!((&renamed["name"], &renamed["default_purchase_cost"]), (&json!("X2"), &json!("12.50")));
    // The sandbox stores 13: a write of just that is a write.
    let priced = copy.update("products", 1, json!({"default_purchase_cost": 13}));
    assert_eq!((&priced["default_purchase_cost"], &priced["extra"]), (&json!(13), &json!(7)));
    assert!(priced["updated_at"].as_str() > Some("2024"));
}

#[test]
fn values_that_must_be_unique_here_need_not_be_in_the_account() {
    let people = [
        r#"{"id":1,"email":"Ada@example.com","updated_at":""}"#,
        r#"{"id":2,"email":"ada@example.com","updated_at":""}"#,
    ];
    let copy = copy(&[("employees", &people)]);
    assert_eq!([copy.served("employees", 1), copy.served("employees", 2)], people);
}

#[test]
fn an_asset_stays_out_whoever_holds_it() {
    let asset = r#"{"id":5,"asset_id":"A-5","deployed_to":[{"team":"Night shift"}],"updated_at":""}"#;
    let mut copy = copy(&[("assets", &[asset])]);
    assert_eq!(copy.served("assets", 5), asset);
    assert!(copy.store.delete(AccountId::ONLY, entity("assets"), 5).is_err(), "it is checked out");
}

#[test]
fn stock_is_what_is_left() {
    let accessory = r#"{"id":1,"quantity":10,"available":7,"updated_at":""}"#;
    let consumable = r#"{"id":1,"available":7,"updated_at":""}"#;
    let copy = copy(&[("accessories", &[accessory]), ("consumables", &[consumable])]);
    assert_eq!([copy.served("accessories", 1), copy.served("consumables", 1)], [accessory, consumable]);
    assert_eq!(copy.omissions.without_holder, [("accessories", 3)]);
}
