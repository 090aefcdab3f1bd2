//! Uploads a set of files to a bucket; lists and deletes keys.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, MultipartUpload, ObjectStore, ObjectStoreExt, RetryConfig};

use super::environment::{self, Credentials};
use super::error::{BucketError, PartialUpload, refusal};
use super::url::{AZURE, BucketUrl, S3};

/// Size of an upload part in bytes. S3 takes at least 5 MiB, except for the last part.
const PART_SIZE: u64 = 8 << 20;
/// Parts of a file in flight at a time. Memory holds these and the one being read.
const MAX_PARTS_IN_FLIGHT: usize = 3;
/// S3 and R2 accept 10,000 parts per file; larger files get larger parts.
const MAX_PARTS: u64 = 9_000;
/// Generous, for a part over a slow connection.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// Retries after no response or a 5xx status, with exponential backoff.
const RETRIES: usize = 5;
const RETRY_TIMEOUT: Duration = Duration::from_secs(240);

/// A client of one bucket, with the URL of the export in it.
#[derive(Debug)]
pub(crate) struct Bucket {
    store: Box<dyn ObjectStore>,
    url: BucketUrl,
    credentials: Credentials,
}

/// A local file and the key it is uploaded to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub file: PathBuf,
    /// The full key.
    pub key: String,
}

/// A file that has been uploaded but is not visible yet.
struct StagedUpload {
    key: String,
    upload: Box<dyn MultipartUpload>,
}

impl Bucket {
    /// Creates the client. Sends no request yet.
    pub(crate) fn open(url: &BucketUrl) -> Result<Self, BucketError> {
        crate::api::install_cryptography();
        if let Some(problem) = environment::invalid_variable(url.provider, environment::read) {
            return Err(BucketError::setup(url, &problem));
        }
        let store = store(url).map_err(|error| BucketError::setup(url, &error.to_string()))?;
        Ok(Self { store, url: url.clone(), credentials: Credentials::of(url.provider) })
    }

    /// A bucket in another store, for tests.
    #[cfg(test)]
    pub(super) fn with_store(store: Box<dyn ObjectStore>, url: BucketUrl) -> Self {
        Self { store, url, credentials: Credentials::Configured }
    }

    pub(crate) fn url(&self) -> &BucketUrl {
        &self.url
    }

    /// Checks that files can be written, by starting an upload to `key` and aborting it, so that a refusal is known
    /// before the work begins.
    pub(crate) async fn check_writable(&self, key: &str) -> Result<(), BucketError> {
        let mut upload = self.begin(key).await?;
        let sent = upload.put_part(vec![b'-'].into()).await;
        abort(&mut upload, key).await;
        sent.map_err(|error| self.refused(&error))
    }

    /// Uploads the files, then makes all of them visible in this order. Returns their URLs.
    ///
    /// `on_sent` receives the total number of bytes sent so far. `stop` cancels the upload until the first file is made
    /// visible.
    ///
    /// # Errors
    /// All except [`BucketError::PartialUpload`] leave the bucket unchanged.
    pub(crate) async fn upload(
        &self,
        uploads: &[Upload],
        stop: impl Future<Output = ()>,
        on_sent: &mut dyn FnMut(u64),
    ) -> Result<Vec<String>, BucketError> {
        let mut staged = Vec::with_capacity(uploads.len());
        let all = tokio::select! {
            biased;
            () = stop => Err(BucketError::Interrupted),
            all = self.stage(uploads, &mut staged, on_sent) => all,
        };
        match all {
            Ok(()) => self.publish(staged).await,
            Err(error) => {
                abort_all(staged).await;
                Err(error)
            }
        }
    }

