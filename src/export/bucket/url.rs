//! Bucket URLs, and the storage providers with their environment variables.

use std::fmt;

use crate::error::Diagnostic;

/// A storage provider.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StorageProvider {
    pub name: &'static str,
    /// The schemes of its URLs.
    pub schemes: &'static [&'static str],
    /// An example URL.
    pub example: &'static str,
    /// Variables that hold credentials, or say where to get them.
    pub credentials: &'static [&'static str],
    /// Variables that hold a secret, with all their aliases.
    pub secrets: &'static [&'static str],
    /// Variables that select the account, region or endpoint.
    pub settings: &'static [&'static str],
    /// Variables that hold an endpoint URL, with all their aliases.
    pub endpoints: &'static [&'static str],
    /// Variables that become part of a host name.
    pub words: &'static [&'static str],
    /// The variable that allows endpoints without TLS.
    pub allow_http: &'static str,
}

/// Amazon S3, and compatible services (MinIO, R2, Ceph, Backblaze and others) through AWS_ENDPOINT_URL.
pub(super) static S3: StorageProvider = StorageProvider {
    name: "S3",
    schemes: &["s3", "s3a"],
    example: "s3://bucket/path/",
    credentials: &[
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SKIP_SIGNATURE",
    ],
    secrets: &["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN"],
    settings: &["AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"],
    endpoints: &["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"],
    words: &["AWS_REGION", "AWS_DEFAULT_REGION"],
    allow_http: "AWS_ALLOW_HTTP",
};

pub(super) static AZURE: StorageProvider = StorageProvider {
    name: "Azure",
    schemes: &["az", "azure", "abfs", "abfss"],
    example: "az://container/path/",
    credentials: &[
        "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_TOKEN", "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_USE_AZURE_CLI", "AZURE_SKIP_SIGNATURE",
    ],
    secrets: &[
        "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_MASTER_KEY", "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET",
    ],
    settings: &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_TENANT_ID", "AZURE_ENDPOINT", "AZURE_ALLOW_HTTP"],
    endpoints: &["AZURE_ENDPOINT", "AZURE_STORAGE_ENDPOINT"],
    words: &["AZURE_STORAGE_ACCOUNT_NAME"],
    allow_http: "AZURE_ALLOW_HTTP",
};

pub(super) static GOOGLE: StorageProvider = StorageProvider {
    name: "Google",
    schemes: &["gs"],
    example: "gs://bucket/path/",
    credentials: &[
        "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_BEARER_TOKEN", "GOOGLE_SKIP_SIGNATURE",
    ],
    secrets: &["GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_BEARER_TOKEN"],
    settings: &["GOOGLE_BASE_URL", "GOOGLE_ALLOW_HTTP"],
    endpoints: &["GOOGLE_BASE_URL"],
    words: &[],
    allow_http: "GOOGLE_ALLOW_HTTP",
};

static PROVIDERS: [&StorageProvider; 3] = [&S3, &AZURE, &GOOGLE];

/// The variables that hold a secret, by provider.
pub(crate) static SECRET_VARIABLES: [&[&str]; 3] = [S3.secrets, AZURE.secrets, GOOGLE.secrets];

/// A key or folder in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketUrl {
    pub provider: &'static StorageProvider,
    /// Scheme and bucket, as in `s3://bucket`; `abfss://container@account.dfs.core.windows.net` names more.
    pub root: String,
    /// The text after the bucket, taken literally: no escape sequences, no leading slash. A trailing slash makes it a
    /// folder.
    pub key: String,
}

/// An invalid bucket URL. The URL itself is not shown, because it may contain a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BucketUrlError {
    #[error("unsupported bucket URL scheme")]
    UnsupportedScheme,
    #[error("the bucket name is missing or invalid")]
    InvalidBucket,
    #[error("the bucket URL contains credentials")]
    ContainsCredentials,
    #[error("the path in the bucket contains an empty part, `.` or `..`")]
    InvalidPath,
}

/// Writing to a bucket in a build without the feature `buckets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this build cannot write to buckets: the feature `buckets` is missing")]
pub(crate) struct BucketsNotBuilt;

impl Diagnostic for BucketsNotBuilt {
    fn hint(&self) -> Option<String> {
        let hint = "use a released tallyport, build with `--features buckets`, or name a file or a folder";
        Some(hint.to_owned())
    }
}

impl Diagnostic for BucketUrlError {
    fn hint(&self) -> Option<String> {
        let examples = PROVIDERS.map(|provider| provider.example).join(", ");
        Some(match self {
            BucketUrlError::UnsupportedScheme => {
                format!("use {examples}, or abfss://container@account.dfs.core.windows.net/path/")
            }
            BucketUrlError::InvalidBucket => {
                format!("use {examples}; a bucket name has letters, digits, `-`, `_` and `.`")
            }
            BucketUrlError::ContainsCredentials => String::from(
                "remove them: other users can read a command line; set the provider's environment variables instead",
            ),
            BucketUrlError::InvalidPath => String::from("separate the parts of the path with a single `/`"),
        })
    }
}

