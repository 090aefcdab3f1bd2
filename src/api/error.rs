//! Errors of a read, of a write, or of the service as a whole.

use super::shared_quota::SharedQuotaError;
use crate::error::{Diagnostic, ErrorKind};

/// Why a read failed, or the service as a whole cannot be used.
///
/// Variants that concern one request name it in `what`, as in `GET assets`. No variant contains the API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The base URL would send the key unencrypted. Plain `http` is accepted for this machine only.
    #[error("refusing to send the API key to `{url}` without encryption")]
    Insecure { url: String },
    /// The base URL is invalid.
    #[error("invalid base URL `{url}`: {reason}")]
    BaseUrl { url: String, reason: &'static str },
    /// The TLS library could not be set up on this machine.
    #[error("could not set up secure connections: {cause}")]
    Setup { cause: String },
    /// Requests cannot be counted, so none is sent.
    #[error(transparent)]
    SharedQuota(#[from] SharedQuotaError),
    /// No connection: nothing was sent.
    #[error("could not reach `{host}`: {cause}")]
    Unreachable { host: String, cause: String },
    /// The request may have arrived; its response did not.
    #[error("no response to `{what}`: {cause}")]
    NoResponse { what: String, cause: String },
    /// 401.
    #[error("the service does not accept the API key (401){}", detail(message))]
    Unauthorized {
        message: String,
        /// Where the key comes from: "from BLUETALLY_API_KEY". None where the program does not say.
        key_origin: Option<String>,
    },
    /// 402 or 403 from the service itself.
    #[error("forbidden for this API key: `{what}` ({status}){}", detail(message))]
    Forbidden { what: String, status: u16, message: String },
    /// 403 from something in front of the service, recognized by its HTML page.
    #[error("blocked before reaching the API ({status}){}", request_id.as_deref().map(|id| format!(", request id `{id}`")).unwrap_or_default())]
    Blocked { status: u16, request_id: Option<String> },
    /// The tenant is missing or not one of the key's.
    #[error("this API key cannot access the tenant ({status}){}", detail(message))]
    Tenant { status: u16, message: String },
    /// Redirects are never followed: the key is sent to the base URL and nowhere else.
    #[error("`{what}` was redirected ({status}){}", to.as_deref().map(|to| format!(" to `{to}`")).unwrap_or_default())]
    Redirected { what: String, status: u16, to: Option<String> },
    /// 5xx, even after several attempts.
    #[error("server error: `{what}` ({status}){}", detail(message))]
    Unavailable { what: String, status: u16, message: String },
    /// Any other 4xx.
    #[error("the service refused `{what}` ({status}){}", detail(message))]
    Refused { what: String, status: u16, message: String },
    /// A success whose body is not what it must be. Treating it as data would lose or invent rows.
    #[error("unexpected response to `{what}`: {detail}")]
    Contract { what: String, detail: String },
}

/// What the service said, appended to a message.
fn detail(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

impl ApiError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Insecure { .. } => "use a base URL that starts with `https://`",
            Self::BaseUrl { .. } => "use a base URL such as `https://app.bluetallyapp.com/api/v1`",
            Self::Setup { .. } => "check that the system's certificate store is installed",
            Self::SharedQuota(error) => return Some(error.hint()),
            Self::Unreachable { .. } => "check the network, the proxy and the base URL, then try again",
            Self::NoResponse { .. } | Self::Unavailable { .. } => {
                "try again later; `tallyport doctor` shows whether the service is back"
            }
            Self::Unauthorized { key_origin: Some(origin), .. } => {
                return Some(format!("create a key under Settings > API Keys; the one in use is {origin}"));
            }
            Self::Unauthorized { key_origin: None, .. } => "create a key under Settings > API Keys and use it",
            Self::Forbidden { .. } => "ask an administrator of the account for a key with this permission",
            Self::Blocked { .. } => {
                "try another network or a lower rate (`--concurrency 1`), or give the request id to the service's support"
            }
            Self::Tenant { .. } => {
                "set one of your tenants with `--tenant ID`, or none where the account has none; `tallyport doctor` \
                 lists them"
            }
            Self::Redirected { .. } => "set `--base-url` to the URL the service redirects to",
            Self::Refused { status: 404, .. } => {
                "there is no such address; check that `--base-url` is the API's URL, ending in `/api/v1`"
            }
            Self::Refused { status: 429, .. } => {
                "try again later; other programs with the same key use up the same quota"
            }
            Self::Refused { .. } => return None,
            Self::Contract { .. } => "check that `--base-url` is the API's URL, ending in `/api/v1`",
        };
        Some(hint.to_owned())
    }

    /// The status of the response, if there was one.
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
            | Self::SharedQuota(_)
            | Self::Unreachable { .. }
            | Self::NoResponse { .. }
            | Self::Contract { .. } => None,
        }
    }

    /// Whether the service does not offer what was asked for: not to this key, or not at all.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::Refused { status: 404, .. })
    }

    /// Whether the same request may succeed later: the service or the network is failing, and nothing is wrong with the
    /// request.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoResponse { .. } | Self::Contract { .. } | Self::Unavailable { .. } => {
                true
            }
            Self::Blocked { .. } | Self::Redirected { .. } => true,
            Self::Refused { status, .. } => *status == 429,
            Self::Insecure { .. }
            | Self::BaseUrl { .. }
            | Self::Setup { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Tenant { .. }
            | Self::SharedQuota(_) => false,
        }
    }
}

