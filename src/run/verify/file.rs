//! What a file says against what the account holds. The file is planned like an import that only updates and that nobody
//! sends: a record that is not found is missing, a field that would be changed differs, everything else that the rows say
//! is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::digest::PartsDigest;
use super::read_only::{ReadOnlyFindings, UncomparedColumns};
use super::sums::{StatedAmount, SumTally};
use super::{
    Difference, DifferenceKind, Findings, RowProblem, changed_by, held_entries, holder_names, holders_in, text,
};
use crate::account::Account;
use crate::catalog::{Catalog, RecordRef};
use crate::check::{CheckedRow, Code, Conflicts, FractionalCost, Mode, ParsedValue, Problem, RowAction};
use crate::error::Result;
use crate::mapping::{ColumnTarget, Mapping, RecordOrigin, TimestampColumn};
use crate::observer::Observer;
use crate::plan::undo::CurrentState;
use crate::plan::{
    CreateMissing, FieldChange, ReadOnlyCell, ReportedTimestamp, RowId, RowStatus, SheetPlan, Step, StepRole, StepSink,
    WriteKind,
};
use crate::run::input::InputSet;
use crate::run::journal::{JournalError, PlannedRow, RowState, RunKind, SheetHeader};
use crate::run::prepare::{AccountReading, PlanSink, RunPlanner};
use crate::run::previous_result::RowSelection;
use crate::run::undo::fetch::fetch_more;
use crate::schema::{self, ASSIGNED_TO, Entity, Field, Kind, Meaning, Role, Verb};
use crate::table::{CellRef, Row};
use crate::wording::counted;

/// Compares what every row of `input` says with the account. With `is_complete`, records of the sheets' collections that
/// no row is about are extra.
///
/// # Errors
/// Where the input or the service cannot be read.
pub(crate) async fn compare_file(
    account: &Account,
    input: &mut InputSet,
    is_complete: bool,
    observer: &mut dyn Observer,
) -> Result<Findings> {
    // Whatever the account says now is what the file is compared with, however old an export is.
    input.rules.conflicts = Some(Conflicts::Mine);
    input.rules.mode = Mode::Update;
    // Nothing is sent, so cents are compared as they stand; `round` is how an import has sent them.
    if input.rules.fraction == FractionalCost::Error {
        input.rules.fraction = FractionalCost::Send;
    }
    let planner = RunPlanner {
        account,
        kind: RunKind::Import,
        // A name that the account lacks is a difference, and no problem of the row.
        create_missing: &CreateMissing::Compared,
        selection: RowSelection::All,
        reading: if is_complete { AccountReading::Complete } else { AccountReading::Fresh },
    };
    let mut prepared = planner.plan(input, ComparisonSink::default(), observer).await?;
    learn_names(account, &prepared.steps, &mut prepared.catalog).await?;
    let shown_changes = prepared.steps.shown_changes();
    let comparison = Comparison { sink: prepared.steps, catalog: &prepared.catalog };
    // A file without records says that the collection is empty.
    let empty = input.empty.iter().map(|file| (file.name.clone(), file.entity)).collect::<Vec<_>>();
    let mut findings = comparison.findings(is_complete.then_some(empty.as_slice()));
    findings.note(input.skipped.iter().map(|(sheet, reason)| format!("{sheet} is not compared: {reason}")));
    changed_by::find(&account.client, &mut findings.differences, &|key| shown_changes.get(&key).copied(), observer)
        .await?;
    Ok(findings)
}

/// Reads the records that differences name and no row does, such as who holds what should be elsewhere, so that they can
/// be told by their names.
async fn learn_names(account: &Account, compared: &ComparisonSink, catalog: &mut Catalog) -> Result<()> {
    let mut unknown: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
    for (collection, id) in
        compared.named_records().filter(|(collection, id)| catalog.record(collection, *id).is_none())
    {
        unknown.entry(collection).or_default().insert(id);
    }
    for (collection, ids) in unknown {
        let Some(entity) = schema::collection(collection) else { continue };
        let mut found = CurrentState::default();
        fetch_more(&account.client, entity, ids.clone(), &mut found).await?;
        for id in ids {
            if let Some(record) = found.record((entity.name, id)) {
                catalog.insert_known(entity, id, record.clone());
            }
        }
    }
    Ok(())
}

