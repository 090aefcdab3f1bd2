//! What to type next: a run's inputs and options as a command line.

use std::path::Path;

use crate::shell;

/// The words of a command line behind its subcommand: inputs first, then flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    pub(crate) fn new(inputs: Vec<String>, flags: Vec<String>) -> Self {
        Self(inputs.into_iter().map(as_input).chain(flags).collect())
    }

    /// The words as a journal keeps them.
    pub(crate) fn from_words(words: Vec<String>) -> Self {
        Self(words)
    }

    pub(crate) fn into_words(self) -> Vec<String> {
        self.0
    }

    /// The same flags with another file as the only input.
    pub(crate) fn with_input(mut self, file: &Path) -> Self {
        let inputs = self.inputs().len();
        self.0.splice(..inputs, [as_input(file.display().to_string())]);
        self
    }

    fn inputs(&self) -> &[String] {
        let flags = self.0.iter().position(|word| word.starts_with('-') && word != STDIN).unwrap_or(self.0.len());
        &self.0[..flags]
    }

    /// Whether it reads standard input, which cannot be read again.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.inputs().iter().any(|word| word == STDIN)
    }

    /// The whole command, quoted for a shell; `more` are further flags.
    pub(crate) fn command(&self, subcommand: &str, more: &[&str]) -> String {
        let new = more.iter().filter(|word| !self.0.iter().any(|known| known == *word));
        let words = self.0.iter().map(|word| shell::word(word)).chain(new.map(|word| shell::word(word)));
        let words: Vec<String> = words.collect();
        format!("tallyport {subcommand} {}", words.join(" "))
    }

    /// The command that goes on with a run. Where flags said which base URL and key are meant, they have to say it again:
    /// a journal does not.
    pub(crate) fn resume(&self, run: &str) -> String {
        let meant = |pair: &[String]| matches!(pair[0].as_str(), "--base-url" | "--api-key-file");
        let pairs = self.0.windows(2).filter(|pair| meant(pair));
        let flags: String = pairs.map(|pair| format!(" {} {}", pair[0], shell::word(&pair[1]))).collect();
        format!("tallyport resume {run}{flags}")
    }

    /// As [`CommandLine::command`]; none where its input is gone.
    pub(crate) fn repeated(&self, subcommand: &str, more: &[&str]) -> Option<String> {
        (!self.reads_stdin()).then(|| self.command(subcommand, more))
    }
}

/// The word for standard input.
const STDIN: &str = "-";

/// A file that begins with a dash would be read as a flag.
fn as_input(file: String) -> String {
    if file.starts_with('-') && file != STDIN { format!("./{file}") } else { file }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::CommandLine;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn another_input_takes_the_place_of_all_inputs() {
        let line = CommandLine::new(words("a.csv b.csv"), words("--map Tag_No=asset_id --sandbox"));
        assert_eq!(line.command("import", &[]), "tallyport import a.csv b.csv --map Tag_No=asset_id --sandbox");
        assert_eq!(
            line.with_input(Path::new("my result.xlsx")).command("import", &["--only-failed"]),
            "tallyport import 'my result.xlsx' --map Tag_No=asset_id --sandbox --only-failed"
        );
    }

    #[test]
    fn a_journal_gives_back_what_was_typed() {
        let line = CommandLine::new(words("-a.csv b.csv"), words("--strict"));
        assert_eq!(CommandLine::from_words(line.clone().into_words()), line);
        assert_eq!(line.into_words(), ["./-a.csv", "b.csv", "--strict"]);
    }

    #[test]
    fn a_run_goes_on_where_flags_sent_it() {
        let line = CommandLine::new(words("a.csv"), words("--strict --base-url http://127.0.0.1:1/api --api-key-file"));
        let CommandLine(mut typed) = line;
        typed.push("my key".to_owned());
        let resume = CommandLine(typed).resume("kqzf");
        assert_eq!(resume, "tallyport resume kqzf --base-url http://127.0.0.1:1/api --api-key-file 'my key'");
        assert_eq!(CommandLine::new(words("a.csv"), words("--strict")).resume("kqzf"), "tallyport resume kqzf");
    }

    #[test]
    fn a_printed_command_works_as_it_stands() {
        let dash = CommandLine::new(words("-q.csv"), words("--only-failed"));
        assert_eq!(dash.command("import", &["--only-failed"]), "tallyport import ./-q.csv --only-failed");
        assert_eq!(
            dash.with_input(Path::new("-r.xlsx")).command("check", &[]),
            "tallyport check ./-r.xlsx --only-failed"
        );
        let piped = CommandLine::new(words("-"), words("--entity assets"));
        assert_eq!(piped.repeated("import", &[]), None);
        assert_eq!(
            piped.with_input(Path::new("a.xlsx")).command("import", &[]),
            "tallyport import a.xlsx --entity assets"
        );
        let odd = CommandLine::new(words("~a.csv it's.csv"), Vec::new());
        assert_eq!(odd.command("check", &[]), r"tallyport check '~a.csv' 'it'\''s.csv'");
    }

    #[test]
    fn standard_input_is_read_only_where_it_is_an_input() {
        assert!(CommandLine::new(words("a.csv -"), words("--strict")).reads_stdin());
        assert!(!CommandLine::new(words("a.csv"), words("--map -")).reads_stdin());
        let line = CommandLine::new(words("a.csv"), words("--strict"));
        assert_eq!(
            line.repeated("check", &["--strict", "--json"]).as_deref(),
            Some("tallyport check a.csv --strict --json")
        );
        let only = CommandLine::new(words("-"), Vec::new());
        assert_eq!(only.repeated("check", &[]), None);
    }
}
