//! Names that a workbook accepts for its sheets.

use std::collections::HashSet;

/// The length of a sheet's name (Excel's specification), counted in UTF-16 units.
const LONGEST: usize = 31;

/// The characters a sheet's name cannot hold (Excel's specification).
const FORBIDDEN: &[char] = &['[', ']', ':', '*', '?', '/', '\\'];

/// The names given out in one workbook.
#[derive(Debug, Default)]
pub(crate) struct SheetNames {
    /// In lower case: names that differ only in case are one name.
    taken: HashSet<String>,
}

impl SheetNames {
    /// The nearest name to `wanted` that is allowed and free: shortened, without forbidden characters, numbered.
    pub(crate) fn claim(&mut self, wanted: &str) -> String {
        let base = allowed(wanted);
        let mut name = base.clone();
        let mut number = 2;
        while !self.taken.insert(name.to_lowercase()) {
            let suffix = format!(" ({number})");
            name = shortened(&base, LONGEST - suffix.len()) + &suffix;
            number += 1;
        }
        name
    }
}

fn allowed(wanted: &str) -> String {
    let replaced: String = wanted.chars().map(|char| if is_forbidden(char) { '_' } else { char }).collect();
    let trimmed = shortened(replaced.trim().trim_matches('\''), LONGEST);
    let trimmed = trimmed.trim_end_matches(['\'', ' ']);
    // Excel keeps `History` for itself.
    match trimmed {
        "" => String::from("Sheet"),
        name if name.eq_ignore_ascii_case("history") => format!("{name}_"),
        name => name.to_owned(),
    }
}

fn is_forbidden(char: char) -> bool {
    char.is_control() || FORBIDDEN.contains(&char)
}

/// The beginning of `text` that fits `units` UTF-16 units, cut between characters.
fn shortened(text: &str, units: usize) -> String {
    let mut left = units;
    text.chars()
        .take_while(|char| {
            let fits = char.len_utf16() <= left;
            left = left.saturating_sub(char.len_utf16());
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_kept_where_they_can_be() {
        let mut names = SheetNames::default();
        assert_eq!(names.claim("assets"), "assets");
        assert_eq!(names.claim("Assets"), "Assets (2)");
        assert_eq!(names.claim("assets"), "assets (3)");
        assert_eq!(names.claim("IT/HR [2024]"), "IT_HR _2024_");
        assert_eq!(names.claim("'quoted'"), "quoted");
        assert_eq!(names.claim(" "), "Sheet");
        assert_eq!(names.claim("History"), "History_");
        assert_eq!(names.claim(&"x".repeat(40)), "x".repeat(31));
        assert_eq!(names.claim(&"x".repeat(40)), "x".repeat(27) + " (2)");
    }

    proptest! {
        #[test]
        fn every_name_is_accepted_by_the_workbook(wanted in proptest::collection::vec("\\PC{0,40}", 1..6)) {
            let mut names = SheetNames::default();
            let mut workbook = rust_xlsxwriter::Workbook::new();
            for name in &wanted {
                let name = names.claim(name);
                prop_assert!(workbook.add_worksheet().set_name(&name).is_ok(), "{name:?}");
            }
            prop_assert!(workbook.save_to_buffer().is_ok());
        }
    }
}
