//! `tallyport doctor`: is everything in place? One request where all is well, two where the tenant is in doubt.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::args::Global;
use super::printer::Printer;
use super::settings::{Origin, Settings, SettingsError, TargetAccount, check_flags};
use super::{Error, Exit, runtime};
use crate::account::Account;
use crate::api::{ApiError, Client, Probe, Record, WaitStatus};
use crate::error::Diagnostic;
use crate::redact::shown_url;
use crate::schema::{Entity, collection};
use crate::terminal::{ERROR, GOOD, STRONG, WARNING};

/// Clocks further apart than this spoil exports by date and what is "since".
const CLOCK_TOLERANCE: i64 = 300;
/// Below this share of its quota a service is nearly used up.
const LOW_QUOTA_PERCENT: u64 = 5;
/// How often to look whether the request waits for a quota instead of for an answer.
const GLANCE: Duration = Duration::from_millis(100);

pub(super) fn run(global: &Global, printer: Printer) -> Result<Exit, Error> {
    let checks = match check_flags(global).and_then(|()| Settings::resolve(global)) {
        Ok(settings) => examine(&settings)?,
        Err(error) => vec![unusable(&error)],
    };
    let printed = if printer.json { printer.document(&json(&checks)) } else { printer.say(&text(&checks)) };
    Ok(exit(&checks).after_printing(printed, printer))
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    verdict: CheckState,
    /// What was found.
    detail: String,
    /// What to do now.
    hint: Option<String>,
    /// The exit code a failure deserves.
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum CheckState {
    Ok,
    Warn,
    Fail,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, verdict: CheckState::Ok, detail: detail.into(), hint: None, exit: Exit::Success }
    }

    fn warn(name: &'static str, detail: impl Into<String>, hint: &str) -> Self {
        Self { verdict: CheckState::Warn, hint: Some(hint.to_owned()), ..Self::ok(name, detail) }
    }

    /// Something on this machine is wrong.
    fn unset(name: &'static str, error: &SettingsError) -> Self {
        Self { verdict: CheckState::Fail, hint: error.hint(), exit: Exit::Usage, ..Self::ok(name, error.to_string()) }
    }

    /// The service says no, or nothing.
    fn refused(name: &'static str, error: &ApiError) -> Self {
        Self { verdict: CheckState::Fail, hint: error.hint(), exit: Exit::Refused, ..Self::ok(name, error.to_string()) }
    }
}

/// The exit code of the worst: a machine that is not set up goes before a service that refuses.
fn exit(checks: &[Check]) -> Exit {
    let failed = |exit| checks.iter().any(|check| check.exit == exit);
    match (failed(Exit::Usage), failed(Exit::Refused)) {
        (true, _) => Exit::Usage,
        (false, true) => Exit::Refused,
        (false, false) => Exit::Success,
    }
}

/// A setting so wrong that nothing else can be looked at.
fn unusable(error: &SettingsError) -> Check {
    let name = match error {
        SettingsError::Config { .. }
        | SettingsError::ConfigUnreadable { .. }
        | SettingsError::ProfileMissing { .. } => "config",
        SettingsError::Key { .. }
        | SettingsError::KeyFile { .. }
        | SettingsError::KeyOfAnotherUrl(_)
        | SettingsError::KeyMissing
        | SettingsError::KeyStore { .. }
        | SettingsError::KeyTwice { .. } => "key",
        SettingsError::BaseUrl { .. } | SettingsError::SandboxWith { .. } => "service",
        SettingsError::Tenant { .. } => "tenant",
        SettingsError::Quota { .. } | SettingsError::Concurrency { .. } => "quota",
        SettingsError::NoHome | SettingsError::StateDir(_) => "state",
    };
    Check::unset(name, error)
}

fn examine(settings: &Settings) -> Result<Vec<Check>, Error> {
    let mut checks = vec![config(settings), state(settings)];
    if settings.account == TargetAccount::Service && settings.key.is_none() {
        checks.push(Check::unset("key", &SettingsError::KeyMissing));
        return Ok(checks);
    }
    let runtime = runtime()?;
    match runtime.block_on(settings.connect()) {
        Ok(account) => checks.extend(runtime.block_on(ask(settings, &account))),
        Err(error) => match error.downcast_ref() {
            // A command that changes things would stop here. One or two requests to find out the rest do not matter.
            Some(error @ ApiError::SharedQuota(_)) => {
                checks.push(Check { exit: Exit::Usage, ..Check::refused("ledger", error) });
                let options = settings.connect_options()?.without_shared_quota();
                let account = runtime.block_on(Account::connect(options))?;
                checks.extend(runtime.block_on(ask(settings, &account)));
            }
            // Nothing was asked yet: the base link itself is wrong.
            Some(error) => checks.push(Check { exit: Exit::Usage, ..Check::refused("service", error) }),
            None => return Err(error),
        },
    }
    Ok(checks)
}

