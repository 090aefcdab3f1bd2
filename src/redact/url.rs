//! URLs as messages show them.

/// Stands where something was taken out.
const HIDDEN: &str = "***";
/// A word without a dot, a colon or a slash is no URL. From this length on it may be a key in the wrong place.
const LONGEST_WORD: usize = 16;

/// A URL as typed, without what may be a secret: a user, a password, a query, a fragment.
///
/// The text need not be a valid URL, and a password may contain any character: everything before the last `@` is
/// hidden, and everything from the first `?` or `#` on.
pub(crate) fn shown_url(text: &str) -> String {
    if text.len() >= LONGEST_WORD && !text.contains(['.', ':', '/']) {
        return HIDDEN.to_owned();
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['@', '?', '#']) => (&text[..scheme.len() + 3], rest),
        _ => ("", text),
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) => ("***@", rest),
        None => ("", rest),
    };
    match rest.find(['?', '#']) {
        Some(end) => format!("{scheme}{user}{}{HIDDEN}", &rest[..=end]),
        None => format!("{scheme}{user}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::shown_url;

    #[test]
    fn nothing_that_may_be_a_secret_is_shown() {
        for (url, shown) in [
            ("https://app.example/api/v1", "https://app.example/api/v1"),
            ("http://127.0.0.1:8080/api/v1/", "http://127.0.0.1:8080/api/v1/"),
            ("localhost", "localhost"),
            ("x.example", "x.example"),
            ("https://ada:secret@app.example/api/v1", "https://***@app.example/api/v1"),
            ("https://ada:se/cr?et#@app.example/api", "https://***@app.example/api"),
            ("https://secret@app.example", "https://***@app.example"),
            ("ada:secret@app.example", "***@app.example"),
            ("https://app.example/api?key=secret", "https://app.example/api?***"),
            ("https://app.example/api#secret", "https://app.example/api#***"),
            ("https://ada:secret@app.example/?key=secret#secret", "https://***@app.example/?***"),
            ("?secret://app.example", "?***"),
            ("btk_q7Xw93LmZp0RtY5e", "***"),
            ("", ""),
        ] {
            assert_eq!(shown_url(url), shown, "{url}");
        }
    }
}
