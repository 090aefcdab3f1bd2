//! Where an export goes: a file, a folder, standard output or a bucket, with placeholders such as `{date}`.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use jiff::civil::{Date, DateTime};
use url::Url;

use super::bucket::{BucketUrl, BucketUrlError, BucketsNotBuilt, is_url};
use super::error::ExportError;
use super::retention;
use crate::table::write::output::{FileFormat, OutputTarget};

pub(crate) const CHANGES_TABLE: &str = "Changes";

/// How the files of a folder are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputLayout {
    /// One file per collection.
    #[default]
    Flat,
    /// `collection=NAME/snapshot=DATE/part-0.parquet`, as data tools read it.
    Partitioned,
}

/// Which tenants of the account are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TenantScope {
    /// The tenant that the account is connected to.
    #[default]
    Current,
    /// Every tenant that the key gives access to.
    All,
}

/// A destination with placeholders: `{date}`, `{time}`, `{tenant}` and `{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputPattern {
    text: String,
    layout: OutputLayout,
    /// None where the extension of the file decides.
    format: Option<FileFormat>,
}

/// The values of the placeholders `{name}` and `{tenant}`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PlaceholderValues<'a> {
    pub name: Option<&'a str>,
    pub tenant: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportLocation {
    pub destination: Destination,
    pub format: FileFormat,
    layout: OutputLayout,
    /// The date of the snapshot in a partitioned export.
    date: Date,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Local(OutputTarget),
    Bucket(BucketUrl),
}

impl OutputPattern {
    /// Parses a destination as typed: a path, a URL or `-`.
    pub(crate) fn parse(
        output: &str,
        format: Option<FileFormat>,
        layout: OutputLayout,
        tenants: TenantScope,
    ) -> Result<Self, ExportError> {
        let mut text = if is_url(output) { parse_url(output)? } else { output.to_owned() };
        let is_parquet_folder = is_url(&text) && is_folder(&text) && format == Some(FileFormat::Parquet);
        let layout = if is_parquet_folder { OutputLayout::Partitioned } else { layout };
        if layout == OutputLayout::Partitioned {
            validate_partitioned(&text, format)?;
            if !is_folder(&text) {
                text.push('/');
            }
        }
        if tenants == TenantScope::All && is_folder(&text) && !text.contains("{tenant}") {
            text.push_str(match layout {
                OutputLayout::Flat => "{tenant}/",
                OutputLayout::Partitioned => "tenant={tenant}/",
            });
        }
        let format = if layout == OutputLayout::Partitioned { Some(FileFormat::Parquet) } else { format };
        Ok(Self { text, layout, format })
    }

    pub(crate) fn is_stdout(&self) -> bool {
        self.text == "-"
    }

    /// What kind of files it is; none where that is known only once the placeholders are filled in.
    pub(crate) fn format(&self) -> Option<FileFormat> {
        let is_csv = || self.is_stdout() || is_folder(&self.text) || Path::new(&self.text).is_dir();
        self.format.or_else(|| if is_csv() { Some(FileFormat::Csv) } else { format_of(Path::new(&self.text)) })
    }

    pub(crate) fn layout(&self) -> OutputLayout {
        self.layout
    }

    /// Whether each tenant has files of its own.
    pub(crate) fn is_per_tenant(&self) -> bool {
        self.text.contains("{tenant}")
    }

    /// Whether the files of two days have different names.
    pub(crate) fn has_date(&self) -> bool {
        self.layout == OutputLayout::Partitioned || self.text.contains("{date}") || self.text.contains("{time}")
    }

    /// The destination with all placeholders filled in.
    pub(crate) fn fill(&self, values: PlaceholderValues<'_>, now: DateTime) -> Result<String, ExportError> {
        let filled = retention::fill(&self.fill_names(values)?, now);
        let Some(open) = filled.find('{') else { return Ok(filled) };
        match filled[open..].find('}') {
            Some(close) => Err(ExportError::Placeholder { placeholder: filled[open..=open + close].to_owned() }),
            None => Ok(filled),
        }
    }

    /// The destination over time, with only `{date}` and `{time}` left.
    pub(crate) fn over_time(&self, values: PlaceholderValues<'_>) -> Result<String, ExportError> {
        self.fill_names(values)
    }

    /// Where the files go now.
    pub(crate) fn locate(&self, values: PlaceholderValues<'_>, now: DateTime) -> Result<ExportLocation, ExportError> {
        let filled = self.fill(values, now)?;
        let date = now.date();
        let destination = self.destination(&filled, date)?;
        let format = match (self.format, destination.file_name()) {
            (Some(format), Some(path)) => matching_format(format, path)?,
            (Some(format), None) => format,
            (None, None) => FileFormat::Csv,
            (None, Some(name)) => format_of(&name).ok_or(ExportError::FileType { path: name })?,
        };
        Ok(ExportLocation { destination, format, layout: self.layout, date })
    }

