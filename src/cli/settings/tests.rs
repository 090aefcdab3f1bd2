use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Parser;
use futures::FutureExt;
use tempfile::TempDir;

use super::environment::Environment;
use super::{Origin, Settings, SettingsError, TargetAccount, WithOrigin, check_flags, parse_quota};
use crate::api::CustomFieldsEncoding;
use crate::cli::args::{Cli, Global};
use crate::error::Diagnostic;

/// A machine for one test: variables, a config.toml and a key store.
struct Machine {
    folder: TempDir,
    variables: HashMap<String, String>,
    key_store: HashMap<(String, String), String>,
    key_store_fails: Option<&'static str>,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, variables: HashMap::new(), key_store: HashMap::new(), key_store_fails: None }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn config(self, text: &str) -> Self {
        self.file("config.toml", text)
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).expect("a file");
        self
    }

    fn stores_key(mut self, service: &str, user: &str, key: &str) -> Self {
        self.key_store.insert((service.to_owned(), user.to_owned()), key.to_owned());
        self
    }

    fn key_store_fails(mut self) -> Self {
        self.key_store_fails = Some("no bus");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `flags` mean here. Of the environment, the command line sees what it reads itself.
    fn resolve(&self, flags: &str) -> Result<Settings, SettingsError> {
        let mut global = global(flags);
        let variable = |name: &str| self.variables.get(name).cloned();
        global.base_url = global.base_url.or_else(|| variable("BLUETALLY_BASE_URL"));
        global.tenant = global.tenant.or_else(|| variable("BLUETALLY_TENANT_ID"));
        let (variables, keys, fails) = (self.variables.clone(), self.key_store.clone(), self.key_store_fails);
        let here = Environment {
            variable: Box::new(move |name| variables.get(name).cloned()),
            config_file: Some(self.path("config.toml")),
            state_home: Some(self.path("state")),
            key_store: Box::new(move |service, user| match fails {
                Some(cause) => Err(cause.to_owned()),
                None => Ok(keys.get(&(service.to_owned(), user.to_owned())).cloned()),
            }),
        };
        Settings::resolve_in(&global, &here)
    }

    fn settings(&self, flags: &str) -> Settings {
        self.resolve(flags).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self, flags: &str) -> SettingsError {
        self.resolve(flags).expect_err("an error")
    }
}

fn global(flags: &str) -> Global {
    let words = ["tallyport", "doctor"].into_iter().chain(flags.split_whitespace());
    let mut global = Cli::parse_from(words).global;
    // The machine that runs the tests may have these set.
    if !flags.contains("--base-url") {
        global.base_url = None;
    }
    if !flags.contains("--tenant") {
        global.tenant = None;
    }
    global
}

fn variable(name: &'static str) -> Origin {
    Origin::Variable(name)
}

fn profile(name: &str) -> Origin {
    Origin::Profile(name.to_owned())
}

const FULL: &str = r#"
default_profile = "acme"

[profiles.acme]
base_url = "https://acme.example/api/v1"
tenant = 7
quota = 600
concurrency = 3
api_key = "acme-key"
custom_fields_encoding = "array"

[profiles.other]
api_key_file = "other.key"

[profiles.stored]
keyring = "vault"
"#;

#[test]
fn defaults_are_the_documented_ones() {
    let settings = Machine::new().settings("");
    assert_eq!(settings.base_url.value.as_str(), "https://app.bluetallyapp.com/api/v1");
    assert_eq!((settings.quota.value, settings.concurrency.value), (Some(10_000), 8));
    assert_eq!((settings.tenant, settings.profile), (None, None));
    assert!(settings.key.is_none());
    let origins =
        [settings.base_url.origin, settings.quota.origin, settings.concurrency.origin, settings.state_dir.origin];
    assert_eq!(origins, [const { Origin::Default }; 4]);
}

