//! Why a bucket did not take an export, in the user's words and without a secret.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use object_store::client::HttpError;

use super::environment::{self, Access};
use super::url::{BucketUrl, Cloud};
use crate::error::{Diagnostic, ErrorKind};

/// What is shown of a service's own words.
const LONGEST_WORDS: usize = 300;
/// Shorter values of variables are switches.
const SHORTEST_SECRET: usize = 8;

/// Files that did not get into a bucket, or keys that could not be read or deleted there.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The environment does not say enough, or contradicts itself.
    #[error("the bucket `{root}` cannot be used: {cause}")]
    Setup { root: String, cloud: &'static Cloud, cause: String },

    /// Nothing in the bucket is another than before.
    #[error("{}", refusal.told(root, cloud))]
    Refused { root: String, cloud: &'static Cloud, refusal: Refusal },

    /// The bucket failed while the files were made visible one by one.
    #[error(transparent)]
    Torn(Box<Torn>),

    /// The file that was to be sent.
    #[error("cannot read `{}`: {source}", path.display())]
    File { path: PathBuf, source: io::Error },

    #[error("interrupted; nothing in the bucket was changed")]
    Interrupted,
}

/// An export of which only some files are new.
#[derive(Debug, thiserror::Error)]
#[error(
    "the bucket failed halfway: new {}; whether `{uncertain}` is, is not known; {}: {}",
    listed(stand), older(missing), refusal.told(root, cloud)
)]
pub struct Torn {
    pub root: String,
    pub cloud: &'static Cloud,
    /// The URLs of what is new.
    pub stand: Vec<String>,
    /// That of which the bucket refused, or did not answer.
    pub uncertain: String,
    /// Those of what is as it was before.
    pub missing: Vec<String>,
    pub refusal: Refusal,
}

/// What a bucket said, or what kept it from saying anything. The texts are free of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NoBucket,
    NoCredentials { cause: String },
    NotAllowed { said: String },
    Unreachable { cause: String },
    Other { said: String },
}

impl Refusal {
    fn told(&self, root: &str, cloud: &Cloud) -> String {
        match self {
            Refusal::NoBucket => format!("there is no bucket `{root}`"),
            Refusal::NoCredentials { cause } => format!(
                "there are no credentials for the bucket `{root}`: none of {} is set, and this machine has none of its \
                 own ({cause})",
                cloud.credentials.join(", ")
            ),
            Refusal::NotAllowed { said } => format!("the bucket `{root}` does not let us: {said}"),
            Refusal::Unreachable { cause } => format!("the bucket `{root}` cannot be reached: {cause}"),
            Refusal::Other { said } => format!("the bucket `{root}` refused: {said}"),
        }
    }

    fn hint(&self, cloud: &Cloud) -> String {
        match self {
            Refusal::NoBucket => {
                let settings = cloud.settings.join(", ");
                format!("make it first, or see the name, and what {settings} say")
            }
            Refusal::NoCredentials { .. } => String::from("set the variables that fit how you sign in there"),
            Refusal::NotAllowed { .. } => String::from(
                "see that the credentials in the environment are right, and may write, list and delete there",
            ),
            Refusal::Unreachable { .. } => {
                format!("see the network, and what {} say", cloud.settings.join(", "))
            }
            Refusal::Other { .. } => format!("see what {} say, or try again", cloud.settings.join(", ")),
        }
    }
}

impl BucketError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        match self {
            BucketError::Setup { cloud, .. } => {
                Some(format!("see {}", [cloud.settings, cloud.credentials].concat().join(", ")))
            }
            BucketError::Refused { cloud, refusal, .. } => Some(refusal.hint(cloud)),
            BucketError::Torn(_) => Some(String::from("export again: it writes every file anew")),
            BucketError::File { .. } | BucketError::Interrupted => None,
        }
    }

    /// What `error` means for this bucket, where nothing in it was changed.
    pub(super) fn refused(url: &BucketUrl, access: Access, error: &object_store::Error) -> Self {
        let refusal = refusal(url.cloud, access, error);
        Self::Refused { root: url.root.clone(), cloud: url.cloud, refusal }
    }

    pub(super) fn setup(url: &BucketUrl, cause: &str) -> Self {
        // `object_store` sets `Generic S3 error: ` before what it has to say.
        let cause = cause.split_once(" error: ").map_or(cause, |(_, cause)| cause);
        Self::Setup { root: url.root.clone(), cloud: url.cloud, cause: told(url.cloud, cause) }
    }
}

