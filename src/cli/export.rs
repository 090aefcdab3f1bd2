//! `tallyport export`: what the account holds, into files.

mod account;
mod changes;
mod destination;
mod job;
mod keep;
#[cfg(feature = "buckets")]
mod landing;
#[cfg(not(feature = "buckets"))]
#[path = "export/landing_not_built.rs"]
mod landing;
mod lock;
mod register;
mod shown;
mod written;

use std::time::Instant;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use tokio::runtime::Runtime;

use super::args::{ExportArgs, Global};
use super::interrupts;
use super::planning::or_interrupted;
use super::printer::Printer;
use super::progress::{Progress, ProgressKind};
use super::settings::{Settings, connect, named_export};
use super::{Error, Exit};
use crate::error::ErrorKind;
use crate::export::bucket::is_url;
use account::Account;
use destination::Place;
use job::{Changes, Job, Tenants};
use lock::NameLock;
use shown::Shown;
use written::{Files, Written};

pub(super) fn run(global: &Global, args: &ExportArgs, printer: Printer) -> Result<Exit, Error> {
    let (global, args) = meant(global, args)?;
    let settings = Settings::resolve(&global)?;
    // One at a time of a name; released at the end.
    let _lock = args.name.as_deref().map(|name| NameLock::take(&settings.state_dir.value, name)).transpose()?;
    if register::is_meant(&args) {
        return register::run(&global, &args, printer, local_now());
    }
    let job = Job::of(&args, &settings.columns)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exporter = Exporter { global, job, printer, runtime, started: Instant::now(), now: local_now() };
    match exporter.job.tenants {
        Tenants::One => exporter.one(),
        Tenants::All => exporter.all(),
    }
}

/// What was typed, and what config.toml says of an export of that name.
fn meant(global: &Global, args: &ExportArgs) -> Result<(Global, ExportArgs), Error> {
    let (mut global, mut args) = (global.clone(), args.clone());
    let Some(name) = args.name.clone() else { return Ok((global, args)) };
    match named_export(&name)? {
        Some(named) => args = args.or(named),
        None if args.entities.is_empty() && !args.all => {
            let what = format!("config.toml has no export of the name `{name}`");
            return Err(Error::usage(what, format!("add [exports.{name}] to it, or say what to export")));
        }
        None => {}
    }
    global.profile = global.profile.or(args.profile.take());
    global.tenant = global.tenant.or(args.tenant.take());
    Ok((global, args))
}

fn local_now() -> DateTime {
    TimeZone::system().to_datetime(Timestamp::now())
}

/// One export on its way.
struct Exporter {
    global: Global,
    job: Job,
    printer: Printer,
    runtime: Runtime,
    started: Instant,
    now: DateTime,
}

/// A tenant as `/tenants` names it.
struct Tenant {
    id: i64,
    name: String,
}

impl Exporter {
    /// The account that flags and profile mean.
    fn one(&self) -> Result<Exit, Error> {
        let connection = self.runtime.block_on(connect(&self.global))?;
        let tenant = connection.identity.tenant().map(|tenant| tenant.to_string());
        let place = self.job.place(tenant.as_deref(), self.now)?;
        let files = Files::begin(&self.job, &place, &self.runtime)?;
        let mut progress = self.progress();
        let account = self.read(connection, None, &mut progress)?;
        let accounts = [account];
        let written = self.write(files, &accounts, progress)?;
        let pruned = self.prune(tenant.as_deref())?;
        self.end(&accounts, &written, pruned, &[], Some(&place))
    }

    /// Every tenant that the key may act for.
    fn all(&self) -> Result<Exit, Error> {
        let tenants = self.tenants()?;
        match self.job.is_apart() {
            true => self.apart(&tenants),
            false => self.together(&tenants),
        }
    }

    /// Files for each tenant. One that fails does not keep the others from theirs.
    fn apart(&self, tenants: &[Tenant]) -> Result<Exit, Error> {
        let (mut accounts, mut failed, mut pruned) = (Vec::new(), Vec::new(), 0);
        let mut sum = Written::default();
        for tenant in tenants {
            match self.tenant_apart(tenant) {
                Ok((account, written, deleted)) => {
                    accounts.push(account);
                    sum.add(written);
                    pruned += deleted;
                }
                Err(error) if error.kind() == ErrorKind::Stopped => return Err(error),
                Err(error) if tenants.len() == 1 => return Err(error),
                Err(error) => failed.push((tenant.told(), error.to_string())),
            }
        }
        self.end(&accounts, &sum, pruned, &failed, None)
    }

