//! Columns that say the same thing twice: `Category` and `Type` of one product, `custom:Colour` and `custom:colour`.

use hashbrown::HashMap;

use crate::check::checked_row::{CheckedRow, CustomField, ParsedRelated};
use crate::check::problem::{Code, Problem, ValueError};
use crate::check::text;
use crate::mapping::Mapping;
use crate::schema::fold_name;
use crate::shell;
use crate::table::Row;

/// Whether a row may say something twice: two of its cells describe the same, or custom fields come from more than columns
/// of their own, whose names differ.
fn may_repeat(mapping: &Mapping, checked: &CheckedRow) -> bool {
    let is_repeated = |(position, given): (usize, &ParsedRelated)| {
        let earlier = checked.related[..position].iter();
        earlier.into_iter().any(|other| (other.field, other.related) == (given.field, given.related))
    };
    checked.related.iter().enumerate().any(is_repeated)
        || (checked.custom.len() > 1
            && (mapping.repeats_custom_fields || checked.custom.iter().any(|given| given.pair.is_some())))
}

/// Reports the second of two columns if both are filled and differ; drops it if they agree.
pub(super) fn find_conflicts(mapping: &Mapping, row: &Row, checked: &mut CheckedRow) {
    if !may_repeat(mapping, checked) {
        return;
    }
    let cell = |column: u32| text::trimmed(row.cell(column as usize).text);
    let conflict = |first: u32, second: u32, (found, other): (&str, &str)| {
        let header = |column: u32| mapping.header(column).unwrap_or_default();
        let message =
            format!("`{}` says `{found}`, but `{}` says `{other}`; both mean the same", header(second), header(first));
        let hint = format!("correct one of the two cells, or pass {}", shell::flag("--ignore", header(second)));
        ValueError::new(Code::ColumnConflict, message, hint).at(Some(second), cell(second))
    };
    let mut problems: Vec<Problem> = Vec::new();
    let mut related = Vec::with_capacity(checked.related.len());
    for given in std::mem::take(&mut checked.related) {
        let is_same = |other: &&ParsedRelated| (other.field, other.related) == (given.field, given.related);
        match related.iter().find(is_same) {
            None => related.push(given),
            Some(first) => {
                let (one, other) = (cell(first.column), cell(given.column));
                if fold_name(one) != fold_name(other) {
                    problems.push(conflict(first.column, given.column, (other, one)));
                }
            }
        }
    }
    checked.related = related;
    let custom = checked.custom_fields(mapping, row);
    // A sheet may have thousands of them.
    let mut firsts: HashMap<String, &CustomField> = HashMap::with_capacity(custom.len());
    let mut given = custom.iter();
    checked.custom.retain(|_| {
        let Some(given) = given.next() else { return true };
        let first = *firsts.entry(fold_name(&given.name).into_owned()).or_insert(given);
        if first.value != given.value {
            problems.push(conflict(first.column, given.column, (&given.value, &first.value)));
        }
        std::ptr::eq(first, given)
    });
    checked.problems.append(&mut problems);
}
