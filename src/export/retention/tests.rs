#![allow(clippy::unwrap_used)]
use jiff::civil::date;

use super::*;
use crate::written_files::WrittenFiles;

/// The list of what the export has written.
fn own_list(state: &Path) -> WrittenFiles {
    WrittenFiles::new(state).for_series(nightly())
}

fn nightly() -> ExportSeries {
    ExportSeries::Named(String::from("nightly"))
}

fn pruned(list: &WrittenFiles, patterns: &BTreeSet<String>, written: &[String], keep: usize) -> PruneReport {
    let earlier = EarlierFiles { list, series: &nightly() };
    prune_folders(patterns, written, earlier, (keep, now())).unwrap()
}

fn now() -> DateTime {
    date(2026, 11, 24).at(9, 0, 0, 123)
}

/// Creates the files in a new folder, as tallyport would, runs retention for an export to `output` that wrote `written`,
/// and returns what is left.
fn left(output: &str, written: &[&str], keep: usize, files: &[&str]) -> Vec<String> {
    let state = tempfile::tempdir().unwrap();
    let files_list = own_list(state.path());
    let folder = tempfile::tempdir().unwrap();
    for file in files.iter().chain(written) {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let at = |path: &str| format!("{}/{path}", folder.path().display());
    files_list.record(&files.iter().map(|path| at(path).into()).collect::<Vec<_>>());
    let written: Vec<String> = written.iter().map(|path| at(path)).collect();
    let patterns = patterns_of(&at(output), &written, now());
    pruned(&files_list, &patterns, &written, keep);
    let mut left = Vec::new();
    list(folder.path(), "", &mut left);
    left.sort();
    left
}

fn list(folder: &Path, prefix: &str, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true if fs::read_dir(entry.path()).unwrap().next().is_none() => into.push(format!("{name}/")),
            true => list(&entry.path(), &format!("{name}/"), into),
            false => into.push(name),
        }
    }
}

#[test]
fn only_older_files_of_the_export_are_deleted() {
    let others = [
        "n-2026-11-21.xlsx", "n-2026-11-2x.csv", "n-2026-13-45.csv", "n-latest.csv", "other-2026-11-01.csv",
        "n-2026-11-21.csv.bak", "old/n-2026-11-01.csv", "n-2026-11-21.manifest.json",
    ];
    let ours = ["n-2026-11-21.csv", "n-2026-11-21.changes.csv", "n-2026-11-23.csv"];
    let written = ["n-2026-11-24.csv", "n-2026-11-24.changes.csv"];
    let files = [others.as_slice(), &ours].concat();
    let mut expected: Vec<&str> = [others.as_slice(), &ours[2..], &written].concat();
    expected.sort_unstable();
    assert_eq!(left("n-{date}.csv", &written, 2, &files), expected);
}

#[test]
fn files_of_others_and_edited_ones_stay_and_do_not_count() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let list = own_list(state.path());
    let at = |day: u8| folder.path().join(format!("n-2026-11-{day}.csv"));
    let shown = |path: &Path| path.display().to_string();
    for day in 18..=24 {
        fs::write(at(day), "x").unwrap();
    }
    let prune = |keep| {
        let pattern = shown(&folder.path().join("n-{date}.csv"));
        let written = [shown(&at(24))];
        pruned(&list, &patterns_of(&pattern, &written, now()), &written, keep)
    };
    // In a new state folder nothing is known to be tallyport's but what this run wrote.
    assert_eq!(prune(6), PruneReport { deleted: 0, left: vec![at(18)] });
    list.record(&(18..=22).map(at).collect::<Vec<_>>());
    fs::write(at(20), "edited").unwrap();
    // Kept are 24, 22 and 21: 23 is somebody's, and 20 was edited.
    assert_eq!(prune(3), PruneReport { deleted: 2, left: vec![at(20)] });
    assert_eq!((18..=24).filter(|day| at(*day).exists()).collect::<Vec<_>>(), [20, 21, 22, 23, 24]);
}

#[test]
fn files_that_lack_a_tenant_do_not_count_and_go_with_those_of_their_time() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let list = own_list(state.path());
    let at = |day: u8| folder.path().join(format!("n-2026-11-{day}.csv"));
    (20..=24).for_each(|day| fs::write(at(day), "x").unwrap());
    list.record(&(20..=23).map(at).collect::<Vec<_>>());
    list.mark_incomplete(&[at(20), at(22), at(23)]);
    let pattern = folder.path().join("n-{date}.csv").display().to_string();
    let written = [at(24).display().to_string()];
    let prune = |keep| pruned(&list, &patterns_of(&pattern, &written, now()), &written, keep).deleted;
    let days = || (20..=24).filter(|day| at(*day).exists()).collect::<Vec<_>>();
    assert_eq!((prune(3), days()), (0, vec![20, 21, 22, 23, 24]), "two are complete");
    assert_eq!((prune(2), days()), (1, vec![21, 22, 23, 24]), "older than the oldest complete one that is kept");
    assert_eq!((prune(1), days()), (3, vec![24]));
    // Written again, it is complete.
    fs::write(at(23), "x").unwrap();
    list.record(&[at(23)]);
    assert!(!list.known().is_incomplete(&at(23)));
}

