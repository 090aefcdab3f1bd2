pub(super) fn run(_: &super::args::Global, _: &super::args::DeleteArgs, _: super::printer::Printer) -> Result<super::Exit, super::Error> {
    Ok(super::Exit::Success)
}
