//! `tallyport sandbox`: runs the sandbox until it is interrupted, or fills its data file and exits.

mod copy;

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use serde_json::json;

use super::args::{Global, SandboxArgs};
use super::printer::Printer;
use super::{Error, Exit, interrupts};
use crate::sandbox::{FaultControl, Faults, Sandbox, SandboxError, SandboxOptions, Seed, StoreLocation};
use crate::{shell, terminal};

pub(super) fn run(global: &Global, args: &SandboxArgs, printer: Printer) -> Result<Exit, Error> {
    if let (true, Some(file)) = (args.copy_account, &args.data) {
        return copy::run(global, args, file, printer);
    }
    let options = options(global, args)?;
    let (api_key, faults) = (options.api_key.clone(), options.faults.len());
    let sandbox = Sandbox::start(options)?;
    if !sandbox.address().ip().is_loopback() {
        printer.warn(&format!(
            "{} is reachable from other machines over plain HTTP: anyone with the API key can change its records",
            sandbox.address()
        ));
    }
    // Listen first: a script may interrupt as soon as it has read the first line.
    let mut shutdown = interrupts::listen()?;
    announce(&sandbox, &api_key, faults, args, printer)?;
    tokio::runtime::Builder::new_current_thread().build()?.block_on(shutdown.next());
    drop(sandbox);
    printer.note("stopped");
    Ok(Exit::Success)
}

/// Prints its URL and key in one flushed write, so that a script can continue after reading the first line.
fn announce(
    sandbox: &Sandbox,
    api_key: &str,
    faults: usize,
    args: &SandboxArgs,
    printer: Printer,
) -> Result<(), Error> {
    let base_url = sandbox.base_url();
    let control = args.control.then(|| sandbox.control_url());
    if printer.json {
        let mut line = json!({"base_url": base_url, "api_key": api_key});
        if let Some(url) = control {
            line["control"] = url.into();
        }
        return Ok(printer.verbatim(&format!("{line}\n"))?);
    }
    let tenant = match args.tenants.first() {
        Some(tenant) => format!(" --tenant {}", tenant.split('=').next().unwrap_or_default()),
        None => String::new(),
    };
    let fault_count = match faults {
        0 => String::new(),
        count => format!("faults    {count}, with the random seed {}\n", args.faults_seed),
    };
    let control = control.map(|url| format!("control   {url}\n")).unwrap_or_default();
    let variables = [("BLUETALLY_BASE_URL", base_url.as_str()), ("BLUETALLY_API_KEY", api_key)];
    let example = shell::with_variables(&variables, &format!("tallyport doctor{tenant}"));
    // Not masked: it may be the key in the environment, and is shown on purpose.
    Ok(printer.verbatim(&terminal::rendered(&format!(
        "base URL  {base_url}\n\
         API key   {api_key}\n\
         records   {records}\n\
         {fault_count}{control}\
         try it    {example}\n\
         stop it   Ctrl-C\n",
        records = match &args.data {
            Some(path) => format!("stored in {}", path.display()),
            None => "in memory until it stops".into(),
        }
    )))?)
}

fn options(global: &Global, args: &SandboxArgs) -> Result<SandboxOptions, Error> {
    let defaults = SandboxOptions::default();
    Ok(SandboxOptions {
        listen: address(&args.listen)?,
        store: args.data.clone().map_or(StoreLocation::Memory, StoreLocation::File),
        api_key: args.api_key.clone().unwrap_or(defaults.api_key),
        quota: match &global.quota {
            Some(text) => quota(text)?,
            None => defaults.quota,
        },
        page_limit: args.page_limit,
        tenants: args.tenants.iter().map(|text| tenant(text)).collect::<Result<_, _>>()?,
        seed: if args.empty { Seed::Empty } else { Seed::SampleLookups },
        faults: faults(&args.faults)?.seeded(args.faults_seed),
        control: if args.control { FaultControl::On } else { FaultControl::Off },
    })
}

/// Parses `HOST:PORT`; uses the first address if the host name has several.
fn address(text: &str) -> Result<SocketAddr, SandboxError> {
    let first = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    first.ok_or_else(|| SandboxError::Address { text: text.into() })
}

/// Parses `N/h`, `N` or `none`.
fn quota(text: &str) -> Result<Option<u32>, SandboxError> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let number = text.strip_suffix("/h").unwrap_or(text);
    number.parse().map(Some).map_err(|_| SandboxError::Quota { text: text.into() })
}

/// Parses `ID` or `ID=NAME`. The default name contains the id.
fn tenant(text: &str) -> Result<(i64, String), SandboxError> {
    let (id, name) = text.split_once('=').map_or((text, None), |(id, name)| (id, Some(name.trim())));
    match id.trim().parse::<i64>() {
        Ok(id) if id > 0 && name != Some("") => Ok((id, name.map_or_else(|| format!("Tenant {id}"), str::to_owned))),
        _ => Err(SandboxError::Tenant { text: text.into() }),
    }
}

/// The faults of all arguments, in order: each is a fault, or `@` and a file of faults.
fn faults(specs: &[String]) -> Result<Faults, Error> {
    let mut all = Faults::default();
    for spec in specs {
        all.append(match spec.strip_prefix('@') {
            Some(path) => faults_in(path.into())?,
            None => spec.parse::<Faults>().map_err(SandboxError::from)?,
        });
    }
    Ok(all)
}

fn faults_in(path: PathBuf) -> Result<Faults, Error> {
    let text = fs::read_to_string(&path).map_err(|source| SandboxError::FaultsFile { path: path.clone(), source })?;
    match text.parse::<Faults>() {
        Ok(faults) => Ok(faults),
        Err(error) if names_requests(&error.rule) => Err(SandboxError::FaultIn { path, error }.into()),
        // It may be the file with the key, named by mistake: its lines are not shown.
        Err(error) => Err(Error::usage(
            format!("`{}`, line {}, column 1: not a fault", path.display(), error.line),
            "write a fault on each line, e.g. `POST assets nth=3 reset after`",
        )),
    }
}

/// Whether a line begins as a fault does, with a method or a path, and more behind it.
fn names_requests(rule: &str) -> bool {
    let (first, rest) = rule.split_once(' ').unwrap_or((rule, ""));
    let is_method = ["GET", "POST", "PUT", "DELETE", "*"].contains(&first);
    let is_path = |word: &str| crate::schema::find(word.trim_matches(['/', '*'])).is_some();
    is_path(first) || is_method && rest.split(' ').next().is_some_and(|path| path.starts_with('*') || is_path(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quotas_and_tenants_are_read_as_documented() {
        assert_eq!(quota("600/h").unwrap(), Some(600));
        assert_eq!(quota("600").unwrap(), Some(600));
        assert_eq!(quota("none").unwrap(), None);
        for text in ["", "many", "10/m", "-1/h", "1.5/h"] {
            assert!(matches!(quota(text), Err(SandboxError::Quota { .. })), "{text}");
        }
        assert_eq!(tenant("7").unwrap(), (7, "Tenant 7".into()));
        assert_eq!(tenant("7=North & Co").unwrap(), (7, "North & Co".into()));
        for text in ["", "=North", "0", "-1", "7=", "north"] {
            assert!(matches!(tenant(text), Err(SandboxError::Tenant { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        assert_eq!(address("127.0.0.1:0").unwrap().port(), 0);
        for text in ["", "8080", "127.0.0.1", "127.0.0.1:99999"] {
            assert!(matches!(address(text), Err(SandboxError::Address { .. })), "{text}");
        }
    }
}
