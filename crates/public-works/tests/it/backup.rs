//! Backups: made while others write, read again, put back; and every way in which one can be no good.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use contract::Timestamp;
use public_works::{
    Database, FileObjects,
    backup::{BackupError, Manifest, Progress, Request, back_up, check, restore},
    sqlite::{DatabaseError, OpenError, audit, rusqlite},
};
use runtime::Objects;

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn request(data: &Path, target: PathBuf) -> Request {
    Request { data_directory: data.to_owned(), target, program: "0.0.0".to_owned(), now: now() }
}

/// A backup of a directory with one object that an artifact names, and one that nothing names.
async fn some_backup(folder: &Path) -> (PathBuf, PathBuf) {
    let data = folder.join("data");
    let database = Database::open(&data).unwrap();
    let objects = FileObjects::open(&data.join("objects")).unwrap();
    for id in ["obj_named", "obj_stray"] {
        let mut sink = objects.create(&id.parse().unwrap()).await.unwrap();
        sink.write("some bytes".into()).await.unwrap();
        sink.finish().await.unwrap();
    }
    database
        .write(|transaction| {
            transaction.execute("INSERT INTO spaces (number, space, owner) VALUES (1, 'u:1', '{}')", [])?;
            transaction.execute(
                "INSERT INTO artifacts (id, space, lifecycle_state, artifact_type, session_id, execution_id, body, content)
                 VALUES ('art_1', 1, 'ready', 'file', 's', 'e', '{}', '{\"object_id\":\"obj_named\"}')",
                [],
            )?;
            Ok::<_, DatabaseError>(())
        })
        .await
        .unwrap();
    database.close().await;
    let target = folder.join("backup");
    let mut seen = Vec::new();
    let manifest = back_up(&request(&data, target.clone()), &mut |progress: Progress| seen.push(progress)).unwrap();
    assert_eq!((manifest.objects, manifest.objects_bytes), (1, 10), "what nothing names is left out");
    assert!(seen.iter().any(|progress| progress.done > 0 && progress.done == progress.total), "{seen:?}");
    (data, target)
}

fn problem_of(data: &Path) -> Vec<String> {
    let checks = audit(data, |_| {}).unwrap().unwrap();
    let wrong = checks.into_iter().filter_map(|check| Some(format!("{}: {}", check.name, check.problem?.what)));
    wrong.collect()
}

#[tokio::test]
async fn what_is_restored_is_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = some_backup(folder.path()).await;
    let empty = folder.path().join("elsewhere");
    let restored = restore(&backup, &empty, false, now(), &mut |_| {}).unwrap();
    assert_eq!(restored.replaced, None);
    assert_eq!(problem_of(&empty), Vec::<String>::new());
    assert_eq!(problem_of(&data).len(), 1, "the stray object");
    let objects = FileObjects::open(&empty.join("objects")).unwrap();
    assert_eq!(objects.read(&"obj_named".parse().unwrap()).await.unwrap().unwrap(), "some bytes");
    Database::open(&empty).unwrap();
    // Others read it without us.
    let mut sums = std::process::Command::new("sha256sum");
    sums.args(["-c", "--quiet", "checksums.sha256"]).current_dir(&backup);
    assert!(sums.status().unwrap().success());
}

#[tokio::test]
async fn data_that_is_there_is_refused_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = some_backup(folder.path()).await;
    let refused = restore(&backup, &data, false, now(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty(_)), "{refused}");
    let database = Database::open(&data).unwrap();
    let refused = restore(&backup, &data, true, now(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, BackupError::Open(OpenError::InUse { .. })), "{refused}");
    database.close().await;
    let kept = restore(&backup, &data, true, now(), &mut |_| {}).unwrap().replaced.unwrap();
    assert!(kept.join("symphainy.db").exists() && kept.join("objects").exists());
    assert_eq!(problem_of(&data), Vec::<String>::new());
    assert!(matches!(back_up(&request(&data, backup), &mut |_| {}), Err(BackupError::Exists(_))));
    let nothing = folder.path().join("nothing");
    assert!(matches!(back_up(&request(&nothing, folder.path().join("b")), &mut |_| {}), Err(BackupError::NoData(_))));
}

