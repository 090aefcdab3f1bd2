//! Claims: what the runs of this machine are writing to an account, so that two of them never make one record twice.
//!
//! One SQLite file per account lies in the state folder. Before a step is sent, its run claims what it writes: for a
//! create the collection and natural key, for an update or a delete the record, for a check-in or check-out everything
//! that is sent. When the step ends, the claim says with which record it was done, and before or after which run began.
//!
//! What always holds
//! - One transaction looks for claims of others and makes one's own, of one step or of several that are sent together.
//! - A claim that is not done belongs to a run whose process has its journal locked, or is abandoned: the process was
//!   killed. Whoever meets an abandoned claim takes it over, and has to find out what was done.
//! - A claim that is done is kept as long as a run is at work that began before it was done: that run's plan may not
//!   know of it.
//! - What came first, the order of the transactions says and never a clock, which may be set back between two of them. A
//!   run that registers gets a number above all others ([`register_run`]), and a claim that is done gets the highest number
//!   of a run so far: it is as high as the number of a run that had registered by then, and below that of any later one.
//!
//! Runs of other machines cannot be seen.

mod error;
mod file;
mod key;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};

use self::key::{body_digest, claim_key};
use crate::account::{Account, AccountIdentity};
use crate::plan::{Step, StepOutcome, StepResult, WriteKind};
use crate::run::journal::{JournalError, RunStore};
use crate::schema::Entity;
use crate::state_file::is_locked;
pub(crate) use error::ClaimsError;

/// The claims of the runs on one account, as one run of this process uses them.
#[derive(Debug)]
pub(crate) struct Claims {
    connection: Connection,
    path: PathBuf,
    runs: RunStore,
    run: String,
    /// The number of the run: its plan may not know what was done since it registered.
    number: i64,
    /// Actions of other runs that steps of this one have taken for theirs.
    taken: HashSet<i64>,
    is_batch: bool,
}

/// What is known of a step when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClaimResult {
    /// Nobody else writes it: it may be sent.
    Claimed,
    /// Another run is writing it.
    Held { run: String },
    /// Another run has done the very same since this run was planned; with the record's id where it is known.
    DoneAlike { run: String, record: Option<i64> },
    /// Another run has written the same record since this run was planned; with the record's id where it is known. The
    /// step is claimed.
    Changed { run: String, record: Option<i64> },
    /// A process that was killed was writing it. The step is claimed.
    Abandoned { run: String },
}

/// A claim of another run.
struct ForeignClaim {
    id: i64,
    run: String,
    body: String,
    /// The highest number of a run when it was done.
    done: Option<i64>,
    record: Option<i64>,
}

impl Account {
    /// Where the claims on the account lie. None for a sandbox: no two processes share one.
    fn claims_path(&self) -> Option<PathBuf> {
        match self.identity {
            AccountIdentity::SandboxMemory | AccountIdentity::SandboxFile { .. } => None,
            AccountIdentity::Service { .. } => {
                Some(self.state_dir.join("claims").join(format!("{}.sqlite", self.client.account_digest())))
            }
        }
    }
}

impl Claims {
    /// Opens the claims on an account and registers a run: what others do from now on is kept for it. To be called
    /// before the account is read, and again before its steps are sent. None for an account that only one process can
    /// work with.
    ///
    /// # Errors
    /// Where the file cannot be opened or written.
    pub(crate) fn register(account: &Account, run: &str) -> Result<Option<Self>, ClaimsError> {
        let Some(path) = account.claims_path() else { return Ok(None) };
        Self::open(&path, account.run_store(), run).map(Some)
    }

    pub(super) fn open(path: &Path, runs: RunStore, run: &str) -> Result<Self, ClaimsError> {
        let (path, run) = (path.to_path_buf(), run.to_owned());
        let mut connection = file::open(&path)?;
        let number = register_run(&mut connection, &runs, &run).map_err(|source| ClaimsError::new(&path, source))?;
        Ok(Self { connection, path, runs, run, number, taken: HashSet::new(), is_batch: false })
    }

    /// Begins a batch: what is claimed and ended until [`Claims::commit`] is written in one transaction, of which other
    /// runs see nothing before and for which they wait.
    pub(super) fn begin(&mut self) {
        self.is_batch = true;
    }

