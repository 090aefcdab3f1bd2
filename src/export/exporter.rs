//! Runs an export: one account, or every tenant of it.

use std::path::PathBuf;
use std::time::Instant;

use super::destination::TenantScope;
use super::error::ExportError;
use super::files::ExportFiles;
use super::job::{ChangeReport, ExportJob};
use super::lock::ExportLock;
use super::progress::PhaseProgress;
use super::report::{ExportReport, FailedTenant};
use super::resolve::ResolvedJob;
use super::retention::{self, EarlierFiles};
use super::source::ExportSource;
use crate::account::{Account, Tenant};
use crate::api::RequestCounts;
use crate::error::{Error, ErrorKind, Result};
use crate::observer::Observer;
use crate::run::prepare::unless_interrupted;
use crate::written_files::WrittenFiles;

impl Account {
    /// Exports what the account holds to files, and reports what was written.
    ///
    /// The files appear together when all of them are complete. If the export fails or is stopped, whatever was in their
    /// places is unchanged. Reading is asynchronous; writing happens on the calling thread. The local snapshot of the
    /// account in the state folder makes the next export read only what changed.
    ///
    /// ```
    /// use tallyport::ExportJob;
    /// use tallyport::observer::NoObserver;
    /// use tallyport::{Account, ConnectOptions};
    ///
    /// # fn main() -> Result<(), tallyport::Error> {
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let output = folder.path().join("statuses.csv").display().to_string();
    /// let account = Account::connect(ConnectOptions::sandbox()).await?;
    /// let job = ExportJob::new(["statuses"]).to(&output).with_columns(["id", "name"]);
    /// let report = account.export(job, &mut NoObserver).await?;
    /// assert_eq!(report.files[0].location.as_deref(), Some(output.as_str()));
    /// assert!(std::fs::read_to_string(&output)?.starts_with("id,name\r\n"));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// Options that are invalid or contradict each other, a service that cannot be reached or refuses, and files that
    /// cannot be written.
    pub async fn export(&self, job: ExportJob, observer: &mut dyn Observer) -> Result<ExportReport> {
        self.run_export(&ResolvedJob::new(job)?, observer).await
    }

    /// Runs an export whose options have been checked.
    pub(crate) async fn run_export(&self, job: &ResolvedJob, observer: &mut dyn Observer) -> Result<ExportReport> {
        let started = Instant::now();
        let _lock = job.options.name.as_deref().map(|name| ExportLock::acquire(self, name)).transpose()?;
        let written_files = WrittenFiles::new(self.state_dir()).replacing(job.options.overwrite);
        let mut exporter = Exporter { job, written_files, progress: PhaseProgress::new(observer) };
        let mut report = match job.options.tenants {
            TenantScope::Current => exporter.export_account(self, None).await?,
            TenantScope::All => exporter.export_tenants(self).await?,
        };
        report.name.clone_from(&job.options.name);
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }
}

struct Exporter<'e> {
    job: &'e ResolvedJob,
    written_files: WrittenFiles,
    progress: PhaseProgress<'e>,
}

