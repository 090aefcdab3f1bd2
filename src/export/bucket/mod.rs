//! Exports into buckets: of S3 and what speaks like it, of Azure and of Google.
//!
//! ```text
//! url          which bucket a URL means, whose it is, and which variables of the environment lead into it
//! environment  what those variables say, seen before it is built on
//! store        files into a bucket together; its keys, listed and deleted
//! error        why that failed, in the user's words and without a secret
//! ```
//!
//! A bucket has no rename by which files could appear together. What comes nearest: every file is sent whole as an
//! upload that nobody sees yet (a multipart upload, or blocks that are not committed), and only once all of them are
//! safe there are they made visible, one short request each, in the order of their tables and what tells of them last.
//! So a line that breaks, a disk or a quota that fills or a Ctrl-C leaves the bucket as it was. Only a bucket that fails
//! between those last requests has new files beside old ones, and the error names both.
//!
//! Credentials and endpoints come from the environment alone, in the variables that the tools of each cloud use.

#[cfg(feature = "buckets")]
mod environment;
#[cfg(feature = "buckets")]
mod error;
#[cfg(feature = "buckets")]
mod store;
#[cfg(all(test, feature = "buckets"))]
mod tests;
mod url;

#[cfg(feature = "buckets")]
pub use error::{BucketError, Refusal, Torn};
#[cfg(feature = "buckets")]
pub use store::{Bucket, Upload};
pub use url::{BucketUrl, Cloud, UrlError, is_url};
