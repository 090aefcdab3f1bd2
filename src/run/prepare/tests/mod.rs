//! Whole imports and deletes in this process: spreadsheets against a sandbox on loopback.

#![allow(clippy::unwrap_used)]

mod deletes;
mod further;
mod imports;
mod results;

use std::path::PathBuf;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::account::{Account, ConnectOptions};
use crate::api::{Record, RequestCounts};
use crate::error::Result;
use crate::job::{DeleteJob, ImportJob, Plan, RunReport};
use crate::observer::{Observer, Remaining, Wait};
use crate::plan::{Step, show_step};
use crate::report::RunSummary;
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::schema::{self, Entity};

/// An account, and a folder for spreadsheets. The sandbox is another process as far as the account knows.
pub(in crate::run) struct Office {
    pub(in crate::run) account: Account,
    pub(in crate::run) runtime: Runtime,
    pub(in crate::run) folder: TempDir,
    sandbox: Sandbox,
}

/// What an observer was told.
#[derive(Debug, Default)]
pub(in crate::run) struct Told {
    pub(in crate::run) phases: Vec<String>,
    pub(in crate::run) notes: Vec<String>,
    pub(in crate::run) warnings: Vec<String>,
    pub(in crate::run) questions: Vec<String>,
    /// Rows done and failed.
    pub(in crate::run) rows: Vec<(u64, u64)>,
    pub(in crate::run) remaining: Vec<Remaining>,
    pub(in crate::run) waits: Vec<Option<Wait>>,
}

impl Observer for Told {
    fn on_phase(&mut self, name: &str, _: Option<u64>) {
        self.phases.push(name.to_owned());
    }

    fn on_rows(&mut self, done: u64, failed: u64) {
        self.rows.push((done, failed));
    }

    fn on_remaining(&mut self, remaining: Remaining) {
        self.remaining.push(remaining);
    }

    fn on_wait(&mut self, wait: Option<&Wait>) {
        self.waits.push(wait.cloned());
    }

    fn on_note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    fn on_warning(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }

    fn can_confirm(&self) -> bool {
        true
    }

    fn confirm(&mut self, question: &str) -> bool {
        self.questions.push(question.to_owned());
        true
    }
}

pub(in crate::run) fn entity(name: &str) -> &'static Entity {
    schema::find(name).unwrap()
}

impl Office {
    /// With the sample look-ups.
    pub(in crate::run) fn new() -> Self {
        Self::with(SandboxOptions::default())
    }

    pub(in crate::run) fn with(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(SandboxOptions { quota: None, ..options }).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let account = runtime.block_on(Account::connect(Self::options(&sandbox, &folder))).unwrap();
        Self { account, runtime, folder, sandbox }
    }

    fn options(sandbox: &Sandbox, folder: &TempDir) -> ConnectOptions {
        let options = ConnectOptions::new(&sandbox.base_url(), "sandbox").with_quota(None).with_concurrency(1);
        options.with_state_dir(folder.path().join("state"))
    }

    /// The same account once more, with its requests counted anew.
    pub(in crate::run) fn connect_again(&mut self) {
        let options = Self::options(&self.sandbox, &self.folder);
        self.account = self.runtime.block_on(Account::connect(options)).unwrap();
    }

    /// Writes a file into the folder.
    pub(in crate::run) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An import of a file with that content.
    pub(in crate::run) fn job(&self, name: &str, text: &str) -> ImportJob {
        ImportJob::from_path(self.file(name, text))
    }