impl Exporter<'_> {
    /// Exports one account to files of its own.
    async fn export_account(&mut self, account: &Account, tenant: Option<&Tenant>) -> Result<ExportReport> {
        let id = account.identity().tenant().map(|id| id.to_string());
        let list = self.written_files.for_series(self.job.series(id.as_deref())?);
        let files = ExportFiles::open(self.job, &self.job.locate(id.as_deref())?, &list).await?;
        let source = self.read(account, tenant).await?;
        self.write(files, &[source], id.as_deref(), Vec::new()).await
    }

    async fn export_tenants(&mut self, account: &Account) -> Result<ExportReport> {
        let tenants = account.tenants().await?;
        if tenants.is_empty() {
            return Err(ExportError::NoTenants.into());
        }
        let mut report = if self.job.output.is_per_tenant() {
            self.export_tenants_apart(account, &tenants).await?
        } else {
            self.export_tenants_together(account, &tenants).await?
        };
        // The list of tenants.
        report.requests += account.client.requests();
        Ok(report)
    }

    /// Writes files for each tenant. A tenant that fails does not stop the others.
    async fn export_tenants_apart(&mut self, account: &Account, tenants: &[Tenant]) -> Result<ExportReport> {
        let mut report = ExportReport::default();
        for tenant in tenants {
            let account = account.for_tenant(tenant.id)?;
            match self.export_account(&account, Some(tenant)).await {
                Ok(exported) => report.merge(exported),
                Err(error) => {
                    self.leave_out(tenant, error, &mut report.failed_tenants, tenants.len())?;
                    report.requests += account.client.requests();
                }
            }
        }
        Ok(report)
    }

    /// Writes one set of files, with a column for the tenant. A tenant that fails is left out.
    async fn export_tenants_together(&mut self, account: &Account, tenants: &[Tenant]) -> Result<ExportReport> {
        let list = self.written_files.for_series(self.job.series(None)?);
        let files = ExportFiles::open(self.job, &self.job.locate(None)?, &list).await?;
        let accounts = tenants.iter().map(|tenant| account.for_tenant(tenant.id)).collect::<Result<Vec<_>>>()?;
        let (mut sources, mut failed, mut requests) = (Vec::new(), Vec::new(), RequestCounts::default());
        for (account, tenant) in accounts.iter().zip(tenants) {
            match self.read(account, Some(tenant)).await {
                Ok(source) => sources.push(source),
                Err(error) => {
                    self.leave_out(tenant, error, &mut failed, tenants.len())?;
                    requests += account.client.requests();
                }
            }
        }
        let mut report = self.write(files, &sources, None, failed).await?;
        report.requests += requests;
        Ok(report)
    }

    /// Leaves a tenant out. An error if the whole export ends here: it was stopped, or no other tenant is left.
    fn leave_out(
        &mut self,
        tenant: &Tenant,
        error: Error,
        failed: &mut Vec<FailedTenant>,
        tenants: usize,
    ) -> Result<()> {
        if error.kind() == ErrorKind::Stopped {
            return Err(error);
        }
        if failed.len() + 1 == tenants {
            failed.iter().for_each(|failed| self.progress.warn(&failed.text()));
            return Err(error);
        }
        failed.push(FailedTenant { tenant: tenant.to_string(), reason: error.to_string(), hint: error.hint() });
        Ok(())
    }

    async fn read<'a>(&mut self, account: &'a Account, tenant: Option<&'a Tenant>) -> Result<ExportSource<'a>> {
        let reading = ExportSource::read(account, tenant, self.job, &mut self.progress);
        unless_interrupted(&mut self.job.options.shutdown.clone(), reading).await
    }

    /// Writes the files, and deletes older ones. Where tenants are missing from the new ones, the older ones may be the last
    /// that have them.
    async fn write(
        &mut self,
        files: ExportFiles<'_>,
        sources: &[ExportSource<'_>],
        tenant: Option<&str>,
        failed: Vec<FailedTenant>,
    ) -> Result<ExportReport> {
        let mut report = files.write(sources, &mut self.progress).await?;
        if let (Some(name), ChangeReport::Written) = (&self.job.options.name, self.job.options.changes) {
            set_baseline(sources, name)?;
        }
        sources.iter().for_each(|source| report.add_account(&source.copy));
        report.name.clone_from(&self.job.options.name);
        report.note_same_day(self.job.now, self.job.is_one_bucket_file(tenant)?);
        report.failed_tenants = failed;
        if report.failed_tenants.is_empty() {
            self.prune(tenant, &mut report).await?;
        } else {
            let written = report.files.iter().filter_map(|file| file.location.as_ref());
            self.written_files.mark_incomplete(&written.map(PathBuf::from).collect::<Vec<_>>());
            report.keeps_older = self.job.options.keep.is_some();
        }
        Ok(report)
    }

    /// Deletes older files of this export. The export stands even if that fails.
    async fn prune(&mut self, tenant: Option<&str>, report: &mut ExportReport) -> Result<()> {
        let Some(keep) = self.job.options.keep else { return Ok(()) };
        let output = self.job.output_over_time(tenant)?;
        let written: Vec<String> = report.files.iter().filter_map(|file| file.location.clone()).collect();
        let series = self.job.series(tenant)?;
        let earlier = EarlierFiles { list: &self.written_files, series: &series };
        match retention::prune(&output, &written, earlier, (keep as usize, self.job.now)).await {
            Ok(pruned) => {
                report.deleted_files = pruned.deleted;
                report.left_files = pruned.left.iter().map(|path| path.display().to_string()).collect();
            }
            Err(error) => self.progress.warn(&format!("cannot delete older files: {error}")),
        }
        Ok(())
    }
}

