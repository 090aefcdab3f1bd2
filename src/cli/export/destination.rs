//! Where an export goes: a file, a folder, standard output, or a bucket.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use jiff::civil::{Date, DateTime};
use url::Url;

use super::job::no_output;
use crate::cli::args::ExportArgs;
use crate::error::Error;
use crate::export::bucket::{BucketUrl, UrlError, is_url};
use crate::table::write::output::{FileFormat, OutputTarget};

/// The place of one account's files.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub destination: Destination,
    pub format: FileFormat,
    /// The day of its snapshot, where it is partitioned.
    pub day: Date,
}

#[derive(Debug, Clone)]
pub(super) enum Destination {
    Here(OutputTarget),
    Bucket(BucketUrl),
}

/// How a folder is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A file for each collection.
    Flat,
    /// Folders for collection and day, as data tools like it.
    Partitioned,
}

impl Layout {
    /// The files of this layout in a folder.
    pub(super) fn within(self, folder: PathBuf, day: Date) -> OutputTarget {
        match self {
            Layout::Flat => OutputTarget::Folder(folder),
            Layout::Partitioned => OutputTarget::Partitioned { folder, day },
        }
    }
}

impl Place {
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self.destination, Destination::Here(OutputTarget::Stdout))
    }
}

/// What `-o`, `--format` and `--partitioned` say together: the destination with its placeholders, how a folder there is
/// laid out, and the kind of file where that is settled.
///
/// # Errors
/// Words that contradict each other, and URLs that no export can go to.
pub(super) fn of(args: &ExportArgs) -> Result<(String, Layout, Option<FileFormat>), Error> {
    let output = args.output.as_deref().ok_or_else(no_output)?;
    let mut output = if is_url(output) { of_url(output)? } else { output.to_owned() };
    let format = args.format.map(FileFormat::from);
    let is_bucket_folder = is_url(&output) && is_folder(&output);
    let layout = match args.partitioned || (is_bucket_folder && format == Some(FileFormat::Parquet)) {
        true => Layout::Partitioned,
        false => Layout::Flat,
    };
    if layout == Layout::Partitioned {
        see_partitions(&output, format)?;
        if !is_folder(&output) {
            output.push('/');
        }
    }
    if args.all_tenants && is_folder(&output) && !output.contains("{tenant}") {
        output.push_str(match layout {
            Layout::Flat => "{tenant}/",
            Layout::Partitioned => "tenant={tenant}/",
        });
    }
    let format = if layout == Layout::Partitioned { Some(FileFormat::Parquet) } else { format };
    Ok((output, layout, format))
}

fn see_partitions(output: &str, format: Option<FileFormat>) -> Result<(), Error> {
    if format.is_some_and(|format| format != FileFormat::Parquet) {
        return Err(Error::usage("--partitioned makes Parquet files", "leave out --format, or --partitioned"));
    }
    if output == "-" || format_of(Path::new(output)).is_some() {
        return Err(Error::usage("--partitioned makes folders with a file in each", "end the path in /"));
    }
    if output.contains("{date}") || output.contains("{time}") {
        let what = "a partitioned export has the day in its folders: snapshot=2026-11-24";
        return Err(Error::usage(what, "leave {date} and {time} out of the path"));
    }
    Ok(())
}

/// The path that `file://` means, or the URL of a bucket.
fn of_url(output: &str) -> Result<String, Error> {
    if output.starts_with("file://") {
        let path = Url::parse(output).ok().and_then(|url| url.to_file_path().ok());
        let mut path = path.map(|path| path.display().to_string()).ok_or_else(|| {
            Error::usage(
                format!("`{output}` is no path of this machine"),
                "write the path as it is, such as /srv/exports/",
            )
        })?;
        if output.ends_with('/') && !is_folder(&path) {
            path.push('/');
        }
        return Ok(path);
    }
    #[cfg(not(feature = "buckets"))]
    if BucketUrl::parse(output) != Err(UrlError::Scheme) {
        return Err(super::landing::not_built());
    }
    // A bucket may be called after a tenant.
    let url = BucketUrl::parse(&output.replace("{tenant}", "0").replace("{name}", "name")).map_err(told)?;
    let is_bare = url.key.is_empty() && !output.ends_with('/');
    Ok(if is_bare { format!("{output}/") } else { output.to_owned() })
}

/// The place in a bucket that a URL means once it is filled in.
pub(super) fn bucket(filled: &str) -> Result<BucketUrl, Error> {
    BucketUrl::parse(filled).map_err(told)
}

fn told(error: UrlError) -> Error {
    Error::usage(error.to_string(), error.hint())
}

/// Whether a destination is written as a folder.
pub(super) fn is_folder(output: &str) -> bool {
    output.ends_with(['/', MAIN_SEPARATOR])
}

/// The place that a destination means once it is filled in.
///
/// # Errors
/// A name that says no kind of file.
pub(super) fn place(filled: &str, layout: Layout, format: Option<FileFormat>, now: DateTime) -> Result<Place, Error> {
    let day = now.date();
    if filled == "-" {
        let destination = Destination::Here(OutputTarget::Stdout);
        return Ok(Place { destination, format: format.unwrap_or(FileFormat::Csv), day });
    }
    let (destination, name) = if is_url(filled) {
        let url = bucket(filled)?;
        let name = PathBuf::from(url.file_name());
        (Destination::Bucket(url), name)
    } else {
        let path = PathBuf::from(filled);
        match is_folder(filled) || path.is_dir() {
            true => (Destination::Here(layout.within(path.clone(), day)), path),
            false => (Destination::Here(OutputTarget::File(path.clone())), path),
        }
    };
    let is_file = match &destination {
        Destination::Here(target) => matches!(target, OutputTarget::File(_)),
        Destination::Bucket(url) => !url.is_folder(),
    };
    let format = match (format, is_file) {
        (Some(format), _) => format,
        (None, false) => FileFormat::Csv,
        (None, true) => format_of(&name).ok_or_else(|| {
            let what = format!("the name `{}` does not say what kind of file it is", name.display());
            Error::usage(what, "end it in .xlsx, .csv, .jsonl, .parquet, or in / for a folder")
        })?,
    };
    Ok(Place { destination, format, day })
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
