//! System ids as cells write them.

/// The system id that `#123` stands for.
pub(super) fn marked_id(text: &str) -> Option<i64> {
    text.trim().strip_prefix('#').and_then(bare_id)
}

/// The system id that `123` may be: digits only, no sign.
pub(super) fn bare_id(text: &str) -> Option<i64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{bare_id, marked_id};

    #[test]
    fn only_digits_are_ids() {
        assert_eq!(marked_id(" #123"), Some(123));
        assert_eq!(marked_id("#-1"), None);
        assert_eq!(bare_id("007"), Some(7));
        assert_eq!(bare_id("99999999999999999999"), None);
        assert_eq!(bare_id(""), None);
    }
}
