//! No file or output of any command contains the API key or a password.

use std::fs;
use std::path::Path;

use tallyport::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;

use crate::harness::{CliTest, CommandOutput, tallyport};

/// A text that appears nowhere else.
const KEY: &str = "btk_q7Xw93LmZp0RtY5e";
const PASSWORD: &str = "correct-horse-battery";

/// The files below a folder that contain one of the words.
fn holding(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(holding(&entry.path(), word));
        } else if contains(&fs::read(entry.path()).unwrap(), word) {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Columns of secrets in many languages and spellings, beside ordinary ones.
const SECRET_HEADERS: [&str; 24] = [
    "Passwords", "pwd", "Kennwort", "contraseña", "senha", "wachtwoord", "lösenord", "hasło", "пароль", "Passphrase",
    "Secret", "API Token", "API Key", "BitLocker Key (ID 1)", "WiFi Key", "custom:Mot de passe", "user_password",
    "[SIM PIN]", "初期パスワード", "비밀번호", "Unlock code", "PrivateKey", "salasana", "Start-Passwort (einmalig)",
];

#[test]
fn columns_of_secrets_are_neither_read_nor_copied() {
    let account = CliTest::new();
    let header = SECRET_HEADERS.map(|header| format!(",{header}")).concat();
    let values = PASSWORD.to_owned() + &format!(",{PASSWORD}").repeat(SECRET_HEADERS.len() - 1);
    let rows: String = ["ada@example.com", "not an address"].map(|mail| format!("Ada,{mail},{values}\n")).concat();
    let account = account.sheet("employees.csv", &format!("name,email{header}\n{rows}"));
    for arguments in [
        &["check", "employees.csv", "--result", "checked.csv", "-vvv"][..],
        &["check", "employees.csv", "--json"],
        &["import", "employees.csv", "--result", "r.csv", "-vvv"],
        &["import", "employees.csv", "--json", "--log-format", "json", "-vvv"],
        &["runs", "--json"],
    ] {
        let ran = account.run(arguments);
        assert!(!ran.text().contains(PASSWORD), "{arguments:?}: {}", ran.text());
    }
    let found = holding(account.folder(), PASSWORD);
    assert!(found.iter().all(|path| path.ends_with("employees.csv")), "{found:?}");
    let told = account.run(&["check", "employees.csv"]).stdout;
    assert!(told.contains("looks like passwords") || told.contains("neither read nor copied"), "{told}");
}

#[test]
fn no_option_makes_a_column_of_secrets_one_to_read() {
    let sheet = format!("name,email,Unlock code,Notes\nAda,ada@example.com,{PASSWORD},x\n");
    let account = CliTest::new()
        .sheet("employees.csv", &sheet)
        .sheet("plain.toml", "[employees]\n\"Unlock code\" = \"notes\"\n")
        .sheet("rule.toml", "[employees.fields.notes]\nfirst_of = [\"Unlock code\", \"Notes\"]\n");
    let skip = format!("Unlock code={PASSWORD}");
    for option in [
        ["--map", "Unlock code=custom:Unlock code"],
        ["--map", "UNLOCK CODE=notes"],
        ["--map", "Unlock code|Notes=notes"],
        ["--map", "{Notes} {Unlock code}=notes"],
        ["--mapping", "plain.toml"],
        ["--mapping", "rule.toml"],
        ["--skip-where", &skip],
    ] {
        let refused = account.run(&["import", "employees.csv", option[0], option[1]]);
        assert_eq!(refused.code, 2, "{option:?}: {}", refused.text());
        assert!(refused.stderr.contains("looks like passwords, which are never read"), "{}", refused.stderr);
    }
    assert!(account.records("employees").is_empty());
    let state = holding(account.folder(), PASSWORD);
    assert!(state.iter().all(|path| path.ends_with("employees.csv")), "{state:?}");
}

#[test]
fn no_file_or_output_contains_the_key_or_a_password() {
    let sandbox = Sandbox::start(SandboxOptions { api_key: KEY.into(), ..SandboxOptions::default() }).unwrap();
    let folder = TempDir::new().unwrap();
    let sheet = format!(
        "name,email,password\nAda Byron,ada@example.com,{PASSWORD}\nBob,not an address,{PASSWORD}\nEve,eve@example.com,x\n"
    );
    fs::write(folder.path().join("employees.csv"), sheet).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = tallyport(folder.path(), arguments);
        command.env("BLUETALLY_BASE_URL", sandbox.base_url()).env("BLUETALLY_API_KEY", KEY);
        CommandOutput::run(command)
    };
    for arguments in [
        &["import", "employees.csv", "-vv"][..],
        &["import", "employees.result.xlsx", "--only-failed", "--json", "-vv"],
        &["runs", "-vv"],
        &["runs", "--json"],
        &["undo", "--last", "--yes", "--json", "-vv"],
        &["resume", "--last", "-vv"],
        &["doctor", "-vv"],
        &["runs", "prune", "--older-than", "90d", "-vv"],
    ] {
        let ran = run(arguments);
        assert_ne!(ran.code, 5, "{arguments:?}: {}", ran.text());
        for word in [KEY, PASSWORD] {
            assert!(!ran.text().contains(word), "{arguments:?} says {word}:\n{}", ran.text());
        }
    }
    assert_eq!(holding(folder.path(), KEY), Vec::<String>::new());
    let with_password = holding(folder.path(), PASSWORD);
    assert!(with_password.iter().all(|path| path.ends_with("employees.csv")), "{with_password:?}");
    assert!(folder.path().join("state/runs").is_dir() && folder.path().join("state/quota").is_dir());
}
