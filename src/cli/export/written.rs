//! Accounts into files.

use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::account::{self, Account};
use super::changes;
use super::destination::{Destination, Place};
use super::job::{Changes, Job};
use super::landing::Landing;
use crate::catalog::ObservedFields;
use crate::cli::interrupts;
use crate::cli::progress::Progress;
use crate::error::Error;
use crate::schema::Entity;
use crate::shutdown::ShutdownSignal;
use crate::table::Row;
use crate::table::write::WriteError;
use crate::table::write::output::{FileFormat, OutputColumn, OutputReport, OutputTarget, TableWriter, open};

/// What was written of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    pub entity: &'static str,
    pub tenant: Option<i64>,
    pub rows: u64,
    pub columns: usize,
}

/// Files that are begun before anything is asked of the service: what would make the end fail is known then.
pub(super) struct Files {
    main: Box<dyn TableWriter>,
    /// The file of changes, where the main one holds one table only.
    beside: Option<Box<dyn TableWriter>>,
    /// Where they go from the folder they are written to; none where they are written to their places.
    landing: Option<Landing>,
}

/// A file where it ends up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// A path or a URL; none for standard output.
    pub place: Option<String>,
    /// The tables in it, with the rows of each.
    pub tables: Vec<(String, u64)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub rows: Vec<Rows>,
    pub finished: Vec<OutputReport>,
    pub files: Vec<Stored>,
    pub changes: Option<changes::Counts>,
}

impl Written {
    pub(super) fn add(&mut self, other: Written) {
        self.rows.extend(other.rows);
        self.finished.extend(other.finished);
        self.files.extend(other.files);
        self.changes = match (self.changes, other.changes) {
            (Some(one), Some(other)) => Some(one.plus(other)),
            (one, other) => one.or(other),
        };
    }
}

impl Files {
    pub(super) fn begin(job: &Job, place: &Place, runtime: &Runtime) -> Result<Self, Error> {
        let is_one = match &place.destination {
            Destination::Here(target) => matches!(target, OutputTarget::File(_) | OutputTarget::Stdout),
            Destination::Bucket(url) => !url.is_folder(),
        };
        let is_single = is_one && place.format != FileFormat::Xlsx;
        if job.entities.len() > 1 && is_single {
            let what = "one file of this kind holds one collection";
            return Err(Error::usage(what, "end the path in / for a file each, or in .xlsx for one workbook"));
        }
        let (target, landing) = match &place.destination {
            Destination::Here(target) => (target.clone(), None),
            Destination::Bucket(url) => {
                let landing = Landing::begin(runtime, url, &format!("export.{}", place.format.extension()))?;
                let target = match url.is_folder() {
                    true => job.layout.within(landing.folder().to_owned(), place.day),
                    false => OutputTarget::File(landing.folder().join(url.file_name())),
                };
                (target, Some(landing))
            }
        };
        let beside = match (&target, job.changes) {
            (OutputTarget::File(path), Changes::Told) if is_single => Some(OutputTarget::File(beside(path))),
            _ => None,
        };
        let asked = interrupts::listen()?;
        Ok(Self {
            main: watched(&asked, open(&target, place.format, &job.style)?),
            beside: beside
                .map(|target| open(&target, place.format, &job.style))
                .transpose()?
                .map(|output| watched(&asked, output)),
            landing,
        })
    }

    /// Writes the tables of these accounts, and puts the files in their places.
    pub(super) fn write(
        mut self,
        job: &Job,
        accounts: &[Account],
        runtime: &Runtime,
        progress: &mut Progress,
    ) -> Result<Written, Error> {
        let mut written = Written::default();
        for entity in job.entities.iter().copied() {
            self.table(entity, job, accounts, progress, &mut written)?;
        }
        if job.changes == Changes::Told {
            written.changes = Some(self.changes(job, accounts)?);
        }
        progress.phase("putting files in place");
        written.finished.push(self.main.finish()?);
        if let Some(beside) = self.beside {
            written.finished.push(beside.finish()?);
        }
        written.files = stored(&written.finished);
        if let Some(landing) = self.landing {
            let files: Vec<PathBuf> =
                written.files.iter().filter_map(|file| file.place.as_ref()).map(PathBuf::from).collect();
            let urls = landing.land(runtime, &files, progress)?;
            written.files.iter_mut().zip(urls).for_each(|(file, url)| file.place = Some(url));
        }
        Ok(written)
    }

    fn table(
        &mut self,
        entity: &'static Entity,
        job: &Job,
        accounts: &[Account],
        progress: &mut Progress,
        written: &mut Written,
    ) -> Result<(), Error> {
        let mut shape = ObservedFields::default();
        for account in accounts {
            for list in account.lists.iter().filter(|list| list.entity.name == entity.name) {
                shape.join(&account.shape(list)?);
            }
        }
        let mut is_begun = false;
        for account in accounts {
            for list in account.lists.iter().filter(|list| list.entity.name == entity.name) {
                let sheet = account.sheet(list, account::columns(entity, &shape, job)?, job)?;
                if !is_begun {
                    sheet.begin(self.main.as_mut())?;
                    is_begun = true;
                }
                let phase = format!("writing {}", entity.name);
                let mut say = |rows: u64| {
                    if rows.is_multiple_of(1_000) {
                        progress.reach(&phase, rows);
                    }
                };
                let rows = sheet.write(account.holding(list.from), &account.names, self.main.as_mut(), &mut say)?;
                let columns = sheet.columns.headers().count() + sheet.front.len();
                let tenant = account.tenant.as_ref().map(|(id, _)| *id);
                written.rows.push(Rows { entity: entity.name, tenant, rows, columns });
            }
        }
        Ok(())
    }

    fn changes(&mut self, job: &Job, accounts: &[Account]) -> Result<changes::Counts, Error> {
        let output = self.beside.as_mut().unwrap_or(&mut self.main);
        let name = job.name.as_deref().unwrap_or_default();
        let has_tenants = accounts.len() > 1;
        changes::begin(output.as_mut(), has_tenants, job.layout)?;
        let mut counts = changes::Counts::default();
        for account in accounts {
            let tenant = account.tenant.as_ref().filter(|_| has_tenants).map(|(id, _)| id.to_string());
            for list in &account.lists {
                changes::write(account, list, name, tenant.as_deref(), (output.as_mut(), &mut counts))?;
            }
        }
        Ok(counts)
    }
}

/// In the order they were written.
fn stored(finished: &[OutputReport]) -> Vec<Stored> {
    let place = |path: &PathBuf| path.display().to_string();
    let files = finished.iter().flat_map(|finished| &finished.files);
    files.map(|file| Stored { place: file.path.as_ref().map(place), tables: file.tables.clone() }).collect()
}

/// An output that ends where somebody asks for it: dropped, it leaves nothing behind.
struct Watched {
    output: Box<dyn TableWriter>,
    asked: ShutdownSignal,
}

fn watched(asked: &ShutdownSignal, output: Box<dyn TableWriter>) -> Box<dyn TableWriter> {
    Box::new(Watched { output, asked: asked.clone() })
}

impl Watched {
    fn go_on(&self) -> Result<(), WriteError> {
        if self.asked.is_requested() { Err(WriteError::Interrupted) } else { Ok(()) }
    }
}

impl TableWriter for Watched {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.go_on()?;
        self.output.begin(table, columns)
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        self.go_on()?;
        self.output.row(row)
    }

    fn finish(self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.go_on()?;
        self.output.finish()
    }
}

/// `assets.changes.csv` for `assets.csv`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{stem}.changes.{extension}"))
}
