//! The control endpoint: faults seen and changed while the sandbox runs.
//!
//! | call | does |
//! |---|---|
//! | `GET /_control/faults` | tells the rules in force, and how many requests each has matched and struck |
//! | `PUT /_control/faults` | puts the rules of the body in their place; counts and draws start anew |
//! | `POST /_control/faults` | adds the rules of the body behind them |
//! | `DELETE /_control/faults` | takes all away |
//!
//! A body is the text of rules, one a line, whatever its content type. All but `DELETE` answer as `GET` does. The key
//! is asked for as everywhere; the quota does not count these calls, and no fault strikes them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::store::StoreReply;
use super::selector::{FaultSelector, RuleState};
use super::{FaultLayer, Faults};

/// Where the endpoint is, outside the API.
pub(in super::super) const CONTROL_PATH: &str = "/_control/faults";

impl FaultLayer {
    /// Answers a call of the control endpoint.
    pub(in super::super) fn control(&self, method: &Method, body: &[u8]) -> Result<StoreReply, Refusal> {
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
        Ok(StoreReply { status: StatusCode::OK, body: listed(&selector).to_string().into_bytes() })
    }
}

fn read(body: &[u8]) -> Result<Faults, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body is not text in UTF-8: send one rule a line"))?;
    text.parse().map_err(|error: super::FaultsError| {
        let message = format!("line {}: {error}; {}", error.line, error.hint());
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    })
}

fn listed(selector: &FaultSelector) -> Value {
    let listed =
        |state: &RuleState| json!({"rule": state.rule.to_string(), "matched": state.matched, "fired": state.fired});
    json!({"seed": selector.seed(), "rules": selector.rules().iter().map(listed).collect::<Vec<_>>()})
}
