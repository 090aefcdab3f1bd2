//! From the flags of a command to the options of the library, and to the flags of the next command.

use std::num::NonZeroU64;
use std::path::PathBuf;

use super::Error;
use super::args::{ApplyArgs, DeleteArgs, Global, ImportArgs, LayoutArgs, LimitArgs, LogFormat, ReadingArgs};
use super::settings::written_files;
use crate::check::Repeats;
use crate::job::{ApplyJob, DeleteJob, ImportJob, ResultTarget, RunOptions, plan_limits};
use crate::redact::shown_url;
use crate::run::command_line::CommandLine;
use crate::run::input::{InputOptions, MappingOptions};
use crate::run::used_options::UsedOptions;
use crate::written_files::Overwrite;

impl ReadingArgs {
    /// The files as they were typed.
    pub(super) fn inputs(&self) -> Vec<String> {
        self.files.iter().map(|file| file.display().to_string()).collect()
    }

    pub(super) fn input_options(&self) -> InputOptions {
        let layout = self.layout.input_options();
        let mapping = MappingOptions {
            defaults: self.default.clone(),
            values: self.value.clone(),
            skip_where: self.skip_where.clone(),
            remember: self.remember,
            ..layout.mapping
        };
        InputOptions {
            files: self.files.clone(),
            entity: self.entity.clone(),
            fractional_cost: self.fractional_cost,
            blank: self.blank,
            mode: self.mode,
            allow_duplicates: self.allow_duplicates,
            aliases: self.aliases.clone(),
            mapping,
            ..layout
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
                written: written_files().ok().map(|files| files.replacing(overwrite(self.force))),
                ..MappingOptions::default()
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
    pub(super) fn job(&self, global: &Global) -> ImportJob {
        let layout = &self.reading.layout;
        ImportJob {
            input: self.reading.input_options(),
            create_missing: self.create_missing.clone(),
            conflicts: self.conflicts,
            only_failed: self.only_failed,
            repeats: if self.repeat { Repeats::Sent } else { Repeats::Recognized },
            max_creates: self.limits.max_creates.clone(),
            max_updates: self.limits.max_updates.clone(),
            max_deletes: self.limits.max_deletes.clone(),
            max_clears: self.limits.max_clears.clone(),
            run: RunOptions {
                dry_run: self.dry_run || self.plan.is_some(),
                plan: self.plan.clone(),
                overwrite: overwrite(layout.force && (self.plan.is_some() || layout.result.is_some())),
                max_errors: self.max_errors.map(NonZeroU64::get),
                no_wait: self.no_wait,
                confirmed: self.yes,
                ..run_options(global, layout)
            },
        }
    }
}

impl ApplyArgs {
    pub(super) fn job(&self, global: &Global) -> Result<ApplyJob, Error> {
        let LimitArgs { max_creates, max_updates, max_deletes, max_clears } = &self.limits;
        Ok(ApplyJob {
            path: self.plan.clone(),
            limits: plan_limits([max_creates, max_updates, max_deletes, max_clears].map(Option::as_deref))?,
            run: RunOptions {
                max_errors: self.max_errors.map(NonZeroU64::get),
                no_wait: self.no_wait,
                confirmed: self.yes,
                result: self.result.clone().map_or(ResultTarget::BesideInput, ResultTarget::File),
                overwrite: overwrite(self.force && self.result.is_some()),
                account_flags: global.flags(),
                ..RunOptions::default()
            },
        })
    }
}

impl DeleteArgs {
    pub(super) fn job(&self, global: &Global) -> DeleteJob {
        DeleteJob {
            entity: self.entity.clone(),
            input: InputOptions { files: vec![self.file.clone()], ..self.layout.input_options() },
            irreversible: self.irreversible,
            backup: self.backup.clone(),
            max_deletes: self.max_deletes.clone(),
            run: RunOptions {
                dry_run: self.dry_run,
                max_errors: self.max_errors.map(NonZeroU64::get),
                confirmed: self.yes,
                ..run_options(global, &self.layout)
            },
        }
    }
}

fn run_options(global: &Global, layout: &LayoutArgs) -> RunOptions {
    let result = layout.result.clone().map_or(ResultTarget::BesideInput, ResultTarget::File);
    RunOptions {
        result,
        overwrite: overwrite(layout.force && layout.result.is_some()),
        account_flags: global.flags(),
        ..RunOptions::default()
    }
}

/// What a command may replace, with `--force` or without. The flag is about files that the user names.
pub(super) fn overwrite(is_forced: bool) -> Overwrite {
    if is_forced { Overwrite::AnyFile } else { Overwrite::OwnFiles }
}

impl Global {
    /// The command line of a job on `inputs`, with what was said about the account.
    pub(super) fn command_line(&self, inputs: Vec<String>, used: &UsedOptions) -> CommandLine {
        CommandLine::new(inputs, [used.words(), self.flags()].concat())
    }

    /// The global flags that the next command needs, too.
    pub(super) fn flags(&self) -> Vec<String> {
        let mut used = UsedOptions::default();
        // clap hands over what the environment says like a flag; the next command finds it there again.
        let typed =
            |value: Option<String>, variable| value.filter(|value| std::env::var(variable).as_ref() != Ok(value));
        let base_url = typed(self.base_url.clone(), "BLUETALLY_BASE_URL");
        used.text("--base-url", base_url.as_deref().map(shown_url));
        used.text("--api-key-file", self.api_key_file.as_ref().map(|path| path.display()));
        used.text("--tenant", typed(self.tenant.clone(), "BLUETALLY_TENANT_ID"));
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
        cli.global.command_line(files, &args.job(&cli.global).used_options()).command("import", &[])
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
