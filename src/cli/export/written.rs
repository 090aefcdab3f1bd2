//! Accounts into files.

use std::path::{Path, PathBuf};

use super::account::{self, Account};
use super::changes;
use super::job::{Changes, Job, Place};
use crate::catalog::Shape;
use crate::cli::Error;
use crate::cli::progress::Progress;
use crate::schema::Entity;
use crate::table::write::output::{Finished, Format, Output, Target, open};

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
    main: Box<dyn Output>,
    /// The file of changes, where the main one holds one table only.
    beside: Option<Box<dyn Output>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub rows: Vec<Rows>,
    pub finished: Vec<Finished>,
    pub changes: Option<changes::Counts>,
}

impl Written {
    pub(super) fn add(&mut self, other: Written) {
        self.rows.extend(other.rows);
        self.finished.extend(other.finished);
        self.changes = match (self.changes, other.changes) {
            (Some(one), Some(other)) => Some(one.plus(other)),
            (one, other) => one.or(other),
        };
    }
}

impl Files {
    pub(super) fn begin(job: &Job, place: &Place) -> Result<Self, Error> {
        let is_single = matches!(place.target, Target::File(_)) && place.format != Format::Xlsx;
        if job.entities.len() > 1 && (is_single || place.target == Target::Stdout && place.format != Format::Xlsx) {
            let what = "one file of this kind holds one collection";
            return Err(Error::usage(what, "end the path in / for a file each, or in .xlsx for one workbook"));
        }
        let beside = match (&place.target, job.changes) {
            (Target::File(path), Changes::Told) if is_single => Some(Target::File(beside(path))),
            _ => None,
        };
        Ok(Self {
            main: open(&place.target, place.format, &job.style)?,
            beside: beside.map(|target| open(&target, place.format, &job.style)).transpose()?,
        })
    }

    /// Writes the tables of these accounts, and puts the files in their places.
    pub(super) fn write(mut self, job: &Job, accounts: &[Account], progress: &mut Progress) -> Result<Written, Error> {
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
        let mut shape = Shape::default();
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
        changes::begin(output.as_mut(), has_tenants)?;
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

/// `assets.changes.csv` for `assets.csv`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{stem}.changes.{extension}"))
}
