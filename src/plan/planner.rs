//! Plans one row after another: which record it is about, what it changes, and the steps that do it.

mod assignment;
mod bare_ids;
mod changes;
mod checkouts;
mod deletions;
mod holder_conflict;
mod identify;
mod item_types;
mod left_out;
mod lost_zeros;
mod other_sheets;
mod person_names;
mod read_only;
mod record_kinds;
mod repeats;
mod serials;
mod steps;
mod stock;
mod undecoded;
mod unique;
mod unreported;

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use self::assignment::HolderDecision;
pub(crate) use self::assignment::RowLinks;
pub use self::changes::FieldChange;
pub(crate) use self::changes::value_text;
use self::deletions::PlannedDeletion;
use self::identify::{is_backup_of_other, key_missing, key_problem, no_such_record, to_upsert};
use self::left_out::LeftOutName;
pub(in crate::plan) use self::other_sheets::GivenValue;
use self::person_names::remark_new_people;
pub(crate) use self::read_only::{ReadOnlyCell, ReadOnlyState, holder_names, listed_records};
use self::record_kinds::{drop_default_kinds, remark_assumed_kinds};
use self::serials::keep_tag;
pub(crate) use self::stock::StockChanges;
use self::undecoded::{doubt, undecoded};
pub(crate) use self::unique::UniqueValues;
pub(crate) use self::unreported::SentValues;
use super::descriptions::{NameDescriptions, describing_cells};
use super::locks::{RecordLock, RecordLocks};
use super::lost_zeros::ZeroPaddedColumns;
use super::missing::{CreateMissing, DependencyBuilder, DependencyRecord};
use super::moved_items::MovedItems;
use super::prior_actions::PriorActions;
use super::step::{RowId, StepSink, WriteKind};
use super::target::{self, RowDelta, TargetRecord};
use super::timestamp::ReportedTimestamp;
use super::{NotificationCount, PlanTotals, RowDecision, RowPlan, SheetPlan, diff};
use crate::api::{Body, custom_fields};
use crate::catalog::{Catalog, CatalogView, RecordRef};
use crate::check::duplicate_hint;
use crate::check::{
    CheckedRow, Code, Conflicts, Creation, CustomField, Duplicates, EarlierRunRow, Mode, Problem, RemarkKind,
    RowAction, Rules, ValueError,
};
use crate::mapping::{Column, MappingSource, RecordOrigin};
use crate::plan::resolver::{
    Resolved, ResolvedField, Resolver, UnknownNames, UserIds, contradicted_before, is_reported, merge_references,
    wire_value,
};
use crate::schema::{self, CUSTOM_FIELDS, Entity, Field, Kind, Reference, fold_name};
use crate::table::Row;

