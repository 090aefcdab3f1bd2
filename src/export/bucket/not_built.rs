//! Stands in for `store` in a build without the feature `buckets`: no bucket can be opened.

use std::path::PathBuf;

use super::url::{BucketUrl, BucketsNotBuilt};

/// A bucket, of which there is none in this build.
#[derive(Debug)]
pub(crate) enum Bucket {}

/// A local file and the key it would be uploaded to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) file: PathBuf,
    pub(crate) key: String,
}

impl Bucket {
    pub(crate) fn open(_: &BucketUrl) -> Result<Self, BucketsNotBuilt> {
        Err(BucketsNotBuilt)
    }

    pub(crate) fn url(&self) -> &BucketUrl {
        match *self {}
    }

    pub(crate) async fn check_writable(&self, _: &str) -> Result<(), BucketsNotBuilt> {
        match *self {}
    }

    pub(crate) async fn upload(
        &self,
        _: &[Upload],
        _: impl Future<Output = ()>,
        _: &mut dyn FnMut(u64),
    ) -> Result<Vec<String>, BucketsNotBuilt> {
        match *self {}
    }

    pub(crate) async fn keys(&self, _: &str) -> Result<Vec<String>, BucketsNotBuilt> {
        match *self {}
    }

    pub(crate) async fn delete(&self, _: &str) -> Result<(), BucketsNotBuilt> {
        match *self {}
    }
}
