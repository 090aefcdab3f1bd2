//! The command line as typed: names, help and value parsers. What it means here is [`super::settings`].

mod export;
mod number;
mod result_path;
mod verify;

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

pub(super) use self::export::{ExportArgs, FormatName, IdsName};
use self::number::whole_number;
use self::result_path::result_path_parser;
pub(super) use self::verify::VerifyArgs;
use crate::check::{Conflicts, EmptyCells, FractionalCost, Mode};

/// Moves inventories between spreadsheets and BlueTally.
#[derive(Debug, Parser)]
#[command(
    name = "tallyport",
    version,
    max_term_width = 100,
    propagate_version = true,
    after_help = "\
Try it without an account:
  tallyport import samples/onboarding.xlsx --sandbox
Then for real:
  export BLUETALLY_API_KEY=...          the key from Settings > API Keys
  $env:BLUETALLY_API_KEY = \"...\"        the same in PowerShell
  tallyport doctor                      is everything in place?
  tallyport check assets.xlsx           offline, nothing is sent
  tallyport import assets.xlsx --dry-run
  tallyport import assets.xlsx

Exit codes: 0 every row succeeded, 1 some rows failed, 2 usage or configuration, \
3 the service could not be reached or refused before anything changed, \
4 interrupted or stopped early (`resume` continues), 5 internal error."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    #[allow(rustdoc::bare_urls)] // the text is the help of the flag, where angle brackets would show
    /// Base URL of the service [default: https://app.bluetallyapp.com/api/v1]
    // Its value may hold a password by mistake, and the help would show it.
    #[arg(
        long, global = true, env = "BLUETALLY_BASE_URL", hide_env_values = true, value_name = "URL",
        value_hint = ValueHint::Url
    )]
    pub base_url: Option<String>,

    /// Read the API key from this file (else BLUETALLY_API_KEY, the profile, the system's key store)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub api_key_file: Option<PathBuf>,

    /// The tenant to use (multi-tenant accounts)
    #[arg(long, global = true, env = "BLUETALLY_TENANT_ID", hide_env_values = true, value_name = "ID")]
    pub tenant: Option<String>,

    /// Use this profile of config.toml
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Use the embedded sandbox: a fresh one, or the one kept in FILE
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = ValueHint::FilePath)]
    pub sandbox: Option<Option<PathBuf>>,

    /// Send at most N requests per hour; `none` for no limit [default: 10000/h]
    #[arg(long, global = true, value_name = "N/h")]
    pub quota: Option<String>,

    /// Send at most N requests at a time [default: 8]
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true, value_parser = whole_number::<u16>(""))]
    pub concurrency: Option<u16>,

    /// Print one JSON document on stdout, everything else on stderr
    #[arg(long, global = true)]
    pub json: bool,

    /// Print only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print each request and each file read or written; -vvv also prints what is sent and received
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// No progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,

    /// Log format on stderr: text or JSON lines [default: text]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How things are said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check spreadsheets offline: no network, nothing is sent
    Check(CheckArgs),
    /// Import spreadsheets into the account
    Import(ImportArgs),
    /// Send what was approved in a plan workbook
    Apply(ApplyArgs),
    /// Delete the records a spreadsheet lists, after a backup
    Delete(DeleteArgs),
    /// Resume an interrupted run
    Resume(ResumeArgs),
    /// Compare what a run sent, or a file says, with what the account holds now
    Verify(Box<VerifyArgs>),
    /// Undo a run: delete what it created, restore what it changed
    Undo(UndoArgs),
    /// List the runs of this machine, show one, or clean up old ones
    Runs(RunsArgs),
    /// Export the account to spreadsheets, or the fixed-asset register
    Export(Box<ExportArgs>),
    /// Write spreadsheets to fill in
    Template(TemplateArgs),
    /// List the presets for exports of other tools, or print one as a mapping file
    Presets(PresetsArgs),
    /// List the mappings that are remembered for header rows, or forget one
    Mappings(MappingsArgs),
    /// Show what can be imported: fields, types and options
    Schema(SchemaArgs),
    /// Run the sandbox: the whole API as a local server, without an account
    Sandbox(SandboxArgs),
    /// Check the setup: key, reachability, tenant, quota, clock, state folder
    Doctor,
    /// Print shell completions
    #[command(after_help = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  tallyport completions bash > ~/.local/share/bash-completion/completions/tallyport")]
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
    /// Print the man page
    #[command(after_help = "Example:\n  tallyport man | man -l -")]
    Man,
}

