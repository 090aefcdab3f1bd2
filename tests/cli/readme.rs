//! The README shows what the program really prints. `UPDATE_README=1 cargo test readme` writes it anew.

use std::fs;
use std::path::{Path, PathBuf};

use tallyport::check::Code;

use crate::rehearsal::{Ran, bare};

#[test]
fn the_readme_shows_what_the_program_prints() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let shown = with_codes(&with_outputs(&readme));
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &shown).unwrap();
    }
    assert!(
        readme == shown,
        "the README is behind: run `UPDATE_README=1 cargo test readme`\n{}",
        first_difference(&readme, &shown)
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Fills every `<!-- output: COMMAND -->` block.
fn with_outputs(readme: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("samples")).unwrap();
    blocks(readme, "<!-- output: ", "<!-- end of output -->", |command| {
        let arguments: Vec<&str> = command.trim_start_matches("tallyport ").split(' ').collect();
        // Only what a command names: the folder may hold results of whoever ran these commands before.
        for sample in arguments.iter().filter(|argument| argument.starts_with("samples/")) {
            fs::copy(root().join(sample), folder.path().join(sample)).unwrap();
        }
        let ran = Ran::of(bare(folder.path(), &arguments).output().unwrap());
        assert!(matches!(ran.code, 0 | 1), "{command}: {}", ran.said());
        format!("```text\n$ {command}\n{}```\n", redacted(&ran.stdout, folder.path()))
    })
}

/// Fills the table of problem codes.
fn with_codes(readme: &str) -> String {
    blocks(readme, "<!-- codes", "<!-- end of codes -->", |_| {
        let rows: String =
            Code::ALL.iter().map(|code| format!("| `{}` | {} |\n", code.as_str(), code.title())).collect();
        format!("| code | what it says |\n|---|---|\n{rows}")
    })
}

/// Replaces what stands between a line that begins with `open` and the line `close`.
fn blocks(text: &str, open: &str, close: &str, mut fill: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if let Some(rest) = line.strip_prefix(open) {
            let what = rest.trim_end_matches("-->").trim();
            lines.by_ref().take_while(|line| *line != close).for_each(drop);
            out.push_str(&fill(what));
            out.push_str(close);
            out.push('\n');
        }
    }
    out
}

/// Without what differs from run to run and machine to machine.
fn redacted(text: &str, folder: &Path) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let mut line = without_runs(&line.replace(&folder.display().to_string(), "~"));
        for (before, after, stand_in) in
            [("(run ", ")", RUN), (", in ", " s", "0.5"), ("127.0.0.1:", "`", "49152"), ("answered in ", " ms", "2")]
        {
            line = redact_between(&line, before, after, stand_in);
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// Every run under one name, begun at one time; sizes of journals rounded away.
fn without_runs(line: &str) -> String {
    let words = line.split_inclusive(' ').map(|word| {
        let name = word.trim_end().trim_matches(['(', ')', ':']);
        let run = name.get(..RUN.len()).unwrap_or_default();
        let is_run = run.bytes().take(8).filter(u8::is_ascii_digit).count() == 8 && run.as_bytes()[8] == b'-';
        match is_run {
            true => word.replace(run, RUN),
            false => word.to_owned(),
        }
    });
    let line: String = words.collect();
    let Some((before, after)) = line.split_once("just now  ") else { return line };
    let columns: Vec<&str> = after.split("  ").filter(|column| !column.is_empty()).collect();
    match columns.as_slice() {
        [_, size] => format!("{before}just now  2026-11-24 09:30  {:>1$}", "48 kB", size.len()),
        _ => line,
    }
}

/// The run that the README shows.
const RUN: &str = "20261124-093015-abcd";

fn redact_between(line: &str, before: &str, after: &str, stand_in: &str) -> String {
    let Some(start) = line.find(before).map(|at| at + before.len()) else { return line.to_owned() };
    let Some(length) = line[start..].find(after) else { return line.to_owned() };
    if length > 24 {
        return line.to_owned();
    }
    format!("{}{stand_in}{}", &line[..start], &line[start + length..])
}

fn first_difference(one: &str, other: &str) -> String {
    let pair = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    pair.map_or_else(|| String::from("one is longer"), |(one, other)| format!("- {one}\n+ {other}"))
}