    /// Ends a batch: the steps claimed in it may be sent.
    pub(super) fn commit(&mut self) -> Result<(), ClaimsError> {
        self.is_batch = false;
        if self.connection.is_autocommit() { Ok(()) } else { self.control("COMMIT") }
    }

    fn control(&self, sql: &str) -> Result<(), ClaimsError> {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        done.map(drop).map_err(|source| ClaimsError::new(&self.path, source))
    }

    /// Runs `act` in the batch, or in a transaction of its own. If it fails, the whole batch is rolled back: its steps are not
    /// sent, and other runs find out what ended in it.
    fn transact<T>(&mut self, act: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> Result<T, ClaimsError> {
        if self.connection.is_autocommit() {
            self.control("BEGIN IMMEDIATE")?;
        }
        let done = match act(self) {
            Ok(done) => done,
            Err(source) => {
                let _ = self.control("ROLLBACK");
                return Err(ClaimsError::new(&self.path, source));
            }
        };
        if !self.is_batch {
            self.commit()?;
        }
        Ok(done)
    }

    /// Claims what a step writes, unless another run at work has it. The body is as it will be sent.
    pub(super) fn acquire(&mut self, step: &Step) -> Result<ClaimResult, ClaimsError> {
        self.transact(|claims| claims.acquire_in_batch(step))
    }

    fn acquire_in_batch(&mut self, step: &Step) -> rusqlite::Result<ClaimResult> {
        let (key, body) = (claim_key(step), body_digest(step));
        // A step that is sent again has its claim.
        if has_claim(&self.connection, &self.run, step.number)? {
            return Ok(ClaimResult::Claimed);
        }
        let others = foreign_claims(&self.connection, &key, &self.run)?;
        let (held, abandoned): (Vec<&ForeignClaim>, Vec<&ForeignClaim>) =
            others.iter().filter(|claim| claim.done.is_none()).partition(|claim| is_at_work(&self.runs, &claim.run));
        if let Some(claim) = held.first() {
            return Ok(ClaimResult::Held { run: claim.run.clone() });
        }
        let is_news = |claim: &&ForeignClaim| {
            claim.done.is_some_and(|done| done >= self.number) && !self.taken.contains(&claim.id)
        };
        let news: Vec<&ForeignClaim> = others.iter().filter(is_news).collect();
        // A later write hides an earlier one, but every action counts.
        let alike = match step.entity.is_action() {
            true => news.first(),
            false => news.last().filter(|claim| claim.body == body && claim.is_known(step)),
        };
        if let Some(claim) = alike {
            self.taken.extend(step.entity.is_action().then_some(claim.id));
            return Ok(ClaimResult::DoneAlike { run: claim.run.clone(), record: claim.record });
        }
        for claim in &abandoned {
            self.connection.prepare_cached("DELETE FROM claim WHERE id = ?1")?.execute([claim.id])?;
        }
        let own = "INSERT INTO claim (key, run, step, body) VALUES (?1, ?2, ?3, ?4)";
        self.connection.prepare_cached(own)?.execute(params![key, self.run, step.number, body])?;
        Ok(match (abandoned.last(), news.last()) {
            (Some(claim), _) => ClaimResult::Abandoned { run: claim.run.clone() },
            (None, Some(claim)) => ClaimResult::Changed { run: claim.run.clone(), record: claim.record },
            (None, None) => ClaimResult::Claimed,
        })
    }

    /// A claimed step has ended.
    pub(super) fn end(&mut self, step: &Step, outcome: &StepOutcome) -> Result<(), ClaimsError> {
        let is_record = !step.entity.is_action();
        let (sql, record) = match outcome.result {
            StepResult::Applied => (MARK_DONE, outcome.record),
            // Someone's record that is there now is news to others; an action is its own run's.
            StepResult::AlreadyApplied if is_record => (MARK_DONE, outcome.record),
            StepResult::AlreadyApplied | StepResult::Failed => return self.release(step.number),
            // Others have to find out for themselves.
            StepResult::Unknown => (ABANDON, None),
        };
        self.transact(|claims| {
            claims.connection.prepare_cached(sql)?.execute(params![claims.run, step.number, record]).map(drop)
        })
    }

    /// A step was not sent.
    pub(super) fn release(&mut self, step: u32) -> Result<(), ClaimsError> {
        self.transact(|claims| claims.connection.prepare_cached(RELEASE)?.execute(params![claims.run, step]).map(drop))
    }
}

// `run <> ''` says nothing new, but without it SQLite reads all claims instead of using the index of those that have a run.
const MARK_DONE: &str = "UPDATE claim SET done = (SELECT max(began) FROM run), record = ?3 \
                         WHERE run = ?1 AND step = ?2 AND run <> ''";
/// No run has an empty name.
const ABANDON: &str = "UPDATE claim SET run = '', record = ?3, done = NULL WHERE run = ?1 AND step = ?2 AND run <> ''";
const RELEASE: &str = "DELETE FROM claim WHERE run = ?1 AND step = ?2 AND run <> '' AND done IS NULL";
const OF_KEY: &str = "SELECT id, run, body, done, record FROM claim WHERE key = ?1";
const HAS_CLAIM: &str = "SELECT 1 FROM claim WHERE run = ?1 AND step = ?2 AND run <> '' AND done IS NULL";

impl ForeignClaim {
    /// Whether it says enough for a step to be taken for done: others may name the record that a step creates.
    fn is_known(&self, step: &Step) -> bool {
        step.write != WriteKind::Create || self.record.is_some() || !Entity::is_collection(step.entity)
    }
}

fn has_claim(connection: &Connection, run: &str, step: u32) -> rusqlite::Result<bool> {
    connection.prepare_cached(HAS_CLAIM)?.exists(params![run, step])
}

/// Those of other runs, in the order in which they were done. SQLite would plan a query that compares or sorts them anew for
/// every key.
fn foreign_claims(connection: &Connection, key: &str, run: &str) -> rusqlite::Result<Vec<ForeignClaim>> {
    let mut statement = connection.prepare_cached(OF_KEY)?;
    let claims = statement.query_map([key], |row| {
        Ok(ForeignClaim {
            id: row.get(0)?,
            run: row.get(1)?,
            body: row.get(2)?,
            done: row.get(3)?,
            record: row.get(4)?,
        })
    })?;
    let mut claims = claims.collect::<rusqlite::Result<Vec<ForeignClaim>>>()?;
    claims.retain(|claim| claim.run != run);
    claims.sort_by_key(|claim| (claim.done, claim.id));
    Ok(claims)
}

/// Registers a run, and deletes what no run at work needs any longer. Gives back its number: above that of every run and
/// claim so far, or the one it has, if it was registered before. It keeps that after its process has ended, as long as there
/// is a journal to resume.
///
/// Earlier versions wrote the time in place of numbers. Theirs go on from it.
fn register_run(connection: &mut Connection, runs: &RunStore, own: &str) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let registered: Vec<(String, i64)> = transaction
        .prepare("SELECT run, began FROM run")
        .and_then(|mut rows| rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())?;
    let known = registered.iter().find_map(|(run, number)| (run == own).then_some(*number));
    let number = match known {
        Some(number) => number,
        None => {
            let done: Option<i64> = transaction.query_row("SELECT max(done) FROM claim", [], |row| row.get(0))?;
            let last = registered.iter().map(|(_, number)| *number).chain(done).max().unwrap_or_default();
            let number = last.saturating_add(1);
            transaction.execute("INSERT INTO run (run, began) VALUES (?1, ?2)", params![own, number])?;
            number
        }
    };
    let mut oldest = number;
    for (run, number) in registered.iter().filter(|(run, _)| run != own) {
        if is_at_work(runs, run) {
            oldest = oldest.min(*number);
        } else if !runs.path(run).exists() {
            transaction.execute("DELETE FROM run WHERE run = ?1", [run])?;
        }
    }
    transaction.execute("DELETE FROM claim WHERE done < ?1", [oldest])?;
    transaction.commit()?;
    Ok(number)
}

/// Whether a process works on the run: it has the journal locked.
fn is_at_work(runs: &RunStore, run: &str) -> bool {
    !run.is_empty() && is_locked(&runs.path(run))
}

impl From<ClaimsError> for JournalError {
    /// For the dispatcher, which stops in the same way for both.
    fn from(error: ClaimsError) -> Self {
        JournalError::Claims { message: error.to_string(), hint: error.hint() }
    }
}

#[cfg(test)]
mod tests;
