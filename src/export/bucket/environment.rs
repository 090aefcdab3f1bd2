//! Validates a provider's environment variables before `object_store` reads them: it panics on an invalid endpoint
//! and says little about a scheme that is not allowed.

use url::Url;

use super::url::StorageProvider;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credentials {
    Configured,
    /// Then only the instance credentials of a cloud machine are left.
    NotConfigured,
}

impl Credentials {
    pub(super) fn of(provider: &StorageProvider) -> Self {
        match provider.credentials.iter().any(|name| read(name).is_some()) {
            true => Credentials::Configured,
            false => Credentials::NotConfigured,
        }
    }
}

/// The value of a variable, unless it is empty.
pub(super) fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The first problem with a provider's variables. Values are not shown.
pub(super) fn invalid_variable(provider: &StorageProvider, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let endpoint = |name: &&str| invalid_endpoint(provider, name, &read(name)?, &read);
    let word = |name: &&str| {
        let is_word = read(name)?.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
        (!is_word).then(|| format!("{name} may only contain letters, digits, `-`, `_` and `.`"))
    };
    provider.endpoints.iter().find_map(endpoint).or_else(|| provider.words.iter().find_map(word))
}

fn invalid_endpoint(
    provider: &StorageProvider,
    name: &str,
    value: &str,
    read: &impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let url = Url::parse(value).ok().filter(|url| url.has_host());
    match url.as_ref().map(Url::scheme) {
        Some("https") => None,
        Some("http") => {
            let is_allowed = read(provider.allow_http).is_some_and(|value| is_true(&value));
            let problem = || format!("{name} uses unencrypted http and {} is not `true`", provider.allow_http);
            (!is_allowed).then(problem)
        }
        _ => Some(format!("{name} is not a URL such as https://minio.example.com")),
    }
}

/// Parses a switch the way `object_store` does.
fn is_true(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::url::{AZURE, S3};

    #[test]
    fn an_invalid_variable_is_named() {
        let problem = |provider, variables: &[(&str, &str)]| {
            super::invalid_variable(provider, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(problem(&S3, &[]), None);
        assert_eq!(
            problem(&S3, &[("AWS_ENDPOINT_URL", "https://minio.example"), ("AWS_REGION", "eu-central-1")]),
            None
        );
        assert_eq!(problem(&S3, &[("AWS_ENDPOINT_URL", "http://[::1]:9000"), ("AWS_ALLOW_HTTP", "True")]), None);
        let message = |provider, variables: &[(&str, &str)]| problem(provider, variables).unwrap_or_default();
        assert!(message(&S3, &[("AWS_ENDPOINT_URL", "minio.example")]).starts_with("AWS_ENDPOINT_URL is not a URL"));
        assert!(message(&S3, &[("AWS_ENDPOINT_URL", "http://minio.example")]).contains("AWS_ALLOW_HTTP is not"));
        assert!(message(&S3, &[("AWS_REGION", "eu central")]).starts_with("AWS_REGION may only contain"));
        assert!(message(&AZURE, &[("AZURE_STORAGE_ACCOUNT_NAME", "a/b")]).starts_with("AZURE_STORAGE_ACCOUNT_NAME"));
    }
}
