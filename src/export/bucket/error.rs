//! Errors of uploads to a bucket, without secrets.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use object_store::client::HttpError;

use super::environment::{self, Credentials};
use super::url::{BucketUrl, StorageProvider};
use crate::error::{Diagnostic, ErrorKind};
use crate::redact::{Mask, TextKind, secrets_in};

/// Longest service message that is shown, in characters.
const MAX_MESSAGE: usize = 300;

/// Files that could not be uploaded, or keys that could not be listed or deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketError {
    #[error("cannot use the bucket `{root}`: {cause}")]
    Setup { root: String, provider: &'static StorageProvider, cause: String },

    /// The bucket refused a request; nothing in it was changed.
    #[error("{}", refusal.describe(root, provider))]
    Refused { root: String, provider: &'static StorageProvider, refusal: BucketRefusal },

    /// The bucket failed while the files were being published one by one.
    #[error(transparent)]
    PartialUpload(Box<PartialUpload>),

    #[error("cannot read `{}`: {source}", path.display())]
    File { path: PathBuf, source: io::Error },

    #[error("interrupted; nothing in the bucket was changed")]
    Interrupted,
}

/// An export of which only some files were published.
#[derive(Debug, thiserror::Error)]
#[error(
    "the bucket failed halfway: new: {}; unknown: `{uncertain}`; unchanged: {}: {}",
    list_urls(published), list_urls(unchanged), refusal.describe(root, provider)
)]
pub(crate) struct PartialUpload {
    pub root: String,
    pub provider: &'static StorageProvider,
    /// URLs of the files that are new.
    pub published: Vec<String>,
    /// URL of the file whose publication was refused or got no response.
    pub uncertain: String,
    /// URLs of the files that are as before.
    pub unchanged: Vec<String>,
    pub refusal: BucketRefusal,
}

/// Why the bucket refused a request or could not be reached. The texts contain no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BucketRefusal {
    NoBucket,
    NoCredentials { cause: String },
    NotAllowed { message: String },
    Unreachable { cause: String },
    Other { message: String },
}

impl BucketRefusal {
    fn describe(&self, root: &str, provider: &StorageProvider) -> String {
        match self {
            BucketRefusal::NoBucket => format!("bucket `{root}` does not exist"),
            BucketRefusal::NoCredentials { cause } => format!(
                "no credentials for the bucket `{root}`: none of {} is set, and this machine has no instance \
                 credentials ({cause})",
                provider.credentials.join(", ")
            ),
            BucketRefusal::NotAllowed { message } => format!("access to the bucket `{root}` was denied: {message}"),
            BucketRefusal::Unreachable { cause } => format!("cannot reach the bucket `{root}`: {cause}"),
            BucketRefusal::Other { message } => format!("the bucket `{root}` refused the request: {message}"),
        }
    }

    fn hint(&self, provider: &StorageProvider) -> String {
        match self {
            BucketRefusal::NoBucket => {
                format!("create it first, or check its name and {}", provider.settings.join(", "))
            }
            BucketRefusal::NoCredentials { .. } => String::from("set the variables for your way of signing in"),
            BucketRefusal::NotAllowed { .. } => {
                String::from("check that the credentials in the environment may write, list and delete there")
            }
            BucketRefusal::Unreachable { .. } => {
                format!("check the network, and {}", provider.settings.join(", "))
            }
            BucketRefusal::Other { .. } => format!("check {}, or try again", provider.settings.join(", ")),
        }
    }
}

impl BucketError {
    /// The error for a refused request that changed nothing in the bucket.
    pub(super) fn refused(url: &BucketUrl, credentials: Credentials, error: &object_store::Error) -> Self {
        let refusal = refusal(url.provider, credentials, error);
        Self::Refused { root: url.root.clone(), provider: url.provider, refusal }
    }

    pub(super) fn setup(url: &BucketUrl, cause: &str) -> Self {
        // `object_store` starts its messages with `Generic S3 error: `.
        let cause = cause.split_once(" error: ").map_or(cause, |(_, cause)| cause);
        Self::Setup { root: url.root.clone(), provider: url.provider, cause: sanitize(url.provider, cause) }
    }
}