/// What became of a write that did not succeed, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It never arrived, or was rejected unread: sending it again creates no duplicate.
    NotSent,
    /// The service read it and rejected it.
    Refused,
    /// It may have been applied. Check before sending it again.
    Unknown,
    /// The service reported a failure with a success status: probably not applied. Check, and do not send it again.
    ReportedFailure,
}

/// How far a failure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureScope {
    /// This row; others may succeed.
    Row,
    /// Every further request would fail the same way: stop.
    Run,
}

/// A write that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WriteFailure {
    pub outcome: WriteOutcome,
    /// The status of the last response; none if there was none.
    pub status: Option<u16>,
    /// What happened, for people: the service's own message if it sent one.
    pub message: String,
    /// What the service said about single fields: field name and message. Under an empty name, what it said beside them.
    pub fields: Vec<(String, String)>,
    /// Whether only this row failed, or the run should stop.
    pub scope: FailureScope,
    /// The failure as an error of the whole run, for the exit code and the hint. Always set if `scope` is
    /// [`FailureScope::Run`].
    pub cause: Option<Box<ApiError>>,
}

impl WriteFailure {
    /// Whether something in front of the service answered with a page instead: it may dislike this one request.
    pub fn is_blocked(&self) -> bool {
        matches!(self.cause.as_deref(), Some(ApiError::Blocked { .. }))
    }

    /// Whether the service itself says that the write is not allowed (403): to this key, or of this record, which a
    /// directory may own (field notes).
    pub fn is_forbidden(&self) -> bool {
        matches!(self.cause.as_deref(), Some(ApiError::Forbidden { status: 403, .. }))
    }

    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        self.cause.as_ref().and_then(|cause| cause.hint())
    }
}

impl Diagnostic for ApiError {
    fn hint(&self) -> Option<String> {
        ApiError::hint(self)
    }

    fn kind(&self) -> ErrorKind {
        match self {
            // The base URL itself is wrong, or this machine: nothing was asked of the service.
            Self::Insecure { .. } | Self::BaseUrl { .. } | Self::Setup { .. } | Self::SharedQuota(_) => {
                ErrorKind::Usage
            }
            _ => ErrorKind::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;

    #[test]
    fn messages_say_what_and_where() {
        let what = || "GET assets".to_owned();
        let cases = [
            (
                ApiError::Unauthorized { message: String::new(), key_origin: None },
                "the service does not accept the API key (401)",
            ),
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