fn config(settings: &Settings) -> Check {
    match (&settings.config_file, &settings.profile) {
        (Some(path), Some(profile)) => Check::ok("config", format!("`{}`, profile `{profile}`", path.display())),
        (Some(path), None) if path.exists() => Check::ok("config", format!("`{}`, no profile in use", path.display())),
        (Some(path), None) => Check::ok("config", format!("no `{}` (optional)", path.display())),
        (None, _) => Check::ok("config", "no home folder to look for config.toml in (optional)"),
    }
}

/// Whether journals can be written, tried in the nearest folder that exists so that nothing is left behind.
fn state(settings: &Settings) -> Check {
    let folder = &settings.state_dir.value;
    let detail = format!("`{}` ({})", folder.display(), settings.state_dir.origin);
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let existing = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("."));
    match tempfile::tempfile_in(existing) {
        Ok(_) => Check::ok("state", detail),
        Err(error) => Check {
            verdict: CheckState::Fail,
            hint: Some("let this user write there, or set TALLYPORT_HOME to another folder".to_owned()),
            exit: Exit::Usage,
            ..Check::ok("state", format!("cannot write to {detail}: {error}"))
        },
    }
}

/// What the service answered to one small request.
enum ProbeResult {
    Probed(Result<Probe, ApiError>),
    /// The quota is used up: there will be no answer for long.
    Waits(WaitStatus),
}

/// Every list can be asked for one record; the statuses are the shortest one.
fn probed() -> Option<&'static Entity> {
    collection("statuses")
}

async fn ask(settings: &Settings, account: &Account) -> Vec<Check> {
    let client = &account.client;
    let Some(entity) = probed() else { return Vec::new() };
    let answer = {
        let probe = pin!(client.probe(entity));
        tokio::select! {
            probe = probe => ProbeResult::Probed(probe),
            waiting = waits(client) => ProbeResult::Waits(waiting),
        }
    };
    let mut checks: Vec<Check> = client.warnings().into_iter().map(|remark| noted(&remark)).collect();
    checks.extend(match answer {
        ProbeResult::Probed(Ok(probe)) => well(settings, client, &probe),
        ProbeResult::Probed(Err(error)) if may_be_tenant(&error, settings) => {
            // Where the tenants cannot be listed either, the first error says what is wrong.
            let tenants = client.tenants().await.unwrap_or_default();
            ill(settings, client, &error, &tenants)
        }
        ProbeResult::Probed(Err(error)) => ill(settings, client, &error, &[]),
        ProbeResult::Waits(waiting) => vec![key(settings), used_up(&waiting)],
    });
    checks
}

/// Something about the count of requests that all processes share.
fn noted(remark: &str) -> Check {
    Check::warn("ledger", remark, "see that this machine's clock is right and its state folder is left alone")
}

/// Ends as soon as requests wait for something else than an answer.
async fn waits(client: &Client) -> WaitStatus {
    loop {
        tokio::time::sleep(GLANCE).await;
        if let Some(waiting) = client.waiting() {
            return waiting;
        }
    }
}

fn may_be_tenant(error: &ApiError, settings: &Settings) -> bool {
    match error {
        ApiError::Tenant { .. } => true,
        ApiError::Forbidden { .. } => settings.tenant.is_some(),
        ApiError::Refused { status, .. } => matches!(status, 400 | 404 | 422),
        _ => false,
    }
}

/// All is well, as far as the service goes.
fn well(settings: &Settings, client: &Client, probe: &Probe) -> Vec<Check> {
    let milliseconds = probe.round_trip.as_millis();
    vec![
        key(settings),
        Check::ok("service", format!("{} answered in {milliseconds} ms", place(settings, client))),
        tenant(settings),
        quota(settings, client.quota_left(), probe),
        clock(probe),
    ]
}

