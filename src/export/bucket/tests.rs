#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::future::{pending, ready};
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::error::BucketError;
use super::*;

/// A bucket in memory, and the same as the world sees it.
fn bucket() -> (Bucket, Arc<InMemory>) {
    let store = Arc::new(InMemory::new());
    let seen: Box<dyn ObjectStore> = Box::new(Arc::clone(&store));
    (Bucket::with_store(seen, BucketUrl::parse("s3://bucket/exports/").unwrap()), store)
}

fn upload(folder: &std::path::Path, name: &str, bytes: &[u8]) -> Upload {
    let file = folder.join(name);
    fs::write(&file, bytes).unwrap();
    Upload { file, key: format!("exports/{name}") }
}

async fn bytes_of(store: &InMemory, key: &str) -> Vec<u8> {
    store.get(&key.into()).await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn files_of_any_size_arrive_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (bucket, store) = bucket();
    let large: Vec<u8> = (0..20_000_000_u32).map(|number| (number % 251) as u8).collect();
    let uploads =
        [("large.csv", large.as_slice()), ("small.csv", b"id\r\n".as_slice()), ("empty.jsonl", b"".as_slice())]
            .map(|(name, bytes)| upload(folder.path(), name, bytes));
    let mut sent = Vec::new();
    let urls = bucket.upload(&uploads, pending(), &mut |bytes| sent.push(bytes)).await.unwrap();
    let expected = ["large.csv", "small.csv", "empty.jsonl"].map(|name| format!("s3://bucket/exports/{name}"));
    assert_eq!(urls, expected);
    assert!(bytes_of(&store, "exports/large.csv").await == large);
    assert_eq!(bytes_of(&store, "exports/small.csv").await, b"id\r\n");
    assert_eq!(bytes_of(&store, "exports/empty.jsonl").await, b"");
    assert_eq!(sent.last(), Some(&20_000_004));
    assert!(sent.len() > 3, "{sent:?}");
}

#[tokio::test]
async fn nothing_is_seen_before_everything_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (bucket, store) = bucket();
    let first = upload(folder.path(), "first.csv", b"new");
    store.put(&"exports/first.csv".into(), b"old".as_slice().into()).await.unwrap();
    let missing = Upload { file: folder.path().join("missing.csv"), key: String::from("exports/missing.csv") };
    let refused = bucket.upload(&[first.clone(), missing], pending(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, BucketError::File { .. }), "{refused}");
    assert_eq!(bytes_of(&store, "exports/first.csv").await, b"old");
    let stopped = bucket.upload(&[first], ready(()), &mut |_| {}).await.unwrap_err();
    assert!(matches!(stopped, BucketError::Interrupted), "{stopped}");
    assert_eq!(bytes_of(&store, "exports/first.csv").await, b"old");
}

#[tokio::test]
async fn an_attempt_leaves_nothing() {
    let (bucket, store) = bucket();
    store.put(&"exports/first.csv".into(), b"old".as_slice().into()).await.unwrap();
    bucket.check_writable("exports/first.csv").await.unwrap();
    bucket.check_writable("exports/second.csv").await.unwrap();
    assert_eq!(bucket.keys("").await.unwrap(), ["exports/first.csv"]);
    assert_eq!(bytes_of(&store, "exports/first.csv").await, b"old");
}

#[tokio::test]
async fn keys_are_those_of_the_folder() {
    let (bucket, store) = bucket();
    for key in ["exports/a.csv", "exports/deep/b.csv", "exports-old/c.csv", "d.csv"] {
        store.put(&key.into(), b"x".as_slice().into()).await.unwrap();
    }
    assert_eq!(bucket.keys("exports/").await.unwrap(), ["exports/a.csv", "exports/deep/b.csv"]);
    assert_eq!(bucket.keys("").await.unwrap().len(), 4);
    bucket.delete("exports/a.csv").await.unwrap();
    bucket.delete("exports/a.csv").await.unwrap();
    assert_eq!(bucket.keys("exports/").await.unwrap(), ["exports/deep/b.csv"]);
}