/// What a row says of its record, as far as it is counted and added up.
#[derive(Debug, Default)]
struct Statement {
    row: u64,
    origin: RecordOrigin,
    /// The row that makes the record.
    owner: Option<RowId>,
    /// What people call the record.
    title: String,
    cells: u64,
    amounts: Vec<StatedAmount>,
    currency: Option<&'static str>,
    asks_to_delete: bool,
    /// The id and the last change that the row shows of its record, as exports do.
    shown_change: Option<(i64, Timestamp)>,
}

/// What a row comes to.
#[derive(Debug)]
enum RowFinding {
    Equal,
    Changed(Vec<FieldChange>),
    /// The record is not there; what people call it.
    Missing(String),
    /// The record is there, and the row asks to delete it.
    NotDeleted,
    /// The check-in or check-out was not made.
    NotMoved(Box<Step>),
    /// Who holds the record of the row.
    Held(Box<Step>, Vec<FieldChange>),
}

struct ComparedRow {
    statement: Statement,
    record: Option<i64>,
    finding: RowFinding,
    /// What the row says of what the service sets.
    read_only: ReadOnlyFindings,
}

/// The rows of a sheet; the same sheet's further records are another one.
struct ComparedSheet {
    header: SheetHeader,
    rows: Vec<ComparedRow>,
    problems: Vec<(u64, Vec<Problem>)>,
    /// Rows of which everything is as it should be.
    equal: u64,
    /// Rows that an import leaves out: they say nothing of a record, or ask for nothing.
    skipped: u64,
    /// The columns that the service computes, or does not tell.
    uncompared: UncomparedColumns,
}

impl ComparedSheet {
    /// What of the sheet was not compared, and which differences may be none of the file's own.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let label = &self.header.label;
        if self.skipped > 0 {
            let rows = counted(self.skipped, "row");
            let are = if self.skipped == 1 { "is" } else { "are" };
            remarks.push(format!("{rows} of {label} {are} skipped, as an import would: not compared"));
        }
        let ignored = self.header.ignored.iter().map(|column| column.name.as_str());
        let columns: Vec<&str> = ignored.chain(self.uncompared.headers(&self.header)).collect();
        if !columns.is_empty() && self.header.owner.is_none() {
            remarks.push(format!("columns of {label} that are not compared: {}", columns.join(", ")));
        }
        let different = self.rows.iter().flat_map(|row| &row.read_only.different);
        let explained = different.filter(|different| different.is_explained).count() as u64;
        if explained > 0 {
            let differences = counted(explained, "difference");
            remarks.push(format!("{differences} of {label} may come from records renamed or changed since the export"));
        }
        remarks
    }
}

/// Takes a plan as a comparison.
#[derive(Default)]
pub(crate) struct ComparisonSink {
    steps: u32,
    sheets: Vec<ComparedSheet>,
    /// What the row at hand says; what is planned for it comes next.
    statement: Option<Statement>,
    own_step: Option<Step>,
    changes: Vec<FieldChange>,
    read_only: Vec<ReadOnlyCell>,
    /// Whether the sheet at hand says in a column of its own who is to hold its records.
    is_assigned: bool,
    /// The records that rows name and the account does not have, by the step that would create each.
    titles: HashMap<u32, String>,
    /// Rows with a problem, or whose record is missing.
    rejected: HashSet<RowId>,
}

impl StepSink for ComparisonSink {
    type Error = JournalError;

    fn count(&self) -> u32 {
        self.steps
    }

    fn push(&mut self, step: &Step) -> Result<(), JournalError> {
        self.steps += 1;
        match (step.role, step.title()) {
            (StepRole::Row, _) => self.own_step = Some(step.clone()),
            (StepRole::Dependency, Some(title)) => drop(self.titles.insert(step.number, title.to_owned())),
            (StepRole::Dependency, None) => {}
        }
        Ok(())
    }
}

impl PlanSink for ComparisonSink {
    fn row_begins(&mut self, sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) {
        self.settle();
        if let Some(RowAction::Write(mode)) = &mut checked.action {
            // What was to be created is there by now.
            *mode = Mode::Update;
        }
        let owner = RowId { sheet: sheet.owner.unwrap_or(sheet.index), row: row.number };
        let mut statement = Statement::of(sheet.mapping, owner, checked);
        statement.title = title(sheet.mapping.entity, row, checked);
        statement.shown_change = shown_change(sheet.mapping, row, checked);
        self.statement = Some(statement);
        (self.own_step, self.changes, self.read_only) = (None, Vec::new(), Vec::new());
        self.is_assigned = sheet.is_assigned;
    }

