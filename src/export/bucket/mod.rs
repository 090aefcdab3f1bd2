//! Uploads to object storage: S3 and compatible services, Azure Blob Storage and Google Cloud Storage.
//!
//! ```text
//! url          parses a bucket URL, and knows the providers and their environment variables
//! environment  validates those variables before the client is built
//! store        uploads a set of files; lists and deletes keys
//! error        what went wrong, without secrets
//! ```
//!
//! Object storage has no rename that would publish a set of files atomically. The closest thing: every file is sent
//! as an upload that is not visible yet (a multipart upload, or uncommitted blocks). Only when all of them are
//! complete are they published, with one short request per file, in the order of the tables, the manifest last. So a
//! dropped connection, a full disk or quota, or Ctrl-C leaves the bucket unchanged. Only a failure between those last
//! requests leaves new files beside old ones, and then the error names both.
//!
//! Credentials and endpoints come from the environment only, in the variables that each provider's own tools use.

#[cfg(feature = "buckets")]
mod environment;
#[cfg(feature = "buckets")]
mod error;
#[cfg(not(feature = "buckets"))]
mod not_built;
#[cfg(feature = "buckets")]
mod store;
#[cfg(all(test, feature = "buckets"))]
mod tests;
mod url;

#[cfg(not(feature = "buckets"))]
pub(crate) use not_built::{Bucket, Upload};
#[cfg(feature = "buckets")]
pub(crate) use store::{Bucket, Upload};
pub(crate) use url::{BucketUrl, BucketUrlError, BucketsNotBuilt, SECRET_VARIABLES, is_url};