/// How much a run may change; shared by import and apply.
#[derive(Debug, Clone, Args)]
pub(crate) struct LimitArgs {
    /// Stop before starting when more records would be created (a count or a percentage such as 10%)
    #[arg(long, value_name = "N|N%", allow_negative_numbers = true)]
    pub max_creates: Option<String>,

    /// Stop before starting when more records would be updated
    #[arg(long, value_name = "N|N%", allow_negative_numbers = true)]
    pub max_updates: Option<String>,

    /// Stop before starting when more records would be deleted
    #[arg(long, value_name = "N|N%", allow_negative_numbers = true)]
    pub max_deletes: Option<String>,

    /// Stop before starting when more fields would be cleared
    #[arg(long, value_name = "N|N%", allow_negative_numbers = true)]
    pub max_clears: Option<String>,
}

/// How spreadsheets are read and mapped; shared by check and import.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading and mapping")]
pub(crate) struct ReadingArgs {
    /// The spreadsheets: .xlsx, .xls, .xlsb, .ods, .csv or .jsonl; `-` is stdin
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// What the sheets contain, such as `assets` or `checkout_asset` (else detected from sheet name, file name or headers)
    #[arg(long, value_name = "E")]
    pub entity: Option<String>,

    #[command(flatten)]
    pub layout: LayoutArgs,

    /// How to handle fractional amounts (the service documents whole amounts)
    #[arg(long, value_enum, value_name = "HOW", default_value_t = FractionalCost::Error)]
    pub fractional_cost: FractionalCost,

    /// What an empty cell does on update: leave the field unchanged or clear it
    #[arg(long, value_enum, value_name = "HOW", default_value_t = EmptyCells::Leave)]
    pub blank: EmptyCells,

    /// What a row may do
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Mode::Upsert)]
    pub mode: Mode,

    /// Give rows without a value this one: 'field=VALUE', also where no column has the field (repeatable)
    #[arg(long, value_name = "FIELD=VALUE")]
    pub default: Vec<String>,

    /// Take a cell's text for another value: 'field:FROM=TO', such as 'status:managed=In use' (repeatable)
    #[arg(long, value_name = "FIELD:FROM=TO")]
    pub value: Vec<String>,

    /// Leave out the rows with this value in a column, or with none: 'Header=Value', 'Header=' (repeatable)
    #[arg(long, value_name = "HEADER=VALUE")]
    pub skip_where: Vec<String>,

    /// Keep the mapping in use for the next file with the same header row (`tallyport mappings` lists them)
    #[arg(long)]
    pub remember: bool,

    /// Take names for other names, as this file says: a spreadsheet with the columns collection, name and use_instead
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub aliases: Option<PathBuf>,

    /// Allow several rows with the same natural key
    #[arg(long)]
    pub allow_duplicates: bool,
}

/// Which columns of which sheets are read, and how; shared by all that read spreadsheets.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading and mapping")]
pub(crate) struct LayoutArgs {
    /// Read only this sheet (repeatable)
    #[arg(long, value_name = "S")]
    pub sheet: Vec<String>,

    /// Map a header to a field: 'Header=field', 'Header=custom:NAME' or 'Header=' to ignore it; the first of several that is
    /// filled: 'Header|Other=field'; several joined: '{First name} {Last name}=name' (repeatable)
    #[arg(long, value_name = "HEADER=FIELD")]
    pub map: Vec<String>,

    /// Read the mapping from this TOML file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub mapping: Option<PathBuf>,

    /// Save the mapping in use to this TOML file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub save_mapping: Option<PathBuf>,

    /// Read the file as the export of another tool: a name of `tallyport presets`, or `none` to recognize nothing
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,

