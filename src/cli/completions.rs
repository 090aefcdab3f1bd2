//! `tallyport completions` and `tallyport man`: both from the command line's own definition.

use std::io;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn completions(shell: Shell, printer: Printer) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tallyport", &mut script);
    print(script, printer)
}

pub(super) fn man(printer: Printer) -> Result<Exit, Error> {
    print(page()?, printer)
}

/// Prints a text that another program reads as it is.
fn print(bytes: Vec<u8>, printer: Printer) -> Result<Exit, Error> {
    if printer.json {
        return Err(Error::usage("this command prints no data, so there is no JSON of it", "leave out --json"));
    }
    printer.verbatim(&String::from_utf8(bytes).map_err(io::Error::other)?)?;
    Ok(Exit::Success)
}

/// One page for everything: the program, then each command with its own flags.
fn page() -> io::Result<Vec<u8>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    let program = Man::new(command.clone());
    program.render_title(&mut page)?;
    program.render_name_section(&mut page)?;
    program.render_synopsis_section(&mut page)?;
    program.render_description_section(&mut page)?;
    program.render_options_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        section(subcommand, &mut page)?;
    }
    program.render_extra_section(&mut page)?;
    program.render_version_section(&mut page)?;
    Ok(page)
}

/// A command's own synopsis, flags and examples, below a heading of its name. Flags of every command stand once, above.
fn section(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_name().to_owned();
    page.extend(format!(".SH \"TALLYPORT {}\"\n", name.to_uppercase()).bytes());
    let own = command.clone().mut_args(|arg| {
        let is_global = arg.is_global_set();
        arg.hide(is_global)
    });
    let man = Man::new(own);
    let mut part = Vec::new();
    man.render_description_section(&mut part)?;
    man.render_synopsis_section(&mut part)?;
    man.render_options_section(&mut part)?;
    man.render_extra_section(&mut part)?;
    // Its sections become subsections of the command.
    page.extend(String::from_utf8_lossy(&part).replace(".SH ", ".SS ").bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use clap::{CommandFactory, ValueEnum};
    use clap_complete::Shell;

    use super::{Cli, page};

    #[test]
    fn the_man_page_has_every_command_and_flag() {
        let page = String::from_utf8(page().unwrap()).unwrap().replace("\\-", "-");
        for command in Cli::command().get_subcommands() {
            let heading = format!(".SH \"TALLYPORT {}\"", command.get_name().to_uppercase());
            assert!(page.contains(&heading), "{heading}");
            for flag in command.get_arguments().filter_map(|arg| arg.get_long()) {
                assert!(page.contains(&format!("--{flag}")), "{flag}");
            }
        }
        assert_eq!(page.matches("Read the API key from this file").count(), 1, "global flags stand once");
    }

    #[test]
    fn every_shell_has_completions() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "tallyport", &mut script);
            assert!(String::from_utf8(script).unwrap().contains("api-key-file"), "{shell}");
        }
    }
}