#[test]
fn what_tallyport_wrote_for_another_purpose_stays() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |day: u8| folder.path().join(format!("n-2026-11-{day}.csv"));
    let [result, of_others, own, newest] = [20, 21, 22, 24].map(at);
    for path in [&result, &of_others, &own, &newest] {
        fs::write(path, "x").unwrap();
    }
    let list = WrittenFiles::new(state.path());
    list.record(std::slice::from_ref(&result));
    let output = folder.path().join("n-2026-11-21.csv");
    let once = ExportSeries::Unnamed { collections: vec![String::from("licenses")], output };
    list.for_series(once).record(std::slice::from_ref(&of_others));
    list.for_series(nightly()).record(std::slice::from_ref(&own));
    let written = [newest.display().to_string()];
    let patterns = patterns_of(&folder.path().join("n-{date}.csv").display().to_string(), &written, now());
    let report = pruned(&list, &patterns, &written, 1);
    assert_eq!(report, PruneReport { deleted: 1, left: vec![result, of_others] });
    assert!(!own.exists() && newest.exists());
    // Deleted by tallyport, it needs no place on the list: what comes there is somebody's.
    fs::write(&own, "x").unwrap();
    assert!(list.check(&[own]).is_err());
}

#[test]
fn in_the_folder_of_a_day_only_the_names_of_this_export_are_deleted() {
    let files = [
        "2026-11-22/inv/assets.csv", "2026-11-22/inv/budget.csv", "2026-11-22/contract.xlsx",
        "2026-11-23/inv/assets.csv", "2026-11-23/inv/locations.csv", "2026-11-23/assets.csv",
        "2026-11-20/inv/a/assets.csv",
    ];
    assert_eq!(
        left("{date}/inv/", &["2026-11-24/inv/assets.csv"], 1, &files),
        [
            "2026-11-20/inv/a/assets.csv", "2026-11-22/contract.xlsx", "2026-11-22/inv/budget.csv",
            "2026-11-23/assets.csv", "2026-11-23/inv/locations.csv", "2026-11-24/inv/assets.csv",
        ]
    );
    // Folders that are empty now are gone, those above the first date stay.
    let emptied = left("out/{date}/inv/", &["out/2026-11-24/inv/assets.csv"], 1, &["out/2026-11-22/inv/assets.csv"]);
    assert_eq!(emptied, ["out/2026-11-24/inv/assets.csv"]);
}

#[test]
fn stamps_of_the_future_do_not_count_and_stay() {
    let files = ["n-2026-11-22.csv", "n-2026-11-25.csv", "n-2099-01-01.csv"];
    let expected = ["n-2026-11-24.csv", "n-2026-11-25.csv", "n-2099-01-01.csv"];
    assert_eq!(left("n-{date}.csv", &["n-2026-11-24.csv"], 1, &files), expected);
}

#[test]
fn a_later_time_without_a_date_is_yesterdays() {
    let files = ["n-235959.csv", "n-080000.csv", "n-251000.csv"];
    let written = ["n-090000.csv"];
    assert_eq!(left("n-{time}.csv", &written, 1, &files), ["n-090000.csv", "n-251000.csv"]);
    assert_eq!(left("n-{time}.csv", &written, 2, &files), ["n-080000.csv", "n-090000.csv", "n-251000.csv"]);
    // The date decides first, wherever it stands in the name.
    let dated = ["230000 2026-11-23.csv", "080000 2026-11-24.csv"];
    let written = ["090000 2026-11-24.csv"];
    assert_eq!(left("{time} {date}.csv", &written, 2, &dated), ["080000 2026-11-24.csv", "090000 2026-11-24.csv"]);
}

#[test]
fn a_name_with_two_dates_has_the_same_twice() {
    let files = ["2026-11-20/n-2026-11-20.csv", "2026-11-21/n-2026-11-20.csv"];
    let expected = ["2026-11-21/n-2026-11-20.csv", "2026-11-24/n-2026-11-24.csv"];
    assert_eq!(left("{date}/n-{date}.csv", &["2026-11-24/n-2026-11-24.csv"], 1, &files), expected);
}

#[test]
fn snapshots_of_a_partitioned_export_are_dated_by_their_folder() {
    let files = [
        "collection=assets/snapshot=2026-11-22/part-0.parquet",
        "collection=assets/snapshot=2026-11-23/_SUCCESS",
        "collection=assets/snapshot=2026-11-23/part-0.parquet",
        "collection=licenses/snapshot=2026-11-01/part-0.parquet",
    ];
    let written = ["collection=assets/snapshot=2026-11-24/part-0.parquet"];
    assert_eq!(left("", &written, 1, &files), [files[1], written[0], files[3]]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for path in ["archive/assets.csv", "out/2026-11-24/assets.csv"] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), "x").unwrap();
    }
    symlink(at("archive"), at("out/2026-11-20")).unwrap();
    fs::create_dir(at("out/2026-11-21")).unwrap();
    symlink(at("archive/assets.csv"), at("out/2026-11-21/assets.csv")).unwrap();
    let written = [at("out/2026-11-24/assets.csv").display().to_string()];
    let patterns = patterns_of(&at("out/{date}/").display().to_string(), &written, now());
    let list = own_list(folder.path());
    list.record(&[at("archive/assets.csv")]);
    assert_eq!(pruned(&list, &patterns, &written, 1), PruneReport::default());
    assert!(at("archive/assets.csv").is_file() && at("out/2026-11-21/assets.csv").is_symlink());
}

#[test]
fn keys_of_a_bucket_are_matched_whole() {
    let written = [String::from("s3://b/exports/2026-11-24/assets.csv")];
    let patterns = patterns_of("s3://b/exports/{date}/", &written, now());
    let is_ours = |key: &str| patterns.iter().any(|pattern| match_stamp(pattern, key, Stamp::default()).is_some());
    assert!(is_ours("s3://b/exports/2026-11-20/assets.csv"));
    for other in ["exports/2026-11-20/budget.csv", "exports/2026-11-20/x/assets.csv", "2026-11-20/assets.csv"] {
        assert!(!is_ours(&format!("s3://b/{other}")), "{other}");
    }
}
