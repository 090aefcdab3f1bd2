//! The options of a run that differ from their defaults: for its summary, and for the command that runs it again.

use std::fmt::Display;

/// Options that differ from their defaults, in the order of the help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UsedOptions(Vec<UsedOption>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct UsedOption {
    flag: &'static str,
    /// As the summary shows it.
    shown: String,
    /// As a command line has it; none for an option of this run alone.
    words: Vec<String>,
}

impl UsedOptions {
    /// A flag without a value.
    pub(crate) fn switch(&mut self, flag: &'static str, is_on: bool) {
        self.push(is_on, flag, String::from("yes"), vec![flag.to_owned()]);
    }

    /// A flag that a repeated run leaves out, such as `--dry-run`.
    pub(crate) fn once(&mut self, flag: &'static str, is_on: bool) {
        self.push(is_on, flag, String::from("yes"), Vec::new());
    }

    /// A flag with one value.
    pub(crate) fn text(&mut self, flag: &'static str, value: Option<impl Display>) {
        if let Some(value) = value {
            let value = value.to_string();
            self.push(true, flag, value.clone(), vec![flag.to_owned(), value]);
        }
    }

    /// A flag that is given once for every value.
    pub(crate) fn repeated(&mut self, flag: &'static str, values: &[String]) {
        let words = values.iter().flat_map(|value| [flag.to_owned(), value.clone()]).collect();
        self.push(!values.is_empty(), flag, values.join(", "), words);
    }

    /// A flag with one list of values.
    pub(crate) fn list(&mut self, flag: &'static str, values: &[String]) {
        self.push(!values.is_empty(), flag, values.join(", "), vec![flag.to_owned(), values.join(",")]);
    }

    /// A flag whose list may be left out; `default` says what it means then.
    pub(crate) fn optional_list(&mut self, flag: &'static str, values: Option<&[String]>, default: &str) {
        match values {
            None => {}
            Some([]) => self.push(true, flag, default.to_owned(), vec![flag.to_owned()]),
            Some(values) => self.push(true, flag, values.join(", "), vec![format!("{flag}={}", values.join(","))]),
        }
    }

    fn push(&mut self, is_used: bool, flag: &'static str, shown: String, words: Vec<String>) {
        if is_used {
            self.0.push(UsedOption { flag, shown, words });
        }
    }

    /// Flag and value as the summary shows them.
    pub(crate) fn shown(&self) -> Vec<(String, String)> {
        self.0.iter().map(|option| (option.flag.to_owned(), option.shown.clone())).collect()
    }

    /// The words of a command line that says the same.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.iter().flat_map(|option| option.words.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::UsedOptions;

    #[test]
    fn options_are_shown_and_repeated() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let mut used = UsedOptions::default();
        used.text("--entity", Some("assets"));
        used.repeated("--map", &texts(&["Tag No=asset_id", "Old="]));
        used.list("--match-on", &texts(&["name", "model_number"]));
        used.switch("--strict", true);
        used.switch("--allow-duplicates", false);
        used.optional_list("--create-missing", Some(&texts(&["locations"])), "all");
        used.once("--dry-run", true);
        let shown: Vec<String> = used.shown().into_iter().map(|(flag, value)| format!("{flag}: {value}")).collect();
        assert_eq!(
            shown,
            [
                "--entity: assets", "--map: Tag No=asset_id, Old=", "--match-on: name, model_number", "--strict: yes",
                "--create-missing: locations", "--dry-run: yes",
            ]
        );
        assert_eq!(
            used.words().join(" "),
            "--entity assets --map Tag No=asset_id --map Old= --match-on name,model_number --strict \
             --create-missing=locations"
        );
    }

    #[test]
    fn options_that_say_nothing_are_not_used() {
        let mut used = UsedOptions::default();
        used.text("--entity", None::<&str>);
        used.repeated("--map", &[]);
        used.list("--match-on", &[]);
        used.switch("--strict", false);
        used.once("--dry-run", false);
        used.optional_list("--create-missing", None, "all");
        assert_eq!((used.shown(), used.words()), (Vec::new(), Vec::new()));
        used.optional_list("--create-missing", Some(&[]), "all");
        assert_eq!(used.shown(), [(String::from("--create-missing"), String::from("all"))]);
        assert_eq!(used.words(), ["--create-missing"]);
    }
}
