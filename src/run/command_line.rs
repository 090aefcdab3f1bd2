//! What to type next: a run's inputs and options as a command line.

/// The words of a command line behind its subcommand: inputs first, then flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    pub(crate) fn new(inputs: Vec<String>, flags: Vec<String>) -> Self {
        Self([inputs, flags].concat())
    }

    /// The words as a journal keeps them.
    pub(crate) fn from_words(words: Vec<String>) -> Self {
        Self(words)
    }

    pub(crate) fn into_words(self) -> Vec<String> {
        self.0
    }

    /// The same flags with another file as the only input.
    pub(crate) fn with_input(mut self, file: &str) -> Self {
        let flags = self.0.iter().position(|word| word.starts_with('-') && word != "-").unwrap_or(self.0.len());
        self.0.splice(..flags, [file.to_owned()]);
        self
    }

    /// The whole command, quoted for a shell; `more` are further flags.
    pub(crate) fn command(&self, subcommand: &str, more: &[&str]) -> String {
        let words = self.0.iter().map(|word| quoted(word)).chain(more.iter().map(|word| (*word).to_owned()));
        let words: Vec<String> = words.collect();
        format!("tallyport {subcommand} {}", words.join(" "))
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "-_./=:,@%+\\~".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::CommandLine;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn another_input_takes_the_place_of_all_inputs() {
        let line = CommandLine::new(words("a.csv b.csv"), words("--map Tag_No=asset_id --sandbox"));
        assert_eq!(line.command("import", &[]), "tallyport import a.csv b.csv --map Tag_No=asset_id --sandbox");
        assert_eq!(
            line.with_input("my result.xlsx").command("import", &["--only-failed"]),
            "tallyport import 'my result.xlsx' --map Tag_No=asset_id --sandbox --only-failed"
        );
    }
}
