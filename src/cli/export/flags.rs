//! The flags that only some exports take. Where one would have no effect, the export does not begin.

use super::ExportArgs;
use crate::cli::Error;
use crate::table::write::output::FileFormat;

/// What must be exported for a flag to have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Register,
    /// Collections, or the activity log.
    Collections,
    CsvFiles,
    Every,
}

struct ScopedFlag {
    name: &'static str,
    /// As messages write it, if that is not its name.
    short: Option<&'static str>,
    scope: Scope,
    is_given: fn(&ExportArgs) -> bool,
}

const fn flag(name: &'static str, scope: Scope, is_given: fn(&ExportArgs) -> bool) -> ScopedFlag {
    ScopedFlag { name, short: None, scope, is_given }
}

const FLAGS: [ScopedFlag; 26] = [
    flag("as-of", Scope::Register, |args| args.as_of.is_some()),
    flag("rates", Scope::Register, |args| args.rates.is_some()),
    flag("previous", Scope::Register, |args| args.previous.is_some()),
    flag("partitioned", Scope::Collections, |args| args.partitioned),
    flag("ids", Scope::Collections, |args| args.ids.is_some()),
    flag("columns", Scope::Collections, |args| !args.columns.is_empty()),
    flag("where", Scope::Collections, |args| !args.wheres.is_empty()),
    flag("sort", Scope::Collections, |args| args.sort.is_some()),
    flag("since", Scope::Collections, |args| args.since.is_some()),
    flag("from", Scope::Collections, |args| args.from.is_some()),
    flag("to", Scope::Collections, |args| args.to.is_some()),
    flag("type", Scope::Collections, |args| args.kind.is_some()),
    flag("event", Scope::Collections, |args| args.event.is_some()),
    flag("user", Scope::Collections, |args| args.user.is_some()),
    flag("employee", Scope::Collections, |args| args.employee.is_some()),
    flag("item", Scope::Collections, |args| args.item.is_some()),
    flag("verify", Scope::Collections, |args| args.verify),
    flag("incremental", Scope::Collections, |args| args.incremental),
    flag("keep", Scope::Collections, |args| args.keep.is_some()),
    flag("all-tenants", Scope::Collections, |args| args.all_tenants),
    flag("bom", Scope::CsvFiles, |args| args.bom),
    flag("delimiter", Scope::CsvFiles, |args| args.delimiter.is_some()),
    flag("raw", Scope::CsvFiles, |args| args.raw),
    ScopedFlag { short: Some("-o"), ..flag("output", Scope::Every, |args| args.output.is_some()) },
    flag("format", Scope::Every, |args| args.format.is_some()),
    flag("profile", Scope::Every, |args| args.profile.is_some()),
];

impl ScopedFlag {
    fn word(&self) -> String {
        self.short.map_or_else(|| format!("--{}", self.name), str::to_owned)
    }
}

/// The options of an export, and which of them were typed: the others are those of config.toml.
pub(super) struct GivenFlags<'a> {
    pub(super) typed: &'a ExportArgs,
    pub(super) all: &'a ExportArgs,
}

