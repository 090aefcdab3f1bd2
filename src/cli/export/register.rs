//! `tallyport export register`: the fixed-asset register, from the same copy of the account as every export.

use std::path::PathBuf;
use std::time::Instant;

use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::json;
use tokio::runtime::Runtime;

use super::account::{Account, Reach};
use super::destination;
use super::job::{self, REGISTER};
use super::landing::Landing;
use crate::cli::args::{ExportArgs, FormatName, Global};
use crate::cli::interrupts;
use crate::cli::planning::or_interrupted;
use crate::cli::printer::Printer;
use crate::cli::progress::{Progress, ProgressKind};
use crate::cli::settings::connect;
use crate::cli::{Error, Exit};
use crate::export::bucket::is_url;
use crate::register::{
    self, JsonRecord, RecordLookup, RegisterItem, RegisterOptions, RegisterSummary, RegisterTarget, write,
};
use crate::schema::{COLLECTIONS, Entity, collection};
use crate::wording::{counted, duration};

/// Whether the register is meant, which is no collection.
pub(super) fn is_meant(args: &ExportArgs) -> bool {
    args.entities.iter().any(|name| name.eq_ignore_ascii_case(REGISTER))
}

pub(super) fn run(global: &Global, args: &ExportArgs, printer: Printer, now: DateTime) -> Result<Exit, Error> {
    let started = Instant::now();
    see_consistency(args)?;
    let as_of = as_of(args.as_of.as_deref(), now.date())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let connection = runtime.block_on(connect(global))?;
    let tenant = connection.identity.tenant().map(|tenant| tenant.to_string());
    let (target, landing) = target(args, tenant.as_deref(), now, &runtime)?;
    let base_url = connection.identity.to_string();
    let mut progress = Progress::new(ProgressKind::choose(global), None);
    let mut account = Account::open(connection, None, printer)?;
    let reading = if args.full { job::Reading::Whole } else { job::Reading::Changes };
    runtime.block_on(async {
        let mut interrupts = interrupts::listen()?;
        let reach = Reach { reading, wanted: &wanted() };
        or_interrupted(&mut interrupts, account.refresh(reach, &mut progress)).await
    })?;
    let (items, unreadable) = items(&account)?;
    progress.phase("writing the register");
    let options = RegisterOptions {
        as_of,
        rates: args.rates.clone(),
        previous: args.previous.clone(),
        target,
        account: register::RegisterAccount::new(&base_url, tenant),
        generated_at: Timestamp::now(),
    };
    let mut summary = write(items, &options)?;
    if let Some(landing) = landing {
        let urls = landing.land(&runtime, &summary.files, &mut progress)?;
        summary.files = urls.into_iter().map(PathBuf::from).collect();
    }
    progress.finish();
    unreadable.iter().for_each(|told| printer.warn(told));
    summary.warnings.iter().for_each(|warning| printer.warn(&warning.to_string()));
    print(&summary, &account, started.elapsed().as_secs_f64(), printer)?;
    Ok(if unreadable.is_empty() { Exit::Success } else { Exit::RowsFailed })
}

fn see_consistency(args: &ExportArgs) -> Result<(), Error> {
    if args.entities.len() > 1 || args.all {
        return Err(Error::usage("the register is an export of its own", "leave out the collections beside it"));
    }
    let odd = [
        ("--where", !args.wheres.is_empty()),
        ("--columns", !args.columns.is_empty()),
        ("--sort", args.sort.is_some()),
        ("--incremental", args.incremental),
        ("--all-tenants", args.all_tenants),
        ("--keep", args.keep.is_some()),
        ("--partitioned", args.partitioned),
    ];
    match odd.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Error::usage(format!("{flag} means nothing to the register"), "leave it out")),
        None => Ok(()),
    }
}

fn as_of(text: Option<&str>, today: Date) -> Result<Date, Error> {
    let Some(text) = text else { return Ok(today) };
    text.parse().map_err(|_| Error::usage(format!("`{text}` is no day"), "write it as YYYY-MM-DD, such as 2026-12-31"))
}

/// Where the files are written, and how they go on from there where that is a bucket.
fn target(
    args: &ExportArgs,
    tenant: Option<&str>,
    now: DateTime,
    runtime: &Runtime,
) -> Result<(RegisterTarget, Option<Landing>), Error> {
    let (output, ..) = destination::of(args)?;
    if output == "-" {
        return Err(Error::usage("the register is several files", "name a .xlsx or .csv file, or a folder"));
    }
    let filled = job::filled(&output, args.name.as_deref(), tenant, now)?;
    if !is_url(&filled) {
        let path = PathBuf::from(&filled);
        let is_folder = destination::is_folder(&filled) || path.is_dir();
        return Ok((target_at(args, path, is_folder)?, None));
    }
    let url = destination::bucket(&filled)?;
    // What cannot be written is told before the bucket is asked.
    target_at(args, PathBuf::from(url.file_name()), url.is_folder())?;
    let landing = Landing::begin(runtime, &url, "register.csv")?;
    let target = target_at(args, landing.folder().join(url.file_name()), url.is_folder())?;
    Ok((target, Some(landing)))
}

