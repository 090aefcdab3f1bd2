//! `tallyport export`: writes what the account holds to files.

mod flags;
mod register;
mod summary;

use jiff::civil::Date;

use super::args::{ExportArgs, FormatName, Global, IdsName};
use super::input::overwrite;
use super::interrupts;
use super::observer::TerminalObserver;
use super::printer::Printer;
use super::settings::{Settings, given_tenant, named_export};
use super::{Error, Exit, runtime};
use crate::export::{ExportJob, IdColumns, LogFilter, OutputLayout, ReadMode, ResolvedJob, TenantScope, parse_day};
use crate::table::Delimiter;
use crate::table::write::output::{ByteOrderMark, CsvOptions, FileFormat, FormulaEscaping};
use flags::GivenFlags;

pub(super) fn run(global: &Global, typed: &ExportArgs, printer: Printer) -> Result<Exit, Error> {
    let (global, args) = with_named_export(global, typed)?;
    let given = GivenFlags { typed, all: &args };
    let done = match register::is_requested(&args) {
        true => given.check_register().and_then(|()| register::run(&global, &args, printer)),
        false => export_collections(&global, &given, printer),
    };
    done.map_err(|error| given.explain(error))
}

fn export_collections(global: &Global, given: &GivenFlags<'_>, printer: Printer) -> Result<Exit, Error> {
    let args = given.all;
    given.check_collections()?;
    if printer.json && is_to_stdout(args) {
        return Err(Error::usage(
            "the data and the summary (--json) cannot both go to stdout",
            "write to a file, or leave out --json: the summary then goes to stderr",
        ));
    }
    let settings = Settings::resolve(global)?;
    // Invalid options are reported before a missing key.
    let job = ResolvedJob::new(export_job(args, &settings)?)?;
    given.check_format(job.output.format())?;
    let mut observer = TerminalObserver::new(global, printer);
    let report = runtime()?.block_on(async {
        let account = settings.connect().await?;
        account.run_export(&job, &mut observer).await
    })?;
    observer.finish();
    let exit = if report.is_success() { Exit::Success } else { Exit::RowsFailed };
    Ok(exit.after_printing(summary::print(&report, is_to_stdout(args), printer), printer))
}

/// Adds what config.toml says about the export called `--name`.
fn with_named_export(global: &Global, args: &ExportArgs) -> Result<(Global, ExportArgs), Error> {
    let (mut global, mut args) = (global.clone(), args.clone());
    let Some(name) = args.name.clone() else { return Ok((global, args)) };
    match named_export(&name)? {
        Some(named) => args = args.or(named),
        None if args.entities.is_empty() && !args.all => {
            let message = format!("config.toml has no export named `{name}`");
            return Err(Error::usage(message, format!("add [exports.{name}] to it, or name collections to export")));
        }
        None => {}
    }
    match &global.profile {
        Some(_) => args.profile = None,
        None => global.profile.clone_from(&args.profile),
    }
    global.tenant = given_tenant(&global).or(args.tenant.take().map(|tenant| tenant.to_string()));
    Ok((global, args))
}

/// The columns in a list with commas. Names of custom fields may hold commas too, written `\,`.
fn split_columns(list: &str) -> Vec<String> {
    let mut columns = vec![String::new()];
    let mut chars = list.chars().peekable();
    while let Some(char) = chars.next() {
        let next = if char == '\\' { chars.next_if_eq(&',') } else { None };
        match (char, next, columns.last_mut()) {
            (',', _, _) | (_, _, None) => columns.push(String::new()),
            (_, Some(comma), Some(column)) => column.push(comma),
            (_, None, Some(column)) => column.push(char),
        }
    }
    columns
}

