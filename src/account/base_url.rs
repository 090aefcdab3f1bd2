//! The base URL of a service, in one spelling.
//!
//! Claims, local copies and journals tell accounts apart by the base URL, among other things. Two spellings of one URL must
//! not be two accounts: the runs of each would not see what those of the other write.

use url::Url;

/// Parses a base URL, such as [`DEFAULT_BASE_URL`](crate::DEFAULT_BASE_URL), and spells it as all of tallyport does: see
/// [`canonical`].
///
/// # Errors
/// Why it is no URL of a host.
pub(crate) fn parse_base_url(text: &str) -> Result<Url, String> {
    match Url::parse(text.trim()) {
        Ok(url) if url.has_host() => Ok(canonical(url)),
        Ok(_) => Err(String::from("it names no host")),
        Err(reason) => Err(reason.to_string()),
    }
}

/// Whether two base URLs lead to the same place, however they are spelled.
pub(crate) fn is_same_base_url(one: &str, other: &str) -> bool {
    one == other || parse_base_url(one).is_ok_and(|one| parse_base_url(other).is_ok_and(|other| one == other))
}

/// The URL without empty parts of its path: a slash at the end, or two in a row. A host name is without the dot that may
/// end it. Lower case in the host, the default port and dots in the path are the parser's work.
fn canonical(mut url: Url) -> Url {
    let path: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let path = format!("/{}", path.join("/"));
    url.set_path(&path);
    let bare = url.domain().and_then(|name| name.strip_suffix('.')).filter(|name| name.contains('.'));
    if let Some(bare) = bare.map(str::to_owned) {
        // It cannot fail: a host takes the place of a host.
        let _ = url.set_host(Some(&bare));
    }
    url
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_place_has_one_spelling() {
        for text in [
            "https://api.example.com/api/v1",
            "https://api.example.com/api/v1/",
            "https://api.example.com//api///v1//",
            "https://API.Example.COM:443/api/v1",
            "HTTPS://api.example.com./api/./v0/../v1/",
            "  https:\\\\api.example.com\\api\\v1 ",
        ] {
            assert_eq!(parse_base_url(text).unwrap().as_str(), "https://api.example.com/api/v1", "{text}");
            assert!(is_same_base_url(text, "https://api.example.com/api/v1"));
        }
        for text in ["http://localhost", "http://localhost/", "http://LOCALHOST:80//"] {
            assert_eq!(parse_base_url(text).unwrap().as_str(), "http://localhost/", "{text}");
        }
    }

    #[test]
    fn other_places_stay_apart() {
        let url = "https://api.example.com/api/v1";
        for other in [
            "http://api.example.com/api/v1", "https://api.example.com:8443/api/v1", "https://api.example.com/api/V1",
            "https://api.example.com/api/v1?a=b", "https://example.com/api/v1", "no URL",
        ] {
            assert!(!is_same_base_url(url, other), "{other}");
        }
        assert!(is_same_base_url("no URL", "no URL"));
    }
}
