//! Folding of header words, so that `Asset Tag`, `asset_tag` and `AssetTag (required)` are one word.

use unicode_normalization::UnicodeNormalization;

/// The form in which header words are compared: NFKC, lower case, letters and digits only, without a unit or
/// format in trailing brackets, without a `*`.
///
/// `Purchase Date (YYYY-MM-DD)`, `purchase_date` and `PurchaseDate *` all become `purchasedate`.
pub fn fold_header(text: &str) -> String {
    let normal: String = text.nfkc().collect();
    let bare = without_brackets(&normal);
    let folded = letters(bare);
    if folded.is_empty() { letters(&normal) } else { folded }
}

fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Cuts a trailing `(…)` or `[…]` with whatever follows it, as in `Name [displayName] Required`.
fn without_brackets(text: &str) -> &str {
    match text.find(['(', '[']) {
        Some(start) if start > 0 => &text[..start],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::fold_header;

    #[test]
    fn case_separators_and_brackets_do_not_matter() {
        for header in [
            "Purchase Date (YYYY-MM-DD)",
            "purchase_date",
            "PurchaseDate *",
            " purchase-date: ",
            "Purchase Date [purchaseDate] Required",
        ] {
            assert_eq!(fold_header(header), "purchasedate", "{header}");
        }
        assert_eq!(fold_header("资产编号"), "资产编号");
        assert_eq!(fold_header("(none)"), "none");
    }
}