    fn tenant_apart(&self, tenant: &Tenant) -> Result<(Account, Written, usize), Error> {
        let id = tenant.id.to_string();
        let place = self.job.place(Some(&id), self.now)?;
        let files = Files::begin(&self.job, &place, &self.runtime)?;
        let mut progress = self.progress();
        let account = self.read_tenant(tenant, &mut progress)?;
        let accounts = [account];
        let written = self.write(files, &accounts, progress)?;
        let pruned = self.prune(Some(&id))?;
        let [account] = accounts;
        Ok((account, written, pruned))
    }

    /// One set of files with a column for the tenant.
    fn together(&self, tenants: &[Tenant]) -> Result<Exit, Error> {
        let place = self.job.place(None, self.now)?;
        let files = Files::begin(&self.job, &place, &self.runtime)?;
        let mut progress = self.progress();
        let (mut accounts, mut failed) = (Vec::new(), Vec::new());
        for tenant in tenants {
            match self.read_tenant(tenant, &mut progress) {
                Ok(account) => accounts.push(account),
                Err(error) if error.kind() == ErrorKind::Stopped => return Err(error),
                Err(error) if tenants.len() == failed.len() + 1 => return Err(error),
                Err(error) => failed.push((tenant.told(), error.to_string())),
            }
        }
        let written = self.write(files, &accounts, progress)?;
        let pruned = self.prune(None)?;
        self.end(&accounts, &written, pruned, &failed, Some(&place))
    }

    fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        let connection = self.runtime.block_on(connect(&self.global))?;
        let rows = self.runtime.block_on(connection.client.tenants())?;
        let tenant = |row: &crate::api::Record| {
            let id = row.get("tenant_id").and_then(|id| id.as_i64().or_else(|| id.as_str()?.trim().parse().ok()))?;
            let name = row.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
            Some(Tenant { id, name })
        };
        let tenants: Vec<Tenant> = rows.iter().filter_map(tenant).collect();
        match tenants.is_empty() {
            true => Err(Error::usage("the key may act for no tenants", "leave out --all-tenants")),
            false => Ok(tenants),
        }
    }

    fn read_tenant(&self, tenant: &Tenant, progress: &mut Progress) -> Result<Account, Error> {
        let global = Global { tenant: Some(tenant.id), ..self.global.clone() };
        self.read(self.runtime.block_on(connect(&global))?, Some((tenant.id, tenant.name.clone())), progress)
    }

    fn read(
        &self,
        connection: crate::account::Account,
        tenant: Option<(i64, String)>,
        progress: &mut Progress,
    ) -> Result<Account, Error> {
        let mut account = Account::open(connection, tenant, self.printer)?;
        self.runtime.block_on(async {
            let mut interrupts = interrupts::listen()?;
            or_interrupted(&mut interrupts, account.read(&self.job, progress)).await
        })?;
        Ok(account)
    }

    /// Writes the files; from then on the next export of this name compares itself with what they hold.
    fn write(&self, files: Files, accounts: &[Account], mut progress: Progress) -> Result<Written, Error> {
        let written = files.write(&self.job, accounts, &self.runtime, &mut progress)?;
        progress.finish();
        let (Some(name), Changes::Told) = (&self.job.name, self.job.changes) else { return Ok(written) };
        for account in accounts {
            for list in &account.lists {
                account.mirror.set_baseline(name, list.entity, &account.read_at)?;
            }
        }
        Ok(written)
    }

    fn prune(&self, tenant: Option<&str>) -> Result<usize, Error> {
        let Some(keep) = self.job.keep else { return Ok(0) };
        let mut deleted = 0;
        for output in self.job.outputs_but_time(tenant)? {
            match self.prune_one(&output, keep as usize) {
                Ok(files) => deleted += files,
                // The export itself stands.
                Err(error) => self.printer.warn(&format!("older files could not be deleted: {error}")),
            }
        }
        Ok(deleted)
    }

    fn prune_one(&self, output: &str, keep: usize) -> Result<usize, Error> {
        match is_url(output) {
            true => landing::prune(&self.runtime, output, keep),
            false => Ok(keep::prune(output, keep)?),
        }
    }

    fn end(
        &self,
        accounts: &[Account],
        written: &Written,
        pruned: usize,
        failed: &[(String, String)],
        place: Option<&Place>,
    ) -> Result<Exit, Error> {
        let seconds = self.started.elapsed().as_secs_f64();
        let shown = Shown { job: &self.job, accounts, written, seconds, pruned, failed };
        shown.print(self.printer, place)?;
        let is_well = failed.is_empty() && shown.differences().is_empty();
        Ok(if is_well { Exit::Success } else { Exit::RowsFailed })
    }

    fn progress(&self) -> Progress {
        Progress::new(ProgressKind::choose(&self.global), None)
    }
}

impl Tenant {
    fn told(&self) -> String {
        match self.name.is_empty() {
            true => self.id.to_string(),
            false => format!("{} ({})", self.id, self.name),
        }
    }
}