/// The flags as options of an export.
fn export_job(args: &ExportArgs, settings: &Settings) -> Result<ExportJob, Error> {
    let mut job = ExportJob {
        all_collections: args.all,
        output: args.output.clone(),
        format: args.format.map(FileFormat::from),
        layout: if args.partitioned { OutputLayout::Partitioned } else { OutputLayout::Flat },
        tenants: if args.all_tenants { TenantScope::All } else { TenantScope::Current },
        name: args.name.clone(),
        ids: args.ids.map_or(IdColumns::Both, IdColumns::from),
        columns: args.columns.iter().flat_map(|list| split_columns(list)).collect(),
        default_columns: settings.columns.clone(),
        filters: args.wheres.clone(),
        log_filter: log_filter(args)?,
        sort: args.sort.clone(),
        changed_since: args.since.as_deref().map(parse_date).transpose()?,
        read_mode: read_mode(args),
        keep: args.keep,
        csv: Some(csv_options(args)?),
        overwrite: overwrite(args.force),
        shutdown: interrupts::listen()?,
        ..ExportJob::new(args.entities.iter())
    };
    if args.incremental {
        job = job.incremental();
    }
    Ok(job)
}

fn log_filter(args: &ExportArgs) -> Result<LogFilter, Error> {
    Ok(LogFilter {
        from: args.from.as_deref().map(parse_date).transpose()?,
        to: args.to.as_deref().map(parse_date).transpose()?,
        kind: args.kind.clone(),
        event: args.event.clone(),
        user: args.user.clone(),
        employee: args.employee.clone(),
        item: args.item.clone(),
    })
}

fn csv_options(args: &ExportArgs) -> Result<CsvOptions, Error> {
    let parse = |text: &str| {
        let error = || Error::usage(format!("invalid delimiter `{text}`"), "use `,`, `;`, `|` or `tab`");
        Delimiter::parse(text).map(Delimiter::byte).ok_or_else(error)
    };
    let delimiter = args.delimiter.as_deref().map(parse).transpose()?;
    Ok(CsvOptions {
        delimiter,
        byte_order_mark: if args.bom { ByteOrderMark::With } else { ByteOrderMark::Without },
        formula_escaping: if args.raw { FormulaEscaping::Off } else { FormulaEscaping::On },
    })
}

fn read_mode(args: &ExportArgs) -> ReadMode {
    match (args.verify, args.full) {
        (true, _) => ReadMode::Verify,
        (false, true) => ReadMode::Full,
        (false, false) => ReadMode::Incremental,
    }
}

fn parse_date(text: &str) -> Result<Date, Error> {
    parse_day(text).ok_or_else(|| Error::usage(format!("invalid date `{text}`"), "use YYYY-MM-DD, such as 2025-12-31"))
}

fn is_to_stdout(args: &ExportArgs) -> bool {
    args.output.as_deref() == Some("-")
}

impl From<FormatName> for FileFormat {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Xlsx => FileFormat::Xlsx,
            FormatName::Csv => FileFormat::Csv,
            FormatName::Jsonl => FileFormat::Jsonl,
            FormatName::Parquet => FileFormat::Parquet,
        }
    }
}

impl From<IdsName> for IdColumns {
    fn from(name: IdsName) -> Self {
        match name {
            IdsName::Both => IdColumns::Both,
            IdsName::Names => IdColumns::NamesOnly,
            IdsName::Only => IdColumns::IdsOnly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_date, split_columns};

    #[test]
    fn a_date_has_no_time_and_no_zone() {
        assert!(parse_date("2026-12-01").is_ok());
        for text in ["2026-12-01T13:03", "2026-12-01 13:03", "2026-12-01T23:30-05:00", "20261201", "2026-12-32", ""] {
            let error = parse_date(text).map_err(|error| error.to_string());
            assert_eq!(error, Err(format!("invalid date `{text}`")));
        }
    }

    #[test]
    fn a_comma_of_a_name_is_told_from_one_between_columns() {
        for (list, columns) in [
            ("asset_id", &["asset_id"][..]),
            ("asset_id,name", &["asset_id", "name"]),
            (r"custom:a\,b,name", &["custom:a,b", "name"]),
            (r"custom:a\b\,", &[r"custom:a\b,"]),
        ] {
            assert_eq!(split_columns(list), columns, "{list}");
        }
    }
}
