//! Plans sheets against an account in memory, for tests: no files, no requests.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::rc::Rc;

use futures::executor::block_on;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::resolver::{UnknownNames, UserIds};
use super::{
    ActionRequest, CreateMissing, EncodingConfidence, MovedItems, NameDescriptions, NotificationCount, PlanTotals,
    Planner, PriorAction, PriorActions, RecordLocks, Referenced, ReportedTimestamp, RowDecision, RowLinks, RowPlan,
    SentValues, SheetPlan, Step, StepSink, StockChanges, UniqueValues, WriteKind, ZeroPaddedColumns,
};
use crate::catalog::fake_source::FakeSource;
use crate::catalog::{Catalog, LookupRequest, Record};
use crate::check::{
    CheckedRow, Checker, Conflicts, Duplicates, EarlierRunRow, EmptyCells, ExtraCells, Mode, Problem, RemarkTally,
    Repeats, Rules,
};
use crate::mapping::{
    Mapping, MappingFile, MappingOverride, MappingOverrides, MappingSource, TimestampColumn, split_assignment,
};
use crate::schema::{self, COLLECTIONS, Entity, Field};
use crate::table::Row;

/// An account and the sheets of a run.
pub(super) struct Scenario {
    account: Account,
    sheets: Vec<Sheet>,
    rules: Rules,
    create_missing: CreateMissing,
    users: UserIds,
    prior: Option<PriorAction>,
    sent: Option<Json>,
}

/// Says the same about every action.
struct SamePriorAction(PriorAction);

impl PriorActions for SamePriorAction {
    fn take(&mut self, _: &ActionRequest) -> PriorAction {
        self.0.clone()
    }

    fn done_after(&self, _: &ActionRequest, _: jiff::Timestamp) -> PriorAction {
        self.0.clone()
    }
}

/// Says the same of every field.
struct SameSentValue(Option<Json>);

impl SentValues for SameSentValue {
    fn last_sent(&self, _: (&'static Entity, &'static Field), _: i64, _: Option<Timestamp>) -> Option<Json> {
        self.0.clone()
    }
}

struct Sheet {
    mapping: Mapping,
    match_on: Vec<&'static str>,
    rows: Vec<Row>,
    encoding: EncodingConfidence,
    has_preset: bool,
    /// The sheet whose rows say who holds their records, if this is what they say of it.
    owner: Option<usize>,
    /// What the rows said when an earlier run was done with them; none if there was no such run.
    earlier: Vec<Row>,
    /// When that run last changed their records, as far as it knew.
    changed: Option<jiff::Timestamp>,
}

impl Sheet {
    fn earlier_row(&self, place: usize, reader: &mut Checker<'_>) -> Option<EarlierRunRow> {
        let mut checked = CheckedRow::default();
        let row = reader.check_alone(self.earlier.get(place)?, &mut checked).0.clone();
        Some(EarlierRunRow::Known { row, checked: Box::new(checked), changed: self.changed })
    }
}

