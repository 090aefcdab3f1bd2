//! One account read: its local copy brought up to date, and the tables that are written from it.

use std::cell::RefCell;

use jiff::Timestamp;

use super::job::{Changes, Job, Reading, told};
use crate::account::{Account as Connection, AccountIdentity};
use crate::catalog::{Mirror, ObservedFields, RefreshMode, RefreshOptions, RefreshStats};
use crate::cli::planning::saying_why_it_waits;
use crate::cli::printer::Printer;
use crate::cli::progress::Progress;
use crate::error::Error;
use crate::export::{By, Columns, Condition, Names, Sheet, Sort, named_by};
use crate::schema::{ACTIVITY, Entity};

/// An account and what is known of it here.
pub(super) struct Account {
    pub connection: Connection,
    /// The tenant, where several are exported.
    pub tenant: Option<(i64, String)>,
    pub mirror: Mirror,
    /// Lists of which no copy is kept: the log, and what the service filtered.
    pub parts: Mirror,
    pub names: Names,
    pub refreshed: Vec<RefreshStats>,
    /// What a comparison of the copy with the service found.
    pub differences: Vec<RefreshStats>,
    pub lists: Vec<List>,
    /// When it was read, as RFC 3339.
    pub read_at: String,
}

/// What is brought up to date, and how.
#[derive(Clone, Copy)]
pub(super) struct Reach<'a> {
    pub reading: Reading,
    pub wanted: &'a [&'static Entity],
}

/// A collection that is exported.
pub(super) struct List {
    pub entity: &'static Entity,
    pub from: From,
    /// Those that are still to be applied.
    pub conditions: Vec<Condition>,
    /// What was asked of the service, and what is applied here, as `status=Deployed`.
    pub asked: Vec<String>,
    pub applied: Vec<String>,
}

/// Where its records lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Mirror,
    Parts,
}

