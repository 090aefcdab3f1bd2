//! Reads what an export needs from one account, and prepares its tables.

use super::columns::{ExportColumns, IdColumns, NotSelected};
use super::error::ExportError;
use super::filters::{AppliedBy, Filter};
use super::job::ChangeReport;
use super::mirrored::MirroredAccount;
use super::names::{ReferenceNames, referenced_collections};
use super::progress::PhaseProgress;
use super::resolve::ResolvedJob;
use super::table::{ExportTable, SortBy};
use crate::account::{Account, Tenant};
use crate::api::RawFields;
use crate::catalog::{Mirror, MirrorError, ObservedFields};
use crate::error::Result;
use crate::schema::{ACTIVITY, COLLECTIONS, Entity};

pub(crate) struct ExportSource<'a> {
    pub copy: MirroredAccount<'a>,
    /// The tenant, where several are exported.
    pub tenant: Option<&'a Tenant>,
    pub names: ReferenceNames,
    pub lists: Vec<ExportList>,
    /// Lists that are not in the local snapshot: the activity log, and what the service filtered.
    filtered: Mirror,
}

pub(crate) struct ExportList {
    pub entity: &'static Entity,
    /// Filters that the service applied, such as `status=Deployed`.
    pub server_filters: Vec<String>,
    /// Filters that are applied to the records here.
    pub client_filters: Vec<Filter>,
    /// Those among them that the service should have applied.
    pub ignored_filters: Vec<String>,
    /// Filters for which the service was asked for more than they let pass: they are applied here as well.
    widened_filters: Vec<Filter>,
    /// The service filtered it, so that it is not in the local snapshot.
    is_filtered: bool,
}

impl<'a> ExportSource<'a> {
    /// Reads what the job needs.
    pub(crate) async fn read(
        account: &'a Account,
        tenant: Option<&'a Tenant>,
        job: &ResolvedJob,
        progress: &mut PhaseProgress<'_>,
    ) -> Result<Self> {
        let mut copy = MirroredAccount::open(account, progress).await?;
        let named = named_collections(job);
        let is_in_copy = |entity: &Entity| {
            let is_exported =
                job.entities.iter().any(|known| known.name == entity.name && !is_filtered_list(known, job));
            is_exported || named.iter().any(|known| known.name == entity.name)
        };
        let wanted: Vec<_> = COLLECTIONS.iter().copied().filter(|entity| is_in_copy(entity)).collect();
        copy.refresh(&wanted, job.options.read_mode, progress).await?;
        let names = ReferenceNames::from_mirror(&copy.mirror, &named)?;
        let mut source = Self { copy, tenant, names, lists: Vec::new(), filtered: Mirror::temporary()? };
        for entity in job.entities.iter().copied() {
            let list = source.list(entity, job, progress).await?;
            source.lists.push(list);
        }
        Ok(source)
    }

    /// The lists of one collection: one, or none.
    pub(crate) fn lists_of(&self, entity: &Entity) -> impl Iterator<Item = &ExportList> {
        self.lists.iter().filter(move |list| list.entity.name == entity.name)
    }

    pub(crate) fn records(&self, list: &ExportList) -> &Mirror {
        if list.is_filtered { &self.filtered } else { &self.copy.mirror }
    }

    pub(crate) fn shape(&self, list: &ExportList) -> Result<ObservedFields> {
        Ok(self.records(list).observed_fields(list.entity)?)
    }

    /// The table of a list. `shape` is what the records of all accounts in the table have.
    pub(crate) fn table(&self, list: &ExportList, shape: &ObservedFields, job: &ResolvedJob) -> Result<ExportTable> {
        let entity = list.entity;
        let columns = columns(entity, shape, job)?;
        let front = match self.tenant {
            Some(tenant) if !job.output.is_per_tenant() => {
                vec![
                    (String::from("tenant_id"), tenant.id.to_string()),
                    (String::from("tenant_name"), tenant.name.clone()),
                ]
            }
            _ => Vec::new(),
        };
        let filters = list.client_filters.iter().chain(&list.widened_filters).cloned().collect();
        let sort = sort_by(entity, shape, job)?;
        Ok(ExportTable { entity, name: entity.name.to_owned(), columns, filters, sort, front })
    }

