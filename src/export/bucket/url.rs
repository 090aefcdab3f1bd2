//! Which bucket a URL means, whose it is, and which variables of the environment lead into it.

use std::fmt;

/// Whoever keeps the bucket.
#[derive(Debug, PartialEq, Eq)]
pub struct Cloud {
    pub name: &'static str,
    /// What its URLs begin with.
    pub schemes: &'static [&'static str],
    /// What such a URL looks like.
    pub example: &'static str,
    /// The variables that hold credentials, or lead to them.
    pub credentials: &'static [&'static str],
    /// Those that hold a secret, under all their names.
    pub secrets: &'static [&'static str],
    /// The variables that say which account, region or server is meant.
    pub settings: &'static [&'static str],
    /// Those that hold the link of a server, under all their names.
    pub endpoints: &'static [&'static str],
    /// Those that become a part of a server's name.
    pub words: &'static [&'static str],
    /// That which allows servers without TLS.
    pub allow_http: &'static str,
}

/// Amazon S3, and what speaks like it: MinIO, R2, Ceph, Backblaze and many more, by AWS_ENDPOINT_URL.
pub(super) static S3: Cloud = Cloud {
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

/// Azure Blob Storage.
pub(super) static AZURE: Cloud = Cloud {
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

/// Google Cloud Storage.
pub(super) static GOOGLE: Cloud = Cloud {
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

static CLOUDS: [&Cloud; 3] = [&S3, &AZURE, &GOOGLE];

/// A place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    pub cloud: &'static Cloud,
    /// Scheme and bucket, as in `s3://bucket`; `abfss://container@account.dfs.core.windows.net` names more.
    pub root: String,
    /// What stands after the bucket, word for word: nothing in it is an escape. Without a slash in front; one at its
    /// end says that it is meant as a folder.
    pub key: String,
}

/// A text that is no place in a bucket. The text itself is not shown: it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("the URL begins like that of no bucket")]
    Scheme,
    #[error("the URL names no bucket")]
    NoBucket,
    #[error("the URL holds credentials")]
    Secret,
    #[error("the path in the bucket has an empty part, `.` or `..`")]
    Parts,
}

impl UrlError {
    /// What to do now.
    pub fn hint(self) -> String {
        let examples = CLOUDS.map(|cloud| cloud.example).join(", ");
        match self {
            UrlError::Scheme => format!("write {examples}, or abfss://container@account.dfs.core.windows.net/path/"),
            UrlError::NoBucket => format!("write {examples}; the name holds letters, digits, `-`, `_` and `.`"),
            UrlError::Secret => String::from(
                "leave them out: others can read a command line; the variables of the cloud's tools are read",
            ),
            UrlError::Parts => String::from("write the parts of the path with one `/` between them"),
        }
    }
}

/// Whether a destination is a URL rather than a path.
pub fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        // One letter is a drive of Windows.
        scheme.len() > 1 && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    })
}

impl BucketUrl {
    /// # Errors
    /// Text that is no URL of a bucket, or holds what does not belong there.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let cloud =
            CLOUDS.into_iter().find(|cloud| cloud.schemes.contains(&scheme.as_str())).ok_or(UrlError::Scheme)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        // A signature, as Azure hands them out behind a question mark, or `key:secret@bucket`.
        let has_user = bucket.contains('@') && (bucket.contains(':') || cloud != &AZURE);
        if rest.contains('?') || has_user {
            return Err(UrlError::Secret);
        }
        let is_of_names = |char: char| char.is_ascii_alphanumeric() || "-_.@".contains(char);
        if bucket.is_empty() || !bucket.chars().all(is_of_names) {
            return Err(UrlError::NoBucket);
        }
        let path = key.strip_suffix('/').unwrap_or(key);
        let is_odd = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
        if !path.is_empty() && path.split('/').any(is_odd) {
            return Err(UrlError::Parts);
        }
        let key = if path.is_empty() { String::new() } else { key.to_owned() };
        Ok(Self { cloud, root: format!("{scheme}://{bucket}"), key })
    }

    /// Whether files are to stand in it, each under its name.
    pub fn is_folder(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }

    /// The last part of the key: a file's name.
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// The URL of another key in this bucket.
    pub fn with_key(&self, key: &str) -> String {
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
    fn a_path_is_no_url() {
        for text in ["out/assets.csv", "C:/out/assets.csv", "C://out", "-", "a b://c"] {
            assert!(!is_url(text), "{text}");
        }
        assert!(is_url("s3://bucket") && is_url("https://x.example/y"));
    }

    #[test]
    fn the_key_is_taken_word_for_word() {
        let url = BucketUrl::parse("S3://backups/tally port/100%/assets.csv").unwrap();
        assert_eq!((url.root.as_str(), url.key.as_str()), ("s3://backups", "tally port/100%/assets.csv"));
        assert_eq!((url.cloud.name, url.is_folder(), url.file_name()), ("S3", false, "assets.csv"));
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
    fn what_is_no_place_in_a_bucket_is_told_without_it() {
        for (text, error) in [
            ("https://bucket.example/path", UrlError::Scheme),
            ("ftp://bucket/path", UrlError::Scheme),
            ("s3:///path", UrlError::NoBucket),
            ("s3://b\u{fc}cher/path", UrlError::NoBucket),
            ("s3://{date}/path", UrlError::NoBucket),
            ("s3://AKIA:hush@bucket/path", UrlError::Secret),
            ("s3://hush@bucket/path", UrlError::Secret),
            ("az://container/path/?sig=hush", UrlError::Secret),
            ("s3://bucket//path", UrlError::Parts),
            ("s3://bucket/../path", UrlError::Parts),
        ] {
            assert_eq!(BucketUrl::parse(text), Err(error), "{text}");
            assert!(!format!("{error}{}", error.hint()).contains("hush"));
        }
    }

    #[test]
    fn each_scheme_means_one_cloud() {
        let schemes: Vec<&str> = CLOUDS.iter().flat_map(|cloud| cloud.schemes).copied().collect();
        for scheme in &schemes {
            assert_eq!(schemes.iter().filter(|known| known == &scheme).count(), 1, "{scheme}");
        }
        for cloud in CLOUDS {
            assert_eq!(BucketUrl::parse(cloud.example).unwrap().cloud, cloud);
        }
    }
}
