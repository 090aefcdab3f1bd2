#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::written_files::Overwrite;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_dropped_halfway_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.csv");
    fs::write(&path, "old").unwrap();
    let mut whole = AtomicFile::create(&path).unwrap();
    whole.write_all(b"half").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    drop(whole);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(folder.path()), ["result.csv"]);
}

#[test]
fn a_committed_file_replaces_the_old_one_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.csv");
    fs::write(&path, "old").unwrap();
    let mut whole = AtomicFile::create(&path).unwrap();
    whole.write_all(b"new").unwrap();
    assert_eq!(whole.commit().unwrap(), path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(names(folder.path()), ["result.csv"]);
}

#[test]
fn a_missing_folder_and_a_folder_are_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let missing = AtomicFile::create(&folder.path().join("no/result.csv")).unwrap_err();
    assert!(matches!(missing, WriteError::FolderMissing { .. }), "{missing}");
    let taken = AtomicFile::create(folder.path()).unwrap_err();
    assert!(matches!(taken, WriteError::IsFolder { .. }), "{taken}");
}

#[test]
fn a_place_taken_meanwhile_does_not_lose_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assets.result.xlsx");
    let mut whole = AtomicFile::create(&path).unwrap();
    whole.write_all(b"new").unwrap();
    // A folder with something in it cannot be replaced on any system, as an open file cannot on Windows.
    fs::create_dir_all(path.join("taken")).unwrap();
    let stands = whole.commit_or_numbered().unwrap();
    assert_eq!(stands, folder.path().join("assets.result (2).xlsx"));
    assert_eq!(fs::read_to_string(stands).unwrap(), "new");
}

#[test]
fn what_came_to_the_place_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let list = WrittenFiles::new(&at("state"));
    let file = |list: &WrittenFiles| {
        let mut file = AtomicFile::create(&at("a.csv")).unwrap().listed_in(Some(list));
        file.write_all(b"new").unwrap();
        file
    };
    assert_eq!(file(&list).commit().unwrap(), at("a.csv"));
    assert_eq!(file(&list).commit_or_numbered().unwrap(), at("a.csv"), "its own");
    let (whole, result) = (file(&list), file(&list));
    fs::write(at("a.csv"), "edited").unwrap();
    fs::write(at("a (2).csv"), "of another run").unwrap();
    let refused = whole.commit().unwrap_err();
    assert_eq!(refused.to_string(), format!("`{}` was edited since tallyport wrote it", at("a.csv").display()));
    assert_eq!(result.commit_or_numbered().unwrap(), at("a (3).csv"));
    let texts = ["a.csv", "a (2).csv", "a (3).csv"].map(|name| fs::read_to_string(at(name)).unwrap());
    assert_eq!(texts, ["edited", "of another run", "new"]);
    file(&list.replacing(Overwrite::AnyFile)).commit().unwrap();
    assert_eq!(fs::read_to_string(at("a.csv")).unwrap(), "new", "by force");
}

#[cfg(unix)]
#[test]
fn the_file_is_an_ordinary_one_and_links_are_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("real.csv");
    fs::write(&path, "old").unwrap();
    let ordinary = fs::metadata(&path).unwrap().permissions().mode();
    let link = folder.path().join("link.csv");
    symlink(&path, &link).unwrap();
    let mut whole = AtomicFile::create(&link).unwrap();
    whole.write_all(b"new").unwrap();
    whole.commit().unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode(), ordinary);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_refused_and_stays() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (link, round) = (folder.path().join("link.csv"), folder.path().join("round.csv"));
    symlink("gone/real.csv", &link).unwrap();
    symlink("round.csv", &round).unwrap();
    let refused = AtomicFile::create(&link).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("cannot write `{}`: it is a link to `gone/real.csv`, which does not exist", link.display())
    );
    assert!(AtomicFile::create(&round).is_err());
    assert_eq!(names(folder.path()), ["link.csv", "round.csv"]);
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_those_who_may_read_what_it_is_made_from() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (input, other) = (folder.path().join("input.csv"), folder.path().join("other.csv"));
    fs::write(&input, "a").unwrap();
    fs::write(&other, "b").unwrap();
    for (modes, expected) in [([0o600, 0o644], 0o600), ([0o640, 0o644], 0o640), ([0o400, 0o444], 0o600)] {
        for (file, mode) in [&input, &other].into_iter().zip(modes) {
            fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = folder.path().join("result.csv");
        let access = Access::common_to([input.as_path(), &other, Path::new("-")]);
        AtomicFile::create_for(&path, access).unwrap().commit().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, expected, "{modes:?}");
        fs::remove_file(path).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn links_and_files_that_others_made_are_refused() {
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
    const OTHER: Option<u32> = Some(12_345);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("mine.csv"), "mine").unwrap();
    fs::create_dir(at("below")).unwrap();
    symlink(at("mine.csv"), at("link.csv")).unwrap();
    symlink(at("below"), at("door")).unwrap();
    fs::write(at("theirs.csv"), "theirs").unwrap();
    // Only root can make files of others.
    if lchown(at("link.csv"), OTHER, None).is_err() {
        return;
    }
    lchown(at("door"), OTHER, None).unwrap();
    chown(at("theirs.csv"), OTHER, None).unwrap();
    for path in [at("link.csv"), at("door").join("new.csv")] {
        let refused = AtomicFile::create(&path).unwrap_err();
        assert!(matches!(refused, WriteError::LinkOfOther { .. }), "{refused}");
    }
    assert!(AtomicFile::create(&at("theirs.csv")).is_ok(), "a colleague's file in a folder of our own");
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    let refused = AtomicFile::create(&at("theirs.csv")).unwrap_err();
    assert!(matches!(refused, WriteError::FileOfOther { .. }), "{refused}");
    assert_eq!(fs::read_to_string(at("mine.csv")).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    for name in [".result.aB3xYz.part", ".result.aB3xYz.previous", ".result.notes.part", ".other.aB3xYz.part"] {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    let path = folder.path().join("result.csv");
    let running = AtomicFile::create(&path).unwrap();
    std::thread::sleep(LOCK_DELAY * 2);
    let next = AtomicFile::create(&path).unwrap();
    assert!(running.file.path().exists() && next.file.path().exists());
    drop((running, next));
    assert_eq!(names(folder.path()), [".other.aB3xYz.part", ".result.notes.part"]);
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.csv");
    for mode in [0o600, 0o640, 0o664] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let mut whole = AtomicFile::create(&path).unwrap();
        whole.write_all(b"new").unwrap();
        whole.commit().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_written_into_and_stays() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link.csv"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    for path in [&pipe, &link] {
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        let mut whole = AtomicFile::create(path).unwrap();
        whole.write_all(b"new").unwrap();
        whole.commit().unwrap();
        assert_eq!(reader.join().unwrap(), "new");
    }
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo() && link.is_symlink());
    assert_eq!(names(folder.path()), ["link.csv", "pipe"]);
}

#[cfg(unix)]
#[test]
fn a_device_is_written_into_and_stays() {
    use std::os::unix::fs::FileTypeExt;
    let mut whole = AtomicFile::create(Path::new("/dev/null")).unwrap();
    whole.write_all(b"new").unwrap();
    whole.commit().unwrap();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}