impl Account {
    /// Opens what is known of an account; asks it nothing yet.
    pub(super) fn open(connection: Connection, tenant: Option<(i64, String)>, printer: Printer) -> Result<Self, Error> {
        let mirror = match connection.mirror_path() {
            Some(path) => Mirror::open(&path, &mut || {
                printer.note("another export of this account is at work; waiting for its end");
            })?,
            None => Mirror::scratch()?,
        };
        let read_at = Timestamp::now().to_string();
        let parts = Mirror::scratch()?;
        let (names, refreshed, differences, lists) = (Names::default(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self { connection, tenant, mirror, parts, names, refreshed, differences, lists, read_at })
    }

    /// Reads what the job needs.
    pub(super) async fn read(&mut self, job: &Job, progress: &mut Progress) -> Result<(), Error> {
        let is_asked = |entity: &'static Entity| {
            let mut wishes = job.wishes.iter().filter(|wish| wish.is_for(entity));
            entity.name == ACTIVITY.name
                || (job.changes == Changes::NotTold && wishes.any(|wish| wish.is_asked(entity)))
        };
        let meant = job.entities.iter().flat_map(|entity| job.wishes.iter().filter_map(|wish| wish.names(entity)));
        let mut named: Vec<_> = job.entities.iter().flat_map(|entity| named_by(entity)).chain(meant).collect();
        named.sort_unstable_by_key(|entity| entity.name);
        named.dedup_by_key(|entity| entity.name);
        let is_wanted = |entity: &&&'static Entity| {
            let is_own = job.entities.iter().any(|known| known.name == entity.name && !is_asked(known));
            is_own || named.iter().any(|known| known.name == entity.name)
        };
        let wanted: Vec<_> = crate::schema::COLLECTIONS.iter().filter(is_wanted).copied().collect();
        self.refresh(Reach { reading: job.reading, wanted: &wanted }, progress).await?;
        self.names = Names::from_mirror(&self.mirror, &named)?;
        for entity in job.entities.iter().copied() {
            let list = self.list(entity, job, is_asked(entity), progress).await?;
            self.lists.push(list);
        }
        Ok(())
    }

    /// Brings the copy of some collections up to date.
    pub(super) async fn refresh(&mut self, reach: Reach<'_>, progress: &mut Progress) -> Result<(), Error> {
        let mode = match (reach.reading, &self.connection.identity) {
            // A sandbox is at hand, and its file may have been made anew.
            (Reading::Whole, _) | (_, AccountIdentity::SandboxFile { .. } | AccountIdentity::SandboxMemory) => {
                RefreshMode::Full
            }
            (Reading::Changes | Reading::Verified, _) => RefreshMode::Incremental,
        };
        self.refreshed = self.refresh_by(reach.wanted, mode, progress).await?;
        if reach.reading == Reading::Verified {
            self.differences = self.refresh_by(reach.wanted, RefreshMode::Full, progress).await?;
        }
        Ok(())
    }

    async fn refresh_by(
        &self,
        wanted: &[&'static Entity],
        mode: RefreshMode,
        progress: &mut Progress,
    ) -> Result<Vec<RefreshStats>, Error> {
        let client = &self.connection.client;
        let progress = RefCell::new(progress);
        let mut say = |collection: &'static str, records| {
            progress.borrow_mut().reach(&format!("reading {collection}"), records);
        };
        let refreshing = self.mirror.refresh(client, wanted, self.options(mode), &mut say);
        Ok(saying_why_it_waits(client, &progress, refreshing).await?)
    }

    fn options(&self, mode: RefreshMode) -> RefreshOptions<'_> {
        RefreshOptions { mode, at_once: self.connection.concurrency.into(), now: &self.read_at }
    }

    /// The records of one collection, and the conditions that are left to apply.
    async fn list(
        &self,
        entity: &'static Entity,
        job: &Job,
        is_asked: bool,
        progress: &mut Progress,
    ) -> Result<List, Error> {
        let shape = self.mirror.shape(entity)?;
        let wishes = job.wishes.iter().filter(|wish| wish.is_for(entity));
        let mut conditions = Vec::new();
        for wish in wishes {
            conditions.push(wish.on(entity, &shape, &self.names).map_err(told)?);
        }
        if let Some(day) = job.since.as_ref().filter(|_| entity.is_collection()) {
            conditions.push(Condition::since(day));
        }
        let (asked, applied): (Vec<_>, Vec<_>) =
            conditions.into_iter().partition(|condition| is_asked && condition.by() == By::Service);
        if let Some(beyond) = applied.iter().find(|condition| condition.is_beyond_us()) {
            let what = format!("`{}` can only be asked of the service, and --incremental reads the copy", beyond.field);
            return Err(Error::usage(what, "leave out --incremental, or the condition"));
        }
        let shown = |conditions: &[Condition]| conditions.iter().map(ToString::to_string).collect();
        let (asked_text, applied_text) = (shown(&asked), shown(&applied));
        if is_asked {
            self.read_part(entity, &asked, progress).await?;
        }
        let from = if is_asked { From::Parts } else { From::Mirror };
        Ok(List { entity, from, conditions: applied, asked: asked_text, applied: applied_text })
    }

    async fn read_part(
        &self,
        entity: &'static Entity,
        asked: &[Condition],
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let filters: Vec<(&str, String)> = asked.iter().filter_map(Condition::filter).collect();
        let filters: Vec<(&str, &str)> = filters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let client = &self.connection.client;
        let progress = RefCell::new(progress);
        let mut say = |collection: &'static str, records| {
            progress.borrow_mut().reach(&format!("reading {collection}"), records);
        };
        let reading = self.parts.read(client, (entity, &filters), self.options(RefreshMode::Full), &mut say);
        saying_why_it_waits(client, &progress, reading).await?;
        Ok(())
    }

    pub(super) fn holding(&self, from: From) -> &Mirror {
        match from {
            From::Mirror => &self.mirror,
            From::Parts => &self.parts,
        }
    }

    pub(super) fn shape(&self, list: &List) -> Result<ObservedFields, Error> {
        Ok(self.holding(list.from).shape(list.entity)?)
    }

    /// The table of a list; its columns are those of all accounts.
    pub(super) fn sheet(&self, list: &List, columns: Columns, job: &Job) -> Result<Sheet, Error> {
        let entity = list.entity;
        let sort = match &job.sort {
            Some((collection, field, direction)) if collection.is_none_or(|name| name == entity.name) => {
                let column = columns.headers().position(|header| header == field);
                let is_elsewhere = job.entities.len() > 1 && collection.is_none();
                match column {
                    Some(column) => Some(Sort { column, direction: *direction }),
                    None if is_elsewhere => None,
                    None => return Err(no_column(entity, field, &columns)),
                }
            }
            _ => None,
        };
        let front = match (&self.tenant, job.is_apart()) {
            (Some((id, name)), false) => {
                vec![(String::from("tenant_id"), id.to_string()), (String::from("tenant_name"), name.clone())]
            }
            _ => Vec::new(),
        };
        let conditions = list.conditions.clone();
        Ok(Sheet { entity, name: entity.name.to_owned(), columns, conditions, sort, front })
    }
}

/// The columns that were chosen, or all.
pub(super) fn columns(entity: &'static Entity, shape: &ObservedFields, job: &Job) -> Result<Columns, Error> {
    let columns = Columns::of(entity, shape, job.ids);
    let Some(chosen) = job.columns.get(entity.name) else { return Ok(columns) };
    let all: Vec<String> = columns.headers().map(str::to_owned).collect();
    columns.chosen(chosen).map_err(|missing| {
        let what = format!("{} have no column `{missing}`", entity.name);
        Error::usage(what, format!("choose from {}", all.join(", ")))
    })
}

fn no_column(entity: &Entity, field: &str, columns: &Columns) -> Error {
    let all: Vec<&str> = columns.headers().collect();
    Error::usage(
        format!("{} have no column `{field}` to sort by", entity.name),
        format!("choose from {}", all.join(", ")),
    )
}
