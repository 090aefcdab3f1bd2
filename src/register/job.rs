//! Exports the register of an account: reads the records it needs, and writes the files.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::content::{RegisterOptions, RegisterTarget, RegisterWarning};
use super::item::{ItemError, RegisterItem};
use super::manifest::RegisterAccount;
use super::opening::EarlierManifest;
use super::record::{JsonRecord, RecordLookup};
use super::write::{RegisterSummary, planned_files, write};
use crate::account::Account;
use crate::api::RequestCounts;
use crate::catalog::Mirror;
use crate::error::{Error, Result};
use crate::export::bucket::{BucketUrl, is_url};
use crate::export::{
    ExportError, ExportLock, MirroredAccount, OutputLayout, OutputPattern, Overwrite, PhaseProgress, PlaceholderValues,
    ReadMode, StagingDir, TenantScope, is_folder, local_now, matching_format,
};
use crate::observer::Observer;
use crate::run::input::{OutputFile, ProtectedFiles};
use crate::run::prepare::unless_interrupted;
use crate::schema::{self, ASSETS, COLLECTIONS, Entity, LICENSES};
use crate::shutdown::ShutdownSignal;
use crate::table::write::output::FileFormat;
use crate::written_files::WrittenFiles;

/// A fixed-asset register to export, and where to. Done by [`Account::export_register`].
#[derive(Debug, Clone, Default)]
#[must_use = "a job does nothing until an account does it"]
pub struct RegisterJob {
    output: String,
    format: Option<FileFormat>,
    name: Option<String>,
    as_of: Option<Date>,
    rates: Option<PathBuf>,
    previous: Option<PathBuf>,
    read_mode: ReadMode,
    overwrite: Overwrite,
    shutdown: ShutdownSignal,
}

/// What a register export did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegisterReport {
    pub summary: RegisterSummary,
    /// Why records of assets and licenses are not in the register.
    pub unreadable: Vec<String>,
    pub requests: RequestCounts,
    /// When the account was read, as RFC 3339.
    pub read_at: String,
    pub seconds: f64,
}

impl RegisterJob {
    /// A register as of today, written to an .xlsx or .csv file, a folder (ending in `/`) or a bucket URL. `{date}`,
    /// `{time}`, `{tenant}` and `{name}` are filled in.
    pub fn to(output: impl Into<String>) -> Self {
        Self { output: output.into(), ..Self::default() }
    }

    /// Writes a workbook or a CSV file. The extension of the output must not say otherwise, and a folder gets both.
    pub fn with_format(self, format: Option<FileFormat>) -> Self {
        Self { format, ..self }
    }

    /// Names the export. Only one export of a name runs at a time.
    pub fn with_name(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }

    /// Calculates the figures as of the end of this date. Default: today.
    pub fn with_as_of(self, date: Option<Date>) -> Self {
        Self { as_of: date, ..self }
    }

    /// Converts by the exchange rates in this file, which has the columns `currency` and `rate`.
    pub fn with_rates(self, file: Option<PathBuf>) -> Self {
        Self { rates: file, ..self }
    }

    /// Rolls forward from an earlier register: an unedited workbook or CSV.
    pub fn with_previous(self, file: Option<PathBuf>) -> Self {
        Self { previous: file, ..self }
    }

    /// Reads the account this way.
    pub fn with_read_mode(self, mode: ReadMode) -> Self {
        Self { read_mode: mode, ..self }
    }

    /// Whether files may be replaced that tallyport did not write, or that were edited since. Default: no.
    pub fn with_overwrite(self, overwrite: Overwrite) -> Self {
        Self { overwrite, ..self }
    }

    /// Stops when this signal is raised; then nothing is written.
    pub fn with_shutdown(self, signal: ShutdownSignal) -> Self {
        Self { shutdown: signal, ..self }
    }

    /// Parses the destination. Asks nothing of the service.
    fn pattern(&self) -> Result<OutputPattern> {
        let pattern = OutputPattern::parse(&self.output, self.format, OutputLayout::Flat, TenantScope::Current)?;
        if pattern.is_stdout() {
            return Err(Error::usage("the register is several files", "name an .xlsx or .csv file, or a folder"));
        }
        Ok(pattern)
    }