/// Plans rows; sheets come in dependency order.
pub(crate) struct Planner<'p, S> {
    pub catalog: &'p mut Catalog,
    pub users: &'p UserIds,
    pub unknown: UnknownNames,
    /// The latest change of a record that the sheets show: they were exported after this.
    pub exported: Option<ReportedTimestamp>,
    pub zero_padded: &'p ZeroPaddedColumns,
    pub rules: &'p Rules,
    pub create_missing: &'p CreateMissing,
    /// What rows say of records that they name.
    pub descriptions: &'p NameDescriptions,
    /// The steps that create missing records which rows name.
    pub missing: HashSet<u32>,
    pub steps: S,
    pub totals: PlanTotals,
    pub notifications: NotificationCount,
    /// Records that earlier rows write to.
    pub locks: RecordLocks,
    pub prior_actions: &'p mut dyn PriorActions,
    pub sent_values: &'p dyn SentValues,
    /// Where earlier rows put individually tracked items.
    pub moved: MovedItems,
    /// The custom fields that rows of other sheets leave records with, and the steps that do.
    pub custom_written: HashMap<(&'static str, i64), (u32, Json)>,
    /// What earlier rows delete: their steps come after all others.
    pub deletions: Vec<PlannedDeletion>,
    /// What earlier rows add to the stock of items and take from it.
    pub stock: StockChanges,
    /// The rows that give a record a value which no two records share.
    pub unique: UniqueValues,
    /// What becomes of the rows' own records, where check-outs beside them need it.
    pub links: RowLinks,
    /// Rows, with their sheet, of which nothing is sent because another of their records has a problem.
    pub withheld: &'p HashSet<RowId>,
    /// The names of records that rows describe and that are not made, because the row has a problem.
    pub unmade: HashSet<(&'static str, String)>,
}

/// The problems for which a row is rejected.
pub(super) type Rejection = Vec<Problem>;

impl<S: StepSink> Planner<'_, S> {
    /// # Errors
    /// If a step cannot be stored.
    pub(crate) fn row(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
    ) -> Result<RowPlan, S::Error> {
        let plan = self.own_record(sheet, row, checked)?;
        if sheet.is_assigned {
            match &plan.decision {
                RowDecision::Write(..) => {}
                RowDecision::Rejected(problems) => self.link_conflicting(sheet, row, checked, problems),
                decision => self.link_row(sheet, row, decision, None),
            }
            self.note_view(sheet, row, checked);
        }
        Ok(plan)
    }

    /// Plans a further record of a row. `None` if there is nothing to do for it.
    ///
    /// # Errors
    /// If a step cannot be stored.
    pub(crate) fn further_record(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
    ) -> Result<Option<RowPlan>, S::Error> {
        if sheet.mapping.origin == RecordOrigin::Described {
            let plan = self.own_record(sheet, row, checked)?;
            if matches!(plan.decision, RowDecision::Rejected(_)) {
                self.unmade.extend(record_names(sheet, row));
            }
            let is_withheld = matches!(&plan.decision, RowDecision::Rejected(problems) if problems.is_empty());
            return Ok((!is_withheld).then_some(plan));
        }
        let mut note = String::new();
        let draft = self.decide(sheet, row, checked, (&mut note, &mut Vec::new())).map(Decision::into_draft);
        let assignment = draft.and_then(|draft| match draft {
            Some(draft) if self.is_assigned_elsewhere(sheet, row, &draft)? => Ok(None),
            Some(draft) if !self.is_withheld(sheet, row) => self.assignment(sheet, row, checked, draft),
            _ => Ok(None),
        });
        match assignment {
            Ok(None) if note.is_empty() => Ok(None),
            Ok(None) => Ok(Some(RowPlan { note, ..RowPlan::of(RowDecision::AlreadyDone) })),
            Ok(Some(assignment)) => {
                if let HolderDecision::Withheld(_, column) = assignment {
                    checked.remark(RemarkKind::HolderWithheld, column as usize, row.cell(column as usize).text.trim());
                }
                let mut plan = self.assign(sheet, row, assignment)?;
                if !note.is_empty() {
                    target::add_note(&mut plan.note, &note);
                }
                Ok(Some(plan))
            }
            Err(problems) => Ok(Some(RowPlan { note, ..RowPlan::of(RowDecision::Rejected(problems)) })),
        }
    }

    /// Resolves names against the account in one of its states.
    pub(super) fn resolver<'c>(&'c self, catalog: CatalogView<'c>) -> Resolver<'c> {
        Resolver { catalog, users: self.users, unknown: &self.unknown, is_compared: self.is_comparison() }
    }

    /// Whether another record of the row has a problem.
    fn is_withheld(&self, sheet: &SheetPlan<'_>, row: &Row) -> bool {
        self.withheld.contains(&RowId { sheet: sheet.owner.unwrap_or(sheet.index), row: row.number })
    }

    /// Whether a name is that of a record which the row itself would make, were it not for a problem that it has.
    fn is_unmade(&self, sheet: &SheetPlan<'_>, row: &Row, collection: &'static str, name: &str) -> bool {
        self.is_withheld(sheet, row) && self.unmade.contains(&(collection, fold_name(name).into_owned()))
    }

    fn own_record(&mut self, sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) -> Result<RowPlan, S::Error> {
        self.totals.rows += u64::from(sheet.owner.is_none());
        if checked.action == Some(RowAction::Skip) {
            return Ok(RowPlan::of(RowDecision::Skipped));
        }
        self.totals.names.observe(sheet.index.into(), sheet.mapping, row, checked);
        self.drop_copied(sheet, row, checked);
        let (mut note, mut changes) = (checked.renamed_text(), Vec::new());
        let mut given = Vec::new();
        let decided = self.decide(sheet, row, checked, (&mut note, &mut given));
        // Of a row with a problem it may not be certain which record it means.
        let read_only = decided.as_ref().map(|decision| self.read_only_cells(sheet, row, checked, decision));
        let mut read_only = read_only.unwrap_or_default();
        for cell in self.read_only_edits(sheet, row, checked, &read_only) {
            let header = sheet.mapping.header(cell.column).unwrap_or_default();
            target::add_note(&mut note, &cell.note(header));
            self.totals.add_read_only(cell, header, row.number);
        }
        if let Ok(decision) = &decided {
            self.keep_given(sheet, row, decision, given);
        }
        // Others' changes are told whatever is wrong with further records: --conflicts decides of all.
        let decided = decided.and_then(|decision| match decision {
            Decision::Write(draft) => self.check_earlier(sheet, row, checked, draft),
            decision => Ok(decision),
        });
        let decision = match decided {
            Ok(_) if self.is_withheld(sheet, row) => Err(Vec::new()),
            Ok(Decision::Write(draft)) if sheet.mapping.entity.is_action() => self.action(sheet, row, draft),
            decision => decision
                .and_then(|decision| self.lock_record(sheet, row, decision))
                .and_then(|decision| self.check_unique(sheet, row, decision))
                .and_then(|decision| self.check_stock(sheet, row, decision)),
        };
        if let Ok(decision) = &decision {
            read_only.extend(self.remark_unreported(sheet, row, checked, decision));
        }
        if let Ok(Decision::Write(draft)) = &decision {
            self.remark_serial(sheet, draft, checked);
            self.remark_kinds(sheet, row, draft, checked);
            remark_assumed_kinds(sheet, row, draft, checked);
            remark_new_people(row, draft, checked);
        }
        if sheet.owner.is_none() && matches!(decision, Ok(Decision::Write(_) | Decision::Unchanged(_))) {
            let sources = checked.sources_text(row, sheet.mapping);
            if !sources.is_empty() {
                target::add_note(&mut note, &sources);
            }
        }
        let decision = match decision {
            Ok(Decision::Unchanged(id)) => RowDecision::Unchanged(id),
            Ok(Decision::AlreadyDone { message }) => {
                note = message;
                RowDecision::AlreadyDone
            }
            Ok(Decision::SkippedConflict { record, to, message }) => {
                note = message;
                RowDecision::SkippedConflict { record, to }
            }
            Ok(Decision::Write(RowDraft { record: Some(WriteKind::Delete(id)), .. })) => self.delete(sheet, row, id),
            Ok(Decision::Write(draft)) => {
                changes = self.changes(sheet.mapping, &draft);
                self.write(sheet, row, draft)?
            }
            Err(mut problems) => {
                problems.sort_by_key(|problem| problem.column);
                RowDecision::Rejected(problems)
            }
        };
        Ok(RowPlan { decision, note, changes, read_only })
    }

    /// Rejects a second row for the same record.
    fn lock_record(&mut self, sheet: &SheetPlan<'_>, row: &Row, decision: Decision) -> Result<Decision, Rejection> {
        let (id, deletes) = match &decision {
            Decision::Unchanged(id) | Decision::SkippedConflict { record: id, .. } => (*id, false),
            Decision::Write(draft) => match draft.record {
                Some(WriteKind::Update(id)) => (id, false),
                Some(WriteKind::Delete(id)) => (id, true),
                Some(WriteKind::Create) | None => return Ok(decision),
            },
            Decision::AlreadyDone { .. } => return Ok(decision),
        };
        let lock = RecordLock { sheet: sheet.index, row: row.number, deletes };
        match self.locks.acquire((sheet.mapping.entity.name, id), lock) {
            None => Ok(decision),
            Some(earlier) => {
                let message = match earlier.sheet == sheet.index {
                    true => format!("duplicate of row {}; both are record #{id}", earlier.row),
                    false => format!(
                        "duplicate; row {} of {} is about the same record #{id}",
                        earlier.row,
                        self.locks.place(earlier.sheet)
                    ),
                };
                let error = ValueError::new(Code::DuplicateKey, message, duplicate_hint(sheet.mapping.entity));
                Err(vec![key_problem(sheet, row, error)])
            }
        }
    }

    /// Decides what to do with a row; `note` receives remarks for the user, `given` what the row gives an existing record
    /// that other sheets may be about too.
    fn decide(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        (note, given): (&mut String, &mut Vec<GivenValue>),
    ) -> Result<Decision, Rejection> {
        let entity = sheet.mapping.entity;
        let resolver = self.resolver(self.catalog.as_planned());
        let (mut fields, mut problems) = resolver.resolve(sheet.mapping, row, checked);
        self.complete_assignment(sheet, row, &mut fields, &mut problems);
        let named_too = bare_ids::given_by_name_too(&fields);
        problems.append(&mut checked.problems);
        let target_record = TargetRecord::find(sheet.mapping, row, checked, self.catalog, |record| {
            self.key_matches(sheet, record, &fields)
        });
        self.keep_shown(sheet, row, checked, &mut fields, target_record.as_ref());
        let mut delta = self.row_delta(sheet, row, checked, (fields, &mut problems), target_record.as_ref());
        delta.edited = merge_references(delta.edited, row, &mut problems);
        self.discard_stale_ids(sheet, row, &mut delta, target_record.as_ref(), (&mut problems, note));
        self.discard_stale_names(sheet, &mut delta, target_record.as_ref(), &mut problems, note);
        let is_edited = !(delta.edited.is_empty() && checked.custom.is_empty() && problems.is_empty());
        if let (Some(EarlierRunRow::Known { .. }), Some(target), false) = (&checked.earlier, &target_record, is_edited)
            && checked.action != Some(RowAction::Delete)
        {
            return Ok(Decision::Unchanged(target.id.number));
        }
        if checked.action == Some(RowAction::Delete) {
            // A row with problems deletes nothing.
            return if problems.is_empty() {
                self.deletion(sheet, row, checked, &delta, target_record)
            } else {
                Err(problems)
            };
        }
        let existing = match entity.is_action() {
            true => Ok(None),
            false => match self.existing(sheet, row, checked, &delta, target_record.as_ref()) {
                Ok(None) => self.with_stand_in(sheet, row, checked, &delta),
                found => found,
            },
        };
        if checked.earlier.is_some() && matches!(existing, Ok(None)) {
            // A new record needs all that the row says, edited or not.
            delta = RowDelta::all_edited(delta.all());
        }
        problems.extend(self.lost_zeros(sheet, row, checked, &delta, &existing));
        let creates = self.creates((sheet, row), checked, &delta, &existing, &mut problems);
        let of_record = existing.as_ref().ok().copied().flatten();
        if target_record.is_none() {
            self.question_bare_ids(sheet, row, checked, (&delta, of_record, &named_too), &mut problems);
        }
        problems.extend(self.check_sign(sheet, row, checked, &delta, of_record));
        // A row with an invalid id may well be about an existing record.
        let says_id = problems.iter().any(|problem| problem.code() == Code::IdInvalid);
        if creates && !says_id {
            checked.report_missing(sheet.mapping, Creation::Certain);
            problems.append(&mut checked.problems);
        }
        if let Some(RecordRef::Known(id)) = of_record {
            *given = self.settle_with_record((sheet, row), checked, id, &mut delta, (&mut problems, note));
        }
        let (mut draft, left_out) = self.drafts(sheet, row, checked, delta.edited, &mut problems);
        problems.extend(self.names_of_deleted(sheet, row, &draft.fields, &draft.missing));
        if !problems.is_empty() {
            return Err(problems);
        }
        self.tell_left_out((sheet, row), checked, left_out, note);
        draft.custom = checked.custom_fields(sheet.mapping, row);
        match existing.ok().flatten() {
            Some(RecordRef::Known(id)) => self.update_found((sheet, row), checked, id, draft, target_record),
            _ => undecoded(sheet, row, &draft).map(|()| Decision::Write(draft)),
        }
    }

    /// Takes from a row what its record keeps all the same. Returns what the row gives the record, where other sheets may be
    /// about it too.
    fn settle_with_record(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        id: i64,
        delta: &mut RowDelta,
        (problems, note): (&mut Vec<Problem>, &mut String),
    ) -> Vec<GivenValue> {
        drop_default_kinds(checked, &mut delta.edited, problems);
        keep_tag(sheet, checked, &mut delta.edited);
        self.keep_whole_names((sheet, row), checked, id, &mut delta.edited, note);
        let mut given = Vec::new();
        if self.is_shared(sheet) {
            given = self.given_values(sheet, row, checked, id, &delta.edited);
            problems.extend(self.contradicted_elsewhere(sheet, row, id, &given));
        }
        self.keep_kinds(sheet, checked, id, &mut delta.edited);
        self.keep_names(sheet, row, checked, id, &mut delta.edited);
        given
    }

    /// Updates the record that a row was found to be about.
    fn update_found(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        id: i64,
        draft: RowDraft,
        target_record: Option<TargetRecord<'_>>,
    ) -> Result<Decision, Rejection> {
        let is_asked = target_record.is_some() || self.mode(checked) == Mode::Update;
        let decision = self.update(sheet, row, id, draft, target_record)?;
        let Decision::Write(draft) = &decision else { return Ok(decision) };
        if !is_asked && is_backup_of_other(sheet, row, id) {
            return Err(vec![self.not_the_deleted(sheet, row, id)]);
        }
        let contradicted = self.contradicted_by_finished((sheet, row), checked, id, draft);
        if contradicted.is_empty() { Ok(decision) } else { Err(contradicted) }
    }

    /// Whether the row creates a record. What keeps it from writing the record it is about is added to the problems.
    fn creates(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        delta: &RowDelta,
        existing: &Result<Option<RecordRef>, Problem>,
        problems: &mut Vec<Problem>,
    ) -> bool {
        let entity = sheet.mapping.entity;
        match (existing, self.mode(checked)) {
            (Ok(None), mode) if !entity.is_action() && self.has_no_key(sheet, checked, delta) => {
                // A create reports a required field itself.
                let is_required = |name: &&str| entity.field(name).is_some_and(Field::is_required);
                if mode == Mode::Update || !sheet.match_on.iter().any(is_required) {
                    problems.push(key_missing(sheet, row));
                }
                mode != Mode::Update
            }
            (Ok(None), Mode::Update) if !entity.is_action() => {
                let key = sheet.match_on.first().and_then(|name| sheet.mapping.column_of(name));
                if problems.iter().all(|problem| problem.column != key) {
                    let hint = format!("correct the cell, or {} to create it", to_upsert(checked.action));
                    problems.push(no_such_record(sheet, row, hint));
                }
                false
            }
            (Ok(Some(target)), Mode::Create) => {
                problems.push(self.exists((sheet, row), *target, checked.action));
                false
            }
            (Ok(None), _) => true,
            (Ok(Some(RecordRef::Planned(step))), _) => {
                // Rows that describe one record and contradict each other say so already.
                let is_told =
                    |problem: &Problem| matches!(problem.code(), Code::DuplicateKey | Code::RecordContradicted);
                if !problems.iter().any(is_told) {
                    problems.push(self.duplicate_create(sheet, row, *step));
                }
                false
            }
            (Ok(Some(RecordRef::Known(_))), _) => false,
            (Err(problem), _) => {
                problems.push(problem.clone());
                false
            }
        }
    }

    /// An update of an existing record; changes on the service since the export are overwritten only with
    /// `--conflicts`.
    fn update(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        id: i64,
        mut draft: RowDraft,
        target_record: Option<TargetRecord<'_>>,
    ) -> Result<Decision, Rejection> {
        self.leave_unchanged(sheet.mapping.entity, id, &mut draft);
        if draft.is_empty() {
            return Ok(Decision::Unchanged(id));
        }
        undecoded(sheet, row, &draft)?;
        draft.record = Some(WriteKind::Update(id));
        self.check_conflict(sheet, row, draft, target_record)
    }

    fn deletion(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        delta: &RowDelta,
        target_record: Option<TargetRecord<'_>>,
    ) -> Result<Decision, Rejection> {
        let is_key = |given: &&ResolvedField| sheet.match_on.contains(&sheet.mapping.entity.fields[given.field].name);
        let unknown: Rejection = delta.edited.iter().filter(is_key).filter_map(unknown_name).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        match self.existing(sheet, row, checked, delta, target_record.as_ref()) {
            Ok(Some(RecordRef::Known(id))) => {
                let fields = if target_record.is_some() { delta.edited.clone() } else { Vec::new() };
                let draft = RowDraft { fields, record: Some(WriteKind::Delete(id)), ..RowDraft::default() };
                self.check_conflict(sheet, row, draft, target_record)
            }
            Ok(_) if self.has_no_key(sheet, checked, delta) => Err(vec![key_missing(sheet, row)]),
            Ok(_) => Err(vec![no_such_record(sheet, row, "correct the cell, or leave the row out")]),
            Err(problem) => Err(vec![problem]),
        }
    }

    /// What a row may do.
    fn mode(&self, checked: &CheckedRow) -> Mode {
        match checked.action {
            Some(RowAction::Write(mode)) => mode,
            _ => self.rules.mode,
        }
    }

    fn allows_duplicates(&self) -> bool {
        self.rules.duplicates == Duplicates::Allowed
    }

    /// Separates the names to be created, and those that the row goes without. Those that may not be created are problems.
    fn drafts(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        fields: Vec<ResolvedField>,
        problems: &mut Vec<Problem>,
    ) -> (RowDraft, Vec<LeftOutName>) {
        let source = DependencyBuilder {
            row,
            checked,
            catalog: self.catalog,
            users: self.users,
            unknown: &self.unknown,
            create_missing: self.create_missing,
        };
        let (mut drafts, mut left_out, mut contradicted) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = Vec::with_capacity(fields.len());
        for given in fields {
            if let Some(problem) = self.ambiguous_person(sheet, row, source.checked, &given) {
                problems.push(problem);
                continue;
            }
            let described = |reference: Reference, name: &str| {
                let cells = describing_cells(sheet.mapping, row, source.checked, given.field);
                self.descriptions.rest(reference, name, &cells, given.column)
            };
            match given.value {
                Resolved::Missing { name, reference, problem } => {
                    let at = |error: ValueError| error.at(problem.column, &problem.found);
                    let draft = match doubt(sheet.encoding, &name) {
                        Some(error) => Err(at(error)),
                        None if source.checked.is_contradicted_before(given.column) => {
                            Err(at(contradicted_before(reference.to, &name)))
                        }
                        None if !self.create_missing.includes(reference.to) => Err(problem.clone()),
                        None => described(reference, &name)
                            .and_then(|rest| source.draft(given.field, &name, reference, &rest).map_err(at)),
                    };
                    match draft {
                        Ok(draft) => match draft.known_person(self.catalog) {
                            Some(target) => {
                                kept.push(ResolvedField { value: Resolved::Record(target, reference), ..given })
                            }
                            None => drafts.push((given.field, draft)),
                        },
                        Err(problem) if self.is_dispensable(sheet, given.field, given.column, &problem.error) => {
                            left_out.push(LeftOutName {
                                field: given.field,
                                column: given.column,
                                collection: reference.to,
                                name,
                            });
                        }
                        Err(_) if self.is_unmade(sheet, row, reference.to, &name) => {}
                        Err(problem) => problems.push(problem),
                    }
                }
                Resolved::Record(RecordRef::Planned(step), reference) if self.missing.contains(&step) => {
                    problems.extend(described(reference, row.cell(given.column as usize).text).err());
                    kept.push(given);
                }
                Resolved::Record(target @ RecordRef::Known(_), reference) if !source.checked.related.is_empty() => {
                    let cells = describing_cells(sheet.mapping, row, source.checked, given.field);
                    let other = cells.into_iter().filter(|cell| {
                        !is_reported(sheet.mapping, source.checked, cell.column)
                            && cell.contradicts(self.catalog.as_planned(), reference.to, target)
                    });
                    contradicted.extend(other.map(|cell| (reference.to, cell.column, cell.text)));
                    kept.push(given);
                }
                _ => kept.push(given),
            }
        }
        for (collection, column, text) in contradicted {
            let singular = schema::collection(collection).map_or(collection, |entity| entity.singular);
            checked.remark(RemarkKind::Contradicted { singular }, column as usize, text);
        }
        (RowDraft { fields: kept, missing: drafts, ..RowDraft::default() }, left_out)
    }

    /// Whether a row can do without a record that cannot be made for want of a value: where the user asked to make missing
    /// records, and only a preset says that the column names one.
    fn is_dispensable(&self, sheet: &SheetPlan<'_>, field: usize, column: u32, error: &ValueError) -> bool {
        let is_preset = |known: &Column| {
            known.index == column as usize
                && match known.source {
                    MappingSource::Preset => true,
                    // It contains the preset that it was made with.
                    MappingSource::Remembered => sheet.has_preset,
                    _ => false,
                }
        };
        error.code == Code::NameIncomplete
            && !sheet.mapping.entity.fields[field].is_required()
            && !sheet.match_on.contains(&sheet.mapping.entity.fields[field].name)
            && sheet.mapping.columns.iter().any(is_preset)
    }

    /// Drops fields that the record already has.
    fn leave_unchanged(&self, entity: &'static Entity, id: i64, draft: &mut RowDraft) {
        let held = self.catalog.record(entity.name, id);
        let before = |name: &str| held.and_then(|record| record.get(name));
        draft.fields.retain(|given| {
            let field = &entity.fields[given.field];
            if !field.update {
                return false;
            }
            match self.json(entity, given, WriteKind::Update(id)) {
                Some(wanted) => {
                    !self.held(field, given, &wanted, before(field.name))
                        && !self.is_unreported_and_sent(entity, id, field, &wanted)
                }
                None => true,
            }
        });
        let held = before(CUSTOM_FIELDS).map(custom_fields).unwrap_or_default();
        draft.custom.retain(|given| diff::differs(&held, given));
    }

    /// A value as sent in a body; `None` if an earlier step provides it.
    pub(super) fn json(&self, entity: &'static Entity, given: &ResolvedField, write: WriteKind) -> Option<Json> {
        match &given.value {
            Resolved::Value(value) => Some(value.clone()),
            Resolved::Option(position) => {
                let Kind::Option(choices) = entity.fields[given.field].kind else { return None };
                let spellings = if write == WriteKind::Create { choices.create } else { choices.update };
                spellings.get(*position).map(|text| Json::from(*text))
            }
            Resolved::Record(target, reference) => wire_value(self.catalog, *target, *reference),
            Resolved::Clear => Some(Json::Null),
            Resolved::Missing { .. } => None,
        }
    }
}

