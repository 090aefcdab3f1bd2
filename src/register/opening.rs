//! Whether an earlier register may be an opening: it is of this account, and it is as it was written.
//!
//! Its manifest says both. Without one, the sheet `Summary` of a workbook names the account; a CSV file alone names
//! none, and is taken as it is.
//!
//! A spreadsheet program that only saves a workbook again changes its bytes. So the manifest also has a digest of what a
//! roll-forward takes from the rows: with the same rows the file is accepted, with a warning. Any other difference is an
//! edit, and refused.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use ring::digest::{Context, SHA256};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::currency::rounded;
use super::error::{PreviousProblem, RegisterError};
use super::manifest::{FOLDER_MANIFEST, FileFacts, RegisterAccount, beside};
use super::previous::{PreviousRegister, RegisterEntry, SUMMARY_SHEET};
use super::totals::NONE;
use crate::table::{FileKind, Input, ReadOptions, Workbook};

/// The label beside the name of the account on the sheet `Summary`.
const ACCOUNT_LABEL: &str = "Account";

/// The file that a register was rolled forward from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) file: FileFacts,
    /// Whether its bytes are not those that were written, though its rows are.
    pub(super) is_saved_again: bool,
}

/// What an earlier manifest says of its register.
#[derive(Debug, Deserialize)]
pub(super) struct EarlierManifest {
    account: RegisterAccount,
    files: Vec<FileFacts>,
    #[serde(default)]
    rows_sha256: Option<String>,
    #[serde(skip)]
    name: String,
}

impl Opening {
    /// Reads the register at `path`, to be rolled forward to `present` for this account.
    ///
    /// # Errors
    /// A register of another account or tenant, one that was edited, and what [`PreviousRegister::read`] refuses.
    pub(super) fn read(
        path: &Path,
        account: &RegisterAccount,
        present: Date,
    ) -> Result<(Self, PreviousRegister), RegisterError> {
        let wrong = |problem| RegisterError::Previous { file: path.to_owned(), problem };
        let manifest = EarlierManifest::of(path).map_err(wrong)?;
        let named = match &manifest {
            Some((manifest, _)) => Some(manifest.account.clone()),
            None => account_on_summary(path)?,
        };
        if let Some(named) = named.filter(|named| !named.is_same(account)) {
            return Err(wrong(PreviousProblem::OtherAccount { named: named.shown(), account: account.shown() }));
        }
        let previous = PreviousRegister::read(path, present)?;
        let unreadable = |error: std::io::Error| wrong(PreviousProblem::Unreadable { reason: error.to_string() });
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = File::open(path).and_then(|file| FileFacts::read(name, &file)).map_err(unreadable)?;
        let is_saved_again = manifest.as_ref().is_some_and(|(_, written)| written.sha256 != file.sha256);
        if let (true, Some((manifest, _))) = (is_saved_again, manifest) {
            let rows = rows_digest(previous.as_of, previous.entries.values());
            if manifest.rows_sha256.as_ref() != Some(&rows) {
                return Err(wrong(PreviousProblem::Edited { manifest: manifest.name }));
            }
        }
        Ok((Self { file, is_saved_again }, previous))
    }
}

impl EarlierManifest {
    /// Where the manifest of the register at `path` is, if it has one.
    pub(super) fn path_of(path: &Path) -> Option<PathBuf> {
        let own = beside(path);
        if own.exists() {
            return Some(own);
        }
        Self::of(path).ok().flatten().map(|_| path.with_file_name(FOLDER_MANIFEST))
    }

    /// The manifest beside a register, and what it says of the file; `None` without a manifest.
    fn of(path: &Path) -> Result<Option<(Self, FileFacts)>, PreviousProblem> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let own = beside(path);
        if own.exists() {
            let manifest = Self::read(&own)?;
            // Both may have been renamed together. The register is the first of the files.
            let written = manifest.files.iter().find(|file| file.name == name).or(manifest.files.first()).cloned();
            let empty = || manifest.unreadable("it lists no file");
            return written.ok_or_else(empty).map(|written| Some((manifest, written)));
        }
        // Other programs have files of that name too.
        let Ok(manifest) = Self::read(&path.with_file_name(FOLDER_MANIFEST)) else { return Ok(None) };
        let written = manifest.files.iter().find(|file| file.name == name).cloned();
        Ok(written.map(|written| (manifest, written)))
    }

    fn read(path: &Path) -> Result<Self, PreviousProblem> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let unreadable = |reason: String| PreviousProblem::Manifest { name: name.clone(), reason };
        let text = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { name, ..manifest })
    }

    fn unreadable(&self, reason: &str) -> PreviousProblem {
        PreviousProblem::Manifest { name: self.name.clone(), reason: reason.to_owned() }
    }
}

