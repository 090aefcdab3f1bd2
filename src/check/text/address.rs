//! Validates the form of e-mail and web addresses.

use super::trimmed;
use crate::check::{Code, ValueError};

/// Validates an e-mail address by its form.
///
/// Letters of any script and the `#EXT#` of guest accounts are allowed; what only a mail server could know is not
/// checked.
pub(crate) fn email(text: &str) -> Result<(), ValueError> {
    if is_email(text) { Ok(()) } else { Err(bad_email(text)) }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_fits = (1..=64).contains(&local.len()) && local.chars().all(is_in_local) && dots_are_inside(local);
    local_fits && domain.len() <= 253 && is_domain(domain)
}

/// Guest accounts and RFC 5322 atoms: no white space, no brackets, quotes or separators.
fn is_in_local(char: char) -> bool {
    char.is_alphanumeric()
        || matches!(char, '!' | '#'..='\'' | '*' | '+' | '-' | '.' | '/' | '=' | '?' | '^'..='`' | '{'..='~')
}

fn dots_are_inside(text: &str) -> bool {
    !text.starts_with('.') && !text.ends_with('.') && !text.contains("..")
}

/// Labels of letters, digits and hyphens, two or more, the last one not a number.
fn is_domain(text: &str) -> bool {
    let mut labels = 0;
    let mut last = "";
    for label in text.split('.') {
        if !is_label(label) {
            return false;
        }
        labels += 1;
        last = label;
    }
    labels >= 2 && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    let is_inner = |char: char| char.is_alphanumeric() || char == '-' || char == '_';
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(is_inner)
}

fn bad_email(text: &str) -> ValueError {
    let error = |hint: String| {
        ValueError::new(
            Code::EmailInvalid,
            "invalid e-mail address; expected one such as `ada.byron@example.com`",
            hint,
        )
    };
    if let Some(inner) = bare_email(text) {
        return error(format!("write `{inner}`"));
    }
    if text.matches('@').count() > 1 {
        return error(String::from("write one address per cell"));
    }
    error(String::from("correct the address")).or_empty()
}

/// Extracts the address from `mailto:a@b.example` or `Ada Byron <a@b.example>`.
fn bare_email(text: &str) -> Option<&str> {
    let inner = match (text.find('<'), text.rfind('>')) {
        (Some(start), Some(end)) if start < end => &text[start + 1..end],
        _ => text,
    };
    let inner = trimmed(without_prefix(trimmed(inner), "mailto:")).trim_end_matches([';', ',', '.']);
    (inner != text && is_email(inner)).then_some(inner)
}

/// Strips `prefix`, ignoring case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    match text.get(..prefix.len()) {
        Some(start) if start.eq_ignore_ascii_case(prefix) => &text[prefix.len()..],
        _ => text,
    }
}

/// Validates a web address with the scheme `http` or `https`.
pub(crate) fn url(text: &str) -> Result<(), ValueError> {
    if is_url(text) { Ok(()) } else { Err(bad_url(text)) }
}

fn is_url(text: &str) -> bool {
    let bare = without_prefix(without_prefix(text, "https://"), "http://");
    if bare.len() == text.len() || bare.is_empty() || bare.starts_with('/') || text.contains(is_not_in_url) {
        return false;
    }
    let host = bare.split(['/', '?', '#']).next().unwrap_or_default();
    is_domain(host) || url::Url::parse(text).is_ok_and(|url| url.has_host())
}

fn is_not_in_url(char: char) -> bool {
    char.is_whitespace() || char.is_control() || matches!(char, '<' | '>' | '"')
}

fn bad_url(text: &str) -> ValueError {
    let error = |hint: String| {
        ValueError::new(
            Code::UrlInvalid,
            "invalid web address; expected one such as `https://example.com/support`",
            hint,
        )
    };
    match corrected_url(text) {
        Some(hint) => error(hint),
        None => error(String::from("write the whole address with `https://`")).or_empty(),
    }
}

/// What to write instead, where it is clear which address is meant.
fn corrected_url(text: &str) -> Option<String> {
    let spaced = text.replace(' ', "%20");
    if spaced != text && is_url(&spaced) {
        return Some(format!("write `{spaced}`, without spaces"));
    }
    let schemeless = text.trim_start_matches('/');
    let host = schemeless.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let whole = format!("https://{schemeless}");
    (is_domain(host) && is_url(&whole)).then(|| format!("write `{whole}`"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn email_addresses() {
        for address in [
            "ada.byron@example.com",
            "a+b@mail.example.co.uk",
            "o'neil@example.ie",
            "ada_contoso.com#EXT#@tenant.onmicrosoft.com",
            "jörg@müller.example",
        ] {
            assert_eq!(email(address), Ok(()), "{address}");
        }
        for (address, hint) in [
            ("mailto:ada@example.com", "write `ada@example.com`"),
            ("Ada Byron <ada@example.com>", "write `ada@example.com`"),
            ("ada@example.com;", "write `ada@example.com`"),
            ("ada@example.com; bob@example.com", "write one address per cell"),
            ("ada", "correct the address, or leave the cell empty"),
            ("ada@", "correct the address, or leave the cell empty"),
            ("@example.com", "correct the address, or leave the cell empty"),
            ("ada@example", "correct the address, or leave the cell empty"),
            ("ada byron@example.com", "correct the address, or leave the cell empty"),
            ("ada@example..com", "correct the address, or leave the cell empty"),
            (".ada@example.com", "correct the address, or leave the cell empty"),
            ("ada@example,com", "correct the address, or leave the cell empty"),
            ("ada@192.168.0.1", "correct the address, or leave the cell empty"),
            ("", "correct the address, or leave the cell empty"),
        ] {
            let error = email(address).unwrap_err();
            assert_eq!((error.code, error.hint()), (Code::EmailInvalid, hint), "{address}");
        }
    }

    #[test]
    fn web_addresses() {
        for address in [
            "https://example.com/support", "HTTP://Example.com", "https://example.com:8443/a?b=c#d",
            "http://localhost:3000/logo.png", "http://192.168.0.1/logo.png", "https://[::1]/",
            "https://müller.example/ä",
        ] {
            assert_eq!(url(address), Ok(()), "{address}");
        }
        for (address, hint) in [
            ("www.example.com", "write `https://www.example.com`"),
            ("example.com/support", "write `https://example.com/support`"),
            ("//cdn.example.com/a.png", "write `https://cdn.example.com/a.png`"),
            ("https://example.com/my logo.png", "write `https://example.com/my%20logo.png`, without spaces"),
            ("https://", "write the whole address with `https://`, or leave the cell empty"),
            ("https:///a", "write the whole address with `https://`, or leave the cell empty"),
            ("ftp://example.com", "write the whole address with `https://`, or leave the cell empty"),
            ("javascript:alert(1)", "write the whole address with `https://`, or leave the cell empty"),
            ("C:\\logo.png", "write the whole address with `https://`, or leave the cell empty"),
            ("logo", "write the whole address with `https://`, or leave the cell empty"),
            ("", "write the whole address with `https://`, or leave the cell empty"),
        ] {
            let error = url(address).unwrap_err();
            assert_eq!((error.code, error.hint()), (Code::UrlInvalid, hint), "{address}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(raw in "\\PC*") {
            let _ = email(&raw);
            let _ = email(&format!("{raw}@example.com"));
            let _ = url(&raw);
            let _ = url(&format!("https://{raw}"));
        }
    }
}
