//! Serial numbers: that another record of the account has one, and tags that they stand in for.
//!
//! Many tools know no tags, and a rule then takes the serial number for one. Such a tag makes a new asset, but says nothing
//! of the tag that the same device has been given elsewhere.

use serde_json::Value as Json;

use super::{Planner, RowDraft, SheetPlan, StepSink};
use crate::catalog::{KeyValue, LookupResult, RecordRef};
use crate::check::{CheckedRow, Problem, RemarkKind};
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::step::WriteKind;
use crate::plan::target::RowDelta;
use crate::schema::{Entity, Field, Meaning, fold_name};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// The record with the serial number of a row whose tag no record has, where that number stands in for the tag.
    pub(super) fn with_stand_in(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        delta: &RowDelta,
    ) -> Result<Option<RecordRef>, Problem> {
        let Some((tag, serial)) = sheet.stand_in_serial().filter(|_| checked.id.is_none()) else { return Ok(None) };
        let fields = delta.all();
        let (Some((tag, _)), Some((column, number))) =
            (text_of(sheet.mapping.entity, tag, &fields), text_of(sheet.mapping.entity, serial, &fields))
        else {
            return Ok(None);
        };
        if checked.cell_of(tag) != checked.cell_of(column) || !is_stand_in(sheet, checked, tag) {
            return Ok(None);
        }
        let found = self.with_serial(sheet, serial, number);
        self.chosen(sheet, row, &fields, found, None)
    }

    /// Remarks that a row gives a record the serial number of another one (design rule 8), as far as the records are
    /// known: nothing is looked up for it.
    pub(super) fn remark_serial(&self, sheet: &SheetPlan<'_>, draft: &RowDraft, checked: &mut CheckedRow) {
        let entity = sheet.mapping.entity;
        let Some(serial) = entity.meaning(Meaning::Serial).filter(|_| entity.is_collection()) else { return };
        let Some((column, text)) = text_of(entity, serial, &draft.fields) else { return };
        let own = draft.record.and_then(WriteKind::record);
        let is_new = own.is_none();
        if is_new && self.is_tagged_with_serial(sheet, serial, text) {
            let kind = RemarkKind::SerialIsTag { field: serial.name, singular: entity.singular };
            checked.remark(kind, column as usize, text);
        } else if self.catalog.with_text(entity.name, serial.name, text).into_iter().any(|id| Some(id) != own) {
            checked.remark(RemarkKind::SerialInAccount, column as usize, text);
        }
    }

    /// Whether a single record has the serial number, and has it for its tag, too: an earlier import knew no other.
    fn is_tagged_with_serial(&self, sheet: &SheetPlan<'_>, serial: &Field, number: &str) -> bool {
        let name = sheet.mapping.entity.name;
        let record = match self.with_serial(sheet, serial, number) {
            LookupResult::One(RecordRef::Known(id)) => self.catalog.record(name, id),
            LookupResult::One(RecordRef::Planned(step)) => self.catalog.planned_fields(name, step),
            LookupResult::None { .. } | LookupResult::Many(_) => None,
        };
        let tag = sheet.mapping.entity.meaning(Meaning::Tag).zip(record);
        let held = tag.and_then(|(tag, record)| record.get(tag.name)?.as_str());
        held.is_some_and(|held| fold_name(held) == fold_name(number))
    }

    fn with_serial(&self, sheet: &SheetPlan<'_>, serial: &Field, number: &str) -> LookupResult {
        self.catalog.match_record(sheet.mapping.entity.name, &[serial.name], &[KeyValue::Text(number)])
    }
}

/// Leaves a record its tag where that of the row only stands in for one.
pub(super) fn keep_tag(sheet: &SheetPlan<'_>, checked: &CheckedRow, fields: &mut Vec<ResolvedField>) {
    let entity = sheet.mapping.entity;
    let is_tag = |given: &ResolvedField| entity.fields[given.field].meaning == Some(Meaning::Tag);
    fields.retain(|given| !is_tag(given) || !is_stand_in(sheet, checked, given.column));
}

fn is_stand_in(sheet: &SheetPlan<'_>, checked: &CheckedRow, column: u32) -> bool {
    sheet.mapping.stands_in(column, checked.cell_of(column))
}