    pub(in crate::run) fn plans(&self, job: ImportJob) -> Result<Plan<'_>> {
        self.runtime.block_on(self.account.plan(job))
    }

    /// The summary of a plan, and its steps as text.
    pub(in crate::run) fn planned(&self, job: ImportJob) -> (RunSummary, Vec<String>) {
        let plan = self.plans(job).unwrap();
        (plan.summary().unwrap(), planned_steps(&plan))
    }

    pub(in crate::run) fn imports(&self, job: ImportJob) -> Finished {
        let (mut told, before) = (Told::default(), self.account.client.requests());
        let report = self.runtime.block_on(async {
            let plan = self.account.plan_with(job, &mut told).await?;
            plan.apply(&mut told).await
        });
        Finished { report: report.unwrap(), told, requests: self.since(&before) }
    }

    /// Imports a file with that content.
    pub(in crate::run) fn import(&self, name: &str, text: &str) -> Finished {
        self.imports(self.job(name, text))
    }

    pub(in crate::run) fn deletes(&self, job: DeleteJob) -> Result<Finished> {
        let (mut told, before) = (Told::default(), self.account.client.requests());
        let report = self.runtime.block_on(async {
            let plan = self.account.plan_delete_with(job, &mut told).await?;
            plan.apply(&mut told).await
        });
        Ok(Finished { report: report?, told, requests: self.since(&before) })
    }

    pub(in crate::run) fn makes(&self, collection: &str, body: Json) -> i64 {
        let body = body.as_object().unwrap();
        self.runtime.block_on(self.account.client.create(entity(collection), body)).unwrap().id.unwrap()
    }

    /// Moves something.
    pub(in crate::run) fn makes_action(&self, action: &str, body: Json) {
        let body = body.as_object().unwrap();
        drop(self.runtime.block_on(self.account.client.create(entity(action), body)).unwrap());
    }

    pub(in crate::run) fn removes(&self, collection: &str, id: i64) {
        self.runtime.block_on(self.account.client.delete(entity(collection), id)).unwrap();
    }

    pub(in crate::run) fn records(&self, collection: &str) -> Vec<Record> {
        self.runtime.block_on(self.account.client.all(entity(collection), &[])).unwrap()
    }

    /// The only record with that value.
    pub(in crate::run) fn record(&self, collection: &str, field: &str, value: &str) -> Record {
        let found = self.runtime.block_on(self.account.client.all(entity(collection), &[(field, value)])).unwrap();
        assert_eq!(found.len(), 1, "{collection} {value}");
        found[0].clone()
    }

    pub(in crate::run) fn id(&self, collection: &str, field: &str, value: &str) -> i64 {
        self.record(collection, field, value)["id"].as_i64().unwrap()
    }

    /// An asset that is ready to deploy.
    pub(in crate::run) fn asset(&self, tag: &str) -> i64 {
        let (product, status) =
            (self.id("products", "name", "Latitude 5450"), self.id("statuses", "name", "Ready to Deploy"));
        self.makes("assets", serde_json::json!({"asset_id": tag, "product_id": product, "status_id": status}))
    }

    /// Who holds the asset with that tag, such as `employee 3`; nobody.
    pub(in crate::run) fn holder(&self, tag: &str) -> String {
        let asset = self.record("assets", "asset_id", tag);
        let entry = asset["deployed_to"].as_array().and_then(|held| held.first()).cloned().unwrap_or_default();
        let holder = ["employee", "location", "asset"]
            .into_iter()
            .find_map(|kind| Some(format!("{kind} {}", entry.get(format!("{kind}_id"))?.as_i64()?)));
        holder.unwrap_or_else(|| String::from("nobody"))
    }

    /// The requests that were sent since, such as `POST assets 2`.
    fn since(&self, before: &RequestCounts) -> Vec<String> {
        let sent = self.account.client.requests().by_kind.into_iter().filter_map(|(kind, count)| {
            let count = count - before.by_kind.get(&kind).copied().unwrap_or_default();
            (count > 0).then(|| format!("{kind} {count}"))
        });
        sent.collect()
    }
}

/// The steps of a plan as text, in their order.
pub(in crate::run) fn planned_steps(plan: &Plan<'_>) -> Vec<String> {
    let journal = plan.journal().unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for entity in schema::importable() {
        journal.each_planned_step(entity, &mut |step| steps.push(step)).unwrap();
    }
    steps.sort_by_key(|step| step.number);
    steps.iter().map(|step| format!("{}: {}", step.entity.name, show_step(step))).collect()
}

/// A run that has been sent as far as it goes.
pub(in crate::run) struct Finished {
    pub(in crate::run) report: RunReport,
    pub(in crate::run) told: Told,
    /// Those of the plan, too, with how often each was sent.
    requests: Vec<String>,
}

impl Finished {
    /// Every row: `2 created #5: message; code at B: problem`.
    pub(in crate::run) fn rows(&self) -> Vec<String> {
        let rows = self.report.rows().map(|(_, row)| row.unwrap());
        let shown = rows.map(|row| {
            let outcome = &row.outcome;
            let id = outcome.id.map(|id| format!(" #{id}")).unwrap_or_default();
            let problems = outcome.problems.iter().map(|problem| {
                let column = problem.column.map(|column| format!(" at {}", char::from(b'A' + column as u8)));
                format!("{}{}: {}", problem.code().as_str(), column.unwrap_or_default(), problem.error.message)
            });
            let message = Some(outcome.message.to_string()).filter(|message| !message.is_empty());
            let said: Vec<String> = message.into_iter().chain(problems).collect();
            let said = if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) };
            format!("{} {}{id}{said}", row.number, outcome.status.as_str())
        });
        shown.collect()
    }

    pub(in crate::run) fn remarks(&self) -> Vec<String> {
        remarks(self.report.summary())
    }

    pub(in crate::run) fn writes(&self) -> Vec<&str> {
        self.requests.iter().map(String::as_str).filter(|kind| !kind.starts_with("GET")).collect()
    }

    pub(in crate::run) fn reads(&self) -> Vec<&str> {
        self.requests.iter().map(String::as_str).filter(|kind| kind.starts_with("GET")).collect()
    }
}

pub(in crate::run) fn remarks(summary: &RunSummary) -> Vec<String> {
    summary.remarks.iter().map(|remark| remark.message.clone()).collect()
}
