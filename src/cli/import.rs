use super::args::{Global, ImportArgs};
use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn run(_global: &Global, _args: &ImportArgs, _printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}
