//! What updates would change, by field, however many there are: for each field its number and the first few.

use super::tally::shortened;
use crate::plan::FieldChange;
use crate::table::CellRef;

/// The examples kept of each group.
const EXAMPLES: usize = 3;

/// The groups kept apart; what comes later is only counted in the rows.
const MAX_GROUPS: usize = 200;

/// The characters of a value that are kept.
const LONGEST_VALUE: usize = 60;

/// Changes grouped by sheet and field.
#[derive(Debug, Default)]
pub struct ChangeTally {
    groups: Vec<ChangeGroup>,
}

/// The changes of one field of one sheet.
#[derive(Debug, Clone)]
pub struct ChangeGroup {
    pub sheet: Box<str>,
    pub field: Box<str>,
    pub count: u64,
    /// The first of them, in the order they came.
    pub examples: Vec<ChangeExample>,
}

/// One change of a group; an empty text is a value that is not there.
#[derive(Debug, Clone)]
pub struct ChangeExample {
    pub row: u64,
    pub cell: CellRef,
    pub old: Box<str>,
    pub new: Box<str>,
}

impl ChangeTally {
    /// Counts a change of that `row` (as a spreadsheet shows it, from 1) of that sheet.
    pub fn add(&mut self, sheet: &str, row: u64, change: &FieldChange) {
        let is_group = |group: &ChangeGroup| *group.sheet == *sheet && *group.field == *change.field;
        let at = match self.groups.iter().position(is_group) {
            Some(at) => at,
            None if self.groups.len() == MAX_GROUPS => return,
            None => {
                let (sheet, field) = (sheet.into(), change.field.as_str().into());
                self.groups.push(ChangeGroup { sheet, field, count: 0, examples: Vec::new() });
                self.groups.len() - 1
            }
        };
        let group = &mut self.groups[at];
        group.count += 1;
        if group.examples.len() < EXAMPLES {
            let value = |text: &str| shortened(text, LONGEST_VALUE).into();
            let cell = CellRef { row, column: change.column };
            group.examples.push(ChangeExample { row, cell, old: value(&change.old), new: value(&change.new) });
        }
    }

    /// The groups, in the order in which their fields came.
    pub fn groups(&self) -> &[ChangeGroup] {
        &self.groups
    }
}

/// `` `first` → `changed` ``, with a word for a value that is not there.
pub(super) fn change_text(old: &str, new: &str) -> String {
    let shown = |text: &str| match text {
        "" => String::from("(empty)"),
        text => format!("`{}`", shortened(text, LONGEST_VALUE)),
    };
    format!("{} → {}", shown(old), shown(new))
}

/// ``was `first` ``: on a cell that shows the new value.
pub(super) fn was_text(old: &str) -> String {
    if old.is_empty() { String::from("was empty") } else { format!("was `{}`", shortened(old, LONGEST_VALUE)) }
}

#[cfg(test)]
mod tests {
    use super::{ChangeTally, change_text};
    use crate::plan::FieldChange;

    #[test]
    fn changes_are_counted_by_field_with_their_first_examples() {
        let mut tally = ChangeTally::default();
        for row in 2..7 {
            let change = FieldChange { column: 2, field: "notes".into(), old: row.to_string(), new: String::new() };
            tally.add("assets", row, &change);
            tally.add("other", row, &change);
        }
        let group = &tally.groups()[0];
        assert_eq!((tally.groups().len(), group.count, group.examples.len()), (2, 5, 3));
        assert_eq!(group.examples[0].cell.to_string(), "C2");
        assert_eq!(change_text(&group.examples[0].old, &group.examples[0].new), "`2` → (empty)");
    }
}