#[test]
fn flags_beat_variables_beat_profile_beats_default() {
    let machine = Machine::new().config(FULL).file("other.key", "k");
    let settings = machine.settings("");
    assert_eq!(
        (settings.base_url.value.as_str(), &settings.base_url.origin),
        ("https://acme.example/api/v1", &profile("acme"))
    );
    assert_eq!(settings.tenant, Some(WithOrigin::new(7, profile("acme"))));
    assert_eq!(settings.quota, WithOrigin::new(Some(600), profile("acme")));
    assert_eq!(settings.concurrency, WithOrigin::new(3, profile("acme")));
    assert_eq!(settings.custom_fields, WithOrigin::new(CustomFieldsEncoding::Array, profile("acme")));

    let machine = machine
        .variable("BLUETALLY_BASE_URL", "https://v.example")
        .variable("BLUETALLY_API_KEY", "v-key")
        .variable("BLUETALLY_TENANT_ID", "8");
    let settings = machine.settings("");
    assert_eq!(
        (settings.base_url.value.as_str(), settings.base_url.origin),
        ("https://v.example/", variable("BLUETALLY_BASE_URL"))
    );
    assert_eq!(settings.tenant, Some(WithOrigin::new(8, variable("BLUETALLY_TENANT_ID"))));

    let settings =
        machine.settings("--base-url https://f.example --tenant 9 --quota none --concurrency 64 --profile other");
    assert_eq!(
        (settings.base_url.value.as_str(), settings.base_url.origin),
        ("https://f.example/", Origin::Flag("--base-url"))
    );
    assert_eq!(settings.tenant, Some(WithOrigin::new(9, Origin::Flag("--tenant"))));
    assert_eq!(settings.quota, WithOrigin::new(None, Origin::Flag("--quota")));
    assert_eq!(settings.concurrency, WithOrigin::new(64, Origin::Flag("--concurrency")));
    assert_eq!(settings.profile.as_deref(), Some("other"));
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let machine = Machine::new()
        .variable("BLUETALLY_BASE_URL", "")
        .variable("BLUETALLY_API_KEY", "")
        .variable("BLUETALLY_TENANT_ID", " ");
    let settings = machine.settings("");
    assert_eq!((settings.base_url.origin, settings.key.is_none()), (Origin::Default, true));
    assert_eq!(settings.tenant, None);
    assert_eq!(machine.config(FULL).settings("").tenant, Some(WithOrigin::new(7, profile("acme"))));
}

#[test]
fn flags_are_checked_where_they_are_of_no_use_too() {
    for (flags, message) in [
        ("--quota foo", "invalid quota `foo` (from --quota)"),
        ("--concurrency 65", "invalid concurrency 65 (from --concurrency)"),
        ("--tenant=", "invalid tenant `` (from --tenant)"),
        ("--tenant north", "invalid tenant `north` (from --tenant)"),
        ("--base-url x.example", "invalid URL `x.example` (from --base-url): relative URL without a base"),
        ("--sandbox --base-url https://x.example", "--sandbox cannot be used with --base-url"),
        ("--sandbox=a.db --api-key-file a.key", "--sandbox cannot be used with --api-key-file"),
        ("--profile acme --sandbox", "--sandbox cannot be used with --profile"),
    ] {
        assert_eq!(check_flags(&global(flags)).unwrap_err().to_string(), message);
    }
    check_flags(&global("--quota 600 --tenant 7")).unwrap();
    check_flags(&global("--sandbox=a.db --tenant 7 --quota 600")).unwrap();
}

/// The key as anyone may see it, and where it came from.
fn key_origin(settings: Settings) -> Origin {
    settings.key.expect("a key").origin
}

#[test]
fn the_key_is_looked_for_in_order() {
    let machine = Machine::new()
        .config(FULL)
        .file("flag.key", "flag-key\n")
        .file("other.key", "\u{feff}other-key\r\n")
        .stores_key("tallyport", "default", "default-key")
        .stores_key("vault", "stored", "vault-key");
    let path = machine.path("flag.key").display().to_string();
    assert_eq!(key_origin(machine.settings("")), profile("acme"));
    let file = Origin::ProfileFile { profile: "other".to_owned(), path: machine.path("other.key") };
    assert_eq!(key_origin(machine.settings("--profile other")), file);
    let store = |service: &str, user: &str| Origin::KeyStore { service: service.to_owned(), user: user.to_owned() };
    assert_eq!(key_origin(machine.settings("--profile stored")), store("vault", "stored"));

    let machine = machine.variable("BLUETALLY_API_KEY", "v-key");
    assert_eq!(key_origin(machine.settings("--profile other")), variable("BLUETALLY_API_KEY"));
    assert_eq!(key_origin(machine.settings(&format!("--api-key-file {path}"))), Origin::Flag("--api-key-file"));

    let bare = Machine::new().stores_key("tallyport", "default", "default-key");
    assert_eq!(key_origin(bare.settings("")), store("tallyport", "default"));
}

