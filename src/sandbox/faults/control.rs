//! The control endpoint: lists and changes faults at run time.
//!
//! | request | effect |
//! |---|---|
//! | `GET /_control/faults` | lists the rules, and how many requests each has matched and fired on |
//! | `PUT /_control/faults` | replaces the rules by those in the body; counts and random draws restart |
//! | `POST /_control/faults` | appends the rules in the body |
//! | `DELETE /_control/faults` | removes all rules |
//!
//! A body is the text of rules, one per line, with any content type. All but `DELETE` reply like `GET`. The API key is
//! required. These requests do not count towards the quota, and faults do not apply to them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::store::StoreReply;
use super::error::FaultsError;
use super::layer::FaultLayer;
use super::rule_list::Faults;
use super::selector::{FaultSelector, RuleState};

/// The path of the endpoint, outside the API.
pub(in crate::sandbox) const CONTROL_PATH: &str = "/_control/faults";

impl FaultLayer {
    /// Replies to a request to the control endpoint.
    pub(in crate::sandbox) fn control(&self, method: &Method, body: &[u8]) -> Result<StoreReply, Refusal> {
        let mut selector = self.selector();
        match *method {
            Method::GET => {}
            Method::PUT => selector.replace(read(body)?.rules),
            Method::POST => selector.add(read(body)?.rules),
            Method::DELETE => {
                selector.replace(Vec::new());
                return Ok(StoreReply { status: StatusCode::NO_CONTENT, body: Vec::new() });
            }
            _ => {
                let message = format!("`{CONTROL_PATH}` cannot be called by `{method}`: use GET, PUT, POST or DELETE");
                return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message));
            }
        }
        Ok(StoreReply { status: StatusCode::OK, body: list_rules(&selector).to_string().into_bytes() })
    }
}

fn read(body: &[u8]) -> Result<Faults, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body is not UTF-8 text: send one rule per line"))?;
    text.parse().map_err(|error: FaultsError| {
        let message = format!("line {}: {error}; {}", error.line, error.hint());
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    })
}

fn list_rules(selector: &FaultSelector) -> Value {
    let listed =
        |state: &RuleState| json!({"rule": state.rule.to_string(), "matched": state.matched, "fired": state.fired});
    json!({"seed": selector.seed(), "rules": selector.rules().iter().map(listed).collect::<Vec<_>>()})
}
