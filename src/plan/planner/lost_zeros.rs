//! Rows that would make a second record, or change a text, only because leading zeros were lost.

use serde_json::Value as Json;

use super::{Planner, SheetPlan, StepSink};
use crate::api::custom_fields;
use crate::catalog::RecordRef;
use crate::check::{CheckedRow, CustomField, Mode, Problem, RowAction};
use crate::plan::diff;
use crate::plan::lost_zeros::{lacks_zeros, padded, zeros_lost};
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::target::RowDelta;
use crate::schema::{CUSTOM_FIELDS, Kind};
use crate::table::Row;

/// A text of a row that lacks the zeros of the account's text.
struct ShortenedText {
    text: String,
    held: String,
    column: u32,
    /// Whether it tells which record is meant.
    is_key: bool,
}

impl<S: StepSink> Planner<'_, S> {
    /// The cells of which leading zeros were lost, as the account's record shows; of a row whose record was not found, one
    /// whose key differs only in them. A row whose `_action` says `create` means another record, and one that says `update`
    /// means what it writes, except for the key: whoever marks edited rows of a sheet need not have looked at it.
    pub(super) fn lost_zeros(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        delta: &RowDelta,
        existing: &Result<Option<RecordRef>, Problem>,
    ) -> Vec<Problem> {
        let means = |mode| checked.action == Some(RowAction::Write(mode));
        if sheet.mapping.entity.is_action() {
            return Vec::new();
        }
        let mut shortened = match existing {
            Ok(Some(RecordRef::Known(id))) => {
                let custom = checked.custom_fields(sheet.mapping, row);
                let mut texts = self.shortened_texts(sheet, &delta.edited, &custom, *id);
                texts.retain(|cell| cell.is_key || !means(Mode::Update));
                texts
            }
            Ok(None) if means(Mode::Create) => Vec::new(),
            Ok(None) => self.shortened_key(sheet, &delta.edited).into_iter().collect(),
            Ok(Some(RecordRef::Planned(_))) | Err(_) => Vec::new(),
        };
        shortened.retain(|cell| !self.zero_padded.keeps(sheet.index, cell.column, cell.held.len()));
        let problem = |ShortenedText { text, held, column, is_key }: ShortenedText| {
            let escape = match (existing, is_key) {
                (Ok(None), _) => Some("create"),
                (_, true) => None,
                (_, false) => Some("update"),
            };
            zeros_lost(&text, &held, escape).at(Some(column), row.cell(column as usize).text)
        };
        shortened.into_iter().map(problem).collect()
    }

    /// The texts of a row that are those of its record without leading zeros.
    fn shortened_texts(
        &self,
        sheet: &SheetPlan<'_>,
        fields: &[ResolvedField],
        custom: &[CustomField],
        id: i64,
    ) -> Vec<ShortenedText> {
        let entity = sheet.mapping.entity;
        let Some(record) = self.catalog.record(entity.name, id) else { return Vec::new() };
        let shortened = |text: &str, held: &str, column, is_key| {
            let (text, held) = lacks_zeros(text, held).then(|| (text.to_owned(), held.to_owned()))?;
            Some(ShortenedText { text, held, column, is_key })
        };
        let of_fields = fields.iter().filter_map(|given| {
            let name = entity.fields[given.field].name;
            let held = record.get(name)?.as_str()?;
            shortened(given_text(given)?, held, given.column, entity.key.contains(&name))
        });
        let pairs = record.get(CUSTOM_FIELDS).map(custom_fields).unwrap_or_default();
        let of_custom = custom.iter().filter_map(|given| {
            let held = &pairs[diff::position_of(&given.name, &pairs)?].1;
            shortened(&given.value, held, given.column, false)
        });
        of_fields.chain(of_custom).collect()
    }

    /// The key of a row without a record, where a record has it behind zeros.
    fn shortened_key(&self, sheet: &SheetPlan<'_>, fields: &[ResolvedField]) -> Option<ShortenedText> {
        let entity = sheet.mapping.entity;
        let name = *sheet.match_on.first()?;
        let index = entity.field_index(name).filter(|index| matches!(entity.fields[*index].kind, Kind::Text(_)))?;
        let given = fields.iter().find(|given| given.field == index)?;
        let text = given_text(given)?;
        let held = padded(text).find(|held| !self.catalog.with_text(entity.name, name, held).is_empty())?;
        Some(ShortenedText { text: text.to_owned(), held, column: given.column, is_key: true })
    }
}

fn given_text(given: &ResolvedField) -> Option<&str> {
    match &given.value {
        Resolved::Value(Json::String(text)) => Some(text),
        _ => None,
    }
}