/// Records by collection.
#[derive(Default)]
struct Account(Vec<(&'static str, Vec<Record>)>);

/// What became of a scenario.
pub(super) struct Outcome {
    /// The plan of every row, in order.
    pub(super) rows: Vec<RowPlan>,
    pub(super) steps: Vec<Step>,
    pub(super) totals: PlanTotals,
    pub(super) notifications: NotificationCount,
    /// What the user is told of the columns.
    pub(super) remarks: Vec<String>,
}

impl Scenario {
    pub(super) fn new() -> Self {
        Self {
            account: Account::default(),
            sheets: Vec::new(),
            rules: Rules::default(),
            create_missing: CreateMissing::Nothing,
            users: UserIds::new(),
            prior: None,
            sent: None,
        }
    }

    /// Adds the records of a JSON array to the account.
    pub(super) fn holds(mut self, collection: &'static str, records: Json) -> Self {
        let records = records.as_array().unwrap().iter().map(|record| record.as_object().unwrap().clone());
        self.account.0.push((collection, records.collect()));
        self
    }

    /// Adds a sheet: a line per row, the header first, cells separated by `|`.
    pub(super) fn sheet(self, entity: &str, text: &str) -> Self {
        self.mapped_sheet(entity, text, &[])
    }

    /// A sheet with `--map` entries.
    pub(super) fn mapped_sheet(mut self, entity: &str, text: &str, map: &[(&str, &str)]) -> Self {
        let entity = schema::importable().find(|known| known.name == entity).unwrap();
        let mut lines = text.lines().zip(1..).map(|(line, number)| row(number, line));
        let map = map.iter().map(|(header, target)| MappingOverride {
            header: (*header).to_owned(),
            target: (*target).to_owned(),
            source: MappingSource::CommandLine,
        });
        let overrides = MappingOverrides { map: map.collect(), ..MappingOverrides::default() };
        let mapping = Mapping::new(entity, &lines.next().unwrap(), &overrides).unwrap();
        self.add(mapping, lines.collect());
        self
    }

    /// Adds a sheet, and behind it what its rows say of who holds their records.
    fn add(&mut self, mut mapping: Mapping, rows: Vec<Row>) {
        let assigned = std::mem::take(&mut mapping.further);
        let owner = self.sheets.len();
        let sheet = |mapping: Mapping, owner, rows: &[Row]| {
            let (match_on, encoding) = (mapping.entity.key.to_vec(), EncodingConfidence::Certain);
            let (rows, earlier) = (rows.to_vec(), Vec::new());
            Sheet { mapping, match_on, rows, encoding, has_preset: false, owner, earlier, changed: None }
        };
        self.sheets.push(sheet(mapping, None, &rows));
        self.sheets.extend(assigned.into_iter().map(|mapping| sheet(mapping, Some(owner), &rows)));
    }

    /// A sheet with the rules of a mapping file.
    pub(super) fn ruled_sheet(self, entity: &str, text: &str, file: &str) -> Self {
        self.sheet_ruled_by(MappingSource::MappingFile, entity, text, file)
    }

    /// A sheet with the rules of a mapping that comes from there.
    pub(super) fn sheet_ruled_by(mut self, source: MappingSource, entity: &str, text: &str, file: &str) -> Self {
        let entity = schema::importable().find(|known| known.name == entity).unwrap();
        let file = MappingFile::parse(file, source, "m.toml").unwrap();
        let mut lines = text.lines().zip(1..).map(|(line, number)| row(number, line));
        let (mut map, mut rules, skips) = (file.overrides(entity), file.rules(entity), file.skips(entity));
        let today = jiff::civil::date(2026, 3, 2);
        let further = split_assignment(entity, &mut map, &mut rules, today).into_iter().collect();
        let overrides = MappingOverrides { map, rules, skips, further, ..MappingOverrides::default() };
        let mapping = Mapping::new(entity, &lines.next().unwrap(), &overrides).unwrap();
        self.add(mapping, lines.collect());
        self
    }

    /// `--match-on` for the last sheet.
    pub(super) fn match_on(mut self, fields: &[&'static str]) -> Self {
        self.sheets.last_mut().unwrap().match_on = fields.to_vec();
        self
    }

    /// An earlier run was done with the rows of the last sheet when they said this, and changed their records then.
    pub(super) fn done_as(mut self, rows: &str, changed: &str) -> Self {
        let last = self.sheets.iter().rposition(|sheet| sheet.owner.is_none()).unwrap();
        for sheet in &mut self.sheets[last..] {
            sheet.earlier = rows.lines().zip(2..).map(|(line, number)| row(number, line)).collect();
            sheet.changed = Some(changed.parse().unwrap());
        }
        self
    }

    /// The encoding of the last sheet is a guess.
    pub(super) fn guessed_encoding(mut self) -> Self {
        self.sheets.last_mut().unwrap().encoding = EncodingConfidence::Guessed;
        self
    }

    /// All sheets so far are recognized as exports of a tool.
    pub(super) fn with_preset(mut self) -> Self {
        self.sheets.iter_mut().for_each(|sheet| sheet.has_preset = true);
        self
    }

    /// A blank cell clears its field.
    pub(super) fn blanks_clear(mut self) -> Self {
        self.rules.blank = EmptyCells::Clear;
        self
    }

    pub(super) fn mode(mut self, mode: Mode) -> Self {
        self.rules.mode = mode;
        self
    }

    pub(super) fn conflicts(mut self, conflicts: Conflicts) -> Self {
        self.rules.conflicts = Some(conflicts);
        self
    }

    /// What is known of every action before the run.
    pub(super) fn prior_action(mut self, prior: PriorAction) -> Self {
        self.prior = Some(prior);
        self
    }

    /// What earlier runs have sent for every field.
    pub(super) fn sent(mut self, value: Json) -> Self {
        self.sent = Some(value);
        self
    }

    pub(super) fn repeat(mut self) -> Self {
        self.rules.repeats = Repeats::Sent;
        self
    }

    pub(super) fn allow_duplicates(mut self) -> Self {
        self.rules.duplicates = Duplicates::Allowed;
        self
    }

    pub(super) fn create_missing(mut self, create_missing: CreateMissing) -> Self {
        self.create_missing = create_missing;
        self
    }

    /// A user whom the activity log knows.
    pub(super) fn user(mut self, email: &str, id: i64) -> Self {
        self.users.insert(email.to_owned(), Some(id));
        self
    }

    pub(super) fn plan(self) -> Outcome {
        let mut catalog = self.account.catalog(&self.sheets);
        let mut prior_actions = SamePriorAction(self.prior.clone().unwrap_or(PriorAction::Absent));
        let mut descriptions = NameDescriptions::default();
        let mut checked = CheckedRow::default();
        let mut zero_padded = ZeroPaddedColumns::default();
        for (sheet, index) in self.sheets.iter().zip(0..) {
            let mut checker = Checker::new(&sheet.mapping, &self.rules, &sheet.match_on, ExtraCells::Ignored);
            for row in &sheet.rows {
                let filled = checker.check(row, &mut checked);
                zero_padded.observe(index, &sheet.mapping, filled);
                descriptions.add(&self.create_missing, &sheet.mapping, filled, &checked);
            }
        }
        let mut planner = Planner {
            catalog: &mut catalog,
            users: &self.users,
            unknown: UnknownNames::default(),
            exported: exported(&self.sheets),
            zero_padded: &zero_padded,
            rules: &self.rules,
            create_missing: &self.create_missing,
            descriptions: &descriptions,
            missing: HashSet::new(),
            steps: Steps::default(),
            totals: PlanTotals::default(),
            notifications: NotificationCount::default(),
            locks: RecordLocks::new(
                (1..=self.sheets.len()).map(|number| format!("sheet {number}")).collect(),
                Rc::default(),
            ),
            prior_actions: &mut prior_actions,
            sent_values: &SameSentValue(self.sent.clone()),
            moved: MovedItems::default(),
            custom_written: HashMap::new(),
            deletions: Vec::new(),
            stock: StockChanges::default(),
            unique: UniqueValues::default(),
            links: RowLinks::default(),
            withheld: &HashSet::new(),
            unmade: HashSet::new(),
        };
        let (mut rows, mut remarks) = (Vec::new(), Vec::new());
        for (index, sheet) in self.sheets.iter().enumerate() {
            let others = self.sheets.iter().enumerate().filter(|(other, _)| *other != index);
            let is_shared = self
                .sheets
                .iter()
                .enumerate()
                .any(|(other, shared)| other != index && shared.mapping.entity.name == sheet.mapping.entity.name);
            let plan = SheetPlan {
                index: index as u16,
                mapping: &sheet.mapping,
                match_on: sheet.match_on.clone(),
                encoding: sheet.encoding,
                referenced: Referenced::among(sheet.mapping.entity, others.map(|(_, other)| other.mapping.entity)),
                owner: sheet.owner.map(|owner| owner as u16),
                is_assigned: self.sheets.iter().any(|other| other.owner == Some(index)),
                has_preset: sheet.has_preset,
                is_shared,
            };
            let (match_on, extra) = match sheet.owner {
                None => (sheet.match_on.as_slice(), ExtraCells::Problem),
                Some(_) => (&[][..], ExtraCells::Ignored),
            };
            let mut checker = Checker::new(&sheet.mapping, &self.rules, match_on, extra);
            let (mut checked, mut tally) = (CheckedRow::default(), RemarkTally::default());
            for row in &sheet.rows {
                checker.check(row, &mut checked);
            }
            checker.infer_formats();
            checker.rewind();
            let mut reader = Checker::new(&sheet.mapping, &self.rules, match_on, extra);
            for (place, row) in sheet.rows.iter().enumerate() {
                let filled = checker.check(row, &mut checked);
                checked.earlier = sheet.earlier_row(place, &mut reader);
                if sheet.owner.is_some() {
                    if checked.says_record {
                        let Ok(planned) = planner.further_record(&plan, filled, &mut checked);
                        rows.extend(planned);
                    }
                    continue;
                }
                let Ok(planned) = planner.row(&plan, filled, &mut checked);
                checked.locate(row, &sheet.mapping);
                tally.add(row.number, &checked.remarks);
                rows.push(planned);
            }
            remarks.extend(tally.remarks(&sheet.mapping, None).into_iter().map(|remark| remark.message));
        }
        let Ok(()) = planner.push_deletions();
        let Planner { steps, totals, notifications, .. } = planner;
        Outcome { rows, steps: steps.0, totals, notifications, remarks }
    }

    /// The plan of every row as text.
    pub(super) fn shown(self) -> Vec<String> {
        self.plan().shown_rows()
    }
}

impl Outcome {
    /// `create {body, sorted by field} after 0:field`, `update 1 {body}`, `unchanged 1`, `reject code at A: message` and the like.
    fn show(&self, row: &RowPlan) -> String {
        match &row.decision {
            RowDecision::Write(number, _) => show_step(&self.steps[*number as usize]),
            RowDecision::Delete(id) => format!("delete {id}"),
            RowDecision::Unchanged(id) => format!("unchanged {id}"),
            RowDecision::AlreadyDone => String::from("already done"),
            RowDecision::Skipped => String::from("skip"),
            RowDecision::SkippedConflict { record, to } => format!("keep {record} for {to:?}"),
            RowDecision::Rejected(problems) => {
                let shown: Vec<String> = problems.iter().map(show_problem).collect();
                format!("reject {}", shown.join("; "))
            }
        }
    }

    /// Every row as text.
    pub(super) fn shown_rows(&self) -> Vec<String> {
        self.rows.iter().map(|row| self.show(row)).collect()
    }

    /// The rows that are rejected, as text.
    pub(super) fn shown_rejections(&self) -> Vec<String> {
        self.shown_rows().into_iter().filter(|row| row.starts_with("reject ")).collect()
    }

    /// All steps as text.
    pub(super) fn shown_steps(&self) -> Vec<String> {
        self.steps.iter().map(|step| format!("{}: {}", step.entity.name, show_step(step))).collect()
    }
}

pub(crate) fn show_step(step: &Step) -> String {
    let write = match step.write {
        WriteKind::Create => String::from("create"),
        WriteKind::Update(id) => format!("update {id}"),
        WriteKind::Delete(id) => format!("delete {id}"),
    };
    let depends = step.depends_on.iter().map(|on| match &on.field {
        Some(field) => format!(" after {}:{field}", on.step),
        None => format!(" after {}", on.step),
    });
    let sorted: BTreeMap<_, _> = step.body.iter().collect();
    let body = if sorted.is_empty() { String::new() } else { format!(" {}", json!(sorted)) };
    format!("{write}{body}{}", depends.collect::<String>())
}

fn show_problem(problem: &Problem) -> String {
    let code = problem.code().as_str();
    match problem.column {
        Some(column) => format!("{code} at {}: {}", char::from(b'A' + column as u8), problem.error.message),
        None => format!("{code}: {}", problem.error.message),
    }
}

fn row(number: u64, line: &str) -> Row {
    let mut row = Row::default();
    row.clear(number);
    line.split('|').for_each(|cell| row.push_csv(cell.trim()));
    row
}

/// The latest change of a record that the sheets show.
fn exported(sheets: &[Sheet]) -> Option<ReportedTimestamp> {
    let mut latest = None;
    for sheet in sheets {
        let Some(column) = sheet.mapping.timestamp_column(TimestampColumn::Updated) else { continue };
        for row in &sheet.rows {
            if let Some(shown) = ReportedTimestamp::from_cell(row.cell(column as usize)) {
                latest = Some(shown.later(latest));
            }
        }
    }
    latest
}

impl Account {
    /// The whole account as a catalog, with every field of every record.
    fn catalog(&self, sheets: &[Sheet]) -> Catalog {
        let mut lookups = LookupRequest::default();
        for entity in COLLECTIONS {
            lookups.whole(entity.name);
            lookups.matching(entity.name, entity.key);
        }
        lookups.kind("statuses", "deployable");
        for sheet in sheets.iter().filter(|sheet| sheet.mapping.entity.is_collection()) {
            lookups.matching(sheet.mapping.entity.name, &sheet.match_on);
        }
        for (collection, records) in &self.0 {
            records.iter().filter_map(|record| record["id"].as_i64()).for_each(|id| lookups.id(collection, id));
        }
        let source = self.0.iter().fold(FakeSource::new(), |source, (collection, records)| {
            source.with(collection, records.iter().cloned().map(Json::Object))
        });
        block_on(Catalog::fetch(&source, &lookups, &mut |_, _| {})).unwrap()
    }
}

/// Keeps every step.
#[derive(Default)]
struct Steps(Vec<Step>);

impl StepSink for Steps {
    type Error = Infallible;

    fn count(&self) -> u32 {
        self.0.len() as u32
    }

    fn push(&mut self, step: &Step) -> Result<(), Infallible> {
        assert_eq!(step.number, self.count(), "steps are numbered in order");
        assert!(step.depends_on.iter().all(|on| on.step < step.number), "a step comes after those it depends on");
        self.0.push(step.clone());
        Ok(())
    }
}
