//! What stands for `landing` where buckets are not built in: there is never one.

use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use crate::cli::progress::Progress;
use crate::error::Error;
use crate::export::bucket::BucketUrl;

pub(super) enum Landing {}

impl Landing {
    /// # Errors
    /// Always; the command line was refused before.
    pub(super) fn begin(_: &Runtime, _: &BucketUrl, _: &str) -> Result<Self, Error> {
        Err(not_built())
    }

    pub(super) fn folder(&self) -> &Path {
        match *self {}
    }

    pub(super) fn land(self, _: &Runtime, _: &[PathBuf], _: &mut Progress) -> Result<Vec<String>, Error> {
        match self {}
    }
}

pub(super) fn prune(_: &Runtime, _: &str, _: usize) -> Result<usize, Error> {
    Err(not_built())
}

/// Why a URL is refused.
pub(super) fn not_built() -> Error {
    let what = "cannot write to a bucket: tallyport was built without `buckets`";
    Error::usage(what, "build it with `--features full`, or name a file or a folder")
}
