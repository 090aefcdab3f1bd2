use super::args::{Global, SandboxArgs};
use super::printer::Printer;
use super::{Error, Exit};

pub(super) fn run(_global: &Global, _args: &SandboxArgs, _printer: Printer) -> Result<Exit, Error> {
    Ok(Exit::Internal)
}