    /// Where the files are written, and the staging folder if they go into a bucket.
    async fn target(&self, tenant: Option<&str>, now: DateTime) -> Result<(RegisterTarget, Option<StagingDir>)> {
        let values = PlaceholderValues { name: self.name.as_deref(), tenant };
        let filled = self.pattern()?.fill(values, now).map_err(|error| match error {
            // The register is of one tenant.
            ExportError::TenantMissing => Error::usage(error.to_string(), "pass --tenant, or leave {tenant} out"),
            error => error.into(),
        })?;
        if !is_url(&filled) {
            let path = PathBuf::from(&filled);
            let is_folder = is_folder(&filled) || path.is_dir();
            return Ok((self.target_at(path, is_folder)?, None));
        }
        let url = BucketUrl::parse(&filled).map_err(ExportError::from)?;
        // An unsupported file type is reported before the bucket is asked.
        self.target_at(PathBuf::from(url.file_name()), url.is_folder())?;
        let staging = StagingDir::create(&url, "register.csv", &self.shutdown).await?;
        let target = self.target_at(staging.folder().join(url.file_name()), url.is_folder())?;
        Ok((target, Some(staging)))
    }

    /// The files that the register is made from: it replaces none of them, whoever wrote them.
    fn protected_files(&self) -> ProtectedFiles {
        let manifest = self.previous.as_deref().and_then(EarlierManifest::path_of);
        ProtectedFiles::new("earlier register", &self.previous)
            .and("manifest of the earlier register", manifest.as_ref())
            .and("exchange rates", self.rates.as_ref())
    }