/// The service answered with an error, or not at all.
fn ill(settings: &Settings, client: &Client, error: &ApiError, tenants: &[Record]) -> Vec<Check> {
    let answered = || Check::ok("service", format!("{} answers", place(settings, client)));
    match error {
        ApiError::Unauthorized { .. } => vec![answered(), Check::refused("key", error)],
        _ if !tenants.is_empty() => vec![key(settings), answered(), wrong_tenant(error, tenants)],
        ApiError::Tenant { .. } => vec![key(settings), answered(), Check::refused("tenant", error)],
        ApiError::Forbidden { .. } => vec![answered(), Check::refused("key", error)],
        _ => vec![key(settings), Check::refused("service", error)],
    }
}

fn place(settings: &Settings, client: &Client) -> String {
    match settings.account {
        TargetAccount::Service => {
            format!("`{}` ({})", shown_url(settings.base_url.value.as_str()), settings.base_url.origin)
        }
        TargetAccount::Sandbox(_) => format!("the sandbox at `{}`", client.host()),
    }
}

fn key(settings: &Settings) -> Check {
    let Some(key) = &settings.key else { return Check::ok("key", "the sandbox's own") };
    match key_file(settings, &key.origin).filter(|path| is_open_to_others(path)) {
        Some(path) => Check::warn(
            "key",
            format!("{}, and other users of this machine can read it", key.origin),
            &format!("make `{}` readable for you alone (`chmod 600`)", path.display()),
        ),
        None => Check::ok("key", key.origin.to_string()),
    }
}

