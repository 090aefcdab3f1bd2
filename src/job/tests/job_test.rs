//! A folder with files and an account of a sandbox, for whole jobs in one test.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::account::{Account, ConnectOptions};
use crate::api::{Body, Record, RequestCounts};
use crate::error::{Error, Result};
use crate::job::{DeleteJob, ImportJob, RunReport, UndoJob, UndoPlan, UndoableRun, VerifyJob};
use crate::observer::NoObserver;
use crate::plan::RowStatus;
use crate::report::VerifyReport;
use crate::run::journal::{Journal, RunStore};
use crate::sandbox::{Sandbox, SandboxOptions, Seed};
use crate::schema::{self, Entity};

/// An account of a sandbox, and a folder with the files and the journals of this test.
pub(super) struct JobTest {
    pub(super) account: Account,
    pub(super) folder: TempDir,
    runtime: Runtime,
    _sandbox: Sandbox,
}

fn entity(name: &str) -> &'static Entity {
    schema::find(name).expect("an entity")
}

fn body(value: &Json) -> Body {
    value.as_object().expect("an object").clone()
}

impl JobTest {
    /// An account without any record.
    pub(super) fn empty() -> Self {
        let options = SandboxOptions { quota: None, seed: Seed::Empty, ..SandboxOptions::default() };
        let sandbox = Sandbox::start(options).unwrap();
        let folder = TempDir::new().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = ConnectOptions::new(&sandbox.base_url(), "sandbox")
            .with_quota(None)
            // Records get their ids in the order of the rows.
            .with_concurrency(1)
            .with_state_dir(folder.path().join("state"));
        let account = runtime.block_on(Account::connect(options)).unwrap();
        Self { account, folder, runtime, _sandbox: sandbox }
    }

    /// An account with what assets refer to: a product and a status.
    pub(super) fn with_lookups() -> Self {
        Self::empty()
            .holds("categories", &serde_json::json!({"name": "Laptops", "type": "asset"}))
            .holds("products", &serde_json::json!({"name": "MacBook Pro 14", "category_id": 1}))
            .holds("statuses", &serde_json::json!({"name": "Ready", "type": "deployable"}))
    }

    /// The account has this record, or somebody has done this.
    pub(super) fn holds(self, name: &str, sent: &Json) -> Self {
        self.sends(name, sent);
        self
    }

    /// Somebody creates a record, or checks something in or out.
    pub(super) fn sends(&self, name: &str, sent: &Json) -> Option<i64> {
        self.wait(self.account.client.create(entity(name), &body(sent))).unwrap().id
    }

    /// Somebody changes a record.
    pub(super) fn changes(&self, name: &str, id: i64, sent: &Json) {
        self.wait(self.account.client.update(entity(name), id, &body(sent))).unwrap();
    }

    /// Somebody deletes a record.
    pub(super) fn deletes(&self, name: &str, id: i64) {
        self.wait(self.account.client.delete(entity(name), id)).unwrap();
    }

    /// The records of a collection, by id.
    pub(super) fn records(&self, name: &str) -> Vec<Record> {
        let mut records = self.wait(self.account.client.all(entity(name), &[])).unwrap();
        records.sort_by_key(|record| record["id"].as_i64());
        records
    }

    /// The only record of a collection with that value.
    pub(super) fn record(&self, name: &str, field: &str, value: &str) -> Record {
        let mut found = self.records(name);
        found.retain(|record| record[field] == value);
        assert_eq!(found.len(), 1, "{name} {value}");
        found.remove(0)
    }