    async fn stage(
        &self,
        uploads: &[Upload],
        staged: &mut Vec<StagedUpload>,
        on_sent: &mut dyn FnMut(u64),
    ) -> Result<(), BucketError> {
        let mut sent = 0;
        for Upload { file, key } in uploads {
            let upload = self.begin(key).await?;
            // Recorded before anything is sent, so that every failure aborts it.
            staged.push(StagedUpload { key: key.clone(), upload });
            let Some(StagedUpload { upload, .. }) = staged.last_mut() else { continue };
            let mut on_part = |bytes| {
                sent += bytes;
                on_sent(sent);
            };
            self.send(file, upload.as_mut(), &mut on_part).await?;
        }
        Ok(())
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BucketError> {
        let path = self.path(key)?;
        self.store.put_multipart(&path).await.map_err(|error| self.refused(&error))
    }

    /// Sends a file in parts, with a few of them in memory.
    async fn send(
        &self,
        path: &std::path::Path,
        upload: &mut dyn MultipartUpload,
        on_part: &mut dyn FnMut(u64),
    ) -> Result<(), BucketError> {
        let unreadable = |source| BucketError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let part_size = PART_SIZE.max(size.div_ceil(MAX_PARTS));
        let mut in_flight = FuturesUnordered::new();
        loop {
            let mut part = Vec::new();
            file.by_ref().take(part_size).read_to_end(&mut part).map_err(unreadable)?;
            if part.is_empty() {
                break;
            }
            let bytes = part.len() as u64;
            let sending = upload.put_part(part.into());
            in_flight.push(async move { sending.await.map(|()| bytes) });
            if in_flight.len() >= MAX_PARTS_IN_FLIGHT
                && let Some(sent) = in_flight.next().await
            {
                on_part(sent.map_err(|error| self.refused(&error))?);
            }
        }
        while let Some(sent) = in_flight.next().await {
            on_part(sent.map_err(|error| self.refused(&error))?);
        }
        Ok(())
    }

    async fn publish(&self, staged: Vec<StagedUpload>) -> Result<Vec<String>, BucketError> {
        let mut published = Vec::with_capacity(staged.len());
        let mut staged = staged.into_iter();
        while let Some(StagedUpload { key, mut upload }) = staged.next() {
            let Err(error) = upload.complete().await else {
                published.push(self.url.with_key(&key));
                continue;
            };
            let rest: Vec<StagedUpload> = staged.collect();
            let unchanged = rest.iter().map(|staged| self.url.with_key(&staged.key)).collect();
            abort(&mut upload, &key).await;
            abort_all(rest).await;
            return Err(BucketError::PartialUpload(Box::new(PartialUpload {
                root: self.url.root.clone(),
                provider: self.url.provider,
                published,
                uncertain: self.url.with_key(&key),
                unchanged,
                refusal: refusal(self.url.provider, self.credentials, &error),
            })));
        }
        Ok(published)
    }

    /// All keys below the folder; all keys of the bucket if it is empty.
    pub(crate) async fn keys(&self, folder: &str) -> Result<Vec<String>, BucketError> {
        let folder = self.path(folder)?;
        let folder = Some(&folder).filter(|folder| !folder.as_ref().is_empty());
        let keys = self.store.list(folder).map_ok(|object| object.location.to_string());
        keys.try_collect().await.map_err(|error| self.refused(&error))
    }

    /// Deletes a key. A key that does not exist is not an error.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), BucketError> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.refused(&error)),
        }
    }

    fn path(&self, key: &str) -> Result<Path, BucketError> {
        Path::parse(key).map_err(|error| BucketError::setup(&self.url, &error.to_string()))
    }

    fn refused(&self, error: &object_store::Error) -> BucketError {
        BucketError::refused(&self.url, self.credentials, error)
    }
}

/// Aborts uploads. One that cannot be aborted stays invisible until a lifecycle rule of the bucket removes it.
async fn abort_all(staged: Vec<StagedUpload>) {
    for StagedUpload { key, mut upload } in staged {
        abort(&mut upload, &key).await;
    }
}

async fn abort(upload: &mut Box<dyn MultipartUpload>, key: &str) {
    if upload.abort().await.is_err() {
        tracing::info!(key, "could not abort an unfinished upload");
    }
}

/// Builds the client. The builders of `object_store` read only variables that begin with the provider's prefix.
fn store(url: &BucketUrl) -> object_store::Result<Box<dyn ObjectStore>> {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    let root = format!("{}/", url.root);
    let (timeout, duration) = (ClientConfigKey::Timeout, format!("{} seconds", REQUEST_TIMEOUT.as_secs()));
    if url.provider == &S3 {
        let builder = AmazonS3Builder::from_env()
            // Not every S3-compatible service supports bulk deletes, and we never delete many.
            .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
            .with_config(AmazonS3ConfigKey::Client(timeout), duration);
        return Ok(Box::new(builder.with_url(root).with_retry(retry).build()?));
    }
    if url.provider == &AZURE {
        let builder = MicrosoftAzureBuilder::from_env().with_config(AzureConfigKey::Client(timeout), duration);
        return Ok(Box::new(builder.with_url(root).with_retry(retry).build()?));
    }
    let builder = GoogleCloudStorageBuilder::from_env().with_config(GoogleConfigKey::Client(timeout), duration);
    Ok(Box::new(builder.with_url(root).with_retry(retry).build()?))
}
