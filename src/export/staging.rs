//! Staging of an export that goes into a bucket: a temporary folder that the files are written to before the upload.

use std::path::{Path, PathBuf};

use super::bucket::{Bucket, BucketUrl, Upload};
use super::error::ExportError;
use super::progress::PhaseProgress;
use crate::error::Result;
use crate::run::prepare::unless_interrupted;
use crate::scratch::ScratchFolder;
use crate::shutdown::ShutdownSignal;

/// A temporary folder, and the bucket that its files are uploaded to. The folder is deleted on drop.
pub(crate) struct StagingDir {
    bucket: Bucket,
    folder: ScratchFolder,
}

impl StagingDir {
    /// Checks that the bucket accepts files before anything is requested from the service: a file at `url`, or one
    /// called `name` if `url` is a folder.
    pub(crate) async fn create(url: &BucketUrl, name: &str, shutdown: &ShutdownSignal) -> Result<Self> {
        let bucket = Bucket::open(url)?;
        let folder = ScratchFolder::create().map_err(|source| ExportError::Staging { source })?;
        let key = if url.is_folder() { format!("{}{name}", url.key) } else { url.key.clone() };
        unless_interrupted(&mut shutdown.clone(), async { Ok(bucket.check_writable(&key).await?) }).await?;
        Ok(Self { bucket, folder })
    }

    /// The folder to write to. Files keep their names in the bucket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Uploads the files in this order, and returns their URLs.
    pub(crate) async fn upload(
        self,
        files: &[PathBuf],
        progress: &mut PhaseProgress<'_>,
        shutdown: &ShutdownSignal,
    ) -> Result<Vec<String>> {
        let uploads: Vec<Upload> =
            files.iter().map(|file| Upload { file: file.clone(), key: self.key_of(file) }).collect();
        let mut on_sent = |bytes: u64| progress.begin(&format!("uploading, {} MB sent", bytes / 1_000_000));
        let mut shutdown = shutdown.clone();
        Ok(self.bucket.upload(&uploads, shutdown.next(), &mut on_sent).await?)
    }

    /// The key of a file: its path in the staging folder, below the folder of the export's key.
    fn key_of(&self, file: &Path) -> String {
        let key = &self.bucket.url().key;
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| &key[..=folder.len()]);
        let path = file.strip_prefix(self.folder.path()).unwrap_or(file);
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        format!("{folder}{}", parts.join("/"))
    }
}