/// The file that holds the key, as far as settings know it.
fn key_file(settings: &Settings, origin: &Origin) -> Option<PathBuf> {
    match origin {
        Origin::ProfileFile { path, .. } => Some(path.clone()),
        Origin::Profile(_) => settings.config_file.clone(),
        _ => None,
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// On Windows a user's own folders are closed to other users already.
#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}

fn tenant(settings: &Settings) -> Check {
    match &settings.tenant {
        Some(tenant) => Check::ok("tenant", format!("{} ({})", tenant.value, tenant.origin)),
        None => Check::ok("tenant", "none set (the key needs none)"),
    }
}

fn wrong_tenant(error: &ApiError, tenants: &[Record]) -> Check {
    let names: Vec<_> = tenants.iter().map(tenant_name).collect();
    let hint = format!("give one of them with `--tenant`: {}", names.join(", "));
    Check { hint: Some(hint), ..Check::refused("tenant", error) }
}

/// Field notes: tenants are keyed by `tenant_id`.
fn tenant_name(tenant: &Record) -> String {
    let shown = |name: &str| tenant.get(name).map(|value| value.to_string());
    match (shown("tenant_id"), tenant.get("name").and_then(|name| name.as_str())) {
        (Some(id), Some(name)) => format!("{id} (`{name}`)"),
        (Some(id), None) => id,
        (None, _) => "one without an id".to_owned(),
    }
}

/// The quota at the service, and ours: what all processes of this machine may send at once.
fn quota(settings: &Settings, left: Option<usize>, probe: &Probe) -> Check {
    let ours = match (settings.quota.value, left) {
        (Some(quota), Some(left)) => {
            format!("{left} of {quota} requests an hour left on this machine ({})", settings.quota.origin)
        }
        (Some(quota), None) => format!("{quota} requests an hour ({})", settings.quota.origin),
        (None, _) => format!("no limit ({})", settings.quota.origin),
    };
    match (probe.remaining, probe.limit) {
        (Some(left), Some(limit)) if left * 100 < limit.saturating_mul(LOW_QUOTA_PERCENT) => Check::warn(
            "quota",
            format!("{left} of {limit} requests left at the service; ours: {ours}"),
            "wait for the service's next window, or see who else uses the key",
        ),
        (Some(left), Some(limit)) => {
            Check::ok("quota", format!("{left} of {limit} requests left at the service; ours: {ours}"))
        }
        (Some(left), None) => Check::ok("quota", format!("{left} requests left at the service; ours: {ours}")),
        (None, _) => Check::ok("quota", format!("not reported by the service; using {ours}")),
    }
}

fn used_up(waiting: &WaitStatus) -> Check {
    let minutes = waiting.until.duration_since(SystemTime::now()).unwrap_or_default().as_secs().div_ceil(60);
    let wait = match minutes {
        0 => String::from("requests can be sent again now"),
        some => format!("nothing can be sent for {some} min"),
    };
    Check::warn(
        "quota",
        format!("{}: {wait}", waiting.reason),
        "wait, or see who else uses the key; an import started now waits by itself",
    )
}

fn clock(probe: &Probe) -> Check {
    let Some(ahead) = probe.clock_ahead else { return Check::ok("clock", "the service does not show its own") };
    let detail = match ahead {
        // The service tells whole seconds.
        -1..=1 => "as the service's".to_owned(),
        2.. => format!("{ahead} s behind the service's"),
        _ => format!("{} s ahead of the service's", ahead.unsigned_abs()),
    };
    match ahead.abs() > CLOCK_TOLERANCE {
        true => Check::warn("clock", detail, "set this machine's clock, best by the network's time"),
        false => Check::ok("clock", detail),
    }
}

fn json(checks: &[Check]) -> String {
    format!("{}\n", serde_json::json!({ "checks": checks }))
}

fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let (style, word) = match check.verdict {
            CheckState::Ok => (GOOD, "ok"),
            CheckState::Warn => (WARNING, "warn"),
            CheckState::Fail => (ERROR, "fail"),
        };
        text.push_str(&format!("{style}{word:<4}{style:#}  {:<7}  {}\n", check.name, check.detail));
        if let Some(hint) = &check.hint {
            text.push_str(&format!("      {STRONG}hint:{STRONG:#} {hint}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::time::Duration;

    use serde_json::{Value, json};
    use url::Url;

    use futures::FutureExt;

    use super::*;
    use crate::api::{ClientOptions, CustomFieldsEncoding, Secret, WaitReason};
    use crate::cli::settings::WithOrigin;
    use crate::error::ErrorKind;

    fn by_default<T>(value: T) -> WithOrigin<T> {
        WithOrigin { value, origin: Origin::Default }
    }

    fn secret() -> Secret {
        Secret::new("k".to_owned()).unwrap()
    }

    fn settings() -> Settings {
        Settings {
            base_url: by_default(Url::parse("https://x.example/api/v1").unwrap()),
            key: Some(WithOrigin { value: secret(), origin: Origin::Variable("BLUETALLY_API_KEY") }),
            tenant: Some(WithOrigin { value: 7, origin: Origin::Flag("--tenant") }),
            quota: by_default(Some(10_000)),
            concurrency: by_default(8),
            columns: Default::default(),
            custom_fields: by_default(CustomFieldsEncoding::JsonString),
            state_dir: by_default(std::env::temp_dir().join("tallyport-never-made").join("state")),
            config_file: None,
            profile: None,
            account: TargetAccount::Service,
        }
    }

    fn client() -> Client {
        Client::new(ClientOptions::new(settings().base_url.value, secret())).unwrap()
    }

    fn probe(remaining: Option<u64>, clock_ahead: Option<i64>) -> Probe {
        Probe { round_trip: Duration::from_millis(80), clock_ahead, limit: remaining.map(|_| 10_000), remaining }
    }

    /// Names and verdicts, in order.
    fn verdicts(checks: &[Check]) -> Vec<(&'static str, CheckState)> {
        checks.iter().map(|check| (check.name, check.verdict)).collect()
    }

    #[test]
    fn all_is_well() {
        let checks = well(&settings(), &client(), &probe(Some(9_990), Some(-2)));
        let details: Vec<_> = checks.iter().map(|check| format!("{}: {}", check.name, check.detail)).collect();
        let expected = [
            "key: from BLUETALLY_API_KEY",
            "service: `https://x.example/api/v1` (by default) answered in 80 ms",
            "tenant: 7 (from --tenant)",
            "quota: 9990 of 10000 requests left at the service; \
             ours: 10000 of 10000 requests an hour left on this machine (by default)",
            "clock: 2 s ahead of the service's",
        ];
        assert_eq!(details, expected);
        assert_eq!(exit(&checks), Exit::Success);
    }

    #[test]
    fn what_may_go_wrong_soon_is_a_warning() {
        let checks = well(&settings(), &client(), &probe(Some(499), Some(4_000)));
        assert_eq!(verdicts(&checks)[3..], [("quota", CheckState::Warn), ("clock", CheckState::Warn)]);
        assert!(checks[3..].iter().all(|check| check.hint.is_some()));
        let until = SystemTime::now() + Duration::from_secs(90);
        let check = used_up(&WaitStatus { until, reason: WaitReason::ServerQuota });
        assert_eq!(check.detail, "the service says its quota is used up: nothing can be sent for 2 min");
        assert_eq!(exit(&[check]), Exit::Success);
        let check = used_up(&WaitStatus { until: SystemTime::now(), reason: WaitReason::ServerQuota });
        assert_eq!(check.detail, "the service says its quota is used up: requests can be sent again now");
    }

    #[test]
    fn the_check_that_fails_is_the_one_to_blame() {
        let tenants: Vec<Record> = vec![json!({ "tenant_id": 3, "name": "Acme" }), json!({ "tenant_id": 4 })]
            .into_iter()
            .filter_map(|tenant| tenant.as_object().cloned())
            .collect();
        let message = String::new;
        let what = || "GET statuses".to_owned();
        let cases = [
            (ApiError::Unauthorized { message: message(), key_origin: None }, &[][..], "key"),
            (ApiError::Forbidden { what: what(), status: 403, message: message() }, &[], "key"),
            (ApiError::Forbidden { what: what(), status: 403, message: message() }, &tenants, "tenant"),
            (ApiError::Tenant { status: 422, message: message() }, &[], "tenant"),
            (ApiError::Tenant { status: 422, message: message() }, &tenants, "tenant"),
            (ApiError::Refused { what: what(), status: 400, message: message() }, &[], "service"),
            (ApiError::Blocked { status: 403, request_id: None }, &[], "service"),
            (ApiError::Unreachable { host: what(), cause: message() }, &[], "service"),
        ];
        for (error, tenants, blamed) in cases {
            let checks = ill(&settings(), &client(), &error, tenants);
            let failed: Vec<_> = checks.iter().filter(|check| check.verdict == CheckState::Fail).collect();
            assert_eq!(failed.iter().map(|check| check.name).collect::<Vec<_>>(), [blamed], "{error:?}");
            assert_eq!(exit(&checks), Exit::Refused);
            if !tenants.is_empty() {
                assert_eq!(failed[0].hint.as_deref(), Some("give one of them with `--tenant`: 3 (`Acme`), 4"));
            }
        }
    }

    #[test]
    fn without_a_key_nothing_is_sent() {
        let checks = examine(&Settings { key: None, ..settings() }).unwrap();
        let expected = [("config", CheckState::Ok), ("state", CheckState::Ok), ("key", CheckState::Fail)];
        assert_eq!((verdicts(&checks).as_slice(), exit(&checks)), (&expected[..], Exit::Usage));
        assert!(!settings().state_dir.value.exists(), "looking leaves nothing behind");
    }

    #[test]
    fn a_base_link_in_the_clear_is_a_matter_of_configuration() {
        let base_url = by_default(Url::parse("http://x.example/api/v1").unwrap());
        let checks = examine(&Settings { base_url, ..settings() }).unwrap();
        assert_eq!((verdicts(&checks).last(), exit(&checks)), (Some(&("service", CheckState::Fail)), Exit::Usage));
    }

    #[test]
    fn a_count_that_cannot_be_kept_is_told_and_the_rest_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("quota"), "in the way").unwrap();
        let base_url = by_default(Url::parse("http://127.0.0.1:9/api/v1").unwrap());
        let settings = Settings { base_url, state_dir: by_default(folder.path().to_owned()), ..settings() };
        let error = settings.connect().now_or_never().unwrap().unwrap_err();
        assert!(error.kind() == ErrorKind::Usage && error.hint().is_some());
        let checks = examine(&settings).unwrap();
        let expected = [
            ("config", CheckState::Ok),
            ("state", CheckState::Ok),
            ("ledger", CheckState::Fail),
            ("key", CheckState::Ok),
            ("service", CheckState::Fail),
        ];
        assert_eq!((verdicts(&checks).as_slice(), exit(&checks)), (&expected[..], Exit::Usage));
        assert!(checks[2].hint.as_deref().unwrap().contains("TALLYPORT_HOME"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_a_warning() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let origin = Origin::ProfileFile { profile: "acme".to_owned(), path: file.path().to_owned() };
        let settings = Settings { key: Some(WithOrigin { value: secret(), origin }), ..settings() };
        for (mode, verdict) in [(0o600, CheckState::Ok), (0o644, CheckState::Warn)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(key(&settings).verdict, verdict);
        }
    }

    #[test]
    fn scripts_read_one_document() {
        let checks = [Check::ok("clock", "as the service's"), Check::unset("key", &SettingsError::KeyMissing)];
        let document: Value = serde_json::from_str(&json(&checks)).unwrap();
        assert_eq!(
            document["checks"][0],
            json!({ "name": "clock", "verdict": "ok", "detail": "as the service's", "hint": null })
        );
        assert_eq!(document["checks"][1]["verdict"], "fail");
    }
}