    /// Ignore this column (repeatable)
    #[arg(long, value_name = "HEADER")]
    pub ignore: Vec<String>,

    /// Unknown columns and sheets are errors
    #[arg(long)]
    pub strict: bool,

    /// How text dates are written, such as DD.MM.YYYY (else detected from the whole column)
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,

    /// The decimal mark of amounts: `,` or `.` (else detected from the whole column)
    #[arg(long, value_name = "MARK")]
    pub decimal: Option<char>,

    /// The delimiter of CSV files: `,` `;` `|` or `tab` (else detected)
    #[arg(long, value_name = "CHAR")]
    pub delimiter: Option<String>,

    /// The encoding of CSV files, such as utf-8 or windows-1252 (else detected)
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,

    /// Find existing records by these fields (else the collection's natural key)
    #[arg(long, value_name = "F,...", value_delimiter = ',')]
    pub match_on: Vec<String>,

    /// Where to write the result: .xlsx or .csv; {date} and {time} are replaced
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = result_path_parser())]
    pub result: Option<PathBuf>,

    /// Replace a file that tallyport did not write, or that was edited since
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(mut_arg("result", |result| {
    result.help("Write the failed rows, and only those, to this file: .xlsx or .csv; {date} and {time} are replaced")
}))]
#[command(after_help = "\
Examples:
  tallyport check assets.xlsx
  tallyport check inventory.csv --entity assets --date-format DD.MM.YYYY
  tallyport check inventory.csv --result problems.xlsx")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub reading: ReadingArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tallyport import samples/onboarding.xlsx --sandbox
  tallyport import assets.xlsx --dry-run
  tallyport import inventory.csv --entity assets --map 'Tag No=asset_id' --create-missing
  tallyport import assets.result.xlsx --only-failed")]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub reading: ReadingArgs,

    /// Only plan: show what would be created and updated, the problems, requests and minutes
    #[arg(long)]
    pub dry_run: bool,

    /// Only plan, and write the plan as a workbook to approve; `tallyport apply` sends what is approved
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = result_path_parser(), conflicts_with = "result")]
    pub plan: Option<PathBuf>,

    /// Create missing records that rows refer to; with E,... only in these collections
    /// (employees and assets only if named or with `all`)
    #[arg(long, value_name = "E,...", num_args = 0..=1, require_equals = true, value_delimiter = ',')]
    pub create_missing: Option<Vec<String>>,

    /// How to handle rows whose record was changed on the service since the export (else a problem that shows both
    /// values)
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub conflicts: Option<Conflicts>,

    /// The input is a result workbook: send only the rows that are not done
    #[arg(long)]
    pub only_failed: bool,

    /// Send check-outs again that were made before, or that may have been made
    #[arg(long)]
    pub repeat: bool,

    /// Do not wait for rows that another run is writing: they are problems
    #[arg(long)]
    pub no_wait: bool,

    /// Stop after N failed rows
    #[arg(allow_negative_numbers = true)]
    #[arg(long, value_name = "N", value_parser = whole_number::<NonZeroU64>("from 1 up"))]
    pub max_errors: Option<NonZeroU64>,

    #[command(flatten)]
    pub limits: LimitArgs,

    /// Skip confirmation prompts
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
`tallyport import ... --plan PATH` writes the plan. In it only the column `approve` may be changed. The \
records are read again first: a change whose old value no longer holds is reported, not sent. A plan is \
applied once.

Examples:
  tallyport import assets.xlsx --plan plan.xlsx
  tallyport apply plan.xlsx
  tallyport apply plan.xlsx --result applied.xlsx --yes")]
pub(crate) struct ApplyArgs {
    /// The plan workbook
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,

    /// Write the result here [default: PLAN.result.xlsx beside the plan]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = result_path_parser())]
    pub result: Option<PathBuf>,

    /// Replace a result file that tallyport did not write, or that was edited since
    #[arg(long)]
    pub force: bool,

    /// Do not wait for records that another run is writing: they are problems
    #[arg(long)]
    pub no_wait: bool,

