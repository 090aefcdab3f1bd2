//! An export on its way into a bucket: written into a folder of its own first, by the same writers as any other.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::destination;
use super::keep::Series;
use crate::cli::interrupts;
use crate::cli::progress::Progress;
use crate::error::Error;
use crate::export::bucket::{Bucket, BucketError, BucketUrl, Upload};

/// Gone with its folder when it is dropped.
pub(super) struct Landing {
    bucket: Bucket,
    folder: TempDir,
}

impl Landing {
    /// Sees that the bucket takes files before anything is asked of the service: one at `url`, or one of that name in
    /// the folder it means.
    pub(super) fn begin(runtime: &Runtime, url: &BucketUrl, name: &str) -> Result<Self, Error> {
        let bucket = Bucket::open(url)?;
        let folder = tempfile::Builder::new().prefix("tallyport-").tempdir().map_err(|error| {
            let what = format!("no folder for the files on their way to the bucket: {error}");
            Error::usage(what, "make room in the folder for temporary files, or set TMPDIR to another")
        })?;
        let key = match url.is_folder() {
            true => format!("{}{name}", url.key),
            false => url.key.clone(),
        };
        runtime.block_on(async {
            let mut interrupts = interrupts::listen()?;
            tokio::select! {
                biased;
                () = interrupts.next() => Err(Error::interrupted()),
                tried = bucket.try_writing(&key) => Ok(tried?),
            }
        })?;
        Ok(Self { bucket, folder })
    }

    /// Where the files are put first; their names there are those they will have.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Brings the files into the bucket, in their order. Their URLs.
    pub(super) fn land(
        self,
        runtime: &Runtime,
        files: &[PathBuf],
        progress: &mut Progress,
    ) -> Result<Vec<String>, Error> {
        let uploads: Vec<Upload> =
            files.iter().map(|file| Upload { file: file.clone(), key: self.key_of(file) }).collect();
        let mut say = |bytes: u64| progress.phase(&format!("uploading, {} MB sent", bytes / 1_000_000));
        runtime.block_on(async {
            let mut interrupts = interrupts::listen()?;
            match self.bucket.upload(&uploads, interrupts.next(), &mut say).await {
                Err(BucketError::Interrupted) => Err(Error::interrupted()),
                landed => Ok(landed?),
            }
        })
    }

    /// The key of a file: below that of the export, as the file lies in the folder.
    fn key_of(&self, file: &Path) -> String {
        let key = &self.bucket.url().key;
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| &key[..=folder.len()]);
        let below = file.strip_prefix(self.folder.path()).unwrap_or(file);
        let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        format!("{folder}{}", parts.join("/"))
    }
}

/// Deletes what is older than the newest `keep` of an export in a bucket, and says how many files that were.
pub(super) fn prune(runtime: &Runtime, output: &str, keep: usize) -> Result<usize, Error> {
    let url = destination::bucket(output)?;
    let bucket = Bucket::open(&url)?;
    let fixed = url.key.split('{').next().unwrap_or_default();
    let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
    runtime.block_on(async {
        let keys = bucket.keys(folder).await?.into_iter().map(|key| (key.clone(), key));
        let outdated = Series::of_keys(&url.key).outdated(keys, keep);
        for key in &outdated {
            bucket.delete(key).await?;
        }
        Ok(outdated.len())
    })
}
