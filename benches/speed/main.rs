//! How fast the program is, and in how much memory, beside the bare libraries it stands on.
//!
//! Everything is measured as whole processes: the program itself, and peers that this bench starts itself as (see
//! [`peers`]). Runs of the program and of its roof alternate, so that a slow minute of the machine hits both.
//! Nothing is asserted about time; `benches/README.md` keeps the numbers of one machine.

mod export;
mod inputs;
mod journal;
mod machine;
mod measure;
mod peers;
mod sandbox;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use measure::{Sample, Series, run};
use sandbox::Sandbox;

type Outcome<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
cargo bench --bench speed -- [csv] [xlsx] [send] [journal] [plan] [export] [again] [--rows N] [--runs N]

csv   check a CSV file, beside the csv crate's StringRecord reader
xlsx  check an .xlsx file, beside calamine's cell stream
send  import into a sandbox, beside a bare reqwest loop
journal  the same run from a journal in a file, beside one in memory
plan  import --dry-run of the CSV file: time and memory
export  first export from a sandbox, beside a loop that fetches and parses the same pages
again  the same export when nothing has changed, beside rust_xlsxwriter in constant memory

--rows N  rows of the files [default: 1000000; send and journal: a tenth]
--runs N  runs of each, of which the median is shown [default: 3]";

/// What the bench was asked for.
struct Asked {
    stages: Vec<String>,
    rows: u64,
    runs: usize,
}

fn main() -> Outcome<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == peers::AS_PEER) {
        return peers::run(&arguments.split_off(1));
    }
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return Ok(());
    }
    let asked = Asked::new(&arguments)?;
    machine::print();
    let folder = tempfile::tempdir()?;
    for (stage, measured) in STAGES {
        if asked.stages.is_empty() || asked.stages.iter().any(|name| name == stage) {
            measured(&asked, folder.path())?;
        }
    }
    Ok(())
}

type Stage = fn(&Asked, &Path) -> Outcome<()>;

const STAGES: &[(&str, Stage)] = &[
    ("csv", csv),
    ("xlsx", xlsx),
    ("send", send),
    ("journal", durable),
    ("plan", plan),
    ("export", export::account),
    ("again", export::again),
];

impl Asked {
    fn new(arguments: &[String]) -> Outcome<Self> {
        let mut asked = Self { stages: Vec::new(), rows: 1_000_000, runs: 3 };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rows" => asked.rows = arguments.next().ok_or("--rows takes a number")?.parse()?,
                "--runs" => asked.runs = arguments.next().ok_or("--runs takes a number")?.parse()?,
                stage if STAGES.iter().any(|(name, _)| *name == stage) => asked.stages.push(stage.to_owned()),
                other => return Err(format!("`{other}` is not an argument\n{HELP}").into()),
            }
        }
        Ok(asked)
    }
}

fn csv(asked: &Asked, folder: &Path) -> Outcome<()> {
    let path = folder.join("assets.csv");
    inputs::csv(&path, asked.rows, inputs::Faults::OneInHundred)?;
    print_input("check a CSV file", &path, asked.rows, "1 in 100 rows bad")?;
    let mut roof = Series::new("csv crate, StringRecord", asked.rows);
    let mut plain = Series::new("check", asked.rows);
    let mut to_csv = Series::new("check --result bad.csv", asked.rows);
    let mut to_xlsx = Series::new("check --result bad.xlsx", asked.rows);
    for _ in 0..asked.runs {
        roof.push(run(&mut peers::command("csv", &[&path])?)?.success()?);
        plain.push(check(&path, None, folder)?);
        to_csv.push(check(&path, Some("bad.csv"), folder)?);
        to_xlsx.push(check(&path, Some("bad.xlsx"), folder)?);
    }
    measure::print_table(&roof, &[&plain, &to_csv, &to_xlsx]);
    Ok(())
}

fn xlsx(asked: &Asked, folder: &Path) -> Outcome<()> {
    let path = folder.join("assets.xlsx");
    inputs::xlsx(&path, asked.rows, inputs::Faults::OneInHundred)?;
    print_input("check an .xlsx file", &path, asked.rows, "shared strings, 1 in 100 rows bad")?;
    let mut roof = Series::new("calamine, cell stream", asked.rows);
    let mut plain = Series::new("check", asked.rows);
    for _ in 0..asked.runs {
        roof.push(run(&mut peers::command("xlsx", &[&path])?)?.success()?);
        plain.push(check(&path, None, folder)?);
    }
    measure::print_table(&roof, &[&plain]);
    Ok(())
}

