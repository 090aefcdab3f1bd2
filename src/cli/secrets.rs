//! The secrets in the environment of this process: masked in everything it prints.

use std::env;

use crate::export::SECRET_VARIABLES;
use crate::redact::{protect, secrets_in, secrets_of_url};

/// Variables that hold a URL which may have a password in it.
const URL_VARIABLES: &[&str] =
    &["BLUETALLY_BASE_URL", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The key of the service, those of cloud storage, and passwords of proxies.
pub(super) fn protect_environment() {
    let read = |name: &&str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    for secret in ["BLUETALLY_API_KEY"].iter().chain(SECRET_VARIABLES.iter().copied().flatten()).filter_map(read) {
        secrets_in(&secret).iter().for_each(|secret| protect(secret));
    }
    for url in URL_VARIABLES.iter().filter_map(read) {
        protect_url(Some(&url));
    }
}

/// User, password and query of a URL.
pub(super) fn protect_url(url: Option<&str>) {
    url.map(secrets_of_url).unwrap_or_default().iter().for_each(|secret| protect(secret));
}