impl GivenFlags<'_> {
    /// Refuses flags that the register has no use for. Its CSV files are for every spreadsheet program as they are.
    ///
    /// # Errors
    /// Where there is one.
    pub(super) fn check_register(&self) -> Result<(), Error> {
        match self.first(|scope| matches!(scope, Scope::Collections | Scope::CsvFiles)) {
            Some(flag) => {
                Err(Error::usage(format!("{} cannot be used with the register", self.shown(flag)), "leave it out"))
            }
            None => Ok(()),
        }
    }

    /// Refuses flags of the register in an export of something else.
    ///
    /// # Errors
    /// Where there is one.
    pub(super) fn check_collections(&self) -> Result<(), Error> {
        match self.first(|scope| scope == Scope::Register) {
            Some(flag) => Err(Error::usage(
                format!("{} works only with the register", self.shown(flag)),
                "leave it out, or export `register`",
            )),
            None => Ok(()),
        }
    }

    /// Refuses flags of CSV files where others are written. Those of config.toml are for the output that it names.
    ///
    /// # Errors
    /// Where there is one.
    pub(super) fn check_format(&self, format: Option<FileFormat>) -> Result<(), Error> {
        let has_own_output = self.typed.output.is_some() || self.typed.format.is_some();
        let flag = self.first(|scope| scope == Scope::CsvFiles);
        match flag.filter(|flag| (flag.is_given)(self.typed) || !has_own_output) {
            Some(flag) if format.is_some_and(|format| format != FileFormat::Csv) => Err(Error::usage(
                format!("{} works only with CSV files", self.shown(flag)),
                "leave it out, or name a .csv file with -o",
            )),
            _ => Ok(()),
        }
    }

    /// The error in the words of the user: an option that stands in config.toml is not named as a flag, which nobody passed.
    pub(super) fn explain(&self, error: Error) -> Error {
        let is_written = |flag: &&ScopedFlag| (flag.is_given)(self.all) && !(flag.is_given)(self.typed);
        let explained = |text: &str| {
            let flags = FLAGS.iter().filter(is_written);
            flags.fold(text.to_owned(), |text, flag| replace_word(&text, &flag.word(), &self.shown(flag)))
        };
        let (message, hint) = (error.to_string(), error.hint());
        match (explained(&message), hint.as_deref().map(explained)) {
            (same, same_hint) if same == message && same_hint == hint => error,
            (message, hint) => Error::new(error.kind(), message, hint),
        }
    }

    /// The first flag of such a scope; of several those that were typed.
    fn first(&self, fits: impl Fn(Scope) -> bool) -> Option<&'static ScopedFlag> {
        let of = |args| FLAGS.iter().find(|flag| fits(flag.scope) && (flag.is_given)(args));
        of(self.typed).or_else(|| of(self.all))
    }

    /// As the user wrote it: a flag, or a key of config.toml.
    fn shown(&self, flag: &ScopedFlag) -> String {
        let name = self.all.name.as_deref().filter(|_| !(flag.is_given)(self.typed));
        match name {
            Some(name) => format!("`{}` of [exports.{name}] in config.toml", flag.name.replace('-', "_")),
            None => flag.word(),
        }
    }
}

/// Replaces a word that stands between spaces, punctuation marks or the ends of the text.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let is_of_word = |char: char| char.is_alphanumeric() || char == '-';
    let (mut replaced, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(word) {
        replaced.push_str(before);
        let is_part = replaced.ends_with(is_of_word) || after.starts_with(is_of_word);
        replaced.push_str(if is_part { word } else { by });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::{Args, Command};

    use super::*;

    #[test]
    fn every_flag_under_a_heading_of_some_exports_is_in_the_table() {
        let command = ExportArgs::augment_args(Command::new("export"));
        let scope_of = |name: &str| FLAGS.iter().find(|flag| flag.name == name).map(|flag| flag.scope);
        for arg in command.get_arguments() {
            let Some(name) = arg.get_long() else { continue };
            let expected = match arg.get_help_heading() {
                Some("The register") => Scope::Register,
                Some("CSV files") => Scope::CsvFiles,
                Some("The activity log" | "Rows and columns") => Scope::Collections,
                _ => continue,
            };
            assert_eq!(scope_of(name), Some(expected), "--{name}");
        }
        let is_known = |flag: &&ScopedFlag| command.get_arguments().any(|arg| arg.get_long() == Some(flag.name));
        // The profile is a flag of every command.
        assert!(FLAGS.iter().filter(|flag| flag.name != "profile").all(|flag| is_known(&flag)));
    }

    #[test]
    fn an_option_of_the_configuration_is_not_named_as_a_flag() {
        let given = |keys: &str| ExportArgs { name: Some(String::from("n")), ..toml::from_str(keys).unwrap() };
        let explained = |typed: &str, written: &str, hint: &str| {
            let typed = given(typed);
            let all = typed.clone().or(given(written));
            let error = GivenFlags { typed: &typed, all: &all }.explain(Error::usage("wrong", hint));
            error.hint().unwrap()
        };
        let sorted = "sort = \"name\"";
        assert_eq!(explained("", sorted, "leave out --sort"), "leave out `sort` of [exports.n] in config.toml");
        assert_eq!(explained(sorted, sorted, "leave out --sort"), "leave out --sort");
        assert_eq!(explained("", sorted, "leave out --sort-by, or --format"), "leave out --sort-by, or --format");
        let output = "output = \"a.xlsx\"";
        assert_eq!(explained("", output, "a file with -o"), "a file with `output` of [exports.n] in config.toml");
        for (typed, hint) in [(output, "a file with -o"), ("", "`x-o.csv`, read-only, --output")] {
            assert_eq!(explained(typed, output, hint), hint);
        }
    }
}
