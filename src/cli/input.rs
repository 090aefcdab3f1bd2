//! From the flags of a command to the options of the library, and to the flags of the next command.

use std::path::PathBuf;

use super::args::{DeleteArgs, Global, ImportArgs, LayoutArgs, LogFormat, ReadingArgs};
use crate::check::Conflicts;
use crate::run::command_line::CommandLine;
use crate::run::input::{InputOptions, MappingOptions};
use crate::run::used_options::UsedOptions;

impl ReadingArgs {
    /// The files as they were typed.
    pub(super) fn inputs(&self) -> Vec<String> {
        self.files.iter().map(|file| file.display().to_string()).collect()
    }

    pub(super) fn input_options(&self) -> InputOptions {
        InputOptions {
            files: self.files.clone(),
            entity: self.entity.clone(),
            fractional_cost: self.fractional_cost,
            blank: self.blank,
            mode: self.mode,
            allow_duplicates: self.allow_duplicates,
            ..self.layout.input_options()
        }
    }
}

impl LayoutArgs {
    fn input_options(&self) -> InputOptions {
        InputOptions {
            sheets: self.sheet.clone(),
            mapping: MappingOptions {
                map: self.map.clone(),
                ignore: self.ignore.clone(),
                file: self.mapping.clone(),
                preset: self.preset.clone(),
                strict: self.strict,
                save_to: self.save_mapping.clone(),
            },
            match_on: self.match_on.clone(),
            delimiter: self.delimiter.clone(),
            encoding: self.encoding.clone(),
            date_format: self.date_format.clone(),
            decimal: self.decimal,
            ..InputOptions::default()
        }
    }
}

impl ImportArgs {
    /// The options that differ from their defaults.
    pub(super) fn used_options(&self) -> UsedOptions {
        let mut used = self.reading.input_options().used();
        used.once("--dry-run", self.dry_run);
        used.once("--only-failed", self.only_failed);
        used.optional_list("--create-missing", self.create_missing.as_deref(), "all but employees and assets");
        used.text(
            "--conflicts",
            self.conflicts.map(|conflicts| match conflicts {
                Conflicts::Theirs => "theirs",
                Conflicts::Mine => "mine",
                Conflicts::Skip => "skip",
            }),
        );
        used.text("--max-errors", self.max_errors);
        used.text("--max-creates", self.max_creates.as_deref());
        used.text("--max-updates", self.max_updates.as_deref());
        used.text("--max-deletes", self.max_deletes.as_deref());
        used.text("--max-clears", self.max_clears.as_deref());
        used
    }
}

impl DeleteArgs {
    pub(super) fn input_options(&self) -> InputOptions {
        InputOptions { files: vec![self.file.clone()], ..self.layout.input_options() }
    }

    /// The options that differ from their defaults.
    pub(super) fn used_options(&self) -> UsedOptions {
        let mut used = self.input_options().used();
        used.once("--dry-run", self.dry_run);
        used.switch("--irreversible", self.irreversible);
        used.text("--max-errors", self.max_errors);
        used.text("--max-deletes", self.max_deletes.as_deref());
        used
    }
}

impl Global {
    /// The command line of a job on `inputs`, with what was said about the account.
    pub(super) fn command_line(&self, inputs: Vec<String>, used: &UsedOptions) -> CommandLine {
        CommandLine::new(inputs, [used.words(), self.flags()].concat())
    }

    /// The global flags that the next command needs, too.
    fn flags(&self) -> Vec<String> {
        let mut used = UsedOptions::default();
        // clap hands over what the environment says like a flag; the next command finds it there again.
        let typed =
            |value: Option<String>, variable| value.filter(|value| std::env::var(variable).as_ref() != Ok(value));
        used.text("--base-url", typed(self.base_url.clone(), "BLUETALLY_BASE_URL"));
        used.text("--api-key-file", self.api_key_file.as_ref().map(|path| path.display()));
        used.text("--tenant", typed(self.tenant.map(|tenant| tenant.to_string()), "BLUETALLY_TENANT_ID"));
        used.text("--profile", self.profile.as_deref());
        let paths = |file: &Option<PathBuf>| file.iter().map(|path| path.display().to_string()).collect();
        let file: Option<Vec<String>> = self.sandbox.as_ref().map(paths);
        used.optional_list("--sandbox", file.as_deref(), "yes");
        used.text("--quota", self.quota.as_deref());
        used.text("--concurrency", self.concurrency);
        (0..self.verbose).for_each(|_| used.switch("-v", true));
        let format = self.log_format.map(|format| match format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        });
        used.text("--log-format", format);
        used.words()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use crate::cli::args::{Cli, Command};

    /// What is to be typed after the command line `text`.
    fn next(text: &str) -> String {
        let cli = Cli::try_parse_from(text.split(' ')).unwrap();
        let Command::Import(args) = cli.command else { panic!("no import: {text}") };
        let files = args.reading.files.iter().map(|file| file.display().to_string()).collect();
        cli.global.command_line(files, &args.used_options()).command("import", &[])
    }

    #[test]
    fn the_next_command_keeps_what_was_mapped_and_allowed() {
        assert_eq!(
            next("tallyport import a.csv --create-missing --dry-run --result x.xlsx --json"),
            "tallyport import a.csv --create-missing"
        );
        assert_eq!(
            next("tallyport import a.csv b.csv --map Tag_No=asset_id --result=x.xlsx --sandbox"),
            "tallyport import a.csv b.csv --map Tag_No=asset_id --sandbox"
        );
        assert_eq!(
            next("tallyport import a.csv --match-on name,model_number --sandbox=p.db --max-creates 10% -q --yes"),
            "tallyport import a.csv --match-on name,model_number --max-creates 10% --sandbox=p.db"
        );
        assert_eq!(
            next("tallyport import a.csv --create-missing=locations --strict --tenant 3"),
            "tallyport import a.csv --strict --create-missing=locations --tenant 3"
        );
    }
}