/// The account that the sheet `Summary` of a workbook names.
fn account_on_summary(path: &Path) -> Result<Option<RegisterAccount>, RegisterError> {
    let mut book = Workbook::open(&Input::Path(path.to_owned()), &ReadOptions::default())?;
    if book.kind() == FileKind::Csv {
        return Ok(None);
    }
    let summary = book.sheets().iter().position(|sheet| sheet.name.as_deref() == Some(SUMMARY_SHEET));
    let Some(summary) = summary else { return Ok(None) };
    let mut named = None;
    book.each_row(summary, &mut |row| {
        if row.cell(0).text.trim() != ACCOUNT_LABEL {
            return ControlFlow::Continue(());
        }
        named = Some(RegisterAccount::of_shown(row.cell(1).text.trim()));
        ControlFlow::Break(())
    })?;
    Ok(named)
}

/// A digest of what a roll-forward takes from the lines of a register: item, state, currency, category and amounts.
///
/// A line gives the same digest whether it comes from the account, a workbook or a CSV file. Of categories only letters
/// and digits count: files escape other characters.
pub(super) fn rows_digest<'e>(as_of: Option<Date>, entries: impl IntoIterator<Item = &'e RegisterEntry>) -> String {
    let mut sorted: Vec<&RegisterEntry> = entries.into_iter().collect();
    sorted.sort_unstable_by_key(|entry| (entry.kind, entry.id));
    let mut context = Context::new(&SHA256);
    if let Some(as_of) = as_of.filter(|_| !sorted.is_empty()) {
        context.update(format!("{as_of}\n").as_bytes());
    }
    let amount = |amount: Option<Decimal>| amount.map(|amount| rounded(amount, 8).normalize().to_string());
    for entry in sorted {
        let category = if entry.category == NONE { "" } else { &entry.category };
        let line = [
            entry.kind.name().to_owned(),
            entry.id.to_string(),
            entry.state.name().to_owned(),
            entry.currency.code.to_string(),
            category.chars().filter(|char| char.is_alphanumeric()).collect(),
            amount(entry.cost).unwrap_or_default(),
            amount(entry.accumulated).unwrap_or_default(),
            amount(entry.book_value).unwrap_or_default(),
        ];
        context.update(format!("{}\n", line.join("\t")).as_bytes());
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::path::PathBuf;

    use jiff::civil::date;

    use super::super::content::{RegisterOptions, RegisterTarget};
    use super::super::item::{ItemKind, MissingFigure, RegisterItem};
    use super::super::samples;
    use super::super::write::write;
    use super::*;

    fn account(tenant: &str) -> RegisterAccount {
        RegisterAccount::new("https://api.example.com/api/v1", Some(tenant.to_owned()))
    }

    /// Writes a register into a folder.
    fn written(target: RegisterTarget) {
        let items = [
            samples::item(1),
            RegisterItem { category: "=R&D, \"x\"".into(), cost: Ok(Decimal::new(12_345_678, 3)), ..samples::item(2) },
            RegisterItem { cost: Err(MissingFigure::CostMissing), category: NONE.into(), ..samples::item(3) },
        ];
        written_of(items.to_vec(), target);
    }

    fn written_of(items: Vec<RegisterItem>, target: RegisterTarget) {
        let options = RegisterOptions {
            as_of: date(2025, 1, 31),
            rates: None,
            previous: None,
            target,
            account: account("4"),
            generated_at: "2025-01-31T06:00:00Z".parse().unwrap(),
            losses: Vec::new(),
            list: None,
        };
        write(items, &options).unwrap();
    }

    fn read(path: &Path, account: &RegisterAccount) -> Result<Opening, String> {
        let read = Opening::read(path, account, date(2025, 12, 31));
        read.map(|(opening, _)| opening).map_err(|error| error.to_string())
    }

    #[test]
    fn a_register_of_another_account_is_refused_wherever_it_names_its_account() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        written(RegisterTarget::Folder(at("r")));
        written(RegisterTarget::Xlsx(at("one.xlsx")));
        let other = RegisterAccount::new("https://api.example.com/api/v1", None);
        let paths: [PathBuf; 3] = [at("r/register.xlsx"), at("r/register.csv"), at("one.xlsx")];
        for path in &paths {
            assert!(!read(path, &account("4")).unwrap().is_saved_again);
            for wrong in [&account("7"), &other] {
                let error = read(path, wrong).unwrap_err();
                assert!(error.contains("is of https://api.example.com/api/v1, tenant 4"), "{error}");
            }
        }
        // Without a manifest the workbook itself names the account, and a CSV file names none.
        for path in &paths[..2] {
            let alone = at("alone").with_extension(path.extension().unwrap());
            fs::copy(path, &alone).unwrap();
            assert_eq!(read(&alone, &account("7")).is_err(), path.extension().unwrap() == "xlsx");
            read(&alone, &account("4")).unwrap();
        }
    }

    #[test]
    fn an_account_is_known_by_what_earlier_versions_wrote() {
        let link = "https://api.example.com/api/v1";
        for text in [",%20tenant%204", ", tenant 4", ""] {
            let earlier = RegisterAccount { base_url: format!("{link}{text}"), tenant: Some(String::from("4")) };
            assert!(earlier.is_same(&account("4")) && !earlier.is_same(&account("7")), "{text}");
            assert!(RegisterAccount::of_shown(&format!("{link}{text}, tenant 4")).is_same(&account("4")), "{text}");
        }
        let sandbox = RegisterAccount::of_shown("the sandbox /a/b.db");
        assert_eq!((&*sandbox.base_url, &sandbox.tenant), ("the sandbox /a/b.db", &None));
    }

    #[test]
    fn an_edit_is_refused_and_saving_again_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.csv");
        written(RegisterTarget::Csv(path.clone()));
        let text = fs::read_to_string(&path).unwrap();
        // As a spreadsheet program writes it.
        fs::write(&path, text.replace("\r\n", "\n").replace(',', ";")).unwrap();
        assert!(read(&path, &account("4")).unwrap().is_saved_again);
        let first = text.lines().nth(1).unwrap();
        let edits = [
            // An item less, one more, another category, and amounts that agree with each other.
            text.replace(&format!("{first}\r\n"), ""),
            format!("{text}{}\r\n", first.replace("asset,1,", "asset,9,")),
            text.replace("Laptops,Finance", "Desks,Finance"),
            text.replace("1000.00,", "2000.00,").replace("666.67", "1666.67"),
        ];
        for edited in edits {
            assert_ne!(edited, text);
            fs::write(&path, edited).unwrap();
            let error = read(&path, &account("4")).unwrap_err();
            assert!(
                error.ends_with("it was edited: its rows do not have the digest in `r.csv.manifest.json`"),
                "{error}"
            );
        }
        fs::write(folder.path().join("r.csv.manifest.json"), "{").unwrap();
        assert!(read(&path, &account("4")).unwrap_err().contains("cannot read its manifest `r.csv.manifest.json`"));
    }

    #[test]
    fn a_category_that_looks_escaped_is_the_same_in_a_workbook_and_a_csv_file() {
        let folder = tempfile::tempdir().unwrap();
        let categories = ["=x", "'=x", "''=x", "'quoted'", "plain"];
        let item = |(id, category): (i64, &str)| RegisterItem { category: category.into(), ..samples::item(id) };
        written_of((1..).zip(categories).map(item).collect(), RegisterTarget::Folder(folder.path().to_owned()));
        for name in ["register.csv", "register.xlsx"] {
            let previous = PreviousRegister::read(&folder.path().join(name), date(2025, 12, 31)).unwrap();
            let read = [1, 2, 3, 4, 5].map(|id| previous.entries[&(ItemKind::Asset, id)].category.clone());
            assert_eq!(read, categories, "{name}");
        }
    }

    #[test]
    fn a_workbook_and_a_csv_file_have_the_digest_of_the_lines() {
        let folder = tempfile::tempdir().unwrap();
        written(RegisterTarget::Folder(folder.path().to_owned()));
        let (manifest, _) = EarlierManifest::of(&folder.path().join("register.csv")).unwrap().unwrap();
        for name in ["register.csv", "register.xlsx"] {
            let previous = PreviousRegister::read(&folder.path().join(name), date(2025, 12, 31)).unwrap();
            let digest = rows_digest(previous.as_of, previous.entries.values());
            assert_eq!(Some(digest), manifest.rows_sha256, "{name}");
        }
    }
}