/// The base URL and the key's origin, or the error.
fn pair(machine: &Machine, flags: &str) -> Result<(String, Origin), String> {
    let settings = machine.resolve(flags).map_err(|error| error.to_string())?;
    Ok((settings.base_url.value.to_string(), settings.key.expect("a key").origin))
}

#[test]
fn a_key_goes_only_to_the_base_url_it_was_configured_for() {
    const PROFILES: &str = "[profiles.whole]\nbase_url = \"https://b.example/api\"\napi_key = \"b-key\"\n\
                            [profiles.link]\nbase_url = \"https://b.example/api\"\n\
                            [profiles.official]\nbase_url = \"https://app.bluetallyapp.com/api/v1/\"\n\
                            [profiles.key]\napi_key = \"b-key\"\n";
    let b = || String::from("https://b.example/api");
    let key = || variable("BLUETALLY_API_KEY");
    let machine = Machine::new().config(PROFILES).variable("BLUETALLY_API_KEY", "v-key");
    assert_eq!(pair(&machine, "--profile whole"), Ok((b(), profile("whole"))));
    let error = machine.error("--profile link");
    assert_eq!(
        error.to_string(),
        "the API key from BLUETALLY_API_KEY is for the default base URL, not for `https://b.example/api` from profile \
         `link`"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("api_key_file") && hint.contains("--base-url")));
    assert_eq!(pair(&machine, "--profile link --base-url https://b.example/api"), Ok((b(), key())));
    assert!(pair(&machine, "--profile official").is_ok(), "the same place as by default");
    assert!(pair(&machine, "--profile key").is_ok_and(|(_, origin)| origin == key()), "the environment comes first");

    let both = Machine::new().config(PROFILES).variable("BLUETALLY_API_KEY", "v-key");
    let both = both.variable("BLUETALLY_BASE_URL", "https://v.example/api");
    assert_eq!(pair(&both, "--profile whole"), Ok((b(), profile("whole"))), "as a whole");
    assert_eq!(pair(&both, "--profile link"), Ok((String::from("https://v.example/api"), key())));
}

#[test]
fn a_default_profile_does_not_mix_with_the_environment() {
    let machine = Machine::new().config(FULL).variable("BLUETALLY_API_KEY", "v-key");
    assert!(matches!(machine.error(""), SettingsError::KeyOfAnotherUrl(_)));
    let same = machine.variable("BLUETALLY_BASE_URL", "https://acme.example/api/v1/");
    assert_eq!(key_origin(same.settings("")), variable("BLUETALLY_API_KEY"));
    let elsewhere = Machine::new().config(FULL).variable("BLUETALLY_BASE_URL", "http://ada:secret@127.0.0.1:1/api");
    let error = elsewhere.error("");
    assert_eq!(
        error.to_string(),
        "the API key from profile `acme` is for `https://acme.example/api/v1`, not for `http://***@127.0.0.1:1/api` from \
         BLUETALLY_BASE_URL"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("unset BLUETALLY_BASE_URL")));
}

#[test]
fn the_key_store_fails_quietly_unless_it_was_asked_for() {
    let machine = Machine::new().config(FULL).key_store_fails();
    assert!(Machine::new().key_store_fails().settings("").key.is_none());
    let error = machine.error("--profile stored");
    assert_eq!(
        error.to_string(),
        "could not read the API key from the key store (service `vault`, user `stored`): no bus"
    );
    let empty = Machine::new().config(FULL);
    assert!(matches!(empty.error("--profile stored"), SettingsError::KeyStore { .. }));
}