    fn target_at(&self, path: PathBuf, is_folder: bool) -> Result<RegisterTarget> {
        if is_folder && self.format.is_some() {
            return Err(Error::usage(
                "--format has no effect on a folder, which gets the register as a workbook and as a CSV file",
                "leave it out, or name an .xlsx or .csv file",
            ));
        }
        if is_folder {
            return Ok(RegisterTarget::Folder(path));
        }
        if let Some(format) = self.format {
            matching_format(format, path.clone())?;
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match (self.format, extension.as_deref()) {
            (Some(FileFormat::Xlsx), _) | (None, Some("xlsx")) => Ok(RegisterTarget::Xlsx(path)),
            (Some(FileFormat::Csv), _) | (None, Some("csv")) => Ok(RegisterTarget::Csv(path)),
            _ => {
                Err(Error::usage("the register is a workbook or a CSV file", "name an .xlsx or .csv file, or a folder"))
            }
        }
    }
}

impl Account {
    /// Exports the fixed-asset register.
    ///
    /// # Errors
    /// A destination, exchange rates or an earlier register that cannot be used, a service that cannot be reached or
    /// refuses, and files that cannot be written. Whatever was in their places is then unchanged.
    pub async fn export_register(&self, job: RegisterJob, observer: &mut dyn Observer) -> Result<RegisterReport> {
        let started = Instant::now();
        let now = local_now();
        let _lock = job.name.as_deref().map(|name| ExportLock::acquire(self, name)).transpose()?;
        let tenant = self.identity().tenant().map(|tenant| tenant.to_string());
        let (target, staging) = job.target(tenant.as_deref(), now).await?;
        let written_files = WrittenFiles::new(self.state_dir()).replacing(job.overwrite);
        if staging.is_none() {
            let (planned, protected) = (planned_files(&target), job.protected_files());
            planned.iter().try_for_each(|path| protected.check(OutputFile::Register, path))?;
            written_files.check(&planned)?;
        }
        let mut progress = PhaseProgress::new(observer);
        let mut shutdown = job.shutdown.clone();
        let mut copy = unless_interrupted(&mut shutdown, MirroredAccount::open(self, &mut progress)).await?;
        let collections = required_collections();
        let refresh = copy.refresh(&collections, job.read_mode, &mut progress);
        unless_interrupted(&mut shutdown, refresh).await?;
        let (items, unreadable) = read_items(&copy.mirror)?;
        progress.begin("writing the register");
        let options = RegisterOptions {
            as_of: job.as_of.unwrap_or_else(|| now.date()),
            rates: job.rates,
            previous: job.previous,
            target,
            account: RegisterAccount::new(&self.identity().place(), tenant),
            generated_at: Timestamp::now(),
            losses: copy.losses().collect(),
            list: staging.is_none().then_some(written_files),
        };
        let mut summary = write(items, &options)?;
        if let Some(list) = &options.list {
            remove_outdated(&options.target, &mut summary, list);
        }
        if let Some(staging) = staging {
            let urls = staging.upload(&summary.files, &mut progress, &job.shutdown).await?;
            summary.files = urls.into_iter().map(PathBuf::from).collect();
        }
        Ok(RegisterReport {
            summary,
            unreadable,
            requests: self.client.requests(),
            read_at: copy.read_at,
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}

/// Removes the roll-forward of an earlier register that no longer belongs to the files beside it. One that is not ours, or
/// was edited, stays with a warning.
fn remove_outdated(target: &RegisterTarget, summary: &mut RegisterSummary, written_files: &WrittenFiles) {
    let known = written_files.known();
    let planned = planned_files(target).into_iter();
    let outdated: Vec<PathBuf> = planned.filter(|path| path.is_file() && !summary.files.contains(path)).collect();
    for path in outdated {
        if !known.is_unedited(&path) || fs::remove_file(&path).is_err() {
            summary.warnings.push(RegisterWarning::Outdated { file: path.display().to_string() });
        }
    }
}

type ReadItem = fn(&JsonRecord, &dyn RecordLookup) -> Result<RegisterItem, ItemError>;

/// The collections whose records are items.
const ITEM_COLLECTIONS: [(&Entity, ReadItem); 2] = [(&ASSETS, RegisterItem::asset), (&LICENSES, RegisterItem::license)];

/// The collections of items, and all that they refer to directly or indirectly: the product of an asset has a category
/// and a depreciation.
fn required_collections() -> Vec<&'static Entity> {
    let mut names: Vec<&str> = ITEM_COLLECTIONS.iter().map(|(entity, _)| entity.name).collect();
    let mut next = 0;
    while let Some(entity) = names.get(next).and_then(|name| schema::collection(name)) {
        let references = entity.created_fields().filter_map(|field| Some(field.reference_to()?.to));
        for name in references.collect::<Vec<_>>() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        next += 1;
    }
    COLLECTIONS.iter().copied().filter(|entity| names.contains(&entity.name)).collect()
}

/// The records that items refer to, by collection and id.
struct ReferencedRecords(HashMap<(&'static str, i64), JsonRecord>);

impl RecordLookup for ReferencedRecords {
    fn record(&self, collection: &str, id: i64) -> Option<&JsonRecord> {
        let name = schema::collection(collection)?.name;
        self.0.get(&(name, id))
    }
}

impl ReferencedRecords {
    fn read(mirror: &Mirror) -> Result<Self> {
        let is_item = |entity: &Entity| ITEM_COLLECTIONS.iter().any(|(item, _)| item.name == entity.name);
        let mut records = HashMap::new();
        for entity in required_collections().into_iter().filter(|entity| !is_item(entity)) {
            mirror.each(entity, |id, json| {
                if let Ok(record) = serde_json::from_str(json) {
                    records.insert((entity.name, id), record);
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(Self(records))
    }
}

/// The items, and why other records are none.
fn read_items(mirror: &Mirror) -> Result<(Vec<RegisterItem>, Vec<String>)> {
    let referenced = ReferencedRecords::read(mirror)?;
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for (entity, read) in ITEM_COLLECTIONS {
        mirror.each(entity, |id, json| {
            match serde_json::from_str(json).map(|record| read(&record, &referenced)) {
                Ok(Ok(item)) => items.push(item),
                Ok(Err(error)) => unreadable.push(error.to_string()),
                Err(error) => unreadable.push(format!("{} #{id} is not in the register: {error}", entity.singular)),
            }
            Ok::<(), Error>(())
        })?;
    }
    Ok((items, unreadable))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn everything_that_an_item_refers_to_is_read() {
        let names: Vec<&str> = required_collections().iter().map(|entity| entity.name).collect();
        for name in ["assets", "licenses", "products", "categories", "depreciations", "statuses", "suppliers"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert!(!names.contains(&"accessories"), "{names:?}");
    }

    #[test]
    fn the_target_is_a_workbook_a_csv_file_or_a_folder() {
        let target = |format, path: &str, is_folder| {
            RegisterJob::to(path).with_format(format).target_at(PathBuf::from(path), is_folder)
        };
        assert_eq!(target(None, "r.XLSX", false).unwrap(), RegisterTarget::Xlsx(PathBuf::from("r.XLSX")));
        assert_eq!(target(Some(FileFormat::Csv), "r.txt", false).unwrap(), RegisterTarget::Csv(PathBuf::from("r.txt")));
        assert_eq!(target(None, "out/", true).unwrap(), RegisterTarget::Folder(PathBuf::from("out/")));
        assert!(target(None, "r.jsonl", false).is_err());
        assert!(target(Some(FileFormat::Csv), "out/", true).is_err());
        assert!(target(Some(FileFormat::Parquet), "r.xlsx", false).is_err());
        assert!(RegisterJob::to("-").pattern().is_err());
    }
}
