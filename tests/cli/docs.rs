//! The documentation shows what the program prints, and names files that exist.
//! `UPDATE_DOCS=1 cargo test --test cli docs` writes the outputs anew.

use std::fs;
use std::path::{Path, PathBuf};

use tallyport::{Code, RemarkCode};

use crate::harness::{CommandOutput, tallyport};
use crate::redact::{redact, redact_json};

#[test]
fn documents_show_what_the_program_prints() {
    let mut outdated = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        let filled = fill(&text);
        if text == filled {
            continue;
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &filled).unwrap();
        }
        outdated.push(format!("{}\n{}", path.display(), first_difference(&text, &filled)));
    }
    assert!(outdated.is_empty(), "outdated; run `UPDATE_DOCS=1 cargo test --test cli docs`:\n{}", outdated.join("\n"));
}

#[test]
fn documents_name_files_that_exist() {
    let mut missing = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let linked = links.filter(|link| !link.contains("://")).filter_map(|link| {
            let file = link.split('#').next().filter(|file| !file.is_empty())?;
            Some(folder.join(file))
        });
        let quoted = text.split('`').filter(|quoted| {
            ["src/", "tests/", "samples/", "benches/", "examples/", ".ci/"]
                .iter()
                .any(|start| quoted.starts_with(start))
                && !quoted.contains(['*', ' ', '{', '…'])
                && !quoted.contains(".result")
                && !quoted.contains("NAME")
        });
        let all = linked.chain(quoted.map(|quoted| root().join(quoted)));
        missing.extend(all.filter(|file| !file.exists()).map(|file| format!("{}: {}", path.display(), file.display())));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn troubleshooting_quotes_what_the_program_says() {
    let text = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let titles: Vec<&str> = text.split("**").skip(1).step_by(2).collect();
    let quoted = titles.iter().filter_map(|title| title.strip_prefix('"')?.strip_suffix('"'));
    let source = source_of(&root().join("src"));
    let unsaid: Vec<&str> = quoted.filter(|message| !source.contains(message)).collect();
    assert_eq!(unsaid, [""; 0], "messages that the program does not have");
    let is_code = |word: &&str| {
        word.split('.').count() == 2 && word.chars().all(|char| char.is_ascii_lowercase() || "._".contains(char))
    };
    let codes = titles.iter().flat_map(|title| title.split('`').skip(1).step_by(2)).filter(is_code);
    let unknown: Vec<&str> = codes.filter(|code| Code::ALL.iter().all(|known| known.as_str() != *code)).collect();
    assert_eq!(unknown, [""; 0]);
    let help: String = ["import", "export", "undo", "resume", "runs prune"]
        .iter()
        .map(|command| {
            CommandOutput::run(tallyport(&root(), &[command.split(' ').collect(), vec!["--help"]].concat())).stdout
        })
        .collect();
    let flags =
        text.split(|char: char| char.is_whitespace() || "`',;.()".contains(char)).filter(|word| word.starts_with("--"));
    // `--features` is cargo's.
    let unknown: Vec<&str> = flags.filter(|flag| *flag != "--features" && !help.contains(flag)).collect();
    assert_eq!(unknown, [""; 0]);
}

/// The text of all source files below a folder.
fn source_of(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text_of = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => source_of(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).unwrap(),
        _ => String::new(),
    };
    entries.map(text_of).collect()
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= 250, "{lines} lines; details belong in docs/");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files at the top and in `docs`.
fn documents() -> Vec<PathBuf> {
    let files =
        |folder: &Path| -> Vec<PathBuf> { fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect() };
    let mut documents = [files(&root()), files(&root().join("docs"))].concat();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    documents
}

/// Fills what a document derives from the program; its commands run one after the other in one folder.
fn fill(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("samples")).unwrap();
    for (name, content) in shown_files(text) {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let run = |command: &str| {
        let arguments: Vec<&str> = command.trim_start_matches("tallyport").split_whitespace().collect();
        // Only what a command names: the folder may hold results of whoever ran these commands before.
        for sample in arguments.iter().filter(|argument| argument.starts_with("samples/")) {
            fs::copy(root().join(sample), folder.path().join(sample)).unwrap();
        }
        CommandOutput::run(tallyport(folder.path(), &arguments))
    };
    let text = replace_blocks(text, "<!-- output: ", "<!-- end of output -->", |command| {
        let ran = run(command);
        assert!(matches!(ran.code, 0 | 1), "{command}: {}", ran.text());
        format!("```text\n$ {command}\n{}```\n", redact(&ran.stdout, folder.path()))
    });
    let text = replace_blocks(&text, "<!-- json: ", "<!-- end of json -->", |command| {
        format!("```json\n{}```\n", redact_json(&run(command).stdout, folder.path()))
    });
    let text = replace_blocks(&text, "<!-- help: ", "<!-- end of help -->", |command| {
        let (help, _) = split_global_flags(&run(&format!("{command} --help")).exits(0).stdout);
        format!("```text\n$ {command} --help\n{help}```\n")
    });
    let text = replace_blocks(&text, "<!-- global flags", "<!-- end of global flags -->", |_| {
        format!("```text\n{}```\n", split_global_flags(&run("tallyport --help").stdout).1)
    });
    let table = |lines: Vec<(&str, &str)>| {
        let rows: String = lines.iter().map(|(code, title)| format!("| `{code}` | {title} |\n")).collect();
        format!("| code | meaning |\n|---|---|\n{rows}")
    };
    let text = replace_blocks(&text, "<!-- codes", "<!-- end of codes -->", |_| {
        table(Code::ALL.iter().map(|code| (code.as_str(), code.title())).collect())
    });
    replace_blocks(&text, "<!-- remark codes", "<!-- end of remark codes -->", |_| {
        table(RemarkCode::ALL.iter().map(|code| (code.as_str(), code.title())).collect())
    })
}

/// The files that a document shows whole: a code block below `<!-- file: NAME -->`.
fn shown_files(text: &str) -> Vec<(&str, &str)> {
    let blocks = text.split("<!-- file: ").skip(1).filter_map(|rest| rest.split_once(" -->"));
    let files = blocks.filter_map(|(name, rest)| Some((name, rest.split("```").nth(1)?.split_once('\n')?.1)));
    files.collect()
}

/// A help text without the flags that all commands share, and those flags.
fn split_global_flags(help: &str) -> (String, String) {
    let (mut own, mut global) = (String::new(), String::new());
    let mut is_global = false;
    for line in help.lines().map(str::trim_end) {
        if !line.starts_with(' ') && !line.is_empty() {
            is_global = line == "Global options:";
        }
        let part = if is_global { &mut global } else { &mut own };
        part.push_str(line);
        part.push('\n');
    }
    (own.trim_end().to_owned() + "\n", global.trim_end().to_owned() + "\n")
}

/// Replaces what is between a line that begins with `open` and the line `close`.
fn replace_blocks(text: &str, open: &str, close: &str, mut fill: impl FnMut(&str) -> String) -> String {
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

fn first_difference(one: &str, other: &str) -> String {
    let pair = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    pair.map_or_else(|| String::from("one is longer"), |(one, other)| format!("- {one}\n+ {other}"))
}
