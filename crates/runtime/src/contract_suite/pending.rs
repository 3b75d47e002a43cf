//! What somebody means to submit later is kept, found, and carried out.

use contract::{ArtifactId, IntentId, execution::ExecutionStatus, pending::PendingIntent};
use serde_json::Map;

use super::scene::{Scene, named, user};
use crate::port::store::{KeptPending, PageRequest, PendingFilter, Submission};

fn pending(scene: &Scene<'_>, intent_id: &str, artifact: &str) -> PendingIntent {
    let now = scene.now();
    PendingIntent {
        intent_id: named::<IntentId>(intent_id),
        intent_type: "parse_content".to_owned(),
        status: ExecutionStatus::Pending,
        target_artifact_id: named::<ArtifactId>(artifact),
        context: Map::from_iter([("ingestion_profile".to_owned(), "hybrid".into())]),
        execution_id: None,
        created_at: now,
        updated_at: now,
    }
}

pub(super) async fn what_is_meant_is_kept_until_it_is_submitted(scene: Scene<'_>) {
    let ada = user("ada");
    let list = async |filter: PendingFilter| {
        scene.store.pending_intents(&ada, &filter, PageRequest::first(10)).await.unwrap().items
    };
    assert_eq!(list(PendingFilter::default()).await, []);
    let (first, second) = (pending(&scene, "intent_1", "art_1"), pending(&scene, "intent_2", "art_2"));
    for wanted in [&first, &second] {
        assert_eq!(scene.store.keep_pending(&ada, wanted, 2).await.unwrap(), KeptPending::Kept);
    }
    let known = scene.store.keep_pending(&ada, &first, 2).await.unwrap();
    assert_eq!(known, KeptPending::Known(first.clone()), "the same id is the same intent, however many there are");
    let third = pending(&scene, "intent_3", "art_1");
    assert_eq!(scene.store.keep_pending(&ada, &third, 2).await.unwrap(), KeptPending::TooMany);
    assert_eq!(list(PendingFilter::default()).await, [second.clone(), first.clone()]);
    let of_first = PendingFilter { target_artifact_id: Some(named("art_1")), ..PendingFilter::default() };
    assert_eq!(list(of_first.clone()).await, std::slice::from_ref(&first));
    let of_another = PendingFilter { intent_type: Some("profile_data".to_owned()), ..PendingFilter::default() };
    assert_eq!(list(of_another).await, []);

    let submission = scene.submission(scene.header(&ada));
    let execution_id = submission.state.header.execution_id.clone();
    scene.submit(Submission { carries_out: Some(first.intent_id.clone()), ..submission }).await;
    assert_eq!(list(of_first.clone()).await, []);
    let all = list(PendingFilter { include_submitted: true, ..of_first }).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].execution_id.as_ref(), Some(&execution_id));
    assert_eq!(scene.store.keep_pending(&ada, &third, 2).await.unwrap(), KeptPending::Kept, "there is room again");
}

pub(super) async fn others_mean_nothing(scene: Scene<'_>) {
    let (ada, bob) = (user("ada"), user("bob"));
    let meant = pending(&scene, "intent_1", "art_1");
    scene.store.keep_pending(&ada, &meant, 10).await.unwrap();
    assert_eq!(scene.store.keep_pending(&bob, &meant, 10).await.unwrap(), KeptPending::Kept);
    let submission = scene.submission(scene.header(&bob));
    scene.submit(Submission { carries_out: Some(meant.intent_id.clone()), ..submission }).await;
    let page = scene.store.pending_intents(&ada, &PendingFilter::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!((page.items, page.total), (vec![meant], 1));
}
