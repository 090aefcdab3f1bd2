//! The backup that a delete makes first.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::result_path::require_xlsx;
use crate::account::Account;
use crate::catalog::{Catalog, LookupRequest, Record};
use crate::error::{Diagnostic, Error, ErrorKind, Result};
use crate::export::{Backup, BackupError, ReferenceNames, collections_referenced_by};
use crate::observer::Observer;
use crate::run::prepare::{report_waits, unless_interrupted};
use crate::schema::{Deletion, Entity, Role};
use crate::shutdown::ShutdownSignal;
use crate::table::Input;
use crate::wording::thousands;

/// A backup that is begun and not written.
pub(super) struct PendingBackup {
    entity: &'static Entity,
    file: Backup,
    /// Whether nobody has to be asked.
    is_confirmed: bool,
}

impl PendingBackup {
    /// Begins the file, over nothing that is there; `result` is where the result of the run goes.
    pub(super) fn create(path: PathBuf, entity: &'static Entity, is_confirmed: bool, result: &Path) -> Result<Self> {
        require_xlsx("--backup", &path)?;
        if Input::Path(path.clone()).is_same(&Input::Path(result.to_path_buf())) {
            return Err(Error::usage(
                format!("the backup and the result would both be `{}`; nothing was deleted", path.display()),
                "name another file with --backup",
            ));
        }
        Ok(Self { entity, file: Backup::create(&path).map_err(not_deleted)?, is_confirmed })
    }

    /// Writes these records of the catalog, and asks whether to delete them. Returns the remark on the backup.
    pub(super) async fn write(
        self,
        account: &Account,
        records: &[i64],
        catalog: &Catalog,
        shutdown: &mut ShutdownSignal,
        observer: &mut dyn Observer,
    ) -> Result<String> {
        let (entity, is_confirmed) = (self.entity, self.is_confirmed);
        let question = question(entity, records.len() as u64, account);
        // Where nobody can be asked, a yes has to be given before.
        if !is_confirmed && !observer.can_confirm() {
            return Err(Error::usage(format!("this would {question}; nothing was sent"), "pass --yes to confirm"));
        }
        observer.on_phase("backing up", None);
        let path = {
            let observer = RefCell::new(&mut *observer as &mut dyn Observer);
            let writing = report_waits(&account.client, &observer, self.save(records, catalog, account));
            unless_interrupted(shutdown, writing).await?
        };
        if !is_confirmed {
            observer.on_note(&format!("the records are backed up in {}", path.display()));
            if !observer.confirm(&format!("{question}?")) {
                let kept = format!("nothing was deleted; the backup {} can be deleted", path.display());
                return Err(match shutdown.is_requested() {
                    true => Error::new(ErrorKind::Stopped, format!("interrupted; {kept}"), None),
                    false => Error::declined(kept),
                });
            }
        }
        Ok(format!("backup of the {}: {}", entity.name, path.display()))
    }

    async fn save(self, records: &[i64], catalog: &Catalog, account: &Account) -> Result<PathBuf> {
        let entity = self.entity;
        let records: Vec<&Record> = records.iter().filter_map(|id| catalog.record(entity.name, *id)).collect();
        let mut lookups = LookupRequest::default();
        // A name serves only where no other record has it, which takes them all to know.
        collections_referenced_by(entity, records.iter().copied())
            .into_iter()
            .for_each(|collection| lookups.whole(collection));
        let names = Catalog::fetch(&account.client, &lookups, &mut |_, _| {}).await?;
        self.file.write(entity, &records, &ReferenceNames::new(names)).map_err(not_deleted)
    }
}

/// `delete 42 assets from https://app.bluetallyapp.com/api/v1`.
fn question(entity: &Entity, count: u64, account: &Account) -> String {
    let noun = if count == 1 { entity.singular } else { entity.name };
    let lasting = match entity.role {
        Role::Collection { deletion: Deletion::Irreversible } => ", which the service cannot bring back",
        _ => "",
    };
    format!("delete {} {noun} from {}{lasting}", thousands(count), account.identity)
}

/// Records could not be backed up, and so were not deleted.
fn not_deleted(error: BackupError) -> Error {
    Error::new(error.kind(), format!("{error}; nothing was deleted"), error.hint())
}