#[test]
fn what_cannot_be_used_says_so_and_where_it_came_from() {
    let machine = Machine::new()
        .config("[profiles.a]\nquota = \"many\"\n[profiles.b]\nconcurrency = 65\n[profiles.c]\nbase_url = \"x.example\"\n[profiles.d]\napi_key = \"k\"\nkeyring = \"s\"\n")
        .variable("BLUETALLY_API_KEY", "two keys");
    let cases = [
        ("--quota 0", "invalid quota `0` (from --quota)"),
        ("--quota 10000/s", "invalid quota `10000/s` (from --quota)"),
        ("--profile a", "invalid quota `many` (from profile `a`)"),
        ("--profile b", "invalid concurrency 65 (from profile `b`)"),
        ("--concurrency 0", "invalid concurrency 0 (from --concurrency)"),
        ("--profile c", "invalid URL `x.example` (from profile `c`): relative URL without a base"),
        ("--base-url data:x", "invalid URL `data:x` (from --base-url): it names no host"),
        ("", "the API key contains an invalid character at position 4 (from 1) (from BLUETALLY_API_KEY)"),
    ];
    for (flags, message) in cases {
        let error = machine.error(flags);
        assert_eq!(error.to_string(), message);
        assert!(error.hint().is_some());
    }
    let wrong = Machine::new().variable("BLUETALLY_TENANT_ID", "foo").error("");
    assert_eq!(wrong.to_string(), "invalid tenant `foo` (from BLUETALLY_TENANT_ID)");
    let error = machine.error("--profile e");
    assert!(error.to_string().starts_with("there is no profile `e` in `"), "{error}");
    assert_eq!(error.hint().as_deref(), Some("use one of `a`, `b`, `c`, `d`"));
    let keyless = Machine::new().config("[profiles.d]\napi_key = \"k\"\nkeyring = \"s\"\n");
    assert_eq!(
        keyless.error("--profile d").to_string(),
        "profile `d` gives the API key in more than one way: api_key, keyring"
    );
    let missing = keyless.path("none.key");
    let error = keyless.error(&format!("--api-key-file {}", missing.display()));
    assert!(matches!(error, SettingsError::KeyFile { path, .. } if path == missing));
}

#[test]
fn with_the_sandbox_only_flags_count() {
    let machine = Machine::new()
        .config("this is no toml")
        .variable("BLUETALLY_TENANT_ID", "8")
        .variable("BLUETALLY_API_KEY", "two keys");
    let settings = machine.settings("--sandbox");
    assert_eq!(settings.account, TargetAccount::Sandbox(None));
    assert_eq!((settings.quota, settings.tenant), (WithOrigin::new(None, Origin::Sandbox), None));
    let settings = machine.settings("--sandbox=practice.db --quota 600/h --tenant 3");
    assert_eq!(settings.account, TargetAccount::Sandbox(Some("practice.db".into())));
    assert_eq!(settings.quota.value, Some(600));
    assert_eq!(settings.tenant, Some(WithOrigin::new(3, Origin::Flag("--tenant"))));
}

#[test]
fn the_state_folder_can_be_moved() {
    let machine = Machine::new();
    assert_eq!(machine.settings("").state_dir.value, machine.path("state"));
    let moved = Machine::new().variable("TALLYPORT_HOME", "elsewhere").settings("").state_dir;
    assert_eq!((moved.value.as_path(), moved.origin), (Path::new("elsewhere"), variable("TALLYPORT_HOME")));
}

#[test]
fn without_a_key_the_service_is_not_even_asked() {
    let error = Machine::new().settings("").connect().now_or_never().unwrap().expect_err("no key");
    assert_eq!(error.to_string(), "no API key is set");
    let hint = error.hint().unwrap_or_default();
    for way in ["BLUETALLY_API_KEY", "--api-key-file", "config.toml", "--sandbox"] {
        assert!(hint.contains(way), "{hint}");
    }
}

#[test]
fn a_base_link_without_encryption_is_refused() {
    let machine = Machine::new().variable("BLUETALLY_API_KEY", "k");
    let error =
        machine.settings("--base-url http://x.example").connect().now_or_never().unwrap().expect_err("insecure");
    assert_eq!(error.to_string(), "refusing to send the API key to `http://x.example/` without encryption");
    assert!(machine.settings("--base-url http://localhost:1/api").connect().now_or_never().unwrap().is_ok());
}

#[test]
fn quotas_are_read_as_written() {
    let cases = [
        ("10000", Some(Some(10_000))),
        (" 600/h ", Some(Some(600))),
        ("600 /hour", Some(Some(600))),
        ("None", Some(None)),
        ("0", None),
        ("-5", None),
        ("", None),
        ("/h", None),
        ("1e4", None),
        ("99999999999", None),
    ];
    for (text, quota) in cases {
        assert_eq!(parse_quota(text), quota, "{text:?}");
    }
}
