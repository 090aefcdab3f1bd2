//! Sheets of a workbook that hold something else than what is read: notes, lists, the records of another collection.
//! They do not stop the others (issue: one sheet that is no table stops a workbook).

use crate::mapping::{HeaderAliases, MappingError, entity_by_headers, entity_by_name};
use crate::schema::{self, Entity};
use crate::table::Row;

/// What people call the sheets that stand beside the data.
const BESIDE_THE_DATA: &[&str] = &[
    "readme", "instructions", "instruction", "lists", "list", "lookup", "lookups", "legend", "help", "notes", "info",
    "validation", "validations", "dropdowns", "dropdown", "summary", "overview", "chart", "charts", "pivot",
    "anleitung", "hinweise", "listen", "legende", "übersicht",
];

/// A sheet of a workbook with several, and what it is to be read as.
pub(super) struct SheetContent<'s> {
    pub(super) name: Option<&'s str>,
    pub(super) rows: &'s [Row],
    pub(super) header: &'s Row,
    pub(super) entity: &'static Entity,
}

impl SheetContent<'_> {
    /// Why the sheet does not count, if it is something else than what its headers fail to be.
    pub(super) fn other_than(&self, errors: &[MappingError]) -> Option<String> {
        let named = self.name.and_then(entity_by_name);
        if named.is_some_and(|named| named.name == self.entity.name) {
            return None;
        }
        let reason = self.what_it_is(named, errors)?;
        Some(format!("{reason}; --sheet NAME reads it all the same"))
    }

    fn what_it_is(&self, named: Option<&'static Entity>, errors: &[MappingError]) -> Option<String> {
        if let Some(named) = named {
            return Some(format!("by its name it holds {}", named.name));
        }
        if self.name.is_some_and(is_beside_the_data) {
            return Some(String::from("its name says that it is not a table of records"));
        }
        if !errors.iter().all(is_about_all) {
            return None;
        }
        if self.known_headers() < 2 {
            return Some(format!("it is not a table of `{}`", self.entity.name));
        }
        if let Ok(other) = entity_by_headers(self.rows)
            && other.name != self.entity.name
        {
            return Some(format!("by its headers it holds {}", other.name));
        }
        // Where every header is known, none can be the missing one under another name.
        let missing = errors.iter().find_map(|error| match error {
            MappingError::MissingField { field, not_understood } if not_understood.is_empty() => Some(*field),
            _ => None,
        });
        missing.map(|field| format!("it has no column `{field}`"))
    }

    fn known_headers(&self) -> usize {
        let aliases = HeaderAliases::of(self.entity);
        self.header.cells().filter(|cell| !cell.is_blank() && aliases.feeds(cell.text)).count()
    }

    /// The collection whose name the sheet bears, if it is another one: a workbook of `Suppliers` and `Locations`.
    pub(super) fn named_otherwise(&self) -> Option<&'static Entity> {
        self.name.and_then(schema::find).filter(|named| named.name != self.entity.name)
    }

    /// Whether the sheet bears the name of what it is read as.
    pub(super) fn is_named_so(&self) -> bool {
        self.name.and_then(schema::find).is_some_and(|named| named.name == self.entity.name)
    }
}

fn is_beside_the_data(name: &str) -> bool {
    let folded = schema::fold_header(name);
    BESIDE_THE_DATA.contains(&folded.as_str())
}

/// Whether an error says that the sheet lacks what makes it one of records, and not that a column is unclear.
fn is_about_all(error: &MappingError) -> bool {
    // A header of another sheet: --map names headers of any.
    error.is_absent_header() || matches!(error, MappingError::NothingKnown { .. } | MappingError::MissingField { .. })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn row(cells: &[&str]) -> Row {
        let mut row = Row::default();
        row.clear(1);
        cells.iter().for_each(|cell| row.push_csv(cell));
        row
    }

    #[test]
    fn a_sheet_counts_by_how_many_of_its_headers_are_known() {
        let entity = schema::collection("locations").unwrap();
        let told = |cells: &[&str]| {
            let rows = [row(cells)];
            let content = SheetContent { name: Some("Sheet2"), rows: &rows, header: &rows[0], entity };
            content.other_than(&[MappingError::MissingField { field: "name", not_understood: Vec::new() }]).unwrap()
        };
        assert_eq!(told(&["City", "Country", ""]), "it has no column `name`; --sheet NAME reads it all the same");
        for cells in [&["City", "", ""][..], &["City", "Weight"], &["", ""]] {
            assert_eq!(
                told(cells),
                "it is not a table of `locations`; --sheet NAME reads it all the same",
                "{cells:?}"
            );
        }
    }

    #[test]
    fn a_sheet_is_told_by_its_name_before_its_headers() {
        let entity = schema::collection("locations").unwrap();
        let lacks = |field| MappingError::MissingField { field, not_understood: Vec::new() };
        let unclear = MappingError::MissingField { field: "name", not_understood: vec![String::from("Nmae")] };
        let told = |name: Option<&str>, cells: &[&str], errors: &[MappingError]| {
            let rows = [row(cells)];
            let content = SheetContent { name, rows: &rows, header: &rows[0], entity };
            let reason = content.other_than(errors)?;
            Some(reason.strip_suffix("; --sheet NAME reads it all the same").unwrap().to_owned())
        };
        let places = ["City", "Country"];
        assert_eq!(told(Some("Locations"), &places, &[lacks("name")]), None, "it is meant to be one");
        assert_eq!(told(Some("Suppliers"), &places, &[lacks("name")]).unwrap(), "by its name it holds suppliers");
        for name in ["Notes", " read-me ", "ÜBERSICHT", "Drop-downs"] {
            let reason = told(Some(name), &places, &[lacks("name")]);
            assert_eq!(reason.as_deref(), Some("its name says that it is not a table of records"), "{name}");
        }
        assert_eq!(told(None, &places, &[lacks("name")]).unwrap(), "it has no column `name`");
        assert_eq!(told(None, &places, &[unclear]), None, "one of the headers may be it");
        let people = ["Name", "Email", "Title", "Department"];
        assert_eq!(told(None, &people, &[lacks("country")]).unwrap(), "by its headers it holds employees");
        assert_eq!(told(None, &["Email", "Title"], &[lacks("name")]).unwrap(), "it is not a table of `locations`");
        assert!(is_about_all(&lacks("name")));
    }

    #[test]
    fn a_sheet_may_bear_the_name_of_another_collection() {
        let entity = schema::collection("locations").unwrap();
        let rows = [row(&["Name"])];
        let content = |name| SheetContent { name, rows: &rows, header: &rows[0], entity };
        let other = |name| content(name).named_otherwise().map(|entity| entity.name);
        assert_eq!(
            [other(Some("Suppliers")), other(Some("locations")), other(Some("Sheet1")), other(None)],
            [Some("suppliers"), None, None, None]
        );
        let is_so = |name| content(name).is_named_so();
        assert_eq!([is_so(Some("Locations")), is_so(Some("Suppliers")), is_so(None)], [true, false, false]);
    }
}
