//! Refusals: a status, a message, and the errors of each field.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde_json::{Value, json};

#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    message: Cow<'static, str>,
    errors: FieldErrors,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), errors: FieldErrors::default() }
    }

    /// The refusal for a single invalid field.
    pub(super) fn field(field: &str, error: impl Into<String>) -> Self {
        let errors = FieldErrors(vec![(field.to_owned(), vec![error.into()])]);
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, message: errors.summary().into(), errors }
    }

    /// The body of the reply: `{"message": ..}`, with `"errors": {"field": [".."]}` if fields are invalid.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = json!({ "message": self.message });
        if !self.errors.is_empty() {
            let fields = self.errors.0.iter().map(|(field, errors)| (field.clone(), json!(errors)));
            body["errors"] = Value::Object(fields.collect());
        }
        body.to_string().into_bytes()
    }
}

/// The errors of each field, in the order they were found. A refusal lists all of them at once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct FieldErrors(Vec<(String, Vec<String>)>);

impl FieldErrors {
    pub(super) fn add(&mut self, field: &str, error: impl Into<String>) {
        match self.0.iter_mut().find(|(name, _)| name == field) {
            Some((_, errors)) => errors.push(error.into()),
            None => self.0.push((field.to_owned(), vec![error.into()])),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }

    /// Refuses the request if there are any errors.
    pub(super) fn refuse(self) -> Result<(), Refusal> {
        if self.is_empty() {
            return Ok(());
        }
        Err(Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, message: self.summary().into(), errors: self })
    }

    fn summary(&self) -> String {
        match &self.0[..] {
            [(field, errors)] => format!("`{field}` {}", errors.join(", ")),
            several => format!("{} fields are wrong", several.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_errors_stand_under_their_fields() {
        let mut errors = FieldErrors::default();
        errors.add("name", "is required");
        errors.add("quantity", "is not an integer");
        errors.add("name", "is unloved");
        let refusal = errors.refuse().unwrap_err();
        let body: Value = serde_json::from_slice(&refusal.body()).unwrap();
        let expected = json!({
            "message": "2 fields are wrong",
            "errors": {"name": ["is required", "is unloved"], "quantity": ["is not an integer"]},
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn no_error_is_no_refusal() {
        assert!(FieldErrors::default().refuse().is_ok());
    }
}