pub(super) fn refusal(cloud: &Cloud, access: Access, error: &object_store::Error) -> Refusal {
    use object_store::Error;
    let said = said(cloud, error);
    match error {
        Error::NotFound { .. } => Refusal::NoBucket,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Refusal::NotAllowed { said },
        _ if access == Access::NotGiven => Refusal::NoCredentials { cause: said },
        _ if causes(error).any(|cause| cause.is::<HttpError>()) => Refusal::Unreachable { cause: said },
        _ => Refusal::Other { said },
    }
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn StdError + 'static)| (*error).source())
}

/// The words at the bottom of an error. Those above it repeat them beside URLs, which may hold a signature.
fn said(cloud: &Cloud, error: &object_store::Error) -> String {
    let innermost = causes(error).last().map(ToString::to_string).unwrap_or_default();
    let words = match innermost.split_once("status code: ") {
        Some((_, answer)) => answer_told(answer),
        None => innermost,
    };
    told(cloud, &words)
}

/// The first line of what was said, without what is secret.
fn told(cloud: &Cloud, words: &str) -> String {
    let words = words.lines().next().unwrap_or_default().trim();
    let words = without_secrets(words, cloud.secrets.iter().filter_map(|name| environment::read(name)));
    words.chars().take(LONGEST_WORDS).collect()
}

/// `403 Forbidden: <Error><Code>..</Code><Message>..</Message></Error>`, without what else stands in it.
fn answer_told(answer: &str) -> String {
    let part = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim())
    };
    let status = answer.split(':').next().unwrap_or_default();
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => status.to_owned(),
    }
}

fn without_secrets(words: &str, secrets: impl Iterator<Item = String>) -> String {
    secrets
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .fold(words.to_owned(), |words, secret| words.replace(&secret, "***"))
}

/// `are A, B`, or `is nothing`.
fn listed(urls: &[String]) -> String {
    let quoted: Vec<String> = urls.iter().map(|url| format!("`{url}`")).collect();
    match quoted.as_slice() {
        [] => String::from("is nothing"),
        [one] => format!("is {one}"),
        several => format!("are {}", several.join(", ")),
    }
}

fn older(missing: &[String]) -> String {
    match missing {
        [] => String::from("no others were to come"),
        missing => format!("as before {}", listed(missing)),
    }
}

impl Diagnostic for BucketError {
    fn hint(&self) -> Option<String> {
        BucketError::hint(self)
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Setup { .. } | Self::File { .. } => ErrorKind::Usage,
            Self::Refused { refusal: Refusal::NoCredentials { .. }, .. } => ErrorKind::Usage,
            Self::Refused { .. } | Self::Torn(_) => ErrorKind::Refused,
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
    fn the_words_of_a_bucket_are_told_without_its_url() {
        let error = generic(
            "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>\
             <Message>Access Denied.\nRequestId:1</Message><StringToSign>hush</StringToSign></Error>",
        );
        let words = said(&S3, &error);
        assert_eq!(words, "AccessDenied: Access Denied.");
        assert_eq!(
            said(&AZURE, &generic("Server returned non-2xx status code: 502 Bad Gateway: <html>")),
            "502 Bad Gateway"
        );
        assert_eq!(said(&S3, &generic("connection closed")), "connection closed");
    }

    #[test]
    fn what_the_environment_keeps_secret_is_struck_out() {
        let secrets = ["Zm9vYmFy0000".to_owned(), "true".to_owned()];
        let words = without_secrets("true is that Zm9vYmFy0000 does not match", secrets.into_iter());
        assert_eq!(words, "true is that *** does not match");
    }

    #[test]
    fn without_credentials_the_variables_are_named() {
        let url = BucketUrl::parse("s3://bucket/path/");
        let Ok(url) = url else { panic!("{url:?}") };
        let error = BucketError::refused(&url, Access::NotGiven, &generic("timed out"));
        let told = error.to_string();
        assert!(told.contains("AWS_ACCESS_KEY_ID") && told.contains("timed out"), "{told}");
        let refusal = refusal(&S3, Access::Given, &generic("odd"));
        assert_eq!(refusal, Refusal::Other { said: String::from("odd") });
    }
}
