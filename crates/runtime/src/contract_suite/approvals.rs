//! Approvals come with their execution and change with it.

use contract::approval::{Approval, ApprovalStatus};

use super::scene::{Scene, named, user};
use crate::{
    machine::{Command, Header},
    port::store::{Change, Fence, PageRequest, StreamKey},
};

async fn asked(scene: &Scene<'_>, header: Header) -> (crate::machine::State, Approval) {
    let submission = scene.awaiting(header);
    let (state, approval) = (submission.state.clone(), submission.approval.clone().expect("it awaits one"));
    scene.submit(submission).await;
    (state, approval)
}

pub(super) async fn an_approval_is_written_with_its_execution(scene: Scene<'_>) {
    let ada = user("ada");
    let (state, approval) = asked(&scene, scene.header_in(&ada, "c1")).await;
    let stored = scene.store.approval(&approval.hook_id).await.unwrap();
    assert_eq!(stored, Some((ada.clone(), approval.clone())));
    assert_eq!(scene.store.approval(&named("hook_of_nobody")).await.unwrap(), None);
    let reject = Command::Reject { reason: Some("no".to_owned()), approval: approval.clone() };
    let change: Change = scene.decided(&state, reject);
    let decided = change.approval.clone().expect("the decision has it");
    assert_eq!(change.fence, Fence::Revision(1));
    scene.store.commit(change).await.unwrap();
    assert_eq!(scene.store.approval(&approval.hook_id).await.unwrap(), Some((ada.clone(), decided)));
    let head = scene.store.stream(&StreamKey::Conversation(ada, named("c1"))).await.unwrap().unwrap().head;
    assert_eq!(head, 5, "accepted, awaiting, pending, decided, cancelled");
}

pub(super) async fn lists_are_by_owner_and_status(scene: Scene<'_>) {
    let ada = user("ada");
    let mut pending = Vec::new();
    for index in 0..9 {
        let (state, approval) = asked(&scene, scene.header(&ada)).await;
        if index % 3 == 0 {
            scene.advance(&state, Command::Reject { reason: None, approval }).await;
        } else {
            pending.insert(0, approval);
        }
    }
    asked(&scene, scene.header(&user("bob"))).await;
    let list = async |status, page| scene.store.approvals(&ada, status, page).await.unwrap();
    let all = list(Some(ApprovalStatus::Pending), PageRequest::first(100)).await;
    assert_eq!((all.total, all.items, all.next_cursor), (6, pending.clone(), None));
    assert_eq!(list(Some(ApprovalStatus::Rejected), PageRequest::first(100)).await.total, 3);
    assert_eq!(list(Some(ApprovalStatus::Approved), PageRequest::first(100)).await.total, 0);
    assert_eq!(list(None, PageRequest::first(100)).await.total, 9);
    let first = list(Some(ApprovalStatus::Pending), PageRequest::first(4)).await;
    assert_eq!((first.total, first.items.as_slice()), (6, &pending[..4]));
    let next = PageRequest { cursor: first.next_cursor, ..PageRequest::first(4) };
    let second = list(Some(ApprovalStatus::Pending), next).await;
    assert_eq!((second.items.as_slice(), second.next_cursor), (&pending[4..], None));
}
