//! Whether two values are the same but for how the service stores them: space around a text, the case of an e-mail
//! address.

use crate::schema::{Entity, Kind, TextForm};

/// Whether two texts of a field mean the same value.
pub(super) fn is_same(entity: &Entity, field: &str, expected: &str, found: &str) -> bool {
    let (expected, found) = (expected.trim(), found.trim());
    if expected == found {
        return true;
    }
    match entity.field(field).map(|field| field.kind) {
        // Whatever the standard says about the part before the `@`, no service treats case as significant.
        Some(Kind::Text(TextForm::Email)) => expected.to_lowercase() == found.to_lowercase(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::is_same;
    use crate::schema::collection;

    #[test]
    fn space_around_and_the_case_of_addresses_do_not_count_and_everything_else_does() {
        let (people, assets) = (collection("employees").unwrap(), collection("assets").unwrap());
        assert!(is_same(people, "email", "Ada@Example.com", "ada@example.com"));
        assert!(is_same(assets, "notes", " two  words\n", "two  words"));
        assert!(is_same(assets, "custom:MAC", "aa ", "aa"));
        for (entity, field, expected, found) in [
            (people, "name", "Ada", "ada"),
            (assets, "asset_name", "two  words", "two words"),
            (assets, "custom:MAC", "aa", "AA"),
            (assets, "notes", "", "x"),
        ] {
            assert!(!is_same(entity, field, expected, found), "{field}");
        }
    }
}