/// The text that a row gives a field, and its column.
fn text_of<'f>(entity: &Entity, field: &Field, fields: &'f [ResolvedField]) -> Option<(u32, &'f str)> {
    let given = fields.iter().find(|given| entity.fields[given.field].name == field.name)?;
    match &given.value {
        Resolved::Value(Json::String(text)) => Some((given.column, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::scenario::Scenario;

    const RULES: &str = "[fields.asset_id]\nfirst_of = [\"Tag\", \"Serial\", \"Host\"]\n\
                         [fields.asset_serial]\ncolumn = \"Serial\"\n[fields.asset_name]\ncolumn = \"Host\"\n";

    /// `LAP-1` with the serial number `S1`, `S2` whose tag is its serial number, and two with `S3`.
    fn account() -> Scenario {
        let asset = |id: i64, tag: &str, serial: &str| json!({"id": id, "asset_id": tag, "asset_serial": serial, "product_id": 1, "status_id": 1});
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds(
                "assets",
                json!([
                    asset(1, "LAP-1", "S1"),
                    asset(2, "S2", "S2"),
                    asset(3, "LAP-3", "S3"),
                    asset(4, "LAP-4", "S3")
                ]),
            )
    }

    fn rows(rows: &str) -> Scenario {
        account().ruled_sheet("assets", &format!("Tag|Serial|Host|product|status\n{rows}"), RULES)
    }

    #[test]
    fn a_row_without_a_tag_is_about_the_asset_with_its_serial_number() {
        assert_eq!(rows("|S1|NB-1|X1|Ready").shown(), [r#"update 1 {"asset_name":"NB-1"}"#]);
        assert_eq!(rows("|s1||X1|Ready").shown(), [r#"update 1 {"asset_serial":"s1"}"#]);
        assert_eq!(rows("|S2||X1|Ready").shown(), ["unchanged 2"]);
        let new = r#"create {"asset_id":"S9","asset_serial":"S9","product_id":1,"status_id":1}"#;
        assert_eq!(rows("|S9||X1|Ready").shown(), [new]);
        // A name is no serial number.
        assert_eq!(
            rows("||S1|X1|Ready").shown(),
            [r#"create {"asset_id":"S1","asset_name":"S1","product_id":1,"status_id":1}"#]
        );
        let several = rows("|S3||X1|Ready").shown();
        assert!(several[0].starts_with("reject record.ambiguous") && several[0].contains("LAP-4"), "{several:?}");
        let twice = rows("LAP-1|S1||X1|Ready\n|S1||X1|Ready").shown();
        assert!(twice[1].starts_with("reject duplicate.key"), "{twice:?}");
    }

    #[test]
    fn a_row_without_a_tag_may_be_about_an_asset_of_an_earlier_sheet() {
        let sheet = "Tag|Serial|Host|product|status\n|S9|NB-9|X1|Ready";
        let shown = account()
            .sheet("assets", "asset_id|asset_serial|product|status\nLAP-9|S9|X1|Ready")
            .ruled_sheet("assets", sheet, RULES)
            .shown();
        assert!(shown[1].starts_with("reject duplicate.key"), "{shown:?}");
    }

    #[test]
    fn one_column_for_tag_and_serial_number_says_no_tag() {
        let rules = "[fields.asset_id]\ncolumn = \"Serial\"\n[fields.asset_serial]\ncolumn = \"Serial\"\n";
        let sheet = "Serial|product|status\nS1|X1|Ready";
        assert_eq!(account().ruled_sheet("assets", sheet, rules).shown(), ["unchanged 1"]);
    }

    #[test]
    fn a_tag_that_stands_in_is_never_written_to_an_asset() {
        let by = |field, text| rows(text).match_on(&[field]).shown();
        assert_eq!(by("asset_serial", "|S1|NB-1|X1|Ready"), [r#"update 1 {"asset_name":"NB-1"}"#]);
        // A tag of the row's own is.
        assert_eq!(by("asset_serial", "NEW-1|S1||X1|Ready"), [r#"update 1 {"asset_id":"NEW-1"}"#]);
        let rules = "[fields.asset_id]\njoin = \"{Tag}-{Serial}\"\n";
        let joined = account().ruled_sheet("assets", "Tag|Serial|product|status\nA|S1|X1|Ready", rules);
        assert_eq!(joined.match_on(&["asset_serial"]).shown(), [r#"update 1 {"asset_id":"A-S1"}"#]);
    }

    #[test]
    fn a_new_tag_for_an_asset_that_has_its_serial_number_for_one_is_remarked() {
        let remarks = |text: &str| rows(text).plan().remarks;
        assert_eq!(
            remarks("LAP-2|S2||X1|Ready"),
            [
                "`Serial`: 1 row with a new tag and the serial number of an asset that has this number for its tag, such as \
                 `S2`; if they are the same, pass --match-on asset_serial to give that asset the new tag instead of making \
                 another one (B2)"
            ]
        );
        assert_eq!(remarks("LAP-1|S1||X1|Ready"), [""; 0]);
        assert_eq!(
            rows("LAP-2|S2||X1|Ready").match_on(&["asset_serial"]).shown(),
            [r#"update 2 {"asset_id":"LAP-2"}"#]
        );
    }
}
