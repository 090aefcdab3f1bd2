//! Remarks: what the user should know about a run, though it makes no row fail.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A notice to the user, with a stable code for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredRemark")]
pub struct Remark {
    /// Stable and searchable, for example `money.symbol`.
    pub code: Cow<'static, str>,
    pub message: String,
}

impl Remark {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into() }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// The stored forms: journals of version 0.1 have only the text.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredRemark {
    Text(String),
    Coded { code: String, message: String },
}

impl From<StoredRemark> for Remark {
    fn from(stored: StoredRemark) -> Self {
        match stored {
            StoredRemark::Text(message) => Self::new("run.note", message),
            StoredRemark::Coded { code, message } => Self { code: Cow::Owned(code), message },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Remark;

    #[test]
    fn remarks_are_read_as_written_and_as_older_journals_have_them() {
        let remark = Remark::new("money.symbol", "`$` may be several currencies");
        let stored = serde_json::to_string(&remark).unwrap();
        assert_eq!(stored, r#"{"code":"money.symbol","message":"`$` may be several currencies"}"#);
        assert_eq!(serde_json::from_str::<Remark>(&stored).unwrap(), remark);
        assert_eq!(serde_json::from_str::<Remark>(r#""old""#).unwrap(), Remark::new("run.note", "old"));
    }
}
