//! What the environment says of a cloud, seen before `object_store` builds on it: that panics over a server's address
//! that is none, and says little of a scheme that is not allowed.

use url::Url;

use super::url::Cloud;

/// Whether the environment holds anything to sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Given,
    /// What is left are the machine's own, which a cloud's machines have.
    NotGiven,
}

impl Access {
    pub(super) fn of(cloud: &Cloud) -> Self {
        match cloud.credentials.iter().any(|name| read(name).is_some()) {
            true => Access::Given,
            false => Access::NotGiven,
        }
    }
}

/// The value of a variable; none where it is empty.
pub(super) fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is wrong with the variables of a cloud. Values are not shown.
pub(super) fn fault(cloud: &Cloud, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let endpoint = |name: &&str| endpoint_fault(cloud, name, &read(name)?, &read);
    let word = |name: &&str| {
        let is_word = read(name)?.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
        (!is_word).then(|| format!("{name} holds more than letters, digits and hyphens"))
    };
    cloud.endpoints.iter().find_map(endpoint).or_else(|| cloud.words.iter().find_map(word))
}

fn endpoint_fault(cloud: &Cloud, name: &str, value: &str, read: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let url = Url::parse(value).ok().filter(|url| url.has_host());
    match url.as_ref().map(Url::scheme) {
        Some("https") => None,
        Some("http") => {
            let is_allowed = read(cloud.allow_http).is_some_and(|value| is_true(&value));
            let told =
                || format!("{name} is http, which all can read on the way, and {} is not `true`", cloud.allow_http);
            (!is_allowed).then(told)
        }
        _ => Some(format!("{name} is no link such as https://minio.example.com")),
    }
}

/// As `object_store` has it.
fn is_true(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::url::{AZURE, S3};

    #[test]
    fn what_could_not_be_used_is_told_by_the_variable() {
        let fault = |cloud, variables: &[(&str, &str)]| {
            super::fault(cloud, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(fault(&S3, &[]), None);
        assert_eq!(fault(&S3, &[("AWS_ENDPOINT_URL", "https://minio.example"), ("AWS_REGION", "eu-central-1")]), None);
        assert_eq!(fault(&S3, &[("AWS_ENDPOINT_URL", "http://[::1]:9000"), ("AWS_ALLOW_HTTP", "True")]), None);
        let told = |cloud, variables: &[(&str, &str)]| fault(cloud, variables).unwrap_or_default();
        assert!(told(&S3, &[("AWS_ENDPOINT_URL", "minio.example")]).starts_with("AWS_ENDPOINT_URL is no link"));
        assert!(told(&S3, &[("AWS_ENDPOINT_URL", "http://minio.example")]).contains("AWS_ALLOW_HTTP is not"));
        assert!(told(&S3, &[("AWS_REGION", "eu central")]).starts_with("AWS_REGION holds"));
        assert!(told(&AZURE, &[("AZURE_STORAGE_ACCOUNT_NAME", "a/b")]).starts_with("AZURE_STORAGE_ACCOUNT_NAME"));
    }
}
