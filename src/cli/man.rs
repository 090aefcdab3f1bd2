//! `tallyport man`: one page from the command line's own definition: the program, then each command with its own flags.

use std::fmt::Write;
use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::Cli;

/// What the environment says, in the order of the page.
const ENVIRONMENT: [(&str, &str); 10] = [
    ("BLUETALLY_API_KEY", "the API key"),
    ("BLUETALLY_BASE_URL", "as --base-url"),
    ("BLUETALLY_TENANT_ID", "as --tenant"),
    ("TALLYPORT_HOME", "the state folder, instead of the platform's"),
    ("NO_COLOR", "no colors"),
    ("HTTPS_PROXY", "the proxy for requests to the service; also HTTP_PROXY and NO_PROXY"),
    ("SSL_CERT_FILE", "a file with the certificates of authorities to trust; not on Windows and macOS"),
    ("SSL_CERT_DIR", "a folder with them"),
    ("TZ", "the time zone of dates in file names and of the register, such as Europe/Berlin"),
    ("TMPDIR", "where temporary files go; on Windows TMP"),
];

/// How the paragraph of the main help begins that is a section of its own here.
const EXIT_CODES: &str = "Exit codes: ";

/// The whole page.
pub(super) fn page() -> io::Result<Vec<u8>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    let program = Man::new(command.clone());
    program.render_title(&mut page)?;
    program.render_name_section(&mut page)?;
    program.render_synopsis_section(&mut page)?;
    program.render_description_section(&mut page)?;
    program.render_options_section(&mut page)?;
    let after = AfterHelp::of(&command);
    page.extend(format!(".SH ENVIRONMENT\n{}", environment()).bytes());
    page.extend(format!(".SH \"EXIT STATUS\"\n{}", prose(&after.exit_codes)).bytes());
    page.extend(format!(".SH EXAMPLES\n{}", blocks(&after.examples)).bytes());
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        section("TALLYPORT", subcommand, &mut page)?;
    }
    program.render_version_section(&mut page)?;
    Ok(page)
}

/// A command's own synopsis, flags and examples, below a heading of its name, then those of the commands below it. Flags
/// of every command stand once, above.
fn section(parent: &str, command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("{parent} {}", command.get_name().to_uppercase());
    page.extend(format!(".SH \"{name}\"\n").bytes());
    let own = command.clone().mut_args(|arg| {
        let is_global = arg.is_global_set();
        arg.hide(is_global)
    });
    let man = Man::new(own);
    let after = AfterHelp::of(command);
    let mut part = Vec::new();
    man.render_description_section(&mut part)?;
    part.extend(blocks(&after.notes).bytes());
    man.render_synopsis_section(&mut part)?;
    man.render_options_section(&mut part)?;
    for (heading, paragraphs) in [("EXAMPLES", &after.examples), ("NOTES", &after.tables)] {
        if !paragraphs.is_empty() {
            part.extend(format!(".SH {heading}\n{}", blocks(paragraphs)).bytes());
        }
    }
    // Its sections become subsections of the command.
    page.extend(String::from_utf8_lossy(&part).replace(".SH ", ".SS ").bytes());
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        section(&name, subcommand, page)?;
    }
    Ok(())
}

/// What stands behind the flags in the help of a command.
#[derive(Default)]
struct AfterHelp {
    notes: Vec<Paragraph>,
    examples: Vec<Paragraph>,
    /// What is aligned, such as the grammar of faults.
    tables: Vec<Paragraph>,
    exit_codes: String,
}

/// A part of a help text.
enum Paragraph {
    Prose(String),
    /// Lines that are copied, or aligned.
    Block(String),
}

impl AfterHelp {
    fn of(command: &Command) -> Self {
        let mut after = Self::default();
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for paragraph in text.split("\n\n").map(str::trim_end).filter(|paragraph| !paragraph.is_empty()) {
            let without_heading = paragraph.strip_prefix("Examples:\n").or(paragraph.strip_prefix("Example:\n"));
            if let Some(codes) = paragraph.strip_prefix(EXIT_CODES) {
                after.exit_codes = codes.to_owned();
            } else if let Some(examples) = without_heading {
                after.examples.push(Paragraph::Block(examples.to_owned()));
            } else if paragraph.contains(":\n  tallyport ") {
                after.examples.push(Paragraph::Block(paragraph.to_owned()));
            } else if paragraph.contains("  ") {
                after.tables.push(Paragraph::Block(paragraph.to_owned()));
            } else {
                after.notes.push(Paragraph::Prose(paragraph.to_owned()));
            }
        }
        after
    }
}