pub(super) fn refusal(
    provider: &StorageProvider,
    credentials: Credentials,
    error: &object_store::Error,
) -> BucketRefusal {
    use object_store::Error;
    let message = service_message(provider, error);
    match error {
        Error::NotFound { .. } => BucketRefusal::NoBucket,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => BucketRefusal::NotAllowed { message },
        _ if credentials == Credentials::NotConfigured => BucketRefusal::NoCredentials { cause: message },
        _ if causes(error).any(|cause| cause.is::<HttpError>()) => BucketRefusal::Unreachable { cause: message },
        _ => BucketRefusal::Other { message },
    }
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn StdError + 'static)| (*error).source())
}

/// The message of the innermost error. Outer errors repeat it together with URLs, which may contain a signature.
fn service_message(provider: &StorageProvider, error: &object_store::Error) -> String {
    let innermost = causes(error).last().map(ToString::to_string).unwrap_or_default();
    let message = match innermost.split_once("status code: ") {
        Some((_, body)) => parse_error_body(body),
        None => innermost,
    };
    sanitize(provider, &message)
}

/// The first line of a message, without the secrets in the environment.
fn sanitize(provider: &StorageProvider, message: &str) -> String {
    let values = provider.secrets.iter().filter_map(|name| environment::read(name));
    let secrets: Vec<String> = values.flat_map(|value| secrets_in(&value)).collect();
    let message = Mask::new(secrets.iter().map(String::as_str)).apply(message, TextKind::Message).into_owned();
    message.lines().next().unwrap_or_default().trim().chars().take(MAX_MESSAGE).collect()
}

/// Code and message of `403 Forbidden: <Error><Code>..</Code><Message>..</Message></Error>`.
fn parse_error_body(body: &str) -> String {
    let part = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim())
    };
    let status = body.split(':').next().unwrap_or_default();
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => status.to_owned(),
    }
}

fn list_urls(urls: &[String]) -> String {
    if urls.is_empty() {
        return String::from("none");
    }
    urls.iter().map(|url| format!("`{url}`")).collect::<Vec<_>>().join(", ")
}

impl Diagnostic for BucketError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Setup { provider, .. } => {
                Some(format!("check {}", [provider.settings, provider.credentials].concat().join(", ")))
            }
            Self::Refused { provider, refusal, .. } => Some(refusal.hint(provider)),
            Self::PartialUpload(_) => Some(String::from("run the export again; it replaces every file")),
            Self::File { .. } | Self::Interrupted => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Setup { .. } | Self::File { .. } => ErrorKind::Usage,
            Self::Refused { refusal: BucketRefusal::NoCredentials { .. }, .. } => ErrorKind::Usage,
            Self::Refused { .. } | Self::PartialUpload(_) => ErrorKind::Refused,
            Self::Interrupted => ErrorKind::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::url::{AZURE, S3};
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("Error performing PUT https://x.example/?sig=hush in 3ms - {0}")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Inner(&'static str);

    fn generic(words: &'static str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: Box::new(Outer(Inner(words))) }
    }

    #[test]
    fn a_service_message_is_shown_without_its_url() {
        let error = generic(
            "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>\
             <Message>Access Denied.\nRequestId:1</Message><StringToSign>hush</StringToSign></Error>",
        );
        let message = service_message(&S3, &error);
        assert_eq!(message, "AccessDenied: Access Denied.");
        assert_eq!(
            service_message(&AZURE, &generic("Server returned non-2xx status code: 502 Bad Gateway: <html>")),
            "502 Bad Gateway"
        );
        assert_eq!(service_message(&S3, &generic("connection closed")), "connection closed");
    }

    #[test]
    fn without_credentials_the_variables_are_named() {
        let url = BucketUrl::parse("s3://bucket/path/");
        let Ok(url) = url else { panic!("{url:?}") };
        let error = BucketError::refused(&url, Credentials::NotConfigured, &generic("timed out"));
        let message = error.to_string();
        assert!(message.contains("AWS_ACCESS_KEY_ID") && message.contains("timed out"), "{message}");
        let refusal = refusal(&S3, Credentials::Configured, &generic("odd"));
        assert_eq!(refusal, BucketRefusal::Other { message: String::from("odd") });
    }
}