    /// Resolves the filters of one collection, and reads its list where the service filters it.
    async fn list(
        &self,
        entity: &'static Entity,
        job: &ResolvedJob,
        progress: &mut PhaseProgress<'_>,
    ) -> Result<ExportList> {
        let is_filtered = is_filtered_list(entity, job);
        let is_by_server = |filter: &Filter| is_filtered && filter.applied_by() == AppliedBy::Server;
        let (mut by_server, mut client_filters): (Vec<_>, Vec<_>) =
            self.filters(entity, job)?.into_iter().partition(is_by_server);
        if let Some(filter) = client_filters.iter().find(|filter| filter.is_server_only()) {
            return Err(ExportError::ServerOnlyFilter { field: filter.field.clone() }.into());
        }
        let mut ignored = Vec::new();
        if is_filtered {
            let parameters: Vec<(&str, String)> = by_server.iter().filter_map(Filter::query_parameter).collect();
            let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            self.copy.read_filtered(entity, &parameters, &self.filtered, progress).await?;
            (ignored, by_server) = self.split_ignored(entity, by_server)?;
        }
        self.check_custom(entity, &client_filters, (is_filtered, job.entities.len()), progress)?;
        let [server_filters, ignored_filters] =
            [&by_server, &ignored].map(|filters| filters.iter().map(ToString::to_string).collect());
        client_filters.extend(ignored);
        let widened_filters = by_server.into_iter().filter(Filter::is_asked_wider).collect();
        Ok(ExportList { entity, server_filters, client_filters, ignored_filters, widened_filters, is_filtered })
    }

    /// The filters that records which the service sent show it to have ignored, and the others.
    fn split_ignored(&self, entity: &'static Entity, filters: Vec<Filter>) -> Result<(Vec<Filter>, Vec<Filter>)> {
        let mut is_ignored = vec![false; filters.len()];
        self.filtered.each(entity, |_, json| {
            if let Some(record) = RawFields::of(json) {
                for (filter, is_ignored) in filters.iter().zip(&mut is_ignored) {
                    *is_ignored |= filter.is_contradicted_by(&record, &self.names);
                }
            }
            Ok::<(), MirrorError>(())
        })?;
        let mut is_ignored = is_ignored.into_iter();
        Ok(filters.into_iter().partition(|_| is_ignored.next().unwrap_or(false)))
    }

    /// Refuses a filter by a custom field that no record has. Where records had it earlier, not all of the collection were
    /// read, none is there, or several collections are exported of which others may have it, it may be right: then it is a
    /// warning.
    fn check_custom(
        &self,
        entity: &'static Entity,
        filters: &[Filter],
        (is_filtered, collections): (bool, usize),
        progress: &mut PhaseProgress<'_>,
    ) -> Result<()> {
        let mut shape = self.copy.mirror.observed_fields(entity)?;
        if is_filtered {
            shape.merge(&self.filtered.observed_fields(entity)?);
        }
        let is_whole =
            !is_filtered && collections == 1 && self.tenant.is_none() && shape.fields.iter().next().is_some();
        let known = shape.with_former();
        for filter in filters {
            let Some(missing) = filter.missing_custom(entity, &shape) else { continue };
            if filter.missing_custom(entity, &known).is_none() {
                progress.warn(&format!("{missing} any more"));
            } else if is_whole {
                return Err(ExportError::from(missing).into());
            } else {
                progress.warn(&format!("{missing}, of those that were read"));
            }
        }
        Ok(())
    }

    fn filters(&self, entity: &'static Entity, job: &ResolvedJob) -> Result<Vec<Filter>> {
        let shape = self.copy.mirror.observed_fields(entity)?.with_former();
        let mut filters = Vec::new();
        for filter in job.filters.iter().filter(|filter| filter.applies_to(entity)) {
            filters.push(filter.resolve(entity, &shape, &self.names).map_err(ExportError::from)?);
        }
        if let Some(date) = job.options.changed_since.filter(|_| entity.is_collection()) {
            filters.push(Filter::since(&date.to_string()));
        }
        Ok(filters)
    }
}

/// Whether the service filters the list, so that it is read apart from the local snapshot.
fn is_filtered_list(entity: &'static Entity, job: &ResolvedJob) -> bool {
    let mut filters = job.filters.iter().filter(|filter| filter.applies_to(entity));
    entity.name == ACTIVITY.name
        || (job.options.changes == ChangeReport::Omitted && filters.any(|filter| filter.has_server_filter(entity)))
}

