//! Replies that no service should send.

use super::super::error_body::ErrorBody;
use super::super::raw::{RawFields, RawPage};
use super::super::response::{self, Response};
use super::super::response_headers::ResponseHeaders;
use super::entity;

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_replies() {
    let inputs: [&[u8]; 6] = [
        br#"[{"id":7,"asset_id":"A-1","updated_at":"2024-05-01T12:34:56.789Z","custom_fields":[{"name":"Rack"}]},{"id":"8"}]"#,
        br#"{"data":{"asset":{"id":7,"deployed_to":{"employee_id":3}}},"success":true}"#,
        br#"{"message":"2 fields are wrong","errors":{"asset_id":["is taken"],"cost":"must be a number"}}"#,
        br#"{"tenants":[{"id":1,"name":"A"}]}"#,
        b"<!DOCTYPE html><html><head><title>Blocked</title></head></html>",
        b"\"a \\ud83d text\"",
    ];
    let words =
        ["{}", "[]", "null", "\"id\":", "\\u0000", "\\ud800", "[[[[[[[[", "{\"a\":", "1e999", "true", ",", "<title>"];
    crate::fuzz::each_mutation(&inputs, &words, 1, |bytes| {
        let mut body = bytes.to_vec();
        super::super::surrogates::repair(&mut body);
        for status in [200, 201, 302, 401, 404, 422, 500] {
            let answer = || Response::new(status, ResponseHeaders::default(), body.clone());
            let assets = entity("assets");
            let _ = response::raw_list("GET assets", answer());
            let _ = response::record("GET assets/7", assets, &answer());
            let _ = response::tenants("GET tenants", &answer());
            let _ = response::written("PUT assets/7", assets, Some(7), &answer());
            let _ = response::written("POST assets", assets, None, &answer());
            let _ = ErrorBody::read(&body, status == 500);
        }
        let Ok(page) = RawPage::read(body) else { return };
        for record in page.records() {
            let _ = RawFields::of(record.json);
        }
    });
}
