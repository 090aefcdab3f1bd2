//! Values that name a kind of record instead of a record: any deployable status.

use super::{Planner, RowDraft, SheetPlan, StepSink};
use crate::catalog::RecordRef;
use crate::check::{CheckedRow, DerivedOrigin, KindBasis, ParsedRelated, Problem, RemarkKind, mapped_text, text};
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::schema::{self, Entity, Kind, Meaning};
use crate::table::Row;

/// Leaves out the kinds that a default says, for a row that is about an existing record: they are for new ones, and that the row
/// says nothing is no reason to change one.
pub(super) fn drop_default_kinds(checked: &CheckedRow, fields: &mut Vec<ResolvedField>, problems: &mut Vec<Problem>) {
    let is_for_new = |column: u32| checked.is_default(column) && checked.record_kind(column).is_some();
    fields.retain(|given| !is_for_new(given.column));
    problems.retain(|problem| !problem.column.is_some_and(is_for_new));
}

/// Remarks the kinds of new records that the row says in words which the mapping does not list: only `otherwise` says them.
pub(super) fn remark_assumed_kinds(sheet: &SheetPlan<'_>, row: &Row, draft: &RowDraft, checked: &mut CheckedRow) {
    for (field, record) in &draft.missing {
        let Some(about) = record.entity.meaning(Meaning::RecordKind) else { continue };
        let is_kind = |related: &&ParsedRelated| related.field == *field && related.related == about.name;
        let Some(column) = checked.related.iter().find(is_kind).map(|related| related.column) else { continue };
        let cell = checked.derived_cell(column).filter(|cell| cell.origin == DerivedOrigin::Otherwise);
        let source = cell.and_then(|cell| Some((sheet.mapping.derived_at(column as usize)?, cell.source?)));
        let Some((derived, source)) = source else { continue };
        let text = mapped_text(row, derived, source as usize).unwrap_or_default().into_owned();
        let Kind::Option(choices) = about.kind else { continue };
        let is_taken = |kind: &&&str| record.fields.get(about.name).is_some_and(|taken| taken.as_str() == Some(**kind));
        let taken = choices.create.iter().find(is_taken);
        let other = choices.create.iter().rfind(|kind| !is_taken(kind));
        let Some((kind, other)) = taken.zip(other) else { continue };
        let target = (sheet.mapping.entity.fields[*field].name, about.name);
        let remark = RemarkKind::KindAssumed { kind, other, collection: record.entity.name, target };
        checked.remark(remark, column as usize, text::trimmed(&text));
    }
}

impl<S: StepSink> Planner<'_, S> {
    /// Leaves a record what it has where that is of the kind: any will do.
    pub(super) fn keep_kinds(
        &self,
        sheet: &SheetPlan<'_>,
        checked: &CheckedRow,
        id: i64,
        fields: &mut Vec<ResolvedField>,
    ) {
        let entity = sheet.mapping.entity;
        let record = self.catalog.record(entity.name, id);
        let is_of_kind = |given: &ResolvedField| {
            let field = &entity.fields[given.field];
            let kind = checked.record_kind(given.column)?;
            Some(self.catalog.as_planned().is_of_kind(field.reference_to()?, record?.get(field.name)?, kind))
        };
        fields.retain(|given| is_of_kind(given) != Some(true));
    }

    /// Remarks which record stands for a kind, and why this one.
    pub(super) fn remark_kinds(&self, sheet: &SheetPlan<'_>, row: &Row, draft: &RowDraft, checked: &mut CheckedRow) {
        let entity = sheet.mapping.entity;
        let found = draft.fields.iter().filter_map(|given| {
            let Resolved::Record(target, reference) = given.value else { return None };
            let kind = checked.record_kind(given.column)?;
            let referenced = schema::collection(reference.to)?;
            let shown = self.catalog.describe(referenced.name, target);
            let name = text::trimmed(row.cell(given.column as usize).text);
            Some((given.column, kind, referenced, self.kind_basis(referenced, (kind, name), target), shown))
        });
        let created = draft.missing.iter().filter_map(|(field, record)| {
            let column = sheet.mapping.column_of(entity.fields[*field].name)?;
            let kind = checked.record_kind(column)?;
            Some((column, kind, record.entity, KindBasis::Created, record.name.clone()))
        });
        for (column, kind, referenced, basis, shown) in found.chain(created).collect::<Vec<_>>() {
            let is_default = checked.is_default(column);
            let remark = RemarkKind::RecordKind { kind, singular: referenced.singular, basis, is_default };
            checked.remark(remark, column as usize, &shown);
        }
    }

    fn kind_basis(&self, referenced: &'static Entity, kind: (&str, &str), target: RecordRef) -> KindBasis {
        let candidates = self.catalog.as_planned().of_kind(referenced.name, kind, &[]).unwrap_or_default();
        let chosen = candidates.iter().find(|candidate| candidate.target == target);
        match (target, candidates.len(), chosen.map(|candidate| candidate.usage), schema::referring_to(referenced)) {
            (RecordRef::Planned(_), ..) => KindBasis::Created,
            (_, 0 | 1, ..) => KindBasis::Only,
            _ if chosen.is_some_and(|candidate| candidate.is_named) => KindBasis::Named,
            (_, _, Some(1..), Some((referring, _))) => KindBasis::MostUsed(referring.name),
            _ => KindBasis::FirstByName,
        }
    }
}
