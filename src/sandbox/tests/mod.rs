//! The sandbox as its clients see it: a server on loopback, spoken to in plain HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod activity;
mod checkouts;
mod faults;
mod lists;
mod model;
mod persistence;
mod records;

use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use super::{Sandbox, SandboxOptions, Seed};

/// A sandbox and a client of it, both gone on drop.
struct Api {
    sandbox: Sandbox,
    http: Client,
    runtime: Runtime,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: header::HeaderMap,
    /// `Null` for an empty body.
    body: Json,
}

impl Api {
    /// With the sample look-ups and without a quota.
    fn new() -> Self {
        Self::with(SandboxOptions { quota: None, ..SandboxOptions::default() })
    }

    /// Without any record.
    fn empty() -> Self {
        Self::with(SandboxOptions { quota: None, seed: Seed::Empty, ..SandboxOptions::default() })
    }

    fn with(options: SandboxOptions) -> Self {
        // The client is built with TLS that nobody uses here, and wants to know whose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { sandbox: Sandbox::start(options).unwrap(), http, runtime }
    }

    /// A request with the right key.
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.stranger(method, path).bearer_auth("sandbox")
    }

    /// A request without a key.
    fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.sandbox.base_url()))
    }

    fn send(&self, request: RequestBuilder) -> Answer {
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let bytes = response.bytes().await.unwrap();
            let body = if bytes.is_empty() { Json::Null } else { serde_json::from_slice(&bytes).unwrap() };
            Answer { status, headers, body }
        })
    }

    fn get(&self, path: &str) -> Answer {
        self.send(self.ask(Method::GET, path))
    }

    fn post(&self, path: &str, body: Json) -> Answer {
        self.send(self.with_body(Method::POST, path, body))
    }

    fn put(&self, path: &str, body: Json) -> Answer {
        self.send(self.with_body(Method::PUT, path, body))
    }

    fn delete(&self, path: &str) -> Answer {
        self.send(self.ask(Method::DELETE, path))
    }

    fn with_body(&self, method: Method, path: &str, body: Json) -> RequestBuilder {
        self.ask(method, path).header(header::CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// Creates a record that must be accepted, and gives its id.
    fn made(&self, collection: &str, body: Json) -> i64 {
        let answer = self.post(&format!("/{collection}"), body);
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["id"].as_i64().unwrap()
    }

    /// The id of the only record whose `field` is `value`.
    fn id_of(&self, collection: &str, field: &str, value: &str) -> i64 {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair(field, value).finish();
        let answer = self.get(&format!("/{collection}?{query}"));
        let found = answer.body.as_array().expect("a list");
        assert_eq!(found.len(), 1, "{collection} with the {field} {value}");
        found[0]["id"].as_i64().unwrap()
    }

    fn record(&self, collection: &str, id: i64) -> Json {
        self.get(&format!("/{collection}/{id}")).accepted()
    }

    fn list(&self, path: &str) -> Vec<Json> {
        self.get(path).accepted().as_array().expect("a bare array").clone()
    }

    /// An asset that is ready to deploy.
    fn made_asset(&self, tag: &str) -> i64 {
        let product = self.id_of("products", "name", "Latitude 5450");
        let status = self.id_of("statuses", "name", "Ready to Deploy");
        self.made("assets", json!({"asset_id": tag, "product_id": product, "status_id": status}))
    }

    fn made_stock(&self, collection: &str, category: &str, quantity: i64) -> i64 {
        let category = self.id_of("categories", "name", category);
        self.made(collection, json!({"name": "thing", "quantity": quantity, "category_id": category}))
    }

    fn employee(&self) -> i64 {
        self.id_of("employees", "email", "ada.byron@example.com")
    }
}

impl Answer {
    /// The body of an answer that must be a success.
    fn accepted(self) -> Json {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    /// The fields to blame for a refusal with 422, in the order told.
    fn blamed(&self) -> Vec<String> {
        assert_eq!(self.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", self.body);
        assert!(self.body["message"].is_string(), "{}", self.body);
        let errors = self.body["errors"].as_object().expect("errors");
        errors.keys().cloned().collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