fn target_at(args: &ExportArgs, path: PathBuf, is_folder: bool) -> Result<RegisterTarget, Error> {
    if is_folder {
        return Ok(RegisterTarget::Folder(path));
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    match (args.format, ending.as_str()) {
        (Some(FormatName::Xlsx), _) | (None, "xlsx") => Ok(RegisterTarget::Xlsx(path)),
        (Some(FormatName::Csv), _) | (None, "csv") => Ok(RegisterTarget::Csv(path)),
        _ => Err(Error::usage("the register is a workbook or a CSV", "name a .xlsx or .csv file, or a folder")),
    }
}

/// A record as an item.
type Reading = fn(&JsonRecord, &dyn RecordLookup) -> Result<RegisterItem, register::ItemError>;

/// What the register is made of.
const KINDS: [(&str, Reading); 2] = [("assets", RegisterItem::asset), ("licenses", RegisterItem::license)];

/// These, and whatever they refer to, near and far: an asset's product has a category and a depreciation.
fn wanted() -> Vec<&'static Entity> {
    let mut names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    let mut next = 0;
    while let Some(entity) = names.get(next).and_then(|name| collection(name)) {
        let referred = entity.created_fields().filter_map(|field| Some(field.reference_to()?.to));
        for name in referred.collect::<Vec<_>>() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        next += 1;
    }
    COLLECTIONS.iter().copied().filter(|entity| names.contains(&entity.name)).collect()
}

/// Every record that assets and licenses refer to.
struct Lookups(HashMap<(&'static str, i64), JsonRecord>);

impl RecordLookup for Lookups {
    fn record(&self, collection: &str, id: i64) -> Option<&JsonRecord> {
        let name = crate::schema::collection(collection)?.name;
        self.0.get(&(name, id))
    }
}

/// The items, and what is said of records that are none.
fn items(account: &Account) -> Result<(Vec<RegisterItem>, Vec<String>), Error> {
    let mut lookups = HashMap::new();
    for entity in wanted().into_iter().filter(|entity| KINDS.iter().all(|(name, _)| *name != entity.name)) {
        account.mirror.each(entity, |id, json| {
            if let Ok(record) = serde_json::from_str(json) {
                lookups.insert((entity.name, id), record);
            }
            Ok::<(), Error>(())
        })?;
    }
    let lookups = Lookups(lookups);
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for (name, read) in KINDS {
        let Some(entity) = collection(name) else { continue };
        account.mirror.each(entity, |id, json| {
            match serde_json::from_str(json).map(|record| read(&record, &lookups)) {
                Ok(Ok(item)) => items.push(item),
                Ok(Err(error)) => unreadable.push(error.to_string()),
                Err(error) => unreadable.push(format!("{} #{id} is not in the register: {error}", entity.singular)),
            }
            Ok::<(), Error>(())
        })?;
    }
    Ok((items, unreadable))
}

fn print(summary: &RegisterSummary, account: &Account, seconds: f64, printer: Printer) -> Result<(), Error> {
    let requests = account.connection.client.requests();
    if printer.json {
        let mut document = json!(summary);
        document["read_at"] = account.read_at.clone().into();
        document["requests"] = json!({"total": requests.total, "by_kind": requests.by_kind});
        document["seconds"] = seconds.into();
        return Ok(printer.data(&format!("{document:#}\n"))?);
    }
    let mut lines = vec![format!(
        "Register as of {}, in {} ({})",
        summary.as_of,
        duration(seconds),
        counted(requests.total, "request")
    )];
    for totals in &summary.totals {
        lines.push(format!(
            "  {}  {:>14} held  cost {:>16}  book value {:>16}",
            totals.currency,
            counted(totals.held.items, "item"),
            totals.held.cost,
            totals.held.book_value
        ));
    }
    if let Some(day) = &summary.rolled_forward_from {
        lines.push(format!("  rolled forward from {day}, to the cent"));
    }
    lines.extend(summary.files.iter().map(|file| format!("wrote `{}`", file.display())));
    lines.push(String::new());
    Ok(printer.say(&lines.join("\n"))?)
}
