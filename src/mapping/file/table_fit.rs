//! Which collection a sheet holds for all that a mapping file says: the one whose table names the sheet's headers.

use std::collections::HashSet;

use super::{MappingFile, Section};
use crate::mapping::entity::{DetectedEntity, EntityDetectionError, detect_entity, named_entity};
use crate::mapping::headers::{header_keys, result_column};
use crate::mapping::rule::{FieldRule, TextFormats};
use crate::schema::{Entity, HeaderText};
use crate::table::Row;

/// The row of a sheet in which most headers are named by what a mapping file says of a collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableFit {
    pub entity: &'static Entity,
    /// From 0, among the rows that were looked at.
    pub row: usize,
    /// The number of its headers that are named.
    named: usize,
    /// The number of its headers, those that a result puts in front left aside.
    filled: usize,
    /// The number of headers that the file names and the row lacks.
    absent: usize,
}

impl TableFit {
    /// Whether the headers are those that it names, all of them and no others: it was saved for such a sheet.
    fn is_whole(&self) -> bool {
        self.named == self.filled && self.absent == 0
    }

    /// Whether it names most of the headers.
    pub(crate) fn is_most(&self) -> bool {
        2 * self.named > self.filled
    }
}

impl MappingFile {
    /// The row whose headers the file names for an entity; none where it names none.
    pub(crate) fn fit(&self, entity: &'static Entity, rows: &[Row]) -> Option<TableFit> {
        let is_own = |header: &str| result_column(header).is_none();
        let named = self.sections(entity).flat_map(Section::headers).filter(|header| is_own(header));
        let headers: HashSet<String> = named.map(|header| HeaderText::parse(header).whole).collect();
        let fit = |(row, cells): (usize, &Row)| {
            let filled = cells.cells().filter(|cell| !cell.is_blank() && is_own(cell.text));
            let keys: Vec<Vec<String>> = filled.map(|cell| header_keys(cell.text)).collect();
            let named = keys.iter().filter(|keys| keys.iter().any(|key| headers.contains(key))).count();
            let present: HashSet<&String> = keys.iter().flatten().filter(|key| headers.contains(*key)).collect();
            TableFit { entity, row, named, filled: keys.len(), absent: headers.len() - present.len() }
        };
        let fits = rows.iter().enumerate().map(fit).filter(|fit| fit.named > 0);
        fits.reduce(|best, fit| if fit.named > best.named { fit } else { best })
    }

    /// The collections that the file has tables for.
    pub(crate) fn table_entities(&self) -> Vec<&'static Entity> {
        let mut entities: Vec<&'static Entity> = self.sections.iter().filter_map(|section| section.entity).collect();
        entities.dedup_by_key(|entity| entity.name);
        entities
    }

    /// Whether the file says anything of the entity.
    pub(crate) fn is_about(&self, entity: &Entity) -> bool {
        self.sections(entity).any(|section| !section.is_empty())
    }

    /// Whether anything that the file says of the entity concerns a sheet with that header row.
    pub(crate) fn is_used(&self, entity: &'static Entity, header: &Row) -> bool {
        let needs_no_header = |rule: &FieldRule| rule.source.is_none();
        self.formats(entity) != TextFormats::default()
            || self.sections(entity).flat_map(|section| &section.rules).any(needs_no_header)
            || self.fit(entity, std::slice::from_ref(header)).is_some()
    }

    /// Detects a sheet's entity by the tables of the file, its name and its headers. A table with just its headers was made
    /// for the sheet. One that names most of them, or the only one for the only sheet, says more than what the headers are
    /// called, and less than the name of the sheet.
    ///
    /// # Errors
    /// If nothing tells, or several collections fit equally well.
    pub(crate) fn detect_entity(
        &self,
        (sheet, stem): (Option<&str>, &str),
        rows: &[Row],
        is_alone: bool,
    ) -> Result<DetectedEntity, EntityDetectionError> {
        let fits: Vec<TableFit> =
            self.table_entities().into_iter().filter_map(|entity| self.fit(entity, rows)).collect();
        let detected = detect_entity(sheet, stem, rows);
        let among = |is_fit: &dyn Fn(&TableFit) -> bool| {
            let entities: Vec<&'static Entity> = fits.iter().filter(|fit| is_fit(fit)).map(|fit| fit.entity).collect();
            let is_detected =
                |entity: &&&'static Entity| detected.as_ref().is_ok_and(|found| found.entity.name == entity.name);
            match (entities.as_slice(), entities.iter().find(is_detected)) {
                ([], _) => None,
                ([entity], _) | (_, Some(entity)) => Some(Ok(DetectedEntity { entity, overruled: None })),
                (several, None) => {
                    Some(Err(EntityDetectionError::Ambiguous(several.iter().map(|entity| entity.name).collect())))
                }
            }
        };
        if let Some(found) = among(&TableFit::is_whole) {
            return found;
        }
        let is_named = named_entity(sheet, stem).is_some();
        let is_only = is_alone && fits.len() == 1;
        let most = if is_named { None } else { among(&|fit| fit.is_most() || is_only) };
        match (most, detected.clone()) {
            (Some(found), _) => found,
            (None, Err(error)) => among(&|fit| error.leaves_open(fit.entity)).unwrap_or(Err(error)),
            (None, found) => found,
        }
    }
}