    /// All records of the account, apart from when they were changed.
    pub(super) fn everything(&self) -> BTreeMap<&'static str, Vec<Record>> {
        let records = |entity: &&'static Entity| {
            let mut records = self.records(entity.name);
            records.iter_mut().for_each(|record| drop(record.remove("updated_at")));
            (entity.name, records)
        };
        schema::COLLECTIONS.iter().map(records).collect()
    }

    /// Writes a file into the folder.
    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Imports a file of that name and text whole, without a question. Gives the name of the run.
    pub(super) fn import(&self, name: &str, text: &str) -> String {
        let report = self.imported(ImportJob::from_path(self.file(name, text)));
        assert_eq!(summary(&report, RowStatus::Failed), 0, "{:?}", told(&report));
        report.run_id().to_owned()
    }

    pub(super) fn imported(&self, job: ImportJob) -> RunReport {
        let plan = self.wait(self.account.plan(job.confirmed())).unwrap();
        self.wait(plan.apply(&mut NoObserver)).unwrap()
    }

    /// Deletes the records that a file names. Gives the name of the run.
    pub(super) fn delete(&self, name: &str, text: &str, of: &str) -> String {
        let job = DeleteJob::new(of, self.file(name, text)).confirmed();
        let plan = self.wait(self.account.plan_delete(job)).unwrap();
        self.wait(plan.apply(&mut NoObserver)).unwrap().run_id().to_owned()
    }

    pub(super) fn verify(&self, job: VerifyJob) -> Result<VerifyReport> {
        self.wait(self.account.verify(job))
    }

    /// What an undo would do, in words.
    pub(super) fn undo_text(&self, run: &str) -> String {
        let plan = self.plan_undo(UndoJob::new(run)).unwrap();
        crate::terminal::unstyled(&plan.text())
    }

    pub(super) fn plan_undo(&self, job: UndoJob) -> Result<UndoPlan<'_>> {
        let run = UndoableRun::open(&self.store(), job.run.as_deref())?;
        self.wait(run.plan(&self.account, job, &mut NoObserver))
    }

    /// Undoes a run without a question.
    pub(super) fn undo(&self, run: &str) -> Result<RunReport> {
        self.wait(self.account.undo(UndoJob::new(run).confirmed(), &mut NoObserver))
    }

    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(super) fn store(&self) -> RunStore {
        RunStore::new(self.account.state_dir())
    }

    /// The cells of the rows of a run, as its result shows them: sheet by sheet.
    pub(super) fn cells(&self, run: &str) -> Vec<(String, Vec<Vec<String>>)> {
        let journal = Journal::open_read_only(&self.store().path(run)).unwrap();
        let rows = |index: usize| {
            let mut rows = Vec::new();
            let mut on_row = |row: &crate::table::Row| {
                rows.push(row.cells().map(|cell| cell.text.to_owned()).collect());
                std::ops::ControlFlow::Continue(())
            };
            journal.each_row(index as u16, &mut on_row).unwrap();
            rows
        };
        let sheets = journal.sheets().unwrap().into_iter().enumerate();
        sheets.map(|(index, sheet)| (sheet.label, rows(index))).collect()
    }

    /// The requests since `before` that change something.
    pub(super) fn writes_since(&self, before: &RequestCounts) -> u64 {
        let writes = |counts: &RequestCounts| -> u64 {
            let kinds = counts.by_kind.iter();
            kinds.filter(|(kind, _)| !kind.to_string().starts_with("GET ")).map(|(_, count)| count).sum()
        };
        writes(&self.account.client.requests()) - writes(before)
    }

    /// The requests since `before` that read the activity log.
    pub(super) fn log_reads_since(&self, before: &RequestCounts) -> u64 {
        let reads = |counts: &RequestCounts| -> u64 {
            let kinds = counts.by_kind.iter();
            kinds.filter(|(kind, _)| kind.to_string().contains("activity")).map(|(_, count)| count).sum()
        };
        reads(&self.account.client.requests()) - reads(before)
    }
}

/// How many rows of a run ended so.
pub(super) fn summary(report: &RunReport, status: RowStatus) -> u64 {
    report.summary().counts().of(status)
}

/// Every row of a run: its sheet, how it ended, and what is said of it.
pub(super) fn told(report: &RunReport) -> Vec<String> {
    let row = |(sheet, row): (&str, std::result::Result<crate::run::journal::FinishedRow, _>)| {
        let row = row.unwrap();
        let problems: Vec<&str> = row.outcome.problems.iter().map(|problem| &*problem.error.message).collect();
        let message = [&*row.outcome.message, &problems.join("; ")].concat();
        format!("{sheet} {} {}: {message}", row.number, row.outcome.status.as_str())
    };
    report.rows().map(row).collect()
}

/// The message and the hint of an error.
pub(super) fn refused<T>(result: Result<T>) -> [String; 2] {
    let error: Error = result.map(drop).unwrap_err();
    [error.to_string(), error.hint().unwrap_or_default()]
}
