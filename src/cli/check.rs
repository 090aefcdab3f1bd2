use super::args::{CheckArgs, Global};
use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn run(_global: &Global, _args: &CheckArgs, _printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}
