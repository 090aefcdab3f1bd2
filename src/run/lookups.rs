//! The first pass over the input: checks every row and collects what has to be looked up in the account.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::described::DescribedRecords;
use super::earlier_rows::has_written;
use super::input::{InputRow, InputSet};
use super::previous_result::{DoneBefore, PreviousResult, Said};
use crate::catalog;
use crate::check::{CheckedRow, Checker, Code, EarlierRunRow, ParsedValue, Problem, RowAction, text};
use crate::error::{Error, Result};
use crate::mapping::{ColumnTarget, Ignored, Mapping, RecordOrigin, TimestampColumn};
use crate::plan::{
    CreateMissing, FinishedRows, NameDescriptions, ReportedTimestamp, RowId, SheetPlan, ZeroPaddedColumns, holder_names,
};
use crate::schema::{self, Entity, Field, Meaning, Role, Verb};
use crate::table::Row;
use crate::unicode::without_invisible;

/// What has to be looked up before rows can be planned.
#[derive(Default)]
pub(super) struct Lookups {
    pub records: catalog::LookupRequest,
    /// Users named by e-mail address, lower case.
    pub users: Vec<String>,
    /// The latest change of a record that a sheet shows.
    pub exported: Option<ReportedTimestamp>,
    /// The columns that show leading zeros.
    pub zero_padded: ZeroPaddedColumns,
    /// What rows say of further records.
    pub described: DescribedRecords,
    /// What rows say of records that they name.
    pub descriptions: NameDescriptions,
    /// The rows that earlier runs were done with.
    pub finished: Rc<FinishedRows>,
}