#[tokio::test]
async fn an_interrupted_restore_is_begun_again_and_served_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (_, backup) = some_backup(folder.path()).await;
    let data = folder.path().join("elsewhere");
    fs::create_dir_all(data.join("restoring/objects")).unwrap();
    fs::write(data.join("restoring/symphainy.db"), "half of it").unwrap();
    let error = Database::open(&data).unwrap_err();
    assert!(matches!(error, OpenError::HalfRestored { .. }), "{error}");
    restore(&backup, &data, false, now(), &mut |_| {}).unwrap();
    Database::open(&data).unwrap();
}

#[tokio::test]
async fn what_is_damaged_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (_, good) = some_backup(folder.path()).await;
    let place = walk(&good.join("objects")).pop().unwrap();
    let object = place.strip_prefix(&good).unwrap().to_owned();
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let manifest = |path: &Path, change: &dyn Fn(&mut Manifest)| {
        let mut manifest: Manifest = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        change(&mut manifest);
        fs::write(path, serde_json::to_string(&manifest).unwrap()).unwrap();
    };
    type Harm<'a> = Box<dyn Fn(&Path) + 'a>;
    let harms: Vec<(&str, Harm<'_>, &str)> = vec![
        ("no manifest", Box::new(|backup| fs::remove_file(backup.join("manifest.json")).unwrap()), "no backup"),
        (
            "a flipped bit in the database",
            Box::new(|backup| flip(&backup.join("symphainy.db"))),
            "not what was written",
        ),
        ("a flipped bit in an object", Box::new(|backup| flip(&backup.join(&object))), "not what was written"),
        ("an object that is gone", Box::new(|backup| fs::remove_file(backup.join(&object)).unwrap()), "is missing"),
        ("a changed list", Box::new(|backup| flip(&backup.join("checksums.sha256"))), "checksums.sha256"),
        ("a cut manifest", Box::new(|backup| fs::write(backup.join("manifest.json"), "{").unwrap()), "cannot be read"),
        (
            "a backup of tomorrow",
            Box::new(|backup| manifest(&backup.join("manifest.json"), &|manifest| manifest.format = 9)),
            "newer version",
        ),
        (
            "a schema of tomorrow",
            Box::new(|backup| manifest(&backup.join("manifest.json"), &|manifest| manifest.schema = 9_999)),
            "newer version",
        ),
    ];
    for (name, harm, said) in harms {
        let backup = folder.path().join(name);
        copy(&good, &backup);
        harm(&backup);
        let target = folder.path().join(format!("{name} restored"));
        let error = restore(&backup, &target, false, now(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(said), "{name}: {error}");
        assert!(!target.join("symphainy.db").exists(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_one_moment_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = Database::open(&data).unwrap();
    let begin = |transaction: &rusqlite::Transaction<'_>| {
        transaction.execute_batch("CREATE TABLE left_hand (note TEXT); CREATE TABLE right_hand (note TEXT)")?;
        Ok::<_, DatabaseError>(())
    };
    database.write(begin).await.unwrap();
    let both = || {
        database.write(|transaction| {
            for hand in ["left_hand", "right_hand"] {
                transaction.execute(&format!("INSERT INTO {hand} VALUES (hex(randomblob(2000)))"), [])?;
            }
            Ok::<_, DatabaseError>(())
        })
    };
    for _ in 0..200 {
        both().await.unwrap();
    }
    let is_done = Arc::new(AtomicBool::new(false));
    let (told, asked) = (Arc::clone(&is_done), request(&data, folder.path().join("backup")));
    let backing_up = tokio::task::spawn_blocking(move || {
        let manifest = back_up(&asked, &mut |_| {});
        told.store(true, Ordering::Relaxed);
        manifest
    });
    let mut written_meanwhile = 0;
    while !is_done.load(Ordering::Relaxed) {
        both().await.unwrap();
        written_meanwhile += 1;
    }
    backing_up.await.unwrap().unwrap();
    assert!(written_meanwhile > 10, "{written_meanwhile}");
    check(&folder.path().join("backup"), &mut |_| {}).unwrap();
    let copy = rusqlite::Connection::open(folder.path().join("backup/symphainy.db")).unwrap();
    let count =
        |hand: &str| -> i64 { copy.query_row(&format!("SELECT count(*) FROM {hand}"), [], |row| row.get(0)).unwrap() };
    assert_eq!(count("left_hand"), count("right_hand"));
    assert!(count("left_hand") >= 200);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn copy(from: &Path, to: &Path) {
    for path in walk(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    }
}