fn check(path: &Path, result: Option<&str>, folder: &Path) -> Outcome<Sample> {
    let mut command = program(folder);
    command.arg("check").arg(path).args(["--entity", "assets", "--quiet", "--no-progress"]);
    if let Some(name) = result {
        command.arg("--result").arg(folder.join(name));
    }
    // 1: some rows failed, as they should.
    run(&mut command)?.exit_code(1)
}

fn send(asked: &Asked, folder: &Path) -> Outcome<()> {
    let rows = (asked.rows / 10).max(1);
    let path = folder.join("send.csv");
    inputs::csv(&path, rows, inputs::Faults::None)?;
    print_input("import into a fresh sandbox, no quota, 32 in flight", &path, rows, "every row a new asset")?;
    let mut roof = Series::new("reqwest loop, current-thread runtime", rows);
    let mut import = Series::new("import: read, check, plan, send, result.xlsx", rows);
    for _ in 0..asked.runs {
        let sandbox = Sandbox::start(&mut program(folder))?;
        let arguments = [sandbox.base_url.clone(), sandbox.api_key.clone(), rows.to_string()];
        roof.push(run(&mut peers::command("send", &arguments.each_ref().map(PathBuf::from).each_ref())?)?.told()?);
        drop(sandbox);
        let sandbox = Sandbox::start(&mut program(folder))?;
        let mut command = import_command(&path, &sandbox, folder);
        import.push(run(&mut command)?.success()?);
    }
    measure::print_table(&roof, &[&import]);
    Ok(())
}

/// Intent before and outcome after every request, on disk: what that costs.
fn durable(asked: &Asked, folder: &Path) -> Outcome<()> {
    let rows = (asked.rows / 10).max(1);
    println!("\n## a journalled run into a fresh sandbox, no quota, 32 in flight\n\n{rows} new assets\n");
    let mut memory = Series::new("journal in memory", rows);
    let mut file = Series::new("journal in a file, durable", rows);
    for round in 0..asked.runs {
        for (series, place) in [(&mut memory, String::from("memory")), (&mut file, format!("{round}.sqlite"))] {
            let place = if place == "memory" { PathBuf::from(place) } else { folder.join(place) };
            let sandbox = Sandbox::start(&mut program(folder))?;
            let arguments = [sandbox.base_url.clone(), sandbox.api_key.clone(), rows.to_string()].map(PathBuf::from);
            let [base_url, api_key, count] = &arguments;
            series.push(run(&mut peers::command("journal", &[&place, base_url, api_key, count])?)?.told()?);
        }
    }
    measure::print_table(&memory, &[&file]);
    Ok(())
}

fn plan(asked: &Asked, folder: &Path) -> Outcome<()> {
    let path = folder.join("plan.csv");
    inputs::csv(&path, asked.rows, inputs::Faults::OneInHundred)?;
    print_input("import --dry-run", &path, asked.rows, "1 in 100 rows bad")?;
    let mut roof = Series::new("csv crate, StringRecord", asked.rows);
    let mut dry = Series::new("import --dry-run, result.xlsx", asked.rows);
    let sandbox = Sandbox::start(&mut program(folder))?;
    for _ in 0..asked.runs {
        roof.push(run(&mut peers::command("csv", &[&path])?)?.success()?);
        dry.push(run(import_command(&path, &sandbox, folder).arg("--dry-run"))?.exit_code(1)?);
    }
    measure::print_table(&roof, &[&dry]);
    Ok(())
}

fn import_command(path: &Path, sandbox: &Sandbox, folder: &Path) -> Command {
    let mut command = program(folder);
    command.arg("import").arg(path).arg("--result").arg(folder.join("result.xlsx"));
    command.args(["--entity", "assets", "--quota", "none", "--concurrency", "32", "--yes", "--quiet", "--no-progress"]);
    command.env("BLUETALLY_BASE_URL", &sandbox.base_url).env("BLUETALLY_API_KEY", &sandbox.api_key);
    command
}

/// The program, away from the user's own configuration and state.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallyport"));
    for name in ["BLUETALLY_BASE_URL", "BLUETALLY_API_KEY", "BLUETALLY_TENANT_ID"] {
        command.env_remove(name);
    }
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"] {
        command.env(name, folder);
    }
    command
}

fn print_input(what: &str, path: &Path, rows: u64, kind: &str) -> Outcome<()> {
    let bytes = std::fs::metadata(path)?.len();
    let columns = inputs::HEADERS.len();
    println!("\n## {what}\n\n{rows} rows, {columns} columns, {} bytes a row, {kind}\n", bytes / rows.max(1));
    Ok(())
}