    /// Stop after N failed records
    #[arg(allow_negative_numbers = true)]
    #[arg(long, value_name = "N", value_parser = whole_number::<NonZeroU64>("from 1 up"))]
    pub max_errors: Option<NonZeroU64>,

    #[command(flatten)]
    pub limits: LimitArgs,

    /// Skip confirmation prompts
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A row names its record by the collection's natural key, by a column `_id`, or by --match-on; its other \
columns are not looked at. First the records go into a backup that `tallyport import` can bring back, \
under new ids. The service refuses to delete what is in use.

Examples:
  tallyport delete assets retired.xlsx --dry-run
  tallyport delete assets retired.xlsx
  tallyport delete employees leavers.csv --match-on email --yes --max-deletes 50
  tallyport delete categories unused.csv --irreversible")]
pub(crate) struct DeleteArgs {
    /// The collection, such as `assets`
    #[arg(value_name = "E")]
    pub entity: String,

    /// The spreadsheet that lists the records: .xlsx, .xls, .xlsb, .ods, .csv or .jsonl; `-` is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    #[command(flatten)]
    pub layout: LayoutArgs,

    /// Only plan: show what would be deleted, and the problems
    #[arg(long)]
    pub dry_run: bool,

    /// Allow deletes that the service cannot undo: categories, components, consumables
    #[arg(long)]
    pub irreversible: bool,

    /// Write the backup here: .xlsx [default: FILE.backup.xlsx beside the input]; {date} and {time} are replaced
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = result_path_parser())]
    pub backup: Option<PathBuf>,

    /// Stop before starting when more records would be deleted (a count or a percentage such as 10%)
    #[arg(long, value_name = "N|N%", allow_negative_numbers = true)]
    pub max_deletes: Option<String>,

    /// Stop after N failed rows
    #[arg(allow_negative_numbers = true)]
    #[arg(long, value_name = "N", value_parser = whole_number::<NonZeroU64>("from 1 up"))]
    pub max_errors: Option<NonZeroU64>,

    /// Skip confirmation prompts
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The journal is all it takes: neither the spreadsheet nor the folder it lay in is needed. Records whose answers were \
lost are looked for first, and nothing is sent twice.

Examples:
  tallyport resume --last
  tallyport resume 20261124-093012-kqzf
  tallyport resume kqzf --result assets.xlsx")]
pub(crate) struct ResumeArgs {
    /// The run's id from `tallyport runs`, or the beginning or end of it
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// The newest unfinished run
    #[arg(long, conflicts_with = "run")]
    pub last: bool,

    /// Resume although the run was started with another API key
    #[arg(long)]
    pub yes: bool,

    /// Write the result here [default: where the run would have written it]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = result_path_parser())]
    pub result: Option<PathBuf>,

    /// Replace a result file that tallyport did not write, or that was edited since
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Deletes what the run created, restores what it changed, checks in what it checked out and the other \
way round, all as a run of its own that can be resumed. What somebody else has touched since is left \
as it is and reported; then the exit code is 1.

Examples:
  tallyport undo --last --dry-run
  tallyport undo 20261124-093012-kqzf
  tallyport undo kqzf --yes")]
pub(crate) struct UndoArgs {
    /// The run's id from `tallyport runs`, or the beginning or end of it
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// The newest run that is not itself an undo
    #[arg(long, conflicts_with = "run")]
    pub last: bool,

    /// Show what would be done, without doing it
    #[arg(long)]
    pub dry_run: bool,

    /// Skip confirmation prompts
    #[arg(long)]
    pub yes: bool,

    /// Write the result here [default: RUN.undo.result.xlsx in this folder]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = result_path_parser())]
    pub result: Option<PathBuf>,

    /// Replace a result file that tallyport did not write, or that was edited since
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  tallyport runs
  tallyport runs 20261124-093012-kqzf
  tallyport runs prune --older-than 90d")]
pub(crate) struct RunsArgs {
    /// Show this run
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Delete old journals; their runs can no longer be shown, resumed or undone
    #[command(after_help = "Example:\n  tallyport runs prune --older-than 90d")]
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Only runs older than this: 90d, 12h, 6 months
    #[arg(long, value_name = "AGE")]
    pub older_than: String,

