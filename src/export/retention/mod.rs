//! Retention: keeps the newest files of an export and deletes older ones.
//!
//! A file belongs to the export if the export would have written it on another day: its whole path is that of a file
//! that this run wrote, except for `{date}` and `{time}`. In a folder the list of written files must have it too, as
//! written by this export, with the content that it has now. No other file is ever deleted, whatever lies beside it: not
//! what somebody else put into the folder of a day, not the result of an import or what another export wrote, not what
//! somebody edited, not what this run wrote, and nothing behind a link.
//!
//! Files from which a tenant is missing do not count as one of the newest: they replace no complete one. They are deleted
//! with the complete ones of their time.
//!
//! There is no list of what was written to buckets: exports to them often run where no state is kept. The key decides.
//!
//! [`series`] decides by name alone; [`prune`] applies that to a folder or a bucket.

mod series;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use jiff::civil::DateTime;

use super::bucket::{Bucket, BucketUrl, is_url};
use super::error::ExportError;
use crate::error::{Error, ErrorKind, Result};
use crate::written_files::{ExportSeries, WrittenFiles};
pub(crate) use series::fill;
use series::{Stamp, has_stamp, match_stamp, outdated, patterns_of};

/// What retention did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PruneReport {
    pub(crate) deleted: usize,
    /// Files that are old enough by name and stay: this export did not write them, or they were edited since.
    pub(crate) left: Vec<PathBuf>,
}

/// The files that an export has written before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EarlierFiles<'a> {
    pub list: &'a WrittenFiles,
    pub series: &'a ExportSeries,
}

/// Deletes all but the newest `keep` files of an export. Of the placeholders in `output` only `{date}` and `{time}` may
/// be left; `written` are the files of this run, which began at `now`, and `earlier` those that others of it wrote.
pub(crate) async fn prune(
    output: &str,
    written: &[String],
    earlier: EarlierFiles<'_>,
    (keep, now): (usize, DateTime),
) -> Result<PruneReport> {
    let patterns = patterns_of(output, written, now);
    if is_url(output) {
        let url = BucketUrl::parse(output).map_err(ExportError::from)?;
        let deleted = prune_bucket(&url, &patterns, written, (keep, now)).await?;
        return Ok(PruneReport { deleted, ..PruneReport::default() });
    }
    prune_folders(&patterns, written, earlier, (keep, now))
        .map_err(|error| Error::new(ErrorKind::Usage, error.to_string(), None))
}

async fn prune_bucket(
    url: &BucketUrl,
    patterns: &BTreeSet<String>,
    written: &[String],
    (keep, now): (usize, DateTime),
) -> Result<usize> {
    let bucket = Bucket::open(url)?;
    let fixed = url.key.split('{').next().unwrap_or_default();
    let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for key in bucket.keys(folder).await? {
        let location = url.with_key(&key);
        let stamp = patterns.iter().find_map(|pattern| match_stamp(pattern, &location, Stamp::default()));
        found.extend(stamp.map(|stamp| (stamp, key)));
    }
    let mut deleted = 0;
    for key in outdated(found, |_| true, keep, now).iter().filter(|key| !written.contains(&url.with_key(key))) {
        bucket.delete(key).await?;
        deleted += 1;
    }
    Ok(deleted)
}

fn prune_folders(
    patterns: &BTreeSet<String>,
    written: &[String],
    earlier: EarlierFiles<'_>,
    (keep, now): (usize, DateTime),
) -> io::Result<PruneReport> {
    let (known, mut found) = (earlier.list.known(), Vec::new());
    for pattern in patterns {
        find_files(Path::new(pattern), &mut found)?;
    }
    let written: BTreeSet<PathBuf> = written.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let is_written = |path: &Path| fs::canonicalize(path).is_ok_and(|real| written.contains(&real));
    let old_by_name: BTreeSet<PathBuf> = outdated(found.clone(), |_| true, keep, now).into_iter().collect();
    let is_own = |path: &Path| is_written(path) || known.is_of_series(path, earlier.series);
    let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, path)| is_own(path));
    let mut left: Vec<PathBuf> = others.into_iter().map(|(_, path)| path).collect();
    left.retain(|path| old_by_name.contains(path));
    left.sort_unstable();
    let mut report = PruneReport { deleted: 0, left };
    let is_complete = |path: &PathBuf| is_written(path) || !known.is_incomplete(path);
    let mut deleted = Vec::new();
    for path in outdated(own, is_complete, keep, now) {
        if is_written(&path) {
            continue;
        }
        let real = fs::canonicalize(&path)?;
        fs::remove_file(&path)?;
        deleted.push(real);
        report.deleted += 1;
        let folders = path.ancestors().skip(1).zip(depth_of_stamps(patterns, &path));
        // A folder that holds anything else stays.
        folders.take_while(|(folder, _)| fs::remove_dir(folder).is_ok()).count();
    }
    earlier.list.forget(&deleted);
    Ok(report)
}

/// One item for each folder above the file that has a date or time in its name or above it: these were made by the
/// export.
fn depth_of_stamps(patterns: &BTreeSet<String>, path: &Path) -> impl Iterator<Item = ()> {
    let depth = path.components().count();
    let first_stamp = |pattern: &String| {
        let parts: Vec<_> = Path::new(pattern).components().collect();
        let first = parts.iter().position(|part| part.as_os_str().to_str().is_some_and(has_stamp))?;
        (parts.len() == depth).then_some(depth - 1 - first)
    };
    std::iter::repeat_n((), patterns.iter().filter_map(first_stamp).min().unwrap_or(0))
}

/// Adds the ordinary files of that pattern. Links behind the first date or time in the path are not followed.
fn find_files(pattern: &Path, found: &mut Vec<(Stamp, PathBuf)>) -> io::Result<()> {
    let parts: Vec<Component<'_>> = pattern.components().collect();
    let is_stamped = |part: &Component<'_>| part.as_os_str().to_str().is_some_and(has_stamp);
    let Some(first) = parts.iter().position(is_stamped) else { return Ok(()) };
    let mut at: Vec<(Stamp, PathBuf)> = vec![(Stamp::default(), parts[..first].iter().collect())];
    for (index, part) in parts.iter().enumerate().skip(first) {
        let Some(name) = part.as_os_str().to_str() else { return Ok(()) };
        let is_last = index + 1 == parts.len();
        let mut next = Vec::new();
        for (stamp, folder) in at {
            find_entries(&folder, name, stamp, |kind| if is_last { kind.is_file() } else { kind.is_dir() }, &mut next)?;
        }
        at = next;
    }
    found.append(&mut at);
    Ok(())
}

fn find_entries(
    folder: &Path,
    pattern: &str,
    stamp: Stamp,
    is_wanted: impl Fn(fs::FileType) -> bool,
    found: &mut Vec<(Stamp, PathBuf)>,
) -> io::Result<()> {
    let listed = if folder == Path::new("") { Path::new(".") } else { folder };
    let entries = match fs::read_dir(listed) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        // Not through links: `file_type` is that of the link itself.
        let stamp = entry.file_name().to_str().and_then(|name| match_stamp(pattern, name, stamp));
        if let Some(stamp) = stamp.filter(|_| entry.file_type().is_ok_and(&is_wanted)) {
            found.push((stamp, folder.join(entry.file_name())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
