//! Checks the options of an export, and resolves the names in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::bucket::is_url;
use super::columns::{ExportColumns, IdColumns};
use super::destination::{ExportLocation, OutputPattern, PlaceholderValues};
use super::error::ExportError;
use super::filters::FilterArg;
use super::job::{ChangeReport, ExportJob, SortArg};
use crate::catalog::ObservedFields;
use crate::schema::{self, ACTIVITY, COLLECTIONS, Entity, TENANTS};
use crate::table::write::output::{CsvOptions, OutputOptions};
use crate::written_files::ExportSeries;

/// An [`ExportJob`] whose options are valid, ready to be run for any account.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedJob {
    /// The options as given. Those below are resolved from them.
    pub options: ExportJob,
    pub entities: Vec<&'static Entity>,
    pub output: OutputPattern,
    pub output_options: OutputOptions,
    /// The selected columns, by collection.
    pub columns: BTreeMap<&'static str, Vec<String>>,
    pub filters: Vec<FilterArg>,
    pub sort: Option<SortArg>,
    /// The local time when the export began.
    pub now: DateTime,
}

impl ResolvedJob {
    /// Checks the options. Asks nothing of the service.
    pub(crate) fn new(job: ExportJob) -> Result<Self, ExportError> {
        let entities = resolve_collections(&job)?;
        let output = job.output.as_deref().ok_or(ExportError::NoOutput)?;
        let mut filters = job.filters.iter().map(|text| FilterArg::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let log_filters = job.log_filter.to_filter_args()?;
        if !log_filters.is_empty() && !entities.iter().any(|entity| entity.name == ACTIVITY.name) {
            return Err(ExportError::LogFilterWithoutLog);
        }
        filters.extend(log_filters);
        let csv = job.csv.unwrap_or(CsvOptions::EXPORT);
        let resolved = Self {
            output: OutputPattern::parse(output, job.format, job.layout, job.tenants)?,
            columns: resolve_columns(&job, &entities)?,
            sort: job.sort.as_deref().map(SortArg::parse).transpose()?,
            output_options: OutputOptions { csv, title: String::from("Inventory"), list: None },
            now: job.now.unwrap_or_else(local_now),
            entities,
            filters,
            options: job,
        };
        resolved.validate()?;
        Ok(resolved)
    }

    fn validate(&self) -> Result<(), ExportError> {
        let ExportJob { name, keep, .. } = &self.options;
        let is_incremental = self.options.changes == ChangeReport::Written;
        if self.output.is_stdout() && (keep.is_some() || is_incremental) {
            return Err(ExportError::StdoutNotKept);
        }
        if is_incremental && name.is_none() {
            return Err(ExportError::IncrementalWithoutName);
        }
        if *keep == Some(0) {
            return Err(ExportError::KeepNone);
        }
        if keep.is_some() && !self.output.has_date() {
            return Err(ExportError::KeepWithoutDate);
        }
        if is_incremental && self.entities.iter().any(|entity| !entity.is_collection()) {
            return Err(ExportError::IncrementalLog);
        }
        if let Some(SortArg { column, collection: Some(collection), .. }) = &self.sort
            && !self.entities.iter().any(|entity| entity.name == *collection)
        {
            return Err(ExportError::SortWithoutCollection { column: column.clone(), collection });
        }
        for entity in self.entities.iter().copied() {
            FilterArg::check_repeated(&self.filters, entity)?;
        }
        let is_unused = |filter: &&FilterArg| !self.entities.iter().any(|entity| filter.applies_to(entity));
        match self.filters.iter().find(is_unused) {
            Some(FilterArg { field, collection, .. }) => {
                Err(ExportError::FilterWithoutCollection { field: field.clone(), collection: collection.clone() })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn locate(&self, tenant: Option<&str>) -> Result<ExportLocation, ExportError> {
        self.output.locate(self.placeholders(tenant), self.now)
    }

    /// The destination over time, with only `{date}` and `{time}` left.
    pub(crate) fn output_over_time(&self, tenant: Option<&str>) -> Result<String, ExportError> {
        self.output.over_time(self.placeholders(tenant))
    }

    /// The exports whose older files this one may delete: those of its name, or of its collections and destination.
    pub(crate) fn series(&self, tenant: Option<&str>) -> Result<ExportSeries, ExportError> {
        if let Some(name) = &self.options.name {
            return Ok(ExportSeries::Named(name.clone()));
        }
        let output = PathBuf::from(self.output_over_time(tenant)?);
        // The same path may be written relative to the current folder or not.
        let output = std::path::absolute(&output).unwrap_or(output);
        let mut collections: Vec<String> = self.entities.iter().map(|entity| entity.name.to_owned()).collect();
        collections.sort();
        Ok(ExportSeries::Unnamed { collections, output })
    }

    /// Whether the files go into a bucket and have the same names all day. Which of them are there is not known.
    pub(crate) fn is_one_bucket_file(&self, tenant: Option<&str>) -> Result<bool, ExportError> {
        let output = self.output_over_time(tenant)?;
        Ok(is_url(&output) && !output.contains("{time}"))
    }

    fn placeholders<'a>(&'a self, tenant: Option<&'a str>) -> PlaceholderValues<'a> {
        PlaceholderValues { name: self.options.name.as_deref(), tenant }
    }
}

pub(crate) fn local_now() -> DateTime {
    TimeZone::system().to_datetime(Timestamp::now())
}

fn resolve_collections(job: &ExportJob) -> Result<Vec<&'static Entity>, ExportError> {
    let mut entities: Vec<&'static Entity> = Vec::new();
    if job.all_collections {
        entities.extend(COLLECTIONS.iter().copied());
    }
    for name in &job.collections {
        let unknown = || ExportError::UnknownCollection { name: name.clone(), nearest: schema::nearest(name) };
        let entity = schema::find(name).ok_or_else(unknown)?;
        if entity.is_action() || entity.name == TENANTS.name {
            return Err(ExportError::NotExportable { name: entity.name });
        }
        if !entities.iter().any(|known| known.name == entity.name) {
            entities.push(entity);
        }
    }
    if entities.is_empty() { Err(ExportError::NoCollections) } else { Ok(entities) }
}

/// The columns by collection. A column is `asset_id`, or `assets.asset_id` where several collections are exported.
fn resolve_columns(
    job: &ExportJob,
    entities: &[&'static Entity],
) -> Result<BTreeMap<&'static str, Vec<String>>, ExportError> {
    if job.columns.is_empty() {
        let defaults = entities.iter().filter_map(|entity| Some((entity.name, job.default_columns.get(entity.name)?)));
        return Ok(defaults.map(|(collection, columns)| (collection, columns.clone())).collect());
    }
    let mut columns: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for column in &job.columns {
        let (collection, column) = match (split_collection(column, entities), entities) {
            (Some(split), _) => split,
            (None, [entity]) => (entity.name, column.as_str()),
            (None, _) => {
                let holders = entities.iter().filter(|entity| has_column(entity, column)).map(|entity| entity.name);
                return Err(ExportError::ColumnWithoutCollection {
                    column: column.clone(),
                    holders: holders.collect(),
                });
            }
        };
        columns.entry(collection).or_default().push(column.to_owned());
    }
    Ok(columns)
}

/// Whether exports of the collection have the column, whatever its records hold.
fn has_column(entity: &'static Entity, column: &str) -> bool {
    ExportColumns::of(entity, &ObservedFields::default(), IdColumns::Both).headers().any(|header| header == column)
}

fn split_collection<'c>(column: &'c str, entities: &[&'static Entity]) -> Option<(&'static str, &'c str)> {
    let (collection, column) = column.split_once('.')?;
    let name = schema::find(collection)?.name;
    entities.iter().any(|entity| entity.name == name).then_some((name, column))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Diagnostic;

    fn message(job: ExportJob) -> String {
        ResolvedJob::new(job).unwrap_err().to_string()
    }

    fn assets() -> ExportJob {
        ExportJob::new(["assets"]).to("assets.csv")
    }

    #[test]
    fn options_that_cannot_be_done_are_rejected() {
        for (job, expected) in [
            (ExportJob::new([""; 0]).to("a.csv"), "no collections to export"),
            (ExportJob::new(["assets"]), "no output given"),
            (ExportJob::new(["asets"]).to("a.csv"), "unknown collection `asets`"),
            (ExportJob::new(["checkout_asset"]).to("a.csv"), "`checkout_asset` cannot be exported"),
            (ExportJob::new(["tenants"]).to("a.csv"), "`tenants` cannot be exported"),
            (
                assets().to("-").keeping(1),
                "output to stdout cannot be compared with later exports, and older files of it cannot be deleted",
            ),
            (assets().incremental(), "an incremental export needs a name"),
            (assets().to("a-{date}.csv").keeping(0), "keeping 0 files would delete this export too"),
            (assets().keeping(3), "older files can be kept only if the file name contains {date} or {time}"),
            (
                assets().with_filter("locations.name=x"),
                "the filter on `name` applies to locations, which is not exported",
            ),
            (assets().with_filter("status"), "invalid filter `status`"),
            (
                assets().with_filter("status=In Use").with_filter("assets.status_id=3"),
                "two filters for `status_id` of assets",
            ),
            (
                assets().with_filter("custom:Rack=1").with_filter("custom: rack=2"),
                "two filters for `custom: rack` of assets",
            ),
            (assets().sorted_by("name:up"), "invalid sort order `name:up`"),
            (assets().sorted_by("locations.name"), "the sort order by `name` is for locations, which is not exported"),
            (
                ExportJob::all().to("a/").with_columns(["asset_id"]),
                "cannot tell which collection the column `asset_id` belongs to",
            ),
            (
                ExportJob::new(["activity"]).to("a.csv").named("log").incremental(),
                "the activity log is a list of changes itself: it cannot be exported incrementally",
            ),
        ] {
            assert_eq!(message(job), expected);
        }
        let columns = |columns: &[&str]| ExportJob::all().to("a/").with_columns(columns.iter().copied());
        let both = ExportJob {
            collections: vec!["assets".into(), "licenses".into()],
            all_collections: false,
            ..columns(&["name"])
        };
        assert_eq!(ResolvedJob::new(both.clone()).unwrap_err().hint().unwrap(), "write licenses.name");
        let both = both.with_columns(["custom:Rack"]);
        let hint = ResolvedJob::new(both).unwrap_err().hint().unwrap();
        assert_eq!(hint, "write the collection before it, as in COLLECTION.custom:Rack");
        let unknown = ResolvedJob::new(ExportJob::new(["asets"]).to("a.csv")).unwrap_err();
        assert_eq!(unknown.hint().unwrap(), "did you mean `assets`? `tallyport schema` lists all names");
    }

    #[test]
    fn columns_are_selected_by_collection_and_defaults_count_where_none_are() {
        let columns = |job| ResolvedJob::new(job).unwrap().columns.into_iter().collect::<Vec<_>>();
        let both = ExportJob::new(["assets", "locations"]).to("a/");
        assert_eq!(
            columns(both.clone().with_columns(["locations.name", "asset.asset_id"])),
            [("assets", vec![String::from("asset_id")]), ("locations", vec![String::from("name")])]
        );
        let default_columns = BTreeMap::from([(String::from("assets"), vec![String::from("id")])]);
        assert_eq!(columns(ExportJob { default_columns, ..both }), [("assets", vec![String::from("id")])]);
    }
}
