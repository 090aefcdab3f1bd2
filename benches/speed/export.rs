//! Exports of an account with many assets, beside a loop that only fetches the same pages and parses them; and the
//! writers alone, beside the library that most programs write workbooks with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Sample, Series, print_table, run};
use crate::sandbox::Sandbox;
use crate::{Asked, Outcome, peers, program};

/// The formats that are built in, by the extension of their files.
fn formats() -> Vec<(&'static str, &'static str)> {
    let mut formats = vec![("export to CSV", "csv"), ("export to XLSX", "xlsx")];
    if cfg!(feature = "parquet") {
        formats.push(("export to Parquet", "parquet"));
    }
    formats
}

/// The first export of an account: every page is read, and kept for the next one.
pub(crate) fn account(asked: &Asked, folder: &Path) -> Outcome<()> {
    let rows = asked.rows;
    println!(
        "\n## first export of an account, no quota\n\n{rows} assets with 28 fields, and the records they refer to\n"
    );
    let sandbox = filled_sandbox(rows, folder)?;
    let [base_url, api_key] = [&sandbox.base_url, &sandbox.api_key].map(PathBuf::from);
    let count = PathBuf::from(rows.to_string());
    let mut one = Series::new("reqwest and serde_json, a page at a time", rows);
    let mut several = Series::new("the same, 8 pages in flight", rows);
    let mut exports: Vec<_> = formats().into_iter().map(|(name, format)| (Series::new(name, rows), format)).collect();
    for _ in 0..asked.runs {
        for (series, in_flight) in [(&mut one, "1"), (&mut several, "8")] {
            let in_flight = PathBuf::from(in_flight);
            series.push(run(&mut peers::command("fetch", &[&base_url, &api_key, &count, &in_flight])?)?.success()?);
        }
        for (series, format) in &mut exports {
            series.push(export(&sandbox, format, tempfile::tempdir()?.path())?);
        }
    }
    let measured = std::iter::once(&several).chain(exports.iter().map(|(series, _)| series));
    print_table(&one, &measured.collect::<Vec<_>>());
    Ok(())
}

/// Exports of an account in which nothing has changed since the one before: what is measured is the local snapshot and the
/// writer, in the programs' own time.
pub(crate) fn again(asked: &Asked, folder: &Path) -> Outcome<()> {
    let rows = asked.rows;
    println!("\n## the same export again, nothing changed\n\n{rows} assets in 31 columns\n");
    let sandbox = filled_sandbox(rows, folder)?;
    let (path, count) = (folder.join("peer.xlsx"), PathBuf::from(rows.to_string()));
    let state = tempfile::tempdir()?;
    export(&sandbox, "csv", state.path())?;
    let mut peer = Series::new("rust_xlsxwriter, constant memory, zip level 1", rows);
    let mut exports: Vec<_> = formats().into_iter().map(|(name, format)| (Series::new(name, rows), format)).collect();
    for _ in 0..asked.runs {
        peer.push(run(&mut peers::command("write", &[&path, &count])?)?.success()?);
        for (series, format) in &mut exports {
            series.push(export(&sandbox, format, state.path())?);
        }
    }
    print_table(&peer, &exports.iter().map(|(series, _)| series).collect::<Vec<_>>());
    Ok(())
}

/// A sandbox with so many assets.
fn filled_sandbox(rows: u64, folder: &Path) -> Outcome<Sandbox> {
    let sandbox = Sandbox::start(&mut program(folder))?;
    let arguments = [sandbox.base_url.clone(), sandbox.api_key.clone(), rows.to_string()].map(PathBuf::from);
    run(&mut peers::command("send", &arguments.each_ref())?)?.success()?;
    Ok(sandbox)
}

/// One export, with its state in that folder.
fn export(sandbox: &Sandbox, format: &str, folder: &Path) -> Outcome<Sample> {
    let mut command: Command = program(folder);
    command.args(["export", "assets", "--quota", "none", "--quiet", "--no-progress", "--output"]);
    command.arg(folder.join(format!("assets.{format}")));
    command.env("BLUETALLY_BASE_URL", &sandbox.base_url).env("BLUETALLY_API_KEY", &sandbox.api_key);
    run(&mut command)?.success()
}
