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

/// What [`shown_url`] hides: user and password, and the values of query and fragment.
pub(crate) fn secrets_of_url(text: &str) -> Vec<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let query = rest.find(['?', '#']).map_or("", |start| &rest[start..]);
    let password = user.split_once(':').map(|(_, password)| password);
    let values = query.split(['?', '&', '#']).map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    [user].into_iter().chain(password).chain(values).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{secrets_of_url, shown_url};

    #[test]
    fn what_is_hidden_is_known() {
        let url = "https://ada:secret@app.example/api?key=value&x#part";
        assert_eq!(secrets_of_url(url), ["ada:secret", "secret", "value", "x", "part"]);
        assert_eq!(secrets_of_url("https://app.example/api"), Vec::<String>::new());
    }

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