/// Whether a destination is a URL and not a path.
pub(crate) fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        // A single letter is a Windows drive.
        scheme.len() > 1 && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    })
}

impl BucketUrl {
    /// Parses a bucket URL.
    ///
    /// # Errors
    /// Text that is not a bucket URL, or that contains credentials.
    pub(crate) fn parse(text: &str) -> Result<Self, BucketUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(BucketUrlError::UnsupportedScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let provider = PROVIDERS
            .into_iter()
            .find(|provider| provider.schemes.contains(&scheme.as_str()))
            .ok_or(BucketUrlError::UnsupportedScheme)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        // A SAS signature, which Azure puts after a question mark, or `key:secret@bucket`.
        let has_user = bucket.contains('@') && (bucket.contains(':') || provider != &AZURE);
        if rest.contains('?') || has_user {
            return Err(BucketUrlError::ContainsCredentials);
        }
        let is_name_char = |char: char| char.is_ascii_alphanumeric() || "-_.@".contains(char);
        if bucket.is_empty() || !bucket.chars().all(is_name_char) {
            return Err(BucketUrlError::InvalidBucket);
        }
        let path = key.strip_suffix('/').unwrap_or(key);
        let is_invalid = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
        if !path.is_empty() && path.split('/').any(is_invalid) {
            return Err(BucketUrlError::InvalidPath);
        }
        let key = if path.is_empty() { String::new() } else { key.to_owned() };
        Ok(Self { provider, root: format!("{scheme}://{bucket}"), key })
    }

    /// Whether it is a folder that files are written into.
    pub(crate) fn is_folder(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }

    /// The last part of the key: the file name.
    pub(crate) fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// The URL of another key in this bucket.
    pub(crate) fn with_key(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.root, self.key)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_path_is_not_a_url() {
        for text in ["out/assets.csv", "C:/out/assets.csv", "C://out", "-", "a b://c"] {
            assert!(!is_url(text), "{text}");
        }
        assert!(is_url("s3://bucket") && is_url("https://x.example/y"));
    }

    #[test]
    fn the_key_is_taken_literally() {
        let url = BucketUrl::parse("S3://backups/tally port/100%/assets.csv").unwrap();
        assert_eq!((url.root.as_str(), url.key.as_str()), ("s3://backups", "tally port/100%/assets.csv"));
        assert_eq!((url.provider.name, url.is_folder(), url.file_name()), ("S3", false, "assets.csv"));
        assert_eq!(url.to_string(), "s3://backups/tally port/100%/assets.csv");
        let lake = BucketUrl::parse("abfss://files@account.dfs.core.windows.net/lake/").unwrap();
        assert_eq!((lake.root.as_str(), lake.key.as_str()), ("abfss://files@account.dfs.core.windows.net", "lake/"));
        assert!(lake.is_folder());
        for whole in ["gs://bucket", "gs://bucket/"] {
            let whole = BucketUrl::parse(whole).unwrap();
            assert_eq!((whole.key.as_str(), whole.is_folder()), ("", true));
        }
    }

    #[test]
    fn invalid_urls_are_rejected_without_showing_them() {
        for (text, error) in [
            ("https://bucket.example/path", BucketUrlError::UnsupportedScheme),
            ("ftp://bucket/path", BucketUrlError::UnsupportedScheme),
            ("s3:///path", BucketUrlError::InvalidBucket),
            ("s3://b\u{fc}cher/path", BucketUrlError::InvalidBucket),
            ("s3://{date}/path", BucketUrlError::InvalidBucket),
            ("s3://AKIA:hush@bucket/path", BucketUrlError::ContainsCredentials),
            ("s3://hush@bucket/path", BucketUrlError::ContainsCredentials),
            ("az://container/path/?sig=hush", BucketUrlError::ContainsCredentials),
            ("s3://bucket//path", BucketUrlError::InvalidPath),
            ("s3://bucket/../path", BucketUrlError::InvalidPath),
        ] {
            assert_eq!(BucketUrl::parse(text), Err(error), "{text}");
            assert!(!format!("{error}{:?}", error.hint()).contains("hush"));
        }
    }

    #[test]
    fn each_scheme_belongs_to_one_provider() {
        let schemes: Vec<&str> = PROVIDERS.iter().flat_map(|provider| provider.schemes).copied().collect();
        for scheme in &schemes {
            assert_eq!(schemes.iter().filter(|known| known == &scheme).count(), 1, "{scheme}");
        }
        for provider in PROVIDERS {
            assert_eq!(BucketUrl::parse(provider.example).unwrap().provider, provider);
        }
    }
}
