//! A copy of an account as a sandbox's data file, to rehearse on.
//!
//! ```text
//! size      how many records a collection has, in few requests
//! target    the file, which appears whole or not at all
//! ```
//!
//! The account is only read: its records go through a temporary mirror, which reads whole lists while others change
//! them. It is no snapshot of one moment: what changes while it is read may be in one collection and not yet in another.

mod size;
mod target;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;

use self::size::{CollectionSize, measure};
use self::target::{CopyError, CopyTarget};
use crate::account::Account;
use crate::api::{Client, RequestCounts};
use crate::catalog::{Mirror, MirrorError, RefreshMode, RefreshOptions};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::plan::RunEstimate;
use crate::run::prepare::{report_waits, unless_interrupted};
use crate::sandbox::{CopyBuildError, CopyBuilder, CopyOmissions};
use crate::schema::{COLLECTIONS, Entity};
use crate::shutdown::ShutdownSignal;
use crate::wording::{counted, duration, thousands};
use crate::written_files::Overwrite;

/// Records between two looks at the shutdown signal, and two reports of progress.
const STEP: u64 = 500;

/// A copy of an account to make. Done by [`Account::copy_to_sandbox`].
///
/// ```
/// use tallyport::CopyJob;
///
/// let copy = CopyJob::new("rehearsal.db");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a job does nothing until an account does it"]
pub struct CopyJob {
    file: PathBuf,
    overwrite: Overwrite,
    shutdown: ShutdownSignal,
}

/// What was copied.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CopyReport {
    /// The account, as people know it.
    pub account: String,
    pub tenant: Option<i64>,
    pub file: PathBuf,
    /// Records by collection, in the order of the schema.
    pub records: Vec<(&'static str, u64)>,
    pub requests: RequestCounts,
    /// How many requests were announced.
    pub estimated_requests: u64,
    /// Values that were left out because they are called a password, PIN or key.
    pub secrets: u64,
    /// Items by collection that are checked out to holders whom the service does not name.
    pub without_holder: Vec<(&'static str, u64)>,
    pub seconds: f64,
}

impl CopyJob {
    /// A copy in that file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), overwrite: Overwrite::OwnFiles, shutdown: ShutdownSignal::new() }
    }

    /// Whether a sandbox's data file in its place may be replaced. Default: no. Files of other programs never are.
    pub fn with_overwrite(self, overwrite: Overwrite) -> Self {
        Self { overwrite, ..self }
    }

    /// Stops when this signal is raised; then nothing is written.
    pub fn with_shutdown(self, signal: ShutdownSignal) -> Self {
        Self { shutdown: signal, ..self }
    }
}

