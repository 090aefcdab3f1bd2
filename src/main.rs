fn main() -> std::process::ExitCode {
    tallyport::cli::main()
}