/// What was decided for a row, before its steps are numbered.
pub(super) enum Decision {
    Unchanged(i64),
    /// The action of the row has already happened.
    AlreadyDone {
        message: String,
    },
    SkippedConflict {
        record: i64,
        to: Conflicts,
        message: String,
    },
    Write(RowDraft),
}

impl Decision {
    /// The existing record that the row is about, as far as a collection's row is about one.
    fn record(&self) -> Option<i64> {
        match self {
            Decision::Unchanged(id) | Decision::SkippedConflict { record: id, .. } => Some(*id),
            Decision::Write(draft) => draft.record.and_then(WriteKind::record),
            Decision::AlreadyDone { .. } => None,
        }
    }
}

#[derive(Default)]
pub(super) struct RowDraft {
    pub(super) fields: Vec<ResolvedField>,
    pub(super) missing: Vec<(usize, DependencyRecord)>,
    pub(super) custom: Vec<CustomField>,
    /// The existing record it writes to; `None` for a create or an action.
    pub(super) record: Option<WriteKind>,
    pub(super) extras: Option<Box<StepExtras>>,
}

/// What a check-out beside a row's own record has besides its fields.
#[derive(Default)]
pub(super) struct StepExtras {
    /// Steps that must have succeeded before.
    pub(super) after: Vec<u32>,
    /// The state before the step, where it is not the account's present one.
    pub(super) before: Option<Body>,
}

