//! Artifacts: written whole, changed under their ids, found by what they are.

use contract::{
    Timestamp,
    artifact::{Artifact, LifecycleState},
};

use super::scene::{Scene, named, user};
use crate::port::store::{ArtifactFilter, Object, PageRequest, StoreError, StoredArtifact, StoredObject};

pub(super) async fn an_artifact_goes_through_its_life(scene: Scene<'_>) {
    let ada = user("ada");
    let state = scene.running(scene.header(&ada)).await;
    let mut stored = scene.artifact(&state, "Sales");
    stored.artifact.lifecycle_state = LifecycleState::Draft;
    stored.artifact.semantic_payload.insert("rows".to_owned(), 3.into());
    stored.content = Some(StoredObject {
        object_id: named("obj_1"),
        size_bytes: 12,
        sha256: Some("0a".repeat(32)),
        media_type: "text/csv".to_owned(),
        file_name: "sales \"1\".csv".to_owned(),
    });
    let id = stored.artifact.artifact_id.clone();
    scene.keep(&state, vec![stored.clone()]).await;
    assert_eq!(scene.store.artifact(&ada, &id).await.unwrap(), Some(stored.clone()));
    for lifecycle_state in [LifecycleState::Ready, LifecycleState::Archived, LifecycleState::Ready] {
        stored.artifact.lifecycle_state = lifecycle_state;
        stored.artifact.updated_at = scene.now();
        scene.keep(&state, vec![stored.clone()]).await;
        assert_eq!(scene.store.artifact(&ada, &id).await.unwrap(), Some(stored.clone()));
    }
    stored.artifact.lifecycle_state = LifecycleState::Deleted;
    stored.artifact.semantic_payload = Object::new();
    stored.content = None;
    scene.keep(&state, vec![stored.clone()]).await;
    assert_eq!(scene.store.artifact(&ada, &id).await.unwrap(), Some(stored), "the record of a deleted one stays");
    let list = async |lifecycle_state| {
        let filter = ArtifactFilter { lifecycle_state, ..ArtifactFilter::default() };
        scene.store.artifacts(&ada, &filter, PageRequest::first(10)).await.unwrap().total
    };
    assert_eq!(list(None).await, 0);
    assert_eq!(list(Some(LifecycleState::Ready)).await, 0);
    assert_eq!(list(Some(LifecycleState::Deleted)).await, 1);
}

pub(super) async fn what_is_deleted_stays_deleted(scene: Scene<'_>) {
    let ada = user("ada");
    let (first, second) = (scene.running(scene.header(&ada)).await, scene.running(scene.header(&ada)).await);
    let read_earlier = scene.artifact(&first, "Sales");
    let id = read_earlier.artifact.artifact_id.clone();
    scene.keep(&first, vec![read_earlier.clone()]).await;
    let mut deleted = read_earlier.clone();
    deleted.artifact.lifecycle_state = LifecycleState::Deleted;
    deleted.search_text = Some(String::new());
    scene.keep(&first, vec![deleted.clone()]).await;
    scene.keep(&second, vec![read_earlier]).await;
    assert_eq!(scene.store.artifact(&ada, &id).await.unwrap().unwrap().artifact, deleted.artifact);
    assert_eq!(scene.store.search(&ada, "Sales", 10).await.unwrap(), []);
}

