//! Approvals come with their execution and change with it.

use contract::approval::{Approval, ApprovalStatus};

use contract::Owner;

use super::scene::{Scene, named, user};
use crate::{
    machine::{Command, Header},
    port::store::{Change, Decider, Fence, PageRequest, StreamKey},
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
    let list = async |status, page| scene.store.approvals(&Decider::from(&ada), status, page).await.unwrap();
    let all = list(Some(ApprovalStatus::Pending), PageRequest::first(100)).await;
    assert_eq!((all.items, all.next_cursor), (pending.clone(), None));
    assert_eq!(list(Some(ApprovalStatus::Rejected), PageRequest::first(100)).await.items.len(), 3);
    assert_eq!(list(Some(ApprovalStatus::Approved), PageRequest::first(100)).await.items.len(), 0);
    assert_eq!(list(None, PageRequest::first(100)).await.items.len(), 9);
    let first = list(Some(ApprovalStatus::Pending), PageRequest::first(4)).await;
    assert_eq!(first.items.as_slice(), &pending[..4]);
    let next = PageRequest { cursor: first.next_cursor, ..PageRequest::first(4) };
    let second = list(Some(ApprovalStatus::Pending), next).await;
    assert_eq!((second.items.as_slice(), second.next_cursor), (&pending[4..], None));
}

pub(super) async fn a_role_sees_what_waits_for_it_in_its_tenant(scene: Scene<'_>) {
    let colleague = |name: &str| Owner::User { tenant_id: named("tenant_1"), user_id: named(name) };
    let (ada, bob) = (colleague("ada"), colleague("bob"));
    let wait = async |owner: &Owner, role: Option<&str>| {
        let submission = scene.awaiting_role(scene.header(owner), role.map(str::to_owned));
        let approval = submission.approval.clone().expect("it awaits one");
        scene.submit(submission).await;
        approval
    };
    let own = wait(&ada, None).await;
    let by_admin = wait(&ada, Some("admin")).await;
    let by_owner = wait(&bob, Some("owner")).await;
    wait(&user("eve"), Some("admin")).await;
    let bobs = wait(&bob, Some("admin")).await;
    let seen = async |owner: &Owner, roles: &[&str]| {
        let decider = Decider { owner: owner.clone(), roles: roles.iter().map(|role| (*role).to_owned()).collect() };
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = PageRequest { cursor, ..PageRequest::first(2) };
            let page = scene.store.approvals(&decider, Some(ApprovalStatus::Pending), page).await.unwrap();
            found.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return found,
            }
        }
    };
    assert_eq!(seen(&ada, &[]).await, [by_admin.clone(), own.clone()]);
    assert_eq!(seen(&bob, &["member"]).await, [bobs.clone(), by_owner.clone()]);
    assert_eq!(seen(&bob, &["admin"]).await, [bobs.clone(), by_owner.clone(), by_admin.clone()]);
    let carol = colleague("carol");
    assert_eq!(seen(&carol, &["member", "admin"]).await, [bobs.clone(), by_admin.clone()]);
    assert_eq!(seen(&carol, &["admin", "owner"]).await, [bobs, by_owner, by_admin]);
    assert_eq!(seen(&carol, &[]).await, []);
    let elsewhere = Owner::Anonymous { session_id: named("sess_secret") };
    assert_eq!(seen(&elsewhere, &["admin"]).await, [], "who is in no tenant has no role");
}