impl Paragraph {
    fn roff(&self) -> String {
        match self {
            Paragraph::Prose(text) => prose(text),
            Paragraph::Block(text) => format!(".PP\n.nf\n{}.fi\n", lines(text)),
        }
    }
}

fn blocks(paragraphs: &[Paragraph]) -> String {
    paragraphs.iter().map(Paragraph::roff).collect()
}

fn prose(text: &str) -> String {
    format!(".PP\n{}", lines(text))
}

fn environment() -> String {
    let mut text = String::new();
    for (name, meaning) in ENVIRONMENT {
        // Writing to a string cannot fail.
        let _ = write!(text, ".TP\n\\fB{name}\\fR\n{}", lines(meaning));
    }
    text
}

/// Each line as roff prints it: with the characters of a keyboard, which can be copied, and nothing taken for a request.
fn lines(text: &str) -> String {
    let mut roff = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        if line.starts_with(['.', '\'']) {
            roff.push_str("\\&");
        }
        for char in line.chars() {
            match char {
                '\\' => roff.push_str("\\e"),
                '-' => roff.push_str("\\-"),
                '\'' => roff.push_str("\\(aq"),
                '`' => roff.push_str("\\(ga"),
                '~' => roff.push_str("\\(ti"),
                '^' => roff.push_str("\\(ha"),
                other => roff.push(other),
            }
        }
        roff.push('\n');
    }
    roff
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn text() -> String {
        String::from_utf8(page().unwrap()).unwrap()
    }

    #[test]
    fn the_man_page_has_every_command_and_flag() {
        fn look(parent: &str, command: &Command, page: &str) {
            for command in command.get_subcommands() {
                let name = format!("{parent} {}", command.get_name().to_uppercase());
                assert!(page.contains(&format!(".SH \"{name}\"\n")), "{name}");
                for flag in command.get_arguments().filter_map(|arg| arg.get_long()) {
                    assert!(page.contains(&format!("--{flag}")), "{flag}");
                }
                look(&name, command, page);
            }
        }
        let page = text().replace("\\-", "-");
        look("TALLYPORT", &Cli::command(), &page);
        assert!(page.contains(".SH \"TALLYPORT RUNS PRUNE\"\n"));
        assert_eq!(page.matches("Read the API key from this file").count(), 1, "global flags stand once");
    }

    #[test]
    fn examples_and_tables_keep_their_lines_and_can_be_copied() {
        let page = text();
        let examples = ".SS EXAMPLES\n.PP\n.nf\n  tallyport check assets.xlsx\n";
        assert!(page.contains(examples), "{page}");
        assert!(page.contains("tallyport delete assets retired.xlsx \\-\\-dry\\-run\n"));
        assert!(page.contains("\\-\\-map \\(aqTag No=asset_id\\(aq"));
        assert!(page.contains("\n.nf\nA fault is one line: METHODS PATH [WHEN] EFFECT [TIMING]\n"));
        assert_eq!(page.matches("\n.nf\n").count(), page.matches("\n.fi\n").count());
        assert!(!page.contains("EXTRA") && page.contains(".SH \"EXIT STATUS\"\n.PP\n0 every row succeeded"), "{page}");
    }

    #[test]
    fn variables_are_those_of_the_reference() {
        let reference = std::fs::read_to_string("docs/reference.md").unwrap();
        let page = text();
        for (name, _) in ENVIRONMENT {
            assert!(reference.contains(&format!("`{name}`")) && page.contains(&format!("\\fB{name}\\fR")), "{name}");
        }
        let (_, table) = reference.split_once("## Environment").unwrap();
        let listed = table.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
        for name in listed.filter_map(|line| line.split('`').next()) {
            assert!(ENVIRONMENT.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
