//! Writes the files of an export: the tables of one or several accounts, and what changed.

use std::path::{Path, PathBuf};

use super::changes::write_changes;
use super::destination::{CHANGES_TABLE, Destination, ExportLocation};
use super::error::ExportError;
use super::job::ChangeReport;
use super::progress::PhaseProgress;
use super::report::{ExportReport, StoredFile, TableReport};
use super::resolve::ResolvedJob;
use super::source::{self, ExportSource};
use super::staging::StagingDir;
use crate::error::Result;
use crate::schema::Entity;
use crate::shutdown::ShutdownSignal;
use crate::table::Row;
use crate::table::write::WriteError;
use crate::table::write::output::{
    FileFormat, OutputColumn, OutputOptions, OutputReport, OutputTarget, TableWriter, open, planned_files,
};
use crate::written_files::WrittenFiles;

/// How often written rows are reported.
const ROWS_PER_REPORT: u64 = 1_000;

/// The files of an export, opened before anything is requested from the service, so that what cannot be written is
/// known early. Dropped before [`ExportFiles::write`] is done, they leave nothing behind.
pub(crate) struct ExportFiles<'j> {
    job: &'j ResolvedJob,
    output: CancellableOutput,
    /// Set if the files go into a bucket.
    staging: Option<StagingDir>,
    /// The file with the changes that an earlier run wrote and that is replaced.
    replaced_changes: Option<PathBuf>,
}

impl<'j> ExportFiles<'j> {
    pub(crate) async fn open(
        job: &'j ResolvedJob,
        location: &ExportLocation,
        written_files: &WrittenFiles,
    ) -> Result<Self> {
        let holds_one_table = location.is_single_file() && location.format != FileFormat::Xlsx;
        if holds_one_table && job.entities.len() > 1 {
            return Err(ExportError::OneCollectionPerFile.into());
        }
        let (target, staging) = match &location.destination {
            Destination::Local(target) => (target.clone(), None),
            Destination::Bucket(url) => {
                let name = format!("export.{}", location.format.extension());
                let staging = StagingDir::create(url, &name, &job.options.shutdown).await?;
                let folder = staging.folder().to_owned();
                let target = match url.is_folder() {
                    true => location.target_in(folder),
                    false => OutputTarget::File(folder.join(url.file_name())),
                };
                (target, Some(staging))
            }
        };
        let target = match (target, job.options.changes) {
            (OutputTarget::File(path), ChangeReport::Written) if holds_one_table => {
                let changes = changes_path(&path);
                OutputTarget::Files(vec![path, changes])
            }
            (target, _) => target,
        };
        let mut replaced_changes = None;
        if staging.is_none() {
            let tables = job.entities.iter().map(|entity| entity.name);
            let changes = (job.options.changes == ChangeReport::Written).then_some(CHANGES_TABLE);
            let planned = planned_files(&target, location.format.extension(), tables.chain(changes));
            written_files.check(&planned)?;
            // The changes are the last table.
            replaced_changes = planned.into_iter().last().filter(|path| changes.is_some() && path.is_file());
        }
        let list = staging.is_none().then(|| written_files.clone());
        let output = open(&target, location.format, &OutputOptions { list, ..job.output_options.clone() })?;
        let output = CancellableOutput { output, shutdown: job.options.shutdown.clone() };
        Ok(Self { job, output, staging, replaced_changes })
    }

    /// Writes the tables of these accounts, and moves the files into place.
    ///
    /// # Errors
    /// What the disk or the bucket refuses, and a column that does not exist. Nothing is in place then.
    pub(crate) async fn write(
        mut self,
        sources: &[ExportSource<'_>],
        progress: &mut PhaseProgress<'_>,
    ) -> Result<ExportReport> {
        let job = self.job;
        let mut report = ExportReport::default();
        source::validate_sort(sources, job)?;
        for entity in job.entities.iter().copied() {
            self.write_collection(entity, sources, progress, &mut report.tables)?;
        }
        if job.options.changes == ChangeReport::Written {
            let (counts, since) = write_changes(sources, job, &mut self.output)?;
            (report.changes, report.changes_since) = (Some(counts), since);
            report.replaced_changes = self.replaced_changes.take().map(|path| path.display().to_string());
        }
        progress.begin("moving files into place");
        report.add_output(Box::new(self.output).finish()?);
        if let Some(staging) = self.staging {
            upload(staging, &mut report.files, progress, &job.options.shutdown).await?;
        }
        Ok(report)
    }

    fn write_collection(
        &mut self,
        entity: &'static Entity,
        sources: &[ExportSource<'_>],
        progress: &mut PhaseProgress<'_>,
        tables: &mut Vec<TableReport>,
    ) -> Result<()> {
        let shape = source::merged_shape(entity, sources)?;
        for column in source::former_columns(entity, &shape, self.job) {
            progress.warn(&format!("no record of {} has `{column}` any more: the column is empty", entity.name));
        }
        let phase = format!("writing {}", entity.name);
        let mut is_begun = false;
        for source in sources {
            for list in source.lists_of(entity) {
                let table = source.table(list, &shape, self.job)?;
                if !is_begun {
                    table.begin(&mut self.output)?;
                    is_begun = true;
                }
                let mut on_row = |rows: u64| {
                    if rows.is_multiple_of(ROWS_PER_REPORT) {
                        progress.report(&phase, rows);
                    }
                };
                let rows = table.write(source.records(list), &source.names, &mut self.output, &mut on_row)?;
                tables.push(TableReport::new(source, list, rows, table.width()));
            }
        }
        Ok(())
    }
}

/// Uploads the files, and replaces their paths in the report by their URLs.
async fn upload(
    staging: StagingDir,
    files: &mut [StoredFile],
    progress: &mut PhaseProgress<'_>,
    shutdown: &ShutdownSignal,
) -> Result<()> {
    let paths: Vec<PathBuf> = files.iter().filter_map(|file| file.location.as_ref()).map(PathBuf::from).collect();
    let urls = staging.upload(&paths, progress, shutdown).await?;
    files.iter_mut().zip(urls).for_each(|(file, url)| file.location = Some(url));
    Ok(())
}

/// An output that fails as soon as the program is asked to stop. Dropped then, it leaves nothing behind.
struct CancellableOutput {
    output: Box<dyn TableWriter>,
    shutdown: ShutdownSignal,
}

impl CancellableOutput {
    fn check(&self) -> Result<(), WriteError> {
        if self.shutdown.is_requested() { Err(WriteError::Interrupted) } else { Ok(()) }
    }
}

impl TableWriter for CancellableOutput {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.check()?;
        self.output.begin(table, columns)
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        self.check()?;
        self.output.row(row)
    }

    fn finish(self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.check()?;
        self.output.finish()
    }
}

/// `assets.changes.csv` for `assets.csv`.
fn changes_path(path: &Path) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{stem}.changes.{extension}"))
}