    fn destination(&self, filled: &str, date: Date) -> Result<Destination, ExportError> {
        if filled == "-" {
            return Ok(Destination::Local(OutputTarget::Stdout));
        }
        if is_url(filled) {
            return Ok(Destination::Bucket(BucketUrl::parse(filled)?));
        }
        let path = PathBuf::from(filled);
        let target = if is_folder(filled) || path.is_dir() {
            folder_target(path, self.layout, date)
        } else {
            OutputTarget::File(path)
        };
        Ok(Destination::Local(target))
    }

    fn fill_names(&self, values: PlaceholderValues<'_>) -> Result<String, ExportError> {
        let mut text = self.text.clone();
        if text.contains("{name}") {
            text = text.replace("{name}", &file_name_part(values.name.ok_or(ExportError::NameMissing)?));
        }
        if text.contains("{tenant}") {
            text = text.replace("{tenant}", &file_name_part(values.tenant.ok_or(ExportError::TenantMissing)?));
        }
        Ok(text)
    }
}

impl ExportLocation {
    pub(crate) fn is_stdout(&self) -> bool {
        self.destination == Destination::Local(OutputTarget::Stdout)
    }

    /// Whether everything goes to one file or stream.
    pub(crate) fn is_single_file(&self) -> bool {
        self.is_stdout() || self.destination.file_name().is_some()
    }

    /// The target for files in that folder, in the layout of this export.
    pub(crate) fn target_in(&self, folder: PathBuf) -> OutputTarget {
        folder_target(folder, self.layout, self.date)
    }
}

impl Destination {
    /// The name or path of the file; none for a folder and standard output.
    pub(crate) fn file_name(&self) -> Option<PathBuf> {
        match self {
            Destination::Local(OutputTarget::File(path)) => Some(path.clone()),
            Destination::Local(_) => None,
            Destination::Bucket(url) => (!url.is_folder()).then(|| PathBuf::from(url.file_name())),
        }
    }
}

fn folder_target(folder: PathBuf, layout: OutputLayout, day: Date) -> OutputTarget {
    match layout {
        OutputLayout::Flat => OutputTarget::Folder(folder),
        OutputLayout::Partitioned => OutputTarget::Partitioned { folder, day },
    }
}

fn validate_partitioned(output: &str, format: Option<FileFormat>) -> Result<(), ExportError> {
    if format.is_some_and(|format| format != FileFormat::Parquet) {
        return Err(ExportError::PartitionedFormat);
    }
    if output == "-" || format_of(Path::new(output)).is_some() {
        return Err(ExportError::PartitionedFile);
    }
    if output.contains("{date}") || output.contains("{time}") {
        return Err(ExportError::PartitionedDate);
    }
    Ok(())
}

/// The path of a `file://` URL, or a valid bucket URL.
fn parse_url(output: &str) -> Result<String, ExportError> {
    if output.starts_with("file://") {
        return file_url_path(output).ok_or_else(|| ExportError::FileUrl { url: output.to_owned() });
    }
    // A bucket may be named after a tenant.
    let parsed = BucketUrl::parse(&output.replace("{tenant}", "0").replace("{name}", "name"));
    if cfg!(not(feature = "buckets")) && parsed != Err(BucketUrlError::UnsupportedScheme) {
        return Err(BucketsNotBuilt.into());
    }
    let is_bare_bucket = parsed?.key.is_empty() && !output.ends_with('/');
    Ok(if is_bare_bucket { format!("{output}/") } else { output.to_owned() })
}

fn file_url_path(url: &str) -> Option<String> {
    let mut path = Url::parse(url).ok()?.to_file_path().ok()?.display().to_string();
    if url.ends_with('/') && !is_folder(&path) {
        path.push('/');
    }
    Some(path)
}

/// Whether a destination is written as a folder.
pub(crate) fn is_folder(output: &str) -> bool {
    output.ends_with(['/', MAIN_SEPARATOR])
}

fn format_of(path: &Path) -> Option<FileFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "xlsx" => Some(FileFormat::Xlsx),
        "csv" | "tsv" | "txt" => Some(FileFormat::Csv),
        "jsonl" | "ndjson" => Some(FileFormat::Jsonl),
        "parquet" => Some(FileFormat::Parquet),
        _ => None,
    }
}

/// The format asked for, unless the name of the file promises another one.
pub(crate) fn matching_format(format: FileFormat, path: PathBuf) -> Result<FileFormat, ExportError> {
    match format_of(&path) {
        Some(named) if named != format => Err(ExportError::OtherFormat { path, named, format }),
        _ => Ok(format),
    }
}

/// A text as part of a file name that is valid on every system.
fn file_name_part(text: &str) -> String {
    text.chars().map(|char| if char.is_alphanumeric() || "-_. ".contains(char) { char } else { '_' }).collect()
}

#[cfg(test)]
mod tests;
