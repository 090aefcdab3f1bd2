//! Why a request, a row's write, or the whole service failed.

use super::LedgerError;

/// Why a read failed, or the service as a whole cannot be used.
///
/// Each variant that belongs to one request names it in `what`, as in `GET assets`. No variant ever holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The base link would carry the key in the clear. Plain `http` is taken for this machine only.
    #[error("refusing to send the API key to `{url}` without encryption")]
    Insecure { url: String },
    /// The base link cannot be one.
    #[error("`{url}` cannot be a base link: {reason}")]
    BaseUrl { url: String, reason: &'static str },
    /// The encryption library could not be set up on this machine.
    #[error("could not set up secure connections: {cause}")]
    Setup { cause: String },
    /// The count of requests cannot be kept, so nothing is sent.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No connection: nothing was sent.
    #[error("could not reach `{host}`: {cause}")]
    Unreachable { host: String, cause: String },
    /// The request may have arrived, its answer did not.
    #[error("no answer to `{what}`: {cause}")]
    NoAnswer { what: String, cause: String },
    /// 401.
    #[error("the service does not accept the API key (401){}", said(message))]
    Unauthorized { message: String },
    /// 402 or 403 by the service itself.
    #[error("the service forbids `{what}` ({status}){}", said(message))]
    Forbidden { what: String, status: u16, message: String },
    /// 403 by something in front of the service, told by its HTML page.
    #[error("blocked before reaching the API ({status}){}", request_id.as_deref().map(|id| format!(", request id `{id}`")).unwrap_or_default())]
    Blocked { status: u16, request_id: Option<String> },
    /// The tenant is missing or not one of the key's.
    #[error("the service wants another tenant ({status}){}", said(message))]
    Tenant { status: u16, message: String },
    /// Redirects are never followed: the key goes to the base link and nowhere else.
    #[error("`{what}` was redirected ({status}){}", to.as_deref().map(|to| format!(" to `{to}`")).unwrap_or_default())]
    Redirected { what: String, status: u16, to: Option<String> },
    /// 5xx, still after several attempts.
    #[error("the service is out of order: `{what}` ({status}){}", said(message))]
    Unavailable { what: String, status: u16, message: String },
    /// Any other 4xx.
    #[error("the service refused `{what}` ({status}){}", said(message))]
    Refused { what: String, status: u16, message: String },
    /// A success whose body is not what it must be. Taking it for data would lose or invent rows.
    #[error("`{what}` was answered with something else than expected: {detail}")]
    Contract { what: String, detail: String },
}

/// The service's own words behind a message, where it had any.
fn said(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

impl ApiError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Insecure { .. } => "write the base link with `https://`",
            Self::BaseUrl { .. } => "give a link such as `https://app.bluetallyapp.com/api/v1`",
            Self::Setup { .. } => "see that the system's certificate store is installed",
            Self::Ledger(error) => return Some(error.hint()),
            Self::Unreachable { .. } => "check the network, the proxy and the base link, then run it again",
            Self::NoAnswer { .. } | Self::Unavailable { .. } => {
                "wait a little and run it again; `tallyport doctor` tells when the service is back"
            }
            Self::Unauthorized { .. } => "create a key under Settings > API Keys and set it as BLUETALLY_API_KEY",
            Self::Forbidden { .. } => "ask an administrator of the account for a key that may do this",
            Self::Blocked { .. } => {
                "run it from another network or slower (`--concurrency 1`), or show the request id to the service's support"
            }
            Self::Tenant { .. } => "give one of your tenants with `--tenant ID`; `tallyport doctor` lists them",
            Self::Redirected { .. } => "set `--base-url` to the link the service really has",
            Self::Refused { .. } => return None,
            Self::Contract { .. } => "see that `--base-url` is the API's link, ending in `/api/v1`",
        };
        Some(hint.to_owned())
    }

    /// The status the service answered with, where it answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized { .. } => Some(401),
            Self::Forbidden { status, .. }
            | Self::Blocked { status, .. }
            | Self::Tenant { status, .. }
            | Self::Redirected { status, .. }
            | Self::Unavailable { status, .. }
            | Self::Refused { status, .. } => Some(*status),
            Self::Insecure { .. }
            | Self::BaseUrl { .. }
            | Self::Setup { .. }
            | Self::Ledger(_)
            | Self::Unreachable { .. }
            | Self::NoAnswer { .. }
            | Self::Contract { .. } => None,
        }
    }

    /// Whether the same request may well succeed later: the service or the way to it is unwell, and nothing is wrong
    /// with what was asked.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::Contract { .. } | Self::Unavailable { .. } => true,
            Self::Blocked { .. } | Self::Redirected { .. } => true,
            Self::Refused { status, .. } => *status == 429,
            Self::Insecure { .. }
            | Self::BaseUrl { .. }
            | Self::Setup { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Tenant { .. }
            | Self::Ledger(_) => false,
        }
    }
}

/// What became of a write that did not succeed, as far as anyone can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It never arrived, or was turned away unread: sending it again doubles nothing.
    NotSent,
    /// The service read it and said no.
    Refused,
    /// It may have been done. Look before sending it again.
    Unknown,
}

/// How far a failure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This row; others may do well.
    Row,
    /// Every further request would fail alike: stop.
    Run,
}

/// A write that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WriteFailure {
    pub fate: Fate,
    /// The status of the last answer; none where none came.
    pub status: Option<u16>,
    /// What happened, for people: the service's own words where it had any.
    pub message: String,
    /// What the service said of single fields: field name and message.
    pub fields: Vec<(String, String)>,
    /// Whether only this row is meant, or the run should stop.
    pub stop: Scope,
    /// The failure as the whole run's, for the exit code and the hint. Always there where `stop` is [`Scope::Run`].
    pub cause: Option<Box<ApiError>>,
}

impl WriteFailure {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        self.cause.as_ref().and_then(|cause| cause.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;

    #[test]
    fn messages_say_what_and_where() {
        let what = || "GET assets".to_owned();
        let cases = [
            (ApiError::Unauthorized { message: String::new() }, "the service does not accept the API key (401)"),
            (
                ApiError::Blocked { status: 403, request_id: Some("8f-FRA".to_owned()) },
                "blocked before reaching the API (403), request id `8f-FRA`",
            ),
            (ApiError::Blocked { status: 403, request_id: None }, "blocked before reaching the API (403)"),
            (
                ApiError::Redirected { what: what(), status: 302, to: Some("https://example.com/login".to_owned()) },
                "`GET assets` was redirected (302) to `https://example.com/login`",
            ),
            (
                ApiError::Refused { what: what(), status: 400, message: "bad sort".to_owned() },
                "the service refused `GET assets` (400): bad sort",
            ),
        ];
        for (error, message) in cases {
            assert_eq!(error.to_string(), message);
        }
    }
}
