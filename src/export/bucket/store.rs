//! Files into a bucket together; its keys, listed and deleted.

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

use super::environment::{self, Access};
use super::error::{BucketError, Torn, refusal};
use super::url::{AZURE, BucketUrl, S3};

/// So much of a file is sent at once: S3 takes no less than 5 MiB, but for the last part.
const PART: u64 = 8 << 20;
/// Parts of a file may be on their way at once. Memory holds these and the one that is read.
const PARTS_AT_ONCE: usize = 3;
/// S3 and R2 take 10,000 parts; the parts of larger files are larger.
const MOST_PARTS: u64 = 9_000;
/// A part over a slow line takes its time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// What a bucket does not answer, or answers with 5xx, is asked again so often, at growing distances of seconds.
const RETRIES: usize = 5;
const RETRY_TIMEOUT: Duration = Duration::from_secs(240);

/// A bucket, and the key below which an export stands.
#[derive(Debug)]
pub struct Bucket {
    store: Box<dyn ObjectStore>,
    url: BucketUrl,
    access: Access,
}

/// A file on its way to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub file: PathBuf,
    /// The whole key.
    pub key: String,
}

/// A file that is in the bucket and not yet visible.
struct Staged {
    key: String,
    upload: Box<dyn MultipartUpload>,
}

impl Bucket {
    /// Asks nothing of the bucket yet.
    ///
    /// # Errors
    /// An environment that does not say enough.
    pub fn open(url: &BucketUrl) -> Result<Self, BucketError> {
        crate::api::install_cryptography();
        if let Some(fault) = environment::fault(url.cloud, environment::read) {
            return Err(BucketError::setup(url, &fault));
        }
        let store = store(url).map_err(|error| BucketError::setup(url, &error.to_string()))?;
        Ok(Self { store, url: url.clone(), access: Access::of(url.cloud) })
    }

    /// A bucket that is kept elsewhere.
    #[cfg(test)]
    pub(super) fn of(store: Box<dyn ObjectStore>, url: BucketUrl) -> Self {
        Self { store, url, access: Access::Given }
    }

    pub fn url(&self) -> &BucketUrl {
        &self.url
    }

    /// Whether files can be written, tried out by an upload to `key` that is taken back: what would make the end fail
    /// is known before the work.
    pub async fn try_writing(&self, key: &str) -> Result<(), BucketError> {
        let mut upload = self.begin(key).await?;
        let sent = upload.put_part(vec![b'-'].into()).await;
        abort(&mut upload, key).await;
        sent.map_err(|error| self.refused(&error))
    }

    /// Sends the files, and then makes all of them visible, in this order. Their URLs.
    ///
    /// # Errors
    /// All but [`BucketError::Torn`] leave the bucket as it was. `stop` is heeded as long as it does.
    pub async fn upload(
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
            Ok(()) => self.show(staged).await,
            Err(error) => {
                abort_all(staged).await;
                Err(error)
            }
        }
    }

    async fn stage(
        &self,
        uploads: &[Upload],
        staged: &mut Vec<Staged>,
        on_sent: &mut dyn FnMut(u64),
    ) -> Result<(), BucketError> {
        let mut sent = 0;
        for Upload { file, key } in uploads {
            let upload = self.begin(key).await?;
            // Known from here on, so that it is taken back whatever happens to it.
            staged.push(Staged { key: key.clone(), upload });
            let Some(Staged { upload, .. }) = staged.last_mut() else { continue };
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

    /// Sends a file in parts, holding a few of them in memory.
    async fn send(
        &self,
        path: &std::path::Path,
        upload: &mut dyn MultipartUpload,
        on_part: &mut dyn FnMut(u64),
    ) -> Result<(), BucketError> {
        let unreadable = |source| BucketError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let part_size = PART.max(size.div_ceil(MOST_PARTS));
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
            if in_flight.len() >= PARTS_AT_ONCE
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

    async fn show(&self, staged: Vec<Staged>) -> Result<Vec<String>, BucketError> {
        let mut stand = Vec::with_capacity(staged.len());
        let mut staged = staged.into_iter();
        while let Some(Staged { key, mut upload }) = staged.next() {
            let Err(error) = upload.complete().await else {
                stand.push(self.url.with_key(&key));
                continue;
            };
            let rest: Vec<Staged> = staged.collect();
            let missing = rest.iter().map(|staged| self.url.with_key(&staged.key)).collect();
            abort(&mut upload, &key).await;
            abort_all(rest).await;
            return Err(BucketError::Torn(Box::new(Torn {
                root: self.url.root.clone(),
                cloud: self.url.cloud,
                stand,
                uncertain: self.url.with_key(&key),
                missing,
                refusal: refusal(self.url.cloud, self.access, &error),
            })));
        }
        Ok(stand)
    }

    /// All keys in the folder `folder`, however deep; everything where it is empty.
    pub async fn keys(&self, folder: &str) -> Result<Vec<String>, BucketError> {
        let folder = self.path(folder)?;
        let folder = Some(&folder).filter(|folder| !folder.as_ref().is_empty());
        let keys = self.store.list(folder).map_ok(|object| object.location.to_string());
        keys.try_collect().await.map_err(|error| self.refused(&error))
    }

    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.refused(&error)),
        }
    }

    fn path(&self, key: &str) -> Result<Path, BucketError> {
        Path::parse(key).map_err(|error| BucketError::setup(&self.url, &error.to_string()))
    }

    fn refused(&self, error: &object_store::Error) -> BucketError {
        BucketError::refused(&self.url, self.access, error)
    }
}

/// Takes uploads back. Those that cannot be are seen by nobody; buckets have rules to clear them away.
async fn abort_all(staged: Vec<Staged>) {
    for Staged { key, mut upload } in staged {
        abort(&mut upload, &key).await;
    }
}

async fn abort(upload: &mut Box<dyn MultipartUpload>, key: &str) {
    if upload.abort().await.is_err() {
        tracing::info!(key, "an unfinished upload could not be taken back");
    }
}

/// The builders of `object_store` heed only variables that begin with the cloud's name.
fn store(url: &BucketUrl) -> object_store::Result<Box<dyn ObjectStore>> {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    let root = format!("{}/", url.root);
    let (timeout, patience) = (ClientConfigKey::Timeout, format!("{} seconds", REQUEST_TIMEOUT.as_secs()));
    if url.cloud == &S3 {
        let builder = AmazonS3Builder::from_env()
            // Not everything that speaks like S3 deletes in bulk, and we never delete many.
            .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
            .with_config(AmazonS3ConfigKey::Client(timeout), patience);
        return Ok(Box::new(builder.with_url(root).with_retry(retry).build()?));
    }
    if url.cloud == &AZURE {
        let builder = MicrosoftAzureBuilder::from_env().with_config(AzureConfigKey::Client(timeout), patience);
        return Ok(Box::new(builder.with_url(root).with_retry(retry).build()?));
    }
    let builder = GoogleCloudStorageBuilder::from_env().with_config(GoogleConfigKey::Client(timeout), patience);
    Ok(Box::new(builder.with_url(root).with_retry(retry).build()?))
}
