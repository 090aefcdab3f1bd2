//! Whether a column of people's names writes the last name first: `Byron, Ada`.
//!
//! A single cell proves nothing: `Kiosk, Lobby` is a name as it stands. A column in which nearly every name has a comma
//! is a list sorted by last name.

use crate::schema::first_name_first;

/// Counts the names of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct NameSurvey {
    names: u64,
    last_name_first: u64,
}

impl NameSurvey {
    /// Adds what another part of the column shows.
    pub(super) fn merge(&mut self, other: &Self) {
        self.names += other.names;
        self.last_name_first += other.last_name_first;
    }

    pub(super) fn observe(&mut self, name: &str) {
        // People are also named by e-mail address.
        if name.contains('@') {
            return;
        }
        self.names += 1;
        self.last_name_first += u64::from(first_name_first(name).is_some());
    }

    /// Whether at least nine names in ten, and more than one, are written last name first.
    pub(super) fn is_last_name_first(&self) -> bool {
        self.last_name_first > 1 && self.last_name_first * 10 >= self.names * 9
    }
}

#[cfg(test)]
mod tests {
    use super::NameSurvey;

    fn is_last_name_first(names: &[&str]) -> bool {
        let mut survey = NameSurvey::default();
        names.iter().for_each(|name| survey.observe(name));
        survey.is_last_name_first()
    }

    #[test]
    fn nearly_all_names_of_a_column_decide() {
        let mut names = vec!["Byron, Ada"; 9];
        names.push("Kiosk");
        assert!(is_last_name_first(&names));
        names.push("Lobby");
        assert!(!is_last_name_first(&names));
        assert!(is_last_name_first(&["Byron, Ada", "Stone, Bob", "cy@example.com"]));
        assert!(!is_last_name_first(&["Kiosk, Lobby"]));
        assert!(!is_last_name_first(&["Ada Byron, PhD", "Bob Stone, Jr."]));
        assert!(!is_last_name_first(&[]));
    }
}