/// Checks every sheet and gathers the names and keys of all rows that may be sent.
pub(super) fn gather(
    input: &mut InputSet,
    checkers: &mut [Checker<'_>],
    results: &[Option<PreviousResult>],
    create_missing: &CreateMissing,
) -> Result<Lookups> {
    let mut lookups = Lookups::default();
    let (mut users, mut finished_rows) = (BTreeSet::new(), FinishedRows::default());
    let mut rows = 0;
    let sheets = input.sheet_rules();
    let plans: Vec<SheetPlan<'_>> = (0..sheets.len()).map(|index| input.sheet_plan(index, &sheets[index])).collect();
    plans.iter().for_each(|sheet| declare(&mut lookups.records, sheet));
    for own in plans.iter().filter(|sheet| sheet.owner.is_none()) {
        let (index, mapping) = (usize::from(own.index), own.mapping);
        let further = input.further_of(index);
        // What done rows said before is read like the rows themselves.
        let mut earlier: Vec<(usize, Checker<'_>)> =
            std::iter::once(index).chain(further.clone()).map(|record| (record, checkers[record].helper())).collect();
        let changed = mapping.timestamp_column(TimestampColumn::Updated);
        let holders = holder_columns(mapping);
        let makes_more = !further.is_empty();
        let (mut is_skipped, mut before, mut finished) = (false, None, None);
        let mut has_finished = false;
        rows += input.survey(index, checkers, &mut |record, InputRow { typed, filled: row }, checked| {
            let sheet = &plans[record];
            lookups.zero_padded.observe(sheet.index, sheet.mapping, row);
            if record == index {
                if let Some(shown) = changed.and_then(|column| ReportedTimestamp::from_cell(row.cell(column as usize)))
                {
                    lookups.exported = Some(shown.later(lookups.exported));
                }
                for (column, field) in &holders {
                    for name in holder_names(row.cell(*column).text) {
                        field.names.iter().copied().for_each(|collection| lookups.records.name(collection, name));
                    }
                }
                let said = results[index].as_ref().map_or(Said::Nothing, |result| result.said(mapping.entity, typed));
                let is_settled = matches!(said, Said::Decided(_) | Said::Edited(_));
                finished = finished_record(&said, mapping, checked);
                has_finished |= finished.is_some();
                before = if let Said::Done(before) = said { Some(before) } else { None };
                is_skipped = checked.non_record.is_some() || is_settled;
                if makes_more && (is_skipped || matches!(checked.action, Some(RowAction::Skip | RowAction::Delete))) {
                    lookups.described.skipped.insert(RowId { sheet: own.index, row: row.number });
                }
            }
            let reader = earlier.iter_mut().find(|(known, _)| *known == record).map(|(_, reader)| reader);
            let is_done = |before: &&DoneBefore| record == index || before.has_done(sheet.mapping.entity);
            if let (Some(before), Some(reader)) = (before.as_ref().filter(|_| !is_skipped).filter(is_done), reader) {
                let earlier = before.earlier(reader);
                if let Some(id) = finished {
                    finished_rows.add(id, sheet, (row, checked), Some(&earlier));
                }
                if sheet.owner.is_some() && says_the_same(sheet.mapping, &earlier, row) {
                    lookups.described.skipped.insert(RowId { sheet: sheet.index, row: row.number });
                    return;
                }
                if let EarlierRunRow::Known { row, checked, .. } = &earlier {
                    gather_row(&mut lookups.records, &mut users, sheet, row, checked);
                }
            }
            if let (Some(id), None) = (finished, &before) {
                finished_rows.add(id, sheet, (row, checked), None);
            }
            if sheet.mapping.origin == RecordOrigin::Described && !is_skipped {
                lookups.described.add(sheet.index, sheet.mapping, row, checked);
            }
            if !is_skipped {
                lookups.descriptions.add(create_missing, sheet.mapping, row, checked);
                gather_row(&mut lookups.records, &mut users, sheet, row, checked);
            }
        })?;
        input.validate_width(index, &checkers[index])?;
        if has_finished && further.iter().any(|record| lookups.described.has_any(*record as u16)) {
            describe_finished(input, checkers, (own, &plans), &results[index], &mut lookups.described)?;
        }
    }
    if rows == 0 {
        return Err(no_rows(&input.file_names()));
    }
    lookups.users = users.into_iter().collect();
    finished_rows.sort();
    lookups.finished = Rc::new(finished_rows);
    Ok(lookups)
}

/// Adds what the rows of a sheet say of further records that an earlier run was done with, where rows that are still to be sent
/// describe the same ones.
fn describe_finished(
    input: &mut InputSet,
    checkers: &mut [Checker<'_>],
    (own, plans): (&SheetPlan<'_>, &[SheetPlan<'_>]),
    result: &Option<PreviousResult>,
    described: &mut DescribedRecords,
) -> Result<()> {
    let Some(result) = result else { return Ok(()) };
    let (index, mapping) = (usize::from(own.index), own.mapping);
    std::iter::once(index).chain(input.further_of(index)).for_each(|record| checkers[record].rewind());
    let mut is_finished = false;
    input.each_record(index, checkers, &mut |record, InputRow { typed, filled }, checked| {
        let sheet = &plans[record];
        if record == index {
            is_finished = finished_record(&result.said(mapping.entity, typed), mapping, checked).is_some();
            return;
        }
        let is_skipped = |sheet: u16| described.skipped.contains(&RowId { sheet, row: typed.number });
        let is_described = sheet.mapping.origin == RecordOrigin::Described;
        if is_finished && is_described && (is_skipped(own.index) || is_skipped(sheet.index)) {
            described.add_finished(sheet.index, sheet.mapping, filled);
        }
    })?;
    Ok(())
}

/// The record of a row that an earlier run was done with, be it edited since or not.
fn finished_record(said: &Said, mapping: &Mapping, checked: &CheckedRow) -> Option<i64> {
    let record = match said {
        Said::Decided(kept) if has_written(kept.status) => kept.record,
        Said::Done(_) if checked.action != Some(RowAction::Skip) => checked.id.map(|id| id.number),
        _ => None,
    };
    record.filter(|_| mapping.entity.is_collection())
}

/// Whether a done row says of a further record what it said before.
fn says_the_same(mapping: &Mapping, earlier: &EarlierRunRow, row: &Row) -> bool {
    mapping.columns.iter().all(|column| earlier.has_cell(row, column.index as u32))
}

/// The columns of an export that name the holders of its records. They are never sent; that they were edited shows
/// only by the names.
fn holder_columns(mapping: &Mapping) -> Vec<(usize, &'static Field)> {
    let field = |header: &str| mapping.entity.field(header.strip_suffix("_name")?);
    let ignored = mapping.ignored().filter(|(_, why)| mapping.is_exported() && *why == Ignored::ReadOnly);
    let columns = ignored.filter_map(|(column, _)| Some((column.index, field(&column.header)?)));
    columns.filter(|(_, field)| !field.names.is_empty()).collect()
}

/// Declares what a sheet needs whatever its rows hold.
fn declare(lookups: &mut catalog::LookupRequest, sheet: &SheetPlan<'_>) {
    let entity = sheet.mapping.entity;
    match entity.role {
        Role::Collection { .. } => {
            lookups.matching(entity.name, &sheet.match_on);
            if sheet.mapping.columns.iter().any(|column| matches!(column.target, ColumnTarget::Custom(_))) {
                lookups.custom_fields(entity.name);
            }
            // Whether another record of the account has a serial number (design rule 8).
            if let Some(serial) = entity.meaning(Meaning::Serial).filter(|serial| sheet.mapping.feeds(serial.name)) {
                lookups.also_by(entity.name, serial.name);
                // A row without a tag of its own is about the record that has its serial number.
                if sheet.stand_in_serial().is_some() {
                    lookups.stand_in(entity.name, serial.name);
                }
            }
        }
        Role::Action(_) => {
            // Categories decide whether a check-out notifies its recipient (design rule 17).
            let has_recipient = entity.recipient().is_some_and(|field| sheet.mapping.feeds(field.name));
            if let Some(rule) = schema::notification_rule().filter(|_| has_recipient) {
                lookups.whole(rule.collection.name);
            }
            // Of the items themselves everything is wanted: it tells where they were before the run.
            if let Some(item) = item_of(entity) {
                lookups.matching(item.name, item.key);
                // Their status decides whether they can be checked out.
                let status = item.kind_of_status().filter(|_| entity.role == Role::Action(Verb::Checkout));
                if let Some((_, statuses, _)) = status {
                    lookups.whole(statuses.to);
                }
            }
        }
        Role::Listing => {}
    }
}

fn gather_row(
    lookups: &mut catalog::LookupRequest,
    users: &mut BTreeSet<String>,
    sheet: &SheetPlan<'_>,
    row: &Row,
    checked: &CheckedRow,
) {
    let mapping = sheet.mapping;
    let entity = mapping.entity;
    let cell = |column: u32| without_invisible(text::trimmed(row.cell(column as usize).text));
    if let Some(id) = checked.id {
        lookups.id(entity.name, id.number);
    }
    for given in &checked.values {
        let field = &entity.fields[given.field];
        match (given.value, field.reference_to()) {
            (ParsedValue::Name(_), Some(reference)) => {
                lookups.name(reference.to, &cell(given.column));
                // A person is also found by what stands beside.
                if schema::collection(reference.to).is_some_and(Entity::is_person) {
                    let beside = checked.related.iter().filter(|related| related.field == given.field);
                    let beside = beside.filter(|related| ["email", "name"].contains(&related.related));
                    beside.for_each(|related| lookups.name(reference.to, &cell(related.column)));
                }
                if let Some(kind) = checked.record_kind(given.column) {
                    lookups.kind(reference.to, kind);
                }
                if mapping.origin == RecordOrigin::Assignment
                    && entity.holders().any(|holder| holder.name == field.name)
                {
                    let others = entity.holders().filter_map(Field::reference_to);
                    others.for_each(|reference| lookups.name(reference.to, &cell(given.column)));
                }
            }
            (ParsedValue::UserEmail, _) => drop(users.insert(cell(given.column).to_lowercase())),
            _ => {}
        }
    }
    // A record may really have such a name, and an export shows it: then the cell is as it was.
    let is_odd = |problem: &&Problem| matches!(problem.code(), Code::CellDamaged | Code::CellError);
    for column in checked.problems.iter().filter(is_odd).filter_map(|problem| problem.column) {
        if let Some(reference) = mapping.field_of(column).and_then(Field::reference_to) {
            lookups.name(reference.to, &cell(column));
        }
    }
    // Where rows are matched by something else, the record that has a row's tag or e-mail address may be another.
    let unique = entity.unique_field().filter(|field| sheet.match_on != [field.name]);
    if let Some(column) = unique.and_then(|field| mapping.column_of(field.name)) {
        let text = cell(column);
        if !text.is_empty() && !text::is_no_value_mark(&text) {
            lookups.name(entity.name, &text);
        }
    }
    let key_texts = sheet.match_on.iter().map(|name| mapping.column_of(name).map(&cell).unwrap_or_default());
    let is_given = |text: &Cow<'_, str>| !text.is_empty() && !text::is_no_value_mark(text);
    match key_texts.clone().next() {
        Some(first) if is_given(&first) => lookups.key(entity.name, &first),
        // A blank is no key: the rest of the key may be any record's.
        Some(_) if key_texts.skip(1).any(|text| is_given(&text)) => lookups.matching_any(entity.name),
        _ => {}
    }
    if let (Some(item), Some(column)) = (item_of(entity), mapping.column_of(entity.fields[0].name)) {
        lookups.key(item.name, &cell(column));
    }
    for related in &checked.related {
        // What the account has there is compared with what the row says.
        if let Some(reference) = mapping.entity.fields[related.field].reference_to() {
            lookups.also_by(reference.to, related.related);
        }
        if let Some(to) = related_collection(mapping, related.field, related.related) {
            lookups.name(to, &cell(related.column));
        }
    }
}

/// The collection of what an action moves: its first field names it.
fn item_of(entity: &'static Entity) -> Option<&'static Entity> {
    let field = entity.fields.first().filter(|_| entity.is_action())?;
    schema::collection(field.reference_to()?.to)
}

/// The collection a describing column names a record of.
fn related_collection(mapping: &Mapping, field: usize, related: &str) -> Option<&'static str> {
    let reference = mapping.entity.fields[field].reference_to()?;
    schema::collection(reference.to)?.field(related)?.reference_to().map(|reference| reference.to)
}

/// Sheets without a row.
pub(crate) fn no_rows(files: &[String]) -> Error {
    Error::usage(format!("{} holds a header but no rows", files.join(", ")), "fill in the rows below the header")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::mapping::MappingOverrides;
    use crate::plan::{EncodingConfidence, Referenced};
    use crate::run::previous_result::RowSelection;

    #[test]
    fn a_sheet_declares_what_it_needs_whatever_its_rows_hold() {
        let declared = |name: &str, headers: &[&str]| {
            let entity = schema::find(name).unwrap();
            let mut header = Row::default();
            header.clear(1);
            headers.iter().for_each(|cell| header.push_csv(cell));
            let mapping = Mapping::new(entity, &header, &MappingOverrides::default()).unwrap();
            let sheet = SheetPlan {
                index: 0,
                mapping: &mapping,
                match_on: entity.key.to_vec(),
                encoding: EncodingConfidence::Certain,
                referenced: Referenced::among(entity, std::iter::empty()),
                owner: None,
                is_assigned: false,
                has_preset: false,
                is_shared: false,
            };
            let mut lookups = catalog::LookupRequest::default();
            declare(&mut lookups, &sheet);
            format!("{lookups:?}")
        };
        let assets = declared("assets", &["asset_id", "product_id", "status_id", "serial"]);
        assert!(assets.contains("\"assets\"") && assets.contains("asset_serial"), "{assets}");
        let without = declared("assets", &["asset_id", "product_id", "status_id"]);
        assert!(!without.contains("asset_serial"), "{without}");
        let category = schema::notification_rule().unwrap().collection.name;
        let employees = declared("checkout_asset", &["asset_id", "employee_id", "checkout_date"]);
        assert!(employees.contains(category) && employees.contains("asset_id"), "{employees}");
        let locations = declared("checkout_asset", &["asset_id", "location_id", "checkout_date"]);
        assert!(!locations.contains(category), "{locations}");
    }

    /// What a file of that name asks for, one text for each collection.
    fn asked(
        name: &str,
        text: &str,
        selection: RowSelection,
        change: impl FnOnce(&mut crate::run::input::InputOptions),
    ) -> (Lookups, std::collections::BTreeMap<String, String>) {
        use crate::observer::NoObserver;
        use crate::run::input::{InputOptions, RowRules, SheetFilter};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mut options = InputOptions { files: vec![path], ..InputOptions::default() };
        change(&mut options);
        let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
        let (sheets, rules) = (input.sheet_rules(), RowRules::new(input.rules.clone()));
        let mut checkers = input.checkers(&sheets, &rules);
        let result = |sheet: &crate::run::input::MappedSheet| {
            PreviousResult::as_written(&sheet.mapping, &sheet.header).filter(|_| selection != RowSelection::All)
        };
        let results: Vec<_> = input.sheets.iter().map(result).collect();
        let lookups = gather(&mut input, &mut checkers, &results, &CreateMissing::Nothing).unwrap();
        let shown = format!("{:?}", lookups.records);
        let mut texts = std::collections::BTreeMap::new();
        let names: Vec<&str> = schema::COLLECTIONS.iter().map(|entity| entity.name).collect();
        let mut starts: Vec<(usize, &str)> = names
            .iter()
            .filter_map(|name| Some((shown.find(&format!("\"{name}\": CollectionLookup"))?, *name)))
            .collect();
        starts.sort_unstable();
        for (at, (start, name)) in starts.iter().enumerate() {
            let end = starts.get(at + 1).map_or(shown.len(), |(end, _)| *end);
            texts.insert((*name).to_owned(), shown[*start..end].to_owned());
        }
        (lookups, texts)
    }

    fn all(name: &str, text: &str) -> (Lookups, std::collections::BTreeMap<String, String>) {
        asked(name, text, RowSelection::All, |_| {})
    }

    fn has(text: &str, wanted: &[&str]) -> bool {
        wanted.iter().all(|wanted| text.contains(&format!("{wanted:?}")))
    }

    #[test]
    fn rows_ask_for_what_they_name() {
        let rows = "Asset Tag,Serial,Model,Status,Location,_id\nA-1,S1, X1 ,Ready,#77,12\nA-2,S2,X2,Ready,Ulm,\n";
        let (lookups, of) = all("assets.csv", rows);
        assert!(has(&of["products"], &["X1", "X2"]) && has(&of["statuses"], &["Ready"]), "{of:?}");
        assert!(has(&of["locations"], &["Ulm"]) && of["locations"].contains("77"), "{}", of["locations"]);
        assert!(has(&of["assets"], &["A-1", "A-2", "asset_id", "asset_serial"]) && of["assets"].contains("{12}"));
        assert!(of["assets"].contains("Referenced") && of["assets"].contains("is_any: false"), "{}", of["assets"]);
        assert!(lookups.users.is_empty() && lookups.exported.is_none());
        assert!(!of.contains_key("employees"));
    }

    #[test]
    fn where_a_serial_number_stands_in_for_the_tag_records_are_found_by_it_too() {
        let intune =
            "Device ID,Enrollment date,Primary user UPN,Serial number,Model\nd1,2026-01-01,a@example.com,S1,X1\n";
        let (_, of) = all("devices.csv", intune);
        assert!(of["assets"].contains("stand_in: Some(\"asset_serial\")"), "{}", of["assets"]);
        let (_, of) = all("assets.csv", "Asset Tag,Serial,Model,Status\nA-1,S1,X1,Ready\n");
        assert!(of["assets"].contains("stand_in: None"), "{}", of["assets"]);
    }

    #[test]
    fn a_row_without_the_first_of_its_key_may_be_about_any_record() {
        let key =
            |rows: &str| all("products.csv", &format!("Name,Model Number,Category\n{rows}")).1["products"].clone();
        assert!(key("X1,G9,Laptops\n").contains("is_any: false"));
        assert!(key(",G9,Laptops\n").contains("is_any: true"));
        assert!(key(",,Laptops\n").contains("is_any: false"));
        assert!(key(",n/a,Laptops\n").contains("is_any: false"));
        assert!(key("n/a,G9,Laptops\n").contains("is_any: true"), "{}", key("n/a,G9,Laptops\n"));
        assert!(!has(&key("n/a,,Laptops\n"), &["n/a"]));
    }

    #[test]
    fn users_are_asked_for_once_in_lower_case() {
        let rows = "Asset,Audit Date,Scheduled,Completed,User\nA-1,2026-03-02,no,yes,Zoe@Example.com\n\
                    A-2,2026-03-02,no,yes,zoe@example.com\nA-3,2026-03-02,no,yes,ada@example.com\nA-4,2026-03-02,no,yes,3\n";
        assert_eq!(all("audits.csv", rows).0.users, ["ada@example.com", "zoe@example.com"]);
    }

    #[test]
    fn an_action_asks_for_what_it_moves() {
        let rows = "Asset,Employee,Checkout Date\nA-1,ada@example.com,2026-03-02\n";
        let (_, of) = all("checkout_asset.csv", rows);
        assert!(has(&of["assets"], &["A-1", "asset_id"]) && has(&of["employees"], &["ada@example.com"]));
        assert!(of["categories"].contains("Whole"), "{}", of["categories"]);
        assert_eq!(item_of(schema::find("checkout_asset").unwrap()).map(|item| item.name), Some("assets"));
        assert_eq!(item_of(schema::find("assets").unwrap()).map(|item| item.name), None);
    }

    #[test]
    fn an_export_asks_for_the_holders_that_it_shows() {
        let rows = "id,asset_id,deployed_to_name,deployed_to,created_at,updated_at\n\
                    1,A-1,Ada; Berlin,x,2026-01-01T08:00:00.000Z,2026-02-01T08:00:00.000Z\n\
                    2,A-2,,x,2026-01-01T08:00:00.000Z,2026-03-01T08:00:00.000Z\n\
                    3,A-3,,x,2026-01-01T08:00:00.000Z,2026-01-01T08:00:00.000Z\n";
        let (lookups, of) = all("assets.csv", rows);
        assert!(has(&of["employees"], &["Ada", "Berlin"]) && has(&of["locations"], &["Ada", "Berlin"]), "{of:?}");
        let latest = format!("{:?}", lookups.exported.unwrap());
        assert!(latest.contains("2026-03-01"), "{latest}");
        let plain = rows.replace("id,asset_id", "number,asset_id").replace(",created_at,updated_at", ",made,seen");
        let (lookups, of) = all("assets.csv", &plain);
        assert!(!of.contains_key("employees") && lookups.exported.is_none(), "{of:?}");
    }

    #[test]
    fn rows_that_are_done_or_no_records_ask_for_nothing() {
        let rows = "_status,_id,_message,Name,Email,Location\ncreated,1,,Ada,ada@example.com,Rome\n\
                    failed,,,Bob,bob@example.com,Oslo\n";
        let (_, of) = asked("employees.csv", rows, RowSelection::NotDone, |_| {});
        assert!(has(&of["locations"], &["Oslo"]) && !has(&of["locations"], &["Rome"]), "{of:?}");
        let (_, of) = all("employees.csv", rows);
        assert!(has(&of["locations"], &["Oslo", "Rome"]));
        let repeated = "Name,Email,Location\nAda,ada@example.com,Rome\nName,Email,Location\n";
        let (_, of) = all("employees.csv", repeated);
        assert!(has(&of["locations"], &["Rome"]) && !has(&of["locations"], &["Location"]), "{of:?}");
    }

    #[test]
    fn a_damaged_cell_may_be_a_name_all_the_same() {
        let rows = "Name,Email,Location\nAda,ada@example.com,#REF!\nBob,bob@example.com,B\u{fffd}rn\n";
        let (_, of) = all("employees.csv", rows);
        assert!(has(&of["locations"], &["#REF!"]), "{of:?}");
    }

    #[test]
    fn columns_that_describe_what_a_row_names_ask_for_that_too() {
        let rows = "Asset Tag,Model,Manufacturer,Category,Status\nA-1,X1,Acme,Laptops,Ready\n";
        let (_, of) = all("assets.csv", rows);
        assert!(has(&of["manufacturers"], &["Acme"]) && has(&of["categories"], &["Laptops"]), "{of:?}");
        let assets = schema::find("assets").unwrap();
        let mut header = Row::default();
        header.clear(1);
        header.push_csv("asset_id");
        let mapping = Mapping::new(assets, &header, &MappingOverrides::default()).unwrap();
        let product = assets.field_index("product_id").unwrap();
        assert_eq!(related_collection(&mapping, product, "manufacturer_id"), Some("manufacturers"));
        assert_eq!(related_collection(&mapping, product, "name"), None);
    }

    #[test]
    fn who_is_to_hold_something_may_be_a_person_or_a_place() {
        let rows = "Asset Tag,Model,Status,Who,Since\nA-1,X1,Ready,Ada,2026-01-02\n";
        let (_, of) = asked("assets.csv", rows, RowSelection::All, |options| {
            options.mapping.map = ["Who=assigned_to", "Since=checkout_date"].map(String::from).to_vec();
        });
        assert!(has(&of["employees"], &["Ada"]) && has(&of["locations"], &["Ada"]), "{of:?}");
        let plain = "Asset,Employee,Checkout Date\nA-1,Ada,2026-03-02\n";
        let (_, of) = all("checkout_asset.csv", plain);
        assert!(has(&of["employees"], &["Ada"]) && !of.contains_key("locations"), "{of:?}");
    }

    #[test]
    fn a_tag_is_asked_for_where_rows_are_found_by_something_else() {
        let rows = "Asset Tag,Serial,Model,Status\nA-1,S1,X1,Ready\nn/a,S2,X1,Ready\n,S3,X1,Ready\n";
        let (_, of) = asked("assets.csv", rows, RowSelection::All, |options| {
            options.match_on = vec![String::from("asset_serial")];
        });
        assert!(has(&of["assets"], &["A-1", "S1", "S2", "S3"]), "{}", of["assets"]);
        assert!(!of["assets"].contains("\"n/a\"") && !of["assets"].contains("\"\""), "{}", of["assets"]);
    }
}