impl Account {
    /// Fills a sandbox's data file with what the account holds: the same ids, holders of assets, stock and statuses. Only
    /// reads the account. [`ConnectOptions::sandbox_file`](crate::ConnectOptions::sandbox_file) then opens the copy.
    ///
    /// The activity log is left out, and so is what no reply tells: who holds accessories, components, consumables and
    /// seats of licenses, and product keys.
    ///
    /// ```
    /// use tallyport::observer::NoObserver;
    /// use tallyport::{Account, ConnectOptions, CopyJob};
    ///
    /// # fn main() -> Result<(), tallyport::Error> {
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("rehearsal.db");
    /// # let options = ConnectOptions::sandbox().with_state_dir(folder.path().join("state"));
    /// let account = Account::connect(options).await?;
    /// let report = account.copy_to_sandbox(CopyJob::new(&file), &mut NoObserver).await?;
    /// assert!(report.records.iter().any(|(collection, count)| *collection == "statuses" && *count > 0));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// A file that must not be replaced or cannot be written, a service that cannot be reached or refuses, and an
    /// interruption. The file is then as it was.
    pub async fn copy_to_sandbox(&self, job: CopyJob, observer: &mut dyn Observer) -> Result<CopyReport> {
        let started = Instant::now();
        let target = CopyTarget::open(&job.file, job.overwrite, self.state_dir())?;
        // Waits for a service that is down: a copy that has begun need not begin again.
        let client = self.client.with_patience();
        let mut shutdown = job.shutdown.clone();
        let observer = RefCell::new(observer);
        let reading = report_waits(&client, &observer, self.read(&client, &observer));
        let (mirror, estimated_requests) = unless_interrupted(&mut shutdown, reading).await?;
        let writer = CopyWriter { mirror: &mirror, shutdown: &job.shutdown, observer: &observer, file: target.path() };
        let omissions = writer.write(target.temporary(), self.identity().tenant())?;
        let records = COLLECTIONS.iter().map(|entity| Ok((entity.name, mirror.count(entity)?)));
        let records = records.collect::<Result<Vec<_>, MirrorError>>()?;
        if job.shutdown.is_requested() {
            return Err(Error::interrupted());
        }
        target.publish()?;
        Ok(CopyReport {
            account: self.identity().to_string(),
            tenant: self.identity().tenant(),
            file: job.file,
            records,
            requests: client.requests(),
            estimated_requests,
            secrets: omissions.secrets,
            without_holder: omissions.without_holder,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Reads the account into a mirror, and says first how many requests that takes: the mirror, and that number.
    async fn read(&self, client: &Client, observer: &RefCell<&mut dyn Observer>) -> Result<(Mirror, u64)> {
        observer.borrow_mut().on_phase("measuring", None);
        let mut sizes = Vec::with_capacity(COLLECTIONS.len());
        for entity in COLLECTIONS {
            sizes.push((entity.name, measure(client, entity).await?));
        }
        let estimate = self.announce(&sizes, client.requests().total, observer);
        let mirror = Mirror::temporary()?;
        let now = Timestamp::now().to_string();
        let options = RefreshOptions { mode: RefreshMode::Full, concurrency: self.concurrency.into(), now: &now };
        for (entity, (_, size)) in COLLECTIONS.iter().zip(&sizes) {
            observer.borrow_mut().on_phase(&format!("reading {}", entity.name), Some(size.records));
            let mut on_read = |_: &'static str, records| observer.borrow_mut().on_rows(records, 0);
            mirror.read(client, (entity, &[]), options, &mut on_read).await?;
        }
        Ok((mirror, estimate))
    }

    /// Says how many requests the copy takes, the `sent` ones included, and how long that is under the quota.
    fn announce(
        &self,
        sizes: &[(&'static str, CollectionSize)],
        sent: u64,
        observer: &RefCell<&mut dyn Observer>,
    ) -> u64 {
        let records = sizes.iter().map(|(_, size)| size.records).sum();
        let remaining: u64 = sizes.iter().map(|(_, size)| size.requests()).sum();
        let seconds = RunEstimate::new(remaining, sent, self.quota, (0, 0)).seconds;
        let time = if seconds < 60 { String::new() } else { format!(", {}", duration(seconds as f64)) };
        let quota = match self.quota {
            Some(quota) => format!(" of the {} an hour", thousands(quota.into())),
            None => String::new(),
        };
        let (requests, records) = (counted(sent + remaining, "request"), counted(records, "record"));
        observer.borrow_mut().on_note(&format!("about {records}: the copy takes about {requests}{quota}{time}"));
        sent + remaining
    }
}

/// Writes the records of a mirror to a data file.
struct CopyWriter<'a, 'o> {
    mirror: &'a Mirror,
    shutdown: &'a ShutdownSignal,
    observer: &'a RefCell<&'o mut dyn Observer>,
    /// The name that the file will have, for messages.
    file: &'a std::path::Path,
}

/// Why a record was not written.
enum WriteFailure {
    Build(CopyBuildError),
    Mirror(MirrorError),
    Interrupted,
}

impl From<MirrorError> for WriteFailure {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(error)
    }
}

impl<E: Into<CopyBuildError>> From<E> for WriteFailure {
    fn from(error: E) -> Self {
        Self::Build(error.into())
    }
}

impl CopyWriter<'_, '_> {
    fn write(&self, temporary: &std::path::Path, tenant: Option<i64>) -> Result<CopyOmissions> {
        self.fill(temporary, tenant).map_err(|failure| match failure {
            WriteFailure::Build(source) => CopyError::Write { path: self.file.to_owned(), source }.into(),
            WriteFailure::Mirror(error) => error.into(),
            WriteFailure::Interrupted => Error::interrupted(),
        })
    }

    fn fill(&self, temporary: &std::path::Path, tenant: Option<i64>) -> Result<CopyOmissions, WriteFailure> {
        let mut copy = CopyBuilder::create(temporary, tenant)?;
        for entity in COLLECTIONS {
            copy.begin(entity, self.mirror.observed_fields(entity)?.fields.iter())?;
            self.each("writing", entity, |id, json| copy.add(entity, id, json))?;
        }
        for entity in COLLECTIONS {
            self.each("comparing", entity, |id, json| copy.reconcile(entity, id, json))?;
        }
        Ok(copy.finish()?)
    }

    /// Calls `with` for every record of a collection, as long as nobody asks to stop.
    fn each(
        &self,
        verb: &str,
        entity: &'static Entity,
        mut with: impl FnMut(i64, &str) -> Result<(), CopyBuildError>,
    ) -> Result<(), WriteFailure> {
        let total = self.mirror.count(entity)?;
        self.observer.borrow_mut().on_phase(&format!("{verb} {}", entity.name), Some(total));
        let mut done = 0;
        self.mirror.each(entity, |id, json| {
            done += 1;
            if done % STEP == 0 {
                self.observer.borrow_mut().on_rows(done, 0);
                if self.shutdown.is_requested() {
                    return Err(WriteFailure::Interrupted);
                }
            }
            Ok(with(id, json)?)
        })
    }
}