    fn sheet(&mut self, _: u16, header: &SheetHeader) -> Result<(), JournalError> {
        self.settle();
        self.sheets.push(ComparedSheet {
            header: header.clone(),
            rows: Vec::new(),
            problems: Vec::new(),
            equal: 0,
            skipped: 0,
            uncompared: UncomparedColumns::default(),
        });
        Ok(())
    }

    fn changes(&mut self, changes: &[FieldChange]) -> Result<(), JournalError> {
        self.changes = changes.to_vec();
        Ok(())
    }

    fn read_only(&mut self, cells: Vec<ReadOnlyCell>) {
        self.read_only = cells;
    }

    fn row(&mut self, row: &Row, planned: &PlannedRow, _: &dyn Fn(usize) -> bool) -> Result<(), JournalError> {
        let Some(mut statement) = self.statement.take() else { return Ok(()) };
        let title = std::mem::take(&mut statement.title);
        let (step, changes) = (self.own_step.take(), std::mem::take(&mut self.changes));
        let mut cells = std::mem::take(&mut self.read_only);
        // Who is to hold the record is compared as the assignment that it is.
        cells.retain(|cell| !(self.is_assigned && cell.field.is_some_and(Field::is_about_holder)));
        let Some(sheet) = self.sheets.last_mut() else { return Ok(()) };
        let finding = match (planned.state, planned.status, step) {
            // Its step comes after those of all other rows.
            (RowState::Planned, RowStatus::Deleted, _) => RowFinding::NotDeleted,
            (RowState::Planned, _, Some(step)) => RowFinding::of(sheet.header.entity, &statement, step, changes),
            (RowState::Ended, RowStatus::Unchanged, _) => RowFinding::Equal,
            (RowState::Ended, RowStatus::Failed, _) => {
                self.rejected.extend(statement.owner);
                let (gone, problems): (Vec<Problem>, Vec<Problem>) =
                    planned.problems.iter().cloned().partition(|problem| problem.code() == Code::RecordMissing);
                if !problems.is_empty() {
                    sheet.problems.push((row.number, problems));
                }
                if gone.is_empty() {
                    return Ok(());
                }
                if statement.asks_to_delete {
                    // What is to be deleted and is not there is as it should be.
                    sheet.equal += 1;
                    return Ok(());
                }
                RowFinding::Missing(title)
            }
            (RowState::Ended, RowStatus::Skipped, _) => {
                sheet.skipped += 1;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let read_only = match finding {
            RowFinding::Equal | RowFinding::Changed(_) => {
                sheet.uncompared.add(row.number, &cells);
                statement.cells -= cells.iter().filter(|cell| cell.is_unreported()).count() as u64;
                ReadOnlyFindings::of(&sheet.header, cells)
            }
            _ => ReadOnlyFindings::default(),
        };
        sheet.rows.push(ComparedRow { statement, record: planned.record, finding, read_only });
        Ok(())
    }
}

impl ComparisonSink {
    /// Counts a row about whose holder nothing was planned: the record is where it should be.
    fn settle(&mut self) {
        let Some(statement) = self.statement.take() else { return };
        let is_rejected = statement.owner.is_some_and(|owner| self.rejected.contains(&owner));
        if let (RecordOrigin::Assignment, false, Some(sheet)) = (statement.origin, is_rejected, self.sheets.last_mut())
        {
            sheet.equal += 1;
        }
    }

    /// When each record had last been changed as of its row. What the log tells up to then, the row shows.
    fn shown_changes(&self) -> HashMap<(&'static str, i64), Timestamp> {
        let of_row = |name: &'static str, row: &ComparedRow| {
            let (id, changed) = row.statement.shown_change.filter(|(id, _)| row.record == Some(*id))?;
            Some(((name, id), changed))
        };
        let rows = self.sheets.iter().flat_map(|sheet| sheet.rows.iter().map(|row| (sheet.header.entity.name, row)));
        rows.filter_map(|(name, row)| of_row(name, row)).collect()
    }

    /// The records that differences name: of each the collection and the id. They are who holds what a check-in or check-out
    /// should have moved, and what the account holds where the service sets it. Where a row names the holder itself, the
    /// plan says who it was.
    fn named_records(&self) -> impl Iterator<Item = (&'static str, i64)> + '_ {
        let rows = self.sheets.iter().flat_map(|sheet| &sheet.rows);
        let steps = rows.clone().filter_map(|row| match &row.finding {
            RowFinding::NotMoved(step) => Some(step),
            _ => None,
        });
        let holders = steps.flat_map(|step| holders_in(step.entity, &held_entries(held_before(step))));
        holders.chain(rows.flat_map(|row| row.read_only.named_records()))
    }
}

/// What the record of a check-in or check-out says of its holders before it.
fn held_before(step: &Step) -> Option<&Json> {
    step.before.as_ref()?.get(Meaning::Holders.field_name())
}

impl Statement {
    fn of(mapping: &Mapping, owner: RowId, checked: &CheckedRow) -> Self {
        let (entity, origin) = (mapping.entity, mapping.origin);
        let mut statement = Self { row: owner.row, origin, owner: Some(owner), ..Self::default() };
        statement.asks_to_delete = checked.action == Some(RowAction::Delete);
        if entity.is_action() {
            // A check-in or check-out was made, or was not.
            statement.cells = 1;
            return statement;
        }
        for given in &checked.values {
            let field = &entity.fields[given.field];
            statement.cells += 1;
            match (field.kind, given.value) {
                (Kind::Money, ParsedValue::Amount(amount)) => {
                    statement.amounts.push(StatedAmount { field: field.name, amount: Some(amount) });
                }
                (_, ParsedValue::Currency(code)) => statement.currency = Some(code),
                _ => {}
            }
        }
        statement.cells += checked.custom.len() as u64;
        statement.add_unparsed(mapping, checked);
        statement
    }

    /// Adds the cells that cannot be parsed. Such a row is rejected, unless the cell shows exactly what the record has,
    /// which then is what the row says.
    fn add_unparsed(&mut self, mapping: &Mapping, checked: &CheckedRow) {
        let is_parsed = |column: u32| {
            checked.values.iter().any(|given| given.column == column)
                || checked.custom.iter().any(|given| given.column == column)
        };
        let columns: BTreeSet<u32> = checked.problems.iter().filter_map(|problem| problem.column).collect();
        for column in columns.into_iter().filter(|column| !is_parsed(*column)) {
            let known = mapping.columns.iter().find(|known| known.index == column as usize);
            match known.map(|known| &known.target) {
                Some(ColumnTarget::Field { field, .. }) => {
                    let field = &mapping.entity.fields[*field];
                    self.cells += 1;
                    if field.kind == Kind::Money {
                        self.amounts.push(StatedAmount { field: field.name, amount: None });
                    }
                }
                Some(ColumnTarget::Custom(_)) => self.cells += 1,
                _ => {}
            }
        }
    }
}

impl RowFinding {
    fn of(entity: &'static Entity, statement: &Statement, step: Step, mut changes: Vec<FieldChange>) -> Self {
        if entity.is_action() {
            return match statement.origin {
                RecordOrigin::Assignment => RowFinding::Held(Box::new(step), changes),
                RecordOrigin::Rows | RecordOrigin::Described => RowFinding::NotMoved(Box::new(step)),
            };
        }
        changes.retain(|change| !text::is_same(entity, &change.field, &change.new, &change.old));
        match step.write {
            // Nothing is created by an import that only updates.
            WriteKind::Create => RowFinding::Equal,
            WriteKind::Delete(_) => RowFinding::NotDeleted,
            WriteKind::Update(_) if changes.is_empty() => RowFinding::Equal,
            WriteKind::Update(_) => RowFinding::Changed(changes),
        }
    }
}

/// What a sheet or file holds.
struct ComparedContent {
    entity: &'static Entity,
    label: String,
    /// Whether the records are further ones of another sheet's rows.
    is_further: bool,
}

impl ComparedContent {
    fn of(header: &SheetHeader) -> Self {
        Self { entity: header.entity, label: header.label.clone(), is_further: header.owner.is_some() }
    }
}

/// A plan with what is known of the account, to be told as differences.
struct Comparison<'c> {
    sink: ComparisonSink,
    catalog: &'c Catalog,
}

impl Comparison<'_> {
    /// What was found. Of a complete comparison, `empty` are files without a record, with what they have none of.
    fn findings(mut self, empty: Option<&[(String, &'static Entity)]>) -> Findings {
        self.sink.settle();
        let mut findings = Findings::default();
        let mut read: BTreeSet<(&'static str, i64)> = BTreeSet::new();
        let mut sums = Vec::new();
        for sheet in std::mem::take(&mut self.sink.sheets) {
            let entity = sheet.header.entity;
            findings.counts.equal += sheet.equal;
            let mut tally = SumTally::new(entity, sheet.header.label.clone());
            for row in &sheet.rows {
                self.add_row(&mut findings, &sheet.header, row);
                if entity.is_collection() && !matches!(row.finding, RowFinding::NotDeleted) {
                    let held = row.record.and_then(|id| self.catalog.record(entity.name, id));
                    tally.add(&row.statement.amounts, row.statement.currency, held);
                    read.extend(row.record.map(|id| (entity.name, id)));
                }
            }
            add_problems(&mut findings, &sheet);
            findings.note(sheet.remarks());
            findings.remarks.extend(sheet.uncompared.remarks(&sheet.header));
            sums.push((ComparedContent::of(&sheet.header), tally));
        }
        if let Some(empty) = empty {
            for (label, entity) in empty {
                let content = ComparedContent { entity, label: label.clone(), is_further: false };
                sums.push((content, SumTally::new(entity, label.clone())));
            }
            self.add_extra(&mut findings, &mut sums, &read);
        }
        for (_, tally) in sums.into_iter().filter(|(content, _)| content.entity.is_collection()) {
            findings.note(tally.remark());
            findings.sums.push(tally.finish());
        }
        findings.read = self.digest(&read);
        findings
    }

    fn add_row(&self, findings: &mut Findings, header: &SheetHeader, row: &ComparedRow) {
        let (entity, cells, number) = (header.entity, row.statement.cells, row.statement.row);
        let of_record = |kind, record: String| Difference {
            kind,
            collection: entity.name,
            id: row.record,
            record,
            field: None,
            expected: String::new(),
            found: String::new(),
            source: source(header, number, None),
            is_explained: false,
            changed_by: None,
            changed_at: None,
        };
        findings.counts.equal += row.read_only.equal;
        for different in &row.read_only.different {
            let (expected, found) = different.texts(self.catalog);
            let source = source(header, number, Some(different.column));
            let field = Some(different.field_name().to_owned());
            let record = self.describe(entity.name, row.record);
            findings.push(Difference {
                field,
                expected,
                found,
                source,
                is_explained: different.is_explained,
                ..of_record(DifferenceKind::Different, record)
            });
        }
        match &row.finding {
            RowFinding::Equal => findings.counts.equal += cells,
            RowFinding::Changed(changes) => {
                findings.counts.equal += cells.saturating_sub(changes.len() as u64);
                let record = self.describe(entity.name, row.record);
                for change in changes {
                    findings.push(Difference {
                        field: Some(change.field.clone()),
                        expected: change.new.clone(),
                        found: change.old.clone(),
                        source: source(header, number, Some(change.column)),
                        ..of_record(DifferenceKind::Different, record.clone())
                    });
                }
            }
            RowFinding::Missing(title) => findings
                .push(Difference { expected: title.clone(), ..of_record(DifferenceKind::Missing, title.clone()) }),
            RowFinding::NotDeleted => {
                let title = self.describe(entity.name, row.record);
                findings.push(Difference { found: title.clone(), ..of_record(DifferenceKind::Extra, title.clone()) });
            }
            RowFinding::NotMoved(step) => findings.extend(self.not_moved(step, &source(header, number, None))),
            RowFinding::Held(step, changes) => {
                // Of a record that is missing nobody can be the holder: it is reported itself.
                findings.extend(changes.first().and_then(|change| {
                    let source = source(header, number, Some(change.column));
                    Some(Difference {
                        expected: change.new.clone(),
                        found: change.old.clone(),
                        ..self.not_moved(step, &source)?
                    })
                }));
            }
        }
    }

    /// That an item is not where a check-in or check-out would put it.
    fn not_moved(&self, step: &Step, source: &str) -> Option<Difference> {
        let (field, reference) = step.entity.item()?;
        let item = schema::collection(reference.to)?;
        let named = step.body.get(field.name);
        let tag = named.and_then(|named| named.as_str());
        let id = match tag {
            Some(tag) => self.catalog.with_text(item.name, item.key.first()?, tag).first().copied(),
            None => named.and_then(|named| named.as_i64()),
        };
        let describe = |collection: &str, id: i64| self.catalog.describe(collection, RecordRef::Known(id));
        let awaited = |name: &str| {
            let step = step.depends_on.iter().find(|awaited| awaited.field.as_deref() == Some(name))?.step;
            self.sink.titles.get(&step).cloned()
        };
        let named_holder = holder_names(step.entity, std::slice::from_ref(&step.body), &describe);
        let missing_holder = step.entity.holders().find_map(|holder| awaited(holder.name));
        let quantity = step.entity.meaning(Meaning::MovedQuantity).and_then(|field| step.body.get(field.name));
        let expected = [Some(named_holder), missing_holder, quantity.map(ToString::to_string)];
        let expected: Vec<String> = expected.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let record = tag.map(str::to_owned).or_else(|| awaited(field.name));
        let is_tracked = item.is_tagged();
        Some(Difference {
            kind: DifferenceKind::Different,
            collection: item.name,
            id,
            record: record.unwrap_or_else(|| self.describe(item.name, id)),
            field: Some(if is_tracked { ASSIGNED_TO } else { step.entity.name }.to_owned()),
            expected: if step.entity.role == Role::Action(Verb::Checkin) { String::new() } else { expected.join(", ") },
            found: super::held_by(step.entity, held_before(step), &describe),
            source: source.to_owned(),
            is_explained: false,
            changed_by: None,
            changed_at: None,
        })
    }

    /// The records of the sheets' own collections that no row is about.
    fn add_extra(
        &self,
        findings: &mut Findings,
        sums: &mut [(ComparedContent, SumTally)],
        read: &BTreeSet<(&'static str, i64)>,
    ) {
        let mut done: Vec<&'static str> = Vec::new();
        for (content, tally) in sums.iter_mut().filter(|(content, _)| !content.is_further) {
            let name = content.entity.name;
            if !content.entity.is_collection() || done.contains(&name) {
                continue;
            }
            done.push(name);
            for (id, record) in self.catalog.known_records(name) {
                if read.contains(&(name, id)) {
                    continue;
                }
                tally.add_extra(record);
                let title = self.describe(name, Some(id));
                findings.push(Difference {
                    kind: DifferenceKind::Extra,
                    collection: name,
                    id: Some(id),
                    record: title.clone(),
                    field: None,
                    expected: String::new(),
                    found: title,
                    source: content.label.clone(),
                    is_explained: false,
                    changed_by: None,
                    changed_at: None,
                });
            }
        }
    }

    fn describe(&self, collection: &str, id: Option<i64>) -> String {
        id.map_or_else(String::new, |id| self.catalog.describe(collection, RecordRef::Known(id)))
    }

    fn digest(&self, read: &BTreeSet<(&'static str, i64)>) -> String {
        let mut digest = PartsDigest::default();
        for (collection, id) in read {
            digest.text(collection);
            digest.text(&id.to_string());
            if let Some(record) = self.catalog.record(collection, *id) {
                digest.fields(record);
            }
        }
        digest.finish()
    }
}

/// The id in a row of an export, and the last moment that its `updated_at` may stand for.
fn shown_change(mapping: &Mapping, row: &Row, checked: &CheckedRow) -> Option<(i64, Timestamp)> {
    let column = mapping.timestamp_column(TimestampColumn::Updated)?;
    let shown = ReportedTimestamp::from_cell(row.cell(column as usize))?;
    Some((checked.id?.number, shown.last_moment()?))
}

/// The tag or name in a row, or else its key.
fn title(entity: &Entity, row: &Row, checked: &CheckedRow) -> String {
    let tag = entity.meaning(Meaning::Tag).map(|field| field.name);
    let fields = tag.into_iter().chain(["name"]).chain(entity.key.iter().copied());
    let given = fields.filter_map(|name| checked.parsed(entity.field_index(name)?));
    let mut texts = given.map(|given| row.cell(given.column as usize).text.trim());
    let text = texts.find(|text| !text.is_empty());
    match (text, checked.id) {
        (Some(text), _) => text.to_owned(),
        (None, Some(id)) => format!("#{}", id.number),
        (None, None) => format!("row {}", row.number),
    }
}

fn add_problems(findings: &mut Findings, sheet: &ComparedSheet) {
    for (row, problems) in &sheet.problems {
        findings.problems.extend(problems.iter().map(|problem| RowProblem {
            sheet: sheet.header.label.clone(),
            header: problem.column.and_then(|column| sheet.header.header_of(column)).map(str::to_owned),
            row: *row,
            problem: problem.clone(),
        }));
    }
}

/// `assets C17`; the row where no cell of the sheet has the value.
fn source(header: &SheetHeader, row: u64, column: Option<u32>) -> String {
    let column = column.filter(|column| header.header_of(*column).is_some());
    match column {
        Some(column) => format!("{} {}", header.label, CellRef { row, column }),
        None => format!("{} row {row}", header.label),
    }
}

#[cfg(test)]
mod tests;