/// The collections whose names the tables or the filters contain.
fn named_collections(job: &ResolvedJob) -> Vec<&'static Entity> {
    let in_tables = job.entities.iter().flat_map(|entity| referenced_collections(entity));
    let in_filters = job
        .entities
        .iter()
        .flat_map(|entity| job.filters.iter().filter_map(|filter| filter.referenced_collection(entity)));
    let mut named: Vec<_> = in_tables.chain(in_filters).collect();
    named.sort_unstable_by_key(|entity| entity.name);
    named.dedup_by_key(|entity| entity.name);
    named
}

/// What the records of a collection have, in all of these accounts together.
pub(crate) fn merged_shape(entity: &Entity, sources: &[ExportSource<'_>]) -> Result<ObservedFields> {
    let mut shape = ObservedFields::default();
    for source in sources {
        for list in source.lists_of(entity) {
            shape.merge(&source.shape(list)?);
        }
    }
    Ok(shape)
}

/// The columns of a table: the selected ones, of which records may have lost the field since, or all.
pub(crate) fn columns(
    entity: &'static Entity,
    shape: &ObservedFields,
    job: &ResolvedJob,
) -> Result<ExportColumns, ExportError> {
    let columns = ExportColumns::of(entity, shape, job.options.ids);
    let Some(selected) = job.columns.get(entity.name) else { return Ok(columns) };
    let known = headers(&columns);
    let with_former = ExportColumns::of(entity, &shape.with_former(), job.options.ids);
    with_former.select(selected).map_err(|not_selected| match not_selected {
        NotSelected::Unknown(column) => {
            let is_profiles = job.options.columns.is_empty();
            ExportError::UnknownColumn { collection: entity.name, column, known, is_profiles }
        }
        NotSelected::Repeated(column) => ExportError::RepeatedColumn { collection: entity.name, column },
    })
}

/// The selected columns of fields that records had earlier and no longer have.
pub(crate) fn former_columns<'j>(entity: &Entity, shape: &ObservedFields, job: &'j ResolvedJob) -> Vec<&'j str> {
    let is_former = |header: &&str| match header.strip_prefix("custom:") {
        Some(name) => shape.former_custom.contains(name) && !shape.custom.contains(name),
        None => {
            shape.former_fields.contains(header) && !shape.fields.contains(header) && entity.field(header).is_none()
        }
    };
    job.columns.get(entity.name).into_iter().flatten().map(String::as_str).filter(is_former).collect()
}

/// How the rows of a collection are sorted: by any of its columns, also one that the table leaves out. None where another
/// of the collections has the column.
fn sort_by(entity: &'static Entity, shape: &ObservedFields, job: &ResolvedJob) -> Result<Option<SortBy>, ExportError> {
    let Some(sort) = &job.sort else { return Ok(None) };
    if sort.collection.is_some_and(|name| name != entity.name) {
        return Ok(None);
    }
    let column = [sort.column.clone()];
    let known_shape = shape.with_former();
    let select = |ids| ExportColumns::of(entity, &known_shape, ids).select(&column).ok();
    match select(job.options.ids).or_else(|| select(IdColumns::Both)) {
        Some(key) => Ok(Some(SortBy { is_id: key.holds_ids(0), key, direction: sort.direction })),
        None if job.entities.len() > 1 && sort.collection.is_none() => Ok(None),
        None => {
            let known = headers(&ExportColumns::of(entity, shape, job.options.ids));
            let (collection, column) = (entity.name, sort.column.clone());
            Err(ExportError::UnknownColumn { collection, column, known, is_profiles: false })
        }
    }
}

/// Whether any of the collections has the column that rows are sorted by.
///
/// # Errors
/// Where none has it: it is misspelt.
pub(crate) fn validate_sort(sources: &[ExportSource<'_>], job: &ResolvedJob) -> Result<()> {
    let Some(sort) = &job.sort else { return Ok(()) };
    for entity in job.entities.iter().copied() {
        if sort_by(entity, &merged_shape(entity, sources)?, job)?.is_some() {
            return Ok(());
        }
    }
    Err(ExportError::UnknownSortColumn { column: sort.column.clone() }.into())
}

fn headers(columns: &ExportColumns) -> Vec<String> {
    columns.headers().map(str::to_owned).collect()
}