impl RowDraft {
    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.custom.is_empty() && self.missing.is_empty()
    }
}

/// The rejection of a row for one problem.
fn or_problem<T>(error: ValueError, column: Option<u32>, row: &Row) -> Result<T, Rejection> {
    let found = column.map_or("", |column| row.cell(column as usize).text);
    Err(vec![error.at(column, found)])
}

/// The names by which other rows may name the record that a row describes: its key, and its name.
fn record_names(sheet: &SheetPlan<'_>, row: &Row) -> Vec<(&'static str, String)> {
    let entity = sheet.mapping.entity;
    let fields = entity.key.iter().chain((!entity.key.contains(&"name")).then_some(&"name"));
    let columns = fields.filter_map(|field| sheet.mapping.column_of(field));
    let texts = columns.map(|column| row.cell(column as usize).text).filter(|text| !text.trim().is_empty());
    texts.map(|text| (entity.name, fold_name(text).into_owned())).collect()
}

/// The problem of an unknown name in the key of a record to delete: nothing is created for it.
fn unknown_name(given: &ResolvedField) -> Option<Problem> {
    let Resolved::Missing { problem, .. } = &given.value else { return None };
    let error = ValueError { hint: Some("correct the cell, or leave the row out".into()), ..problem.error.clone() };
    Some(Problem { error, ..problem.clone() })
}

#[cfg(test)]
mod assignment_tests;

#[cfg(test)]
mod checkouts_tests;
#[cfg(test)]
mod earlier_sheets_tests;
#[cfg(test)]
mod people_tests;
#[cfg(test)]
mod products_tests;
#[cfg(test)]
mod record_kinds_tests;
#[cfg(test)]
mod repeats_tests;
#[cfg(test)]
mod tests;