    /// Also runs that can still be resumed
    #[arg(long)]
    pub force: bool,
}

/// What is exported, how, and where to. The same words make an `[exports.NAME]` of config.toml.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tallyport template -o templates
  tallyport template assets checkout_asset -o .
  tallyport template assets -o . --live")]
pub(crate) struct TemplateArgs {
    /// The collections and actions; none for all of them and the onboarding workbook
    #[arg(value_name = "E")]
    pub entities: Vec<String>,

    /// The folder to write to
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,

    /// Fill the drop-downs of references with the account's own names
    #[arg(long)]
    pub live: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tallyport presets
  tallyport presets entra-users > people.toml")]
pub(crate) struct PresetsArgs {
    /// Print this preset
    pub name: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
`--remember` of check and import keeps the mapping in use. The next file with the same header row is read by it, \
unless --mapping or --preset says otherwise; other flags go before it.

Examples:
  tallyport check devices.csv --map 'Tag No=asset_id' --remember
  tallyport mappings
  tallyport mappings forget devices-5f0c")]
pub(crate) struct MappingsArgs {
    #[command(subcommand)]
    pub command: Option<MappingsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MappingsCommand {
    /// Forget a mapping: its header row is read as if it were new
    #[command(after_help = "Example:\n  tallyport mappings forget devices-5f0c")]
    Forget {
        /// Its name, as `tallyport mappings` lists it
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tallyport schema
  tallyport schema assets
  tallyport schema --json | jq '.collections[].name'")]
pub(crate) struct SchemaArgs {
    /// One collection or action
    #[arg(value_name = "E")]
    pub entity: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = concat!("\
Examples:
  tallyport sandbox
  tallyport sandbox --listen 127.0.0.1:8080 --data practice.db --api-key practice
  BLUETALLY_BASE_URL=http://127.0.0.1:8080/api/v1 BLUETALLY_API_KEY=practice tallyport doctor
  tallyport sandbox --faults 'POST assets p=0.05 reset after' --faults 'GET * every=10 503'
  tallyport sandbox --data rehearsal.db --copy-account
  tallyport import assets.xlsx --sandbox=rehearsal.db
  tallyport sandbox --faults @bad-day.txt --faults-seed 7 --control
  curl -H 'Authorization: Bearer sandbox' http://127.0.0.1:8080/_control/faults

", include_str!("../sandbox/faults/grammar.txt")))]
pub(crate) struct SandboxArgs {
    /// The address to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Keep the records in this file (else in memory)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub data: Option<PathBuf>,

    /// Fill FILE with what the account holds, to rehearse on, and exit; only reads the account, which the usual flags choose
    #[arg(
        long,
        requires = "data",
        conflicts_with_all = ["listen", "api_key", "page_limit", "tenants", "empty", "faults", "faults_seed", "control"]
    )]
    pub copy_account: bool,

    /// With --copy-account: replace FILE if it is a sandbox's
    #[arg(long, requires = "copy_account")]
    pub force: bool,

    /// The key clients must send [default: sandbox]
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,

    /// Return at most N records per page
    #[arg(allow_negative_numbers = true)]
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = whole_number::<u32>("from 1 up"))]
    pub page_limit: u32,

    /// Serve these tenants, each with its own data: ids or ID=NAME
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub tenants: Vec<String>,

    /// Start with no records at all, not even the sample look-ups
    #[arg(long)]
    pub empty: bool,

    /// Inject a fault, as described below; `@FILE` reads one per line, `#` starts a comment (repeatable)
    #[arg(long, value_name = "SPEC")]
    pub faults: Vec<String>,

    /// Seed for faults with a probability; the same requests then meet the same faults
    #[arg(allow_negative_numbers = true)]
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole_number::<u64>("from 0 up"))]
    pub faults_seed: u64,

    /// Allow anyone with the key to read and change the faults at /_control/faults: GET, PUT, POST (add), DELETE
    #[arg(long)]
    pub control: bool,
}
