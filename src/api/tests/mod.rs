//! The client against servers that answer in every shape.

mod failures;
mod fuzz;
mod reads;
mod server;
mod writes;

use serde_json::{Value, json};

use super::{Body, Client, ClientOptions, Secret};
use crate::schema::{Entity, find};
use server::Server;

/// A key that nothing shown may contain.
const KEY: &str = "k3y-0f-the-tests";

fn options(server: &Server) -> ClientOptions {
    let key = Secret::new(KEY.to_owned()).expect("a key");
    ClientOptions { quota: None, ..ClientOptions::new(server.base_url(), key) }
}

fn client(server: &Server) -> Client {
    Client::new(options(server)).expect("a client")
}

fn entity(name: &str) -> &'static Entity {
    find(name).expect("an entity")
}

fn body(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        other => panic!("{other} is no body"),
    }
}

/// So many records with ids from `first` on.
fn records(first: usize, count: usize) -> String {
    let rows: Vec<_> = (first..first + count).map(|id| json!({ "id": id, "asset_id": format!("A-{id}") })).collect();
    Value::Array(rows).to_string()
}