pub(super) async fn filters_join(scene: Scene<'_>) {
    let ada = user("ada");
    let (first, second) = (scene.running(scene.header(&ada)).await, scene.running(scene.header(&ada)).await);
    let file = scene.artifact(&first, "file");
    let mut parsed = scene.artifact(&second, "parsed");
    parsed.artifact.artifact_type = "parsed_file".to_owned();
    parsed.artifact.parent_artifacts = vec![file.artifact.artifact_id.clone()];
    let mut elsewhere = scene.artifact(&second, "elsewhere");
    elsewhere.artifact.session_id = named("sess_2");
    elsewhere.artifact.lifecycle_state = LifecycleState::Archived;
    elsewhere.artifact.parent_artifacts = vec![parsed.artifact.artifact_id.clone(), file.artifact.artifact_id.clone()];
    scene.keep(&first, vec![file.clone()]).await;
    scene.keep(&second, vec![parsed.clone(), elsewhere.clone()]).await;
    let all = [&elsewhere, &parsed, &file];
    let any = ArtifactFilter::default;
    let parsed_file = || Some("parsed_file".to_owned());
    let (first_id, second_id) = (first.header.execution_id.clone(), second.header.execution_id.clone());
    let cases: [(&str, ArtifactFilter, &[&StoredArtifact]); 9] = [
        ("all", any(), &all),
        ("session", ArtifactFilter { session_id: Some(named("sess_1")), ..any() }, &all[1..]),
        ("type", ArtifactFilter { artifact_type: parsed_file(), ..any() }, &[&parsed]),
        ("state", ArtifactFilter { lifecycle_state: Some(LifecycleState::Archived), ..any() }, &[&elsewhere]),
        ("execution", ArtifactFilter { execution_id: Some(first_id), ..any() }, &[&file]),
        ("parent", ArtifactFilter { parent: Some(file.artifact.artifact_id.clone()), ..any() }, &all[..2]),
        ("no parent", ArtifactFilter { parent: Some(named("art_of_nobody")), ..any() }, &[]),
        (
            "several",
            ArtifactFilter {
                session_id: Some(named("sess_1")),
                artifact_type: parsed_file(),
                lifecycle_state: Some(LifecycleState::Ready),
                execution_id: Some(second_id),
                parent: Some(file.artifact.artifact_id.clone()),
            },
            &[&parsed],
        ),
        ("none", ArtifactFilter { session_id: Some(named("sess_2")), artifact_type: parsed_file(), ..any() }, &[]),
    ];
    for (name, filter, expected) in cases {
        let page = scene.store.artifacts(&ada, &filter, PageRequest::first(10)).await.unwrap();
        let newest = scene.store.newest_artifacts(&ada, &filter, 1).await.unwrap();
        assert_eq!(newest.first(), page.items.first(), "{name}");
        assert_eq!(newest.len(), page.items.len().min(1), "{name}");
        let expected: Vec<Artifact> = expected.iter().map(|stored| stored.artifact.clone()).collect();
        assert_eq!(page.items, expected, "{name}");
        assert_eq!(page.total, expected.len() as u64, "{name}");
        assert_eq!(page.next_cursor, None, "{name}");
    }
}

pub(super) async fn lists_come_in_pages(scene: Scene<'_>) {
    let ada = user("ada");
    let state = scene.running(scene.header(&ada)).await;
    let mut created: Vec<Timestamp> = Vec::new();
    for index in 0..11 {
        let stored = scene.artifact(&state, &format!("file {index}"));
        created.insert(0, stored.artifact.created_at);
        scene.keep(&state, vec![stored]).await;
    }
    let list = async |page: PageRequest| {
        let page = scene.store.artifacts(&ada, &ArtifactFilter::default(), page).await.unwrap();
        assert_eq!(page.total, 11);
        let shown: Vec<Timestamp> = page.items.iter().map(|artifact| artifact.created_at).collect();
        (shown, page.next_cursor)
    };
    for limit in [1, 4, 10, 11, 12, u32::MAX] {
        let (mut shown, mut cursor) = list(PageRequest::first(limit)).await;
        while cursor.is_some() {
            let (more, next) = list(PageRequest { limit, offset: 0, cursor }).await;
            assert!(!more.is_empty());
            shown.extend(more);
            cursor = next;
        }
        assert_eq!(shown, created, "limit {limit}");
    }
    let (shown, cursor) = list(PageRequest { limit: 3, offset: 9, cursor: None }).await;
    assert_eq!((shown.as_slice(), cursor), (&created[9..], None));
    assert_eq!(list(PageRequest { limit: 3, offset: 11, cursor: None }).await, (Vec::new(), None));
    assert_eq!(list(PageRequest { limit: 3, offset: u32::MAX, cursor: None }).await, (Vec::new(), None));
    for unreadable in ["", "x", "1; DROP TABLE artifacts", "99999999999999999999999999"] {
        let page = PageRequest { limit: 3, offset: 0, cursor: Some(unreadable.to_owned()) };
        let refused = scene.store.artifacts(&ada, &ArtifactFilter::default(), page).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)), "{unreadable:?}: {refused:?}");
    }
}

pub(super) async fn others_have_no_artifact(scene: Scene<'_>) {
    let state = scene.running(scene.header(&user("ada"))).await;
    let stored = scene.artifact(&state, "hers");
    let id = stored.artifact.artifact_id.clone();
    scene.keep(&state, vec![stored]).await;
    let bob = user("bob");
    assert_eq!(scene.store.artifact(&bob, &id).await.unwrap(), None, "who has nothing yet");
    scene.pending(scene.header(&bob)).await;
    assert_eq!(scene.store.artifact(&bob, &id).await.unwrap(), None);
    let filter = ArtifactFilter { execution_id: Some(state.header.execution_id.clone()), ..ArtifactFilter::default() };
    assert_eq!(scene.store.artifacts(&bob, &filter, PageRequest::first(10)).await.unwrap().total, 0);
}