impl Section {
    fn is_empty(&self) -> bool {
        let has_rules = !self.rules.is_empty() || !self.skips.is_empty() || !self.also.is_empty();
        self.overrides.is_empty() && !has_rules && self.formats == TextFormats::default()
    }

    /// Every header that it names, be it to ignore the column.
    fn headers(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().chain(self.also.iter().flat_map(|records| &records.rules));
        let read = rules.filter_map(|rule| rule.source.as_ref()).flat_map(|source| source.headers());
        let plain = self.overrides.iter().map(|entry| entry.header.as_str());
        plain.chain(read).chain(self.skips.iter().flat_map(|skip| skip.headers.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::mapping::MappingSource;

    const TABLES: &str = "[employees]\nName = \"name\"\nEmail = \"email\"\nCompany = \"\"\n[assets]\nLabel = \"asset_id\"\n\
                          [assets.fields.notes]\njoin = \"{Company}, {Floor}\"\n";

    fn row(number: u64, cells: &[&str]) -> Row {
        let mut row = Row::default();
        row.clear(number);
        cells.iter().for_each(|cell| row.push_csv(cell));
        row
    }

    fn detected(text: &str, stem: &str, header: &[&str], is_alone: bool) -> Option<&'static str> {
        let file = MappingFile::parse(text, MappingSource::MappingFile, "m.toml").unwrap();
        let rows = [row(1, &["List of 2026"]), row(2, header)];
        file.detect_entity((None, stem), &rows, is_alone).ok().map(|found| found.entity.name)
    }

    #[test]
    fn a_table_with_just_the_headers_of_a_sheet_goes_before_its_name() {
        let people = ["Name", "Email", "Company"];
        assert_eq!(detected(TABLES, "suppliers", &people, false), Some("employees"));
        assert_eq!(
            detected(TABLES, "suppliers", &["_status", "_message", "Name", "Email", "Company"], false),
            Some("employees")
        );
        assert_eq!(detected(TABLES, "suppliers", &["Name", "Email", "Company", "Fax"], true), Some("suppliers"));
        assert_eq!(detected(TABLES, "suppliers", &["Name", "Email"], true), Some("suppliers"));
    }

    #[test]
    fn a_table_that_names_most_headers_goes_before_what_they_are_called() {
        let more = ["Name", "Email", "Company", "Phone", "Address"];
        assert_eq!(detected("", "list", &more, true), Some("suppliers"));
        assert_eq!(detected(TABLES, "list", &more, false), Some("employees"));
        let other = ["Name", "Phone", "Address", "City", "Country"];
        // The only table, for the only sheet.
        let ignores = "[employees]\nCompany = \"\"\n";
        assert_eq!(detected(ignores, "list", &more, true), Some("employees"));
        assert_eq!(detected(ignores, "list", &more, false), Some("suppliers"));
        // Nothing else tells.
        assert_eq!(detected("", "list", &["Label", "a", "b", "c"], false), None);
        assert_eq!(detected(TABLES, "list", &["Label", "a", "b", "c"], false), Some("assets"));
        // Of several collections whose words the headers are, the one that has a table.
        let suppliers = "[suppliers]\nCity = \"\"\n";
        assert_eq!([detected("", "list", &other, false), detected(TABLES, "list", &other, false)], [None; 2]);
        assert_eq!(detected(suppliers, "list", &other, false), Some("suppliers"));
    }

    #[test]
    fn tables_that_fit_equally_well_leave_it_to_the_name() {
        let both = "[employees]\nName = \"name\"\nX = \"\"\n[suppliers]\nName = \"name\"\nX = \"\"\n";
        assert_eq!(detected(both, "suppliers", &["Name", "X"], true), Some("suppliers"));
        assert_eq!(detected(both, "list", &["Name", "X"], true), None);
    }

    #[test]
    fn the_header_row_is_the_one_that_the_file_names() {
        let file = MappingFile::parse(TABLES, MappingSource::MappingFile, "m.toml").unwrap();
        let assets = crate::schema::collection("assets").unwrap();
        let rows = [row(1, &["Notes", "Model"]), row(2, &["Label", "Floor"]), row(3, &["a", "b"])];
        let fit = file.fit(assets, &rows).unwrap();
        assert_eq!((fit.row, fit.is_most(), fit.is_whole()), (1, true, false));
        assert!(file.is_used(assets, &rows[1]) && !file.is_used(assets, &rows[0]));
        assert!(!file.is_about(crate::schema::collection("locations").unwrap()));
    }
}