/// From now on, the next export of that name is compared with what these files contain.
fn set_baseline(sources: &[ExportSource<'_>], name: &str) -> Result<()> {
    for source in sources {
        for list in &source.lists {
            // What its records copied then can be told only by those that they copy it from.
            let copied_from = list.entity.copied_references().map(|(_, copied)| copied.from);
            for entity in copied_from.chain([list.entity]) {
                source.copy.mirror.set_baseline(name, entity, &source.copy.read_at)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::account::ConnectOptions;
    use crate::catalog::Mirror;
    use crate::observer::{NoObserver, Observer};
    use crate::sandbox::{Sandbox, SandboxOptions};
    use crate::shutdown::ShutdownSignal;
    use crate::written_files::{ExportSeries, Overwrite, OverwriteError};

    async fn sandbox(state: &Path) -> Account {
        Account::connect(ConnectOptions::sandbox().with_state_dir(state)).await.unwrap()
    }

    fn statuses(output: &Path) -> ExportJob {
        ExportJob::new(["statuses"]).to(output.display().to_string()).with_columns(["name"])
    }

    #[tokio::test]
    async fn an_incremental_export_writes_the_changes_beside_a_file_of_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let account = sandbox(folder.path()).await;
        let output = folder.path().join("out.csv");
        let report = account.export(statuses(&output).named("nightly").incremental(), &mut NoObserver).await.unwrap();
        let locations: Vec<_> = report.files.iter().filter_map(|file| file.location.clone()).collect();
        let expected = ["out.csv", "out.changes.csv"].map(|name| folder.path().join(name).display().to_string());
        assert_eq!(locations, expected);
        assert_eq!(report.changes.map(|changes| (changes.first_exports, changes.rows)), Some((1, 0)));
        assert_eq!((report.tables.len(), report.tables[0].columns), (1, 1));
        assert!(report.is_success() && report.requests.total > 0 && report.read_at.is_some());
    }

    #[tokio::test]
    async fn a_stopped_export_leaves_the_previous_file() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let account = sandbox(state.path()).await;
        let output = folder.path().join("out.csv");
        fs::write(&output, "yesterday").unwrap();
        let signal = ShutdownSignal::new();
        signal.request();
        let job = statuses(&output).with_overwrite(Overwrite::AnyFile).with_shutdown(signal);
        assert_eq!(account.export(job, &mut NoObserver).await.unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(fs::read_to_string(&output).unwrap(), "yesterday");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn an_export_that_waits_for_another_one_goes_on_after_it_or_stops() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // One within this process has no snapshot to wait for.
        let sandbox = Sandbox::start(SandboxOptions { quota: None, ..SandboxOptions::default() }).unwrap();
        let options = ConnectOptions::new(&sandbox.base_url(), "sandbox").with_state_dir(state.path());
        let account = Account::connect(options).await.unwrap();
        let held = Mirror::open(&account.mirror_path().unwrap()).unwrap();
        let signal = ShutdownSignal::new();
        let job = statuses(&folder.path().join("out.csv")).with_shutdown(signal.clone());
        let mut told = Told::default();
        let waiting = account.export(job.clone(), &mut told);
        let stopped = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            signal.request();
        };
        let (exported, ()) = tokio::join!(waiting, stopped);
        assert_eq!(exported.unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(told.0, ["another export of this account is running; waiting for it to finish"]);
        let job = job.with_shutdown(ShutdownSignal::new());
        let freed = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(held);
        };
        let mut silent = NoObserver;
        let (exported, ()) = tokio::join!(account.export(job, &mut silent), freed);
        assert!(exported.unwrap().is_success());
    }

    /// The notes of an export.
    #[derive(Default)]
    struct Told(Vec<String>);

    impl Observer for Told {
        fn on_note(&mut self, text: &str) {
            self.0.push(text.to_owned());
        }
    }

    #[tokio::test]
    async fn only_what_tallyport_wrote_is_replaced() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let account = sandbox(state.path()).await;
        let output = folder.path().join("statuses.csv");
        let into_folder = || ExportJob::new(["statuses"]).to(format!("{}/", folder.path().display()));
        for _ in 0..2 {
            account.export(statuses(&output), &mut NoObserver).await.unwrap();
        }
        fs::write(&output, "edited").unwrap();
        for job in [statuses(&output), into_folder()] {
            let error = account.export(job, &mut NoObserver).await.unwrap_err();
            assert!(matches!(error.downcast_ref(), Some(OverwriteError::Edited { .. })), "{error}");
        }
        assert_eq!(fs::read_to_string(&output).unwrap(), "edited");
        account.export(into_folder().with_overwrite(Overwrite::AnyFile), &mut NoObserver).await.unwrap();
        account.export(statuses(&output), &mut NoObserver).await.unwrap();
    }

    #[tokio::test]
    async fn an_unknown_column_is_an_export_error() {
        let folder = tempfile::tempdir().unwrap();
        let job = statuses(&folder.path().join("out.csv")).with_columns(["nmae"]);
        let error = sandbox(folder.path()).await.export(job, &mut NoObserver).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(ExportError::UnknownColumn { .. })), "{error}");
        assert!(error.hint().unwrap_or_default().starts_with("choose from "), "{error}");
        let default_columns = BTreeMap::from([(String::from("statuses"), vec![String::from("nmae")])]);
        let job = ExportJob { default_columns, columns: Vec::new(), ..statuses(&folder.path().join("out.csv")) };
        let error = sandbox(folder.path()).await.export(job, &mut NoObserver).await.unwrap_err();
        let hint = error.hint().unwrap_or_default();
        assert!(hint.starts_with("the profile in config.toml asks for it, in `columns`, `statuses`; choose"), "{hint}");
        let job = statuses(&folder.path().join("out.csv")).with_columns(["name", "name"]);
        let error = sandbox(folder.path()).await.export(job, &mut NoObserver).await.unwrap_err();
        assert_eq!(error.to_string(), "the column `name` of `statuses` is chosen twice");
    }

    /// An account with two tenants.
    fn tenants(faults: &str) -> Sandbox {
        let tenants = vec![(7, String::from("Acme")), (8, String::from("Globex"))];
        let faults = faults.parse().unwrap();
        Sandbox::start(SandboxOptions { tenants, faults, ..SandboxOptions::default() }).unwrap()
    }

    async fn exported(sandbox: &Sandbox, state: &Path, job: ExportJob) -> Result<ExportReport> {
        let options = ConnectOptions::new(&sandbox.base_url(), "sandbox").with_state_dir(state);
        Account::connect(options).await?.export(job.with_tenants(TenantScope::All), &mut NoObserver).await
    }

    #[tokio::test]
    async fn an_export_without_a_tenant_deletes_no_older_file() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let output = folder.path().join("n-{date}.csv");
        let job = || statuses(&output).named("nightly").keeping(1);
        let older = folder.path().join("n-2026-01-01.csv");
        fs::write(&older, "complete").unwrap();
        let list = WrittenFiles::new(state.path());
        list.for_series(ExportSeries::Named(String::from("nightly"))).record(std::slice::from_ref(&older));
        let sandbox = tenants("GET statuses count=1 refuse=403");
        let report = exported(&sandbox, state.path(), job()).await.unwrap();
        let [failed] = report.failed_tenants.as_slice() else { panic!("{:?}", report.failed_tenants) };
        assert_eq!((failed.tenant.as_str(), report.deleted_files), ("7 (Acme)", 0));
        assert!(
            failed.hint.is_some() && report.warnings().iter().any(|warning| warning.starts_with("--keep deletes no"))
        );
        assert!(report.requests.by_kind.values().sum::<u64>() > 2, "those of all tenants: {:?}", report.requests);
        let written = report.files[0].location.clone().unwrap();
        assert!(older.exists() && list.known().is_incomplete(Path::new(&written)));
        // The next one has both.
        let report = exported(&sandbox, state.path(), job()).await.unwrap();
        assert_eq!((report.failed_tenants.len(), report.deleted_files), (0, 1));
        assert!(!older.exists() && !list.known().is_incomplete(Path::new(&written)));
    }

    #[tokio::test]
    async fn an_export_in_which_every_tenant_fails_is_an_error() {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sandbox = tenants("GET statuses refuse=403");
        for name in ["{tenant}.csv", "all.csv"] {
            let error = exported(&sandbox, state.path(), statuses(&folder.path().join(name))).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{name}: {error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
