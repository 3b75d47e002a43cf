//! What tenants have to promise, whoever keeps them.

use contract::{
    InvitationId,
    tenant::{Invitation, MemberKind},
};

use super::*;
use crate::{
    keys::{KeyCreated, KeyLookup},
    tenants::{Accepted, ChangeRefused, ChangeRequest, Changed, Invited, MemberChange, NewInvitation, SwitchRequest},
};

/// Runs every case about tenants, each on a plug of its own.
pub(super) async fn run<F: Future<Output = Plug>>(open: &impl Fn() -> F) {
    an_invitation_is_accepted_once_by_its_address(open().await).await;
    parallel_acceptances_have_one_winner(open().await).await;
    a_sign_in_goes_over(open().await).await;
    who_is_removed_goes_on_elsewhere(open().await).await;
    nobody_is_left_without_a_tenant(open().await).await;
    a_tenant_is_given_to_another(open().await).await;
    service_accounts_have_keys_and_no_password(open().await).await;
}

fn invitation(number: u8, tenant: u8, email: &str, role: Role) -> NewInvitation {
    NewInvitation {
        invitation: Invitation {
            invitation_id: InvitationId::from_parts(at(0), [number; 10]),
            email: email.to_owned(),
            role: role.to_string(),
            tenant_id: tenant_id(tenant),
            invited_by: user_id(tenant),
            created_at: at(0),
            expires_at: at(100),
        },
        role,
        email_key: email.to_owned(),
        token: hash(number),
    }
}

async fn change(plug: &Plug, tenant: u8, by: u8, member: u8, change: MemberChange) -> Changed {
    let fresh_tenant = Tenant { tenant_id: tenant_id(99), name: String::new(), created_at: at(0) };
    let (by, member) = (user_id(by), user_id(member));
    let request = ChangeRequest { tenant_id: tenant_id(tenant), by, member, change, now: at(5), fresh_tenant };
    plug.change_member(request).await.expect("an answer")
}

/// User 2 becomes a member of tenant 1 as this.
async fn joined(plug: &Plug, role: Role) {
    let new = invitation(50, 1, "person2@example.org", role);
    assert_eq!(plug.invite(new).await.expect("an answer"), Invited::Done);
    let accepted = plug.accept(hash(50), &user_id(2), at(1)).await.expect("an answer");
    assert!(matches!(accepted, Accepted::Done { role: as_what, .. } if as_what == role), "{accepted:?}");
}

async fn switch(plug: &Plug, sign_in: u8, tenant: u8, session: u8) -> Option<SignedInAs> {
    let request = SwitchRequest {
        sign_in_id: sign_in_id(sign_in),
        tenant_id: tenant_id(tenant),
        now: at(2),
        fresh_session: fresh(session, at(2)),
    };
    plug.switch_tenant(request).await.expect("an answer")
}

async fn members(plug: &Plug, tenant: u8) -> Vec<(UserId, String)> {
    let members = plug.members(&tenant_id(tenant)).await.expect("members");
    members.into_iter().map(|member| (member.user_id, member.role)).collect()
}

async fn an_invitation_is_accepted_once_by_its_address(plug: Plug) {
    for number in 1..=3 {
        registered(&plug, number).await;
    }
    let new = invitation(50, 1, "person2@example.org", Role::Member);
    assert_eq!(plug.invite(new.clone()).await.expect("an answer"), Invited::Done);
    let open = plug.invitations(&tenant_id(1), at(1)).await.expect("invitations");
    assert_eq!(open, [new.invitation]);
    assert_eq!(plug.accept(hash(50), &user_id(3), at(1)).await.expect("an answer"), Accepted::Unknown, "not theirs");
    assert_eq!(plug.accept(hash(51), &user_id(2), at(1)).await.expect("an answer"), Accepted::Unknown, "no token");
    assert_eq!(plug.accept(hash(50), &user_id(2), at(100)).await.expect("an answer"), Accepted::Unknown, "too late");
    let accepted = plug.accept(hash(50), &user_id(2), at(99)).await.expect("an answer");
    assert!(matches!(accepted, Accepted::Done { role: Role::Member, .. }), "{accepted:?}");
    assert_eq!(plug.accept(hash(50), &user_id(2), at(99)).await.expect("an answer"), Accepted::Unknown, "once");
    let expected = [(user_id(1), "owner".to_owned()), (user_id(2), "member".to_owned())];
    assert_eq!(members(&plug, 1).await, expected, "in the order of joining");
    let again = invitation(52, 1, "person2@example.org", Role::Admin);
    assert_eq!(plug.invite(again).await.expect("an answer"), Invited::AlreadyAMember);

    let first = invitation(53, 1, "person3@example.org", Role::Viewer);
    let second = invitation(54, 1, "person3@example.org", Role::Admin);
    for new in [&first, &second] {
        assert_eq!(plug.invite(new.clone()).await.expect("an answer"), Invited::Done);
    }
    assert_eq!(plug.accept(hash(53), &user_id(3), at(1)).await.expect("an answer"), Accepted::Unknown, "replaced");
    let withdrawn = &second.invitation.invitation_id;
    assert!(!plug.withdraw(&tenant_id(2), withdrawn).await.expect("an answer"), "another tenant's");
    assert!(plug.withdraw(&tenant_id(1), withdrawn).await.expect("an answer"));
    assert!(!plug.withdraw(&tenant_id(1), withdrawn).await.expect("an answer"));
    assert_eq!(plug.accept(hash(54), &user_id(3), at(1)).await.expect("an answer"), Accepted::Unknown, "withdrawn");
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
async fn parallel_acceptances_have_one_winner(plug: Plug) {
    for number in 1..=2 {
        registered(&plug, number).await;
    }
    let new = invitation(50, 1, "person2@example.org", Role::Member);
    assert_eq!(plug.invite(new).await.expect("an answer"), Invited::Done);
    let tries = (0..10).map(|_| {
        let plug = plug.clone();
        tokio::spawn(async move { plug.accept(hash(50), &user_id(2), at(1)).await.expect("an answer") })
    });
    let mut winners = 0;
    for answer in tries.collect::<Vec<_>>() {
        match answer.await.expect("no panic") {
            Accepted::Done { .. } => winners += 1,
            Accepted::Unknown => {}
            Accepted::Full => panic!("there is room"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(members(&plug, 1).await.len(), 2);
}

async fn a_sign_in_goes_over(plug: Plug) {
    for number in 1..=3 {
        registered(&plug, number).await;
    }
    joined(&plug, Role::Member).await;
    assert!(switch(&plug, 3, 1, 60).await.is_none(), "not a member");
    assert!(switch(&plug, 9, 1, 60).await.is_none(), "no such sign-in");
    let over = switch(&plug, 2, 1, 60).await.expect("a member");
    assert_eq!((&over.standing.tenant.tenant_id, over.standing.roles.as_slice()), (&tenant_id(1), &[Role::Member][..]));
    assert_eq!((over.session.session_id.clone(), over.session.tenant_id.clone()), (session_id(60), Some(tenant_id(1))));
    let standing = plug.standing(&sign_in_id(2), at(3)).await.expect("an answer").expect("it stands");
    assert_eq!(standing.tenant.tenant_id, tenant_id(1));
    let Rotated::Done(found) = rotate(&plug, 2, 21, at(4)).await else { panic!("a rotation") };
    assert_eq!(found.standing.tenant.tenant_id, tenant_id(1), "a refresh stays there");
    assert_eq!(found.session.session_id, session_id(60));
    let memberships = plug.memberships(&user_id(2)).await.expect("memberships");
    let ids: Vec<TenantId> = memberships.into_iter().map(|(tenant, _)| tenant.tenant_id).collect();
    assert_eq!(ids, [tenant_id(2), tenant_id(1)], "in the order of joining");
}

async fn who_is_removed_goes_on_elsewhere(plug: Plug) {
    for number in 1..=2 {
        registered(&plug, number).await;
    }
    joined(&plug, Role::Admin).await;
    switch(&plug, 2, 1, 60).await.expect("a member");
    let mut key = keys::new_key(70, 2);
    key.api_key.tenant_id = tenant_id(1);
    plug.create_key(key).await.expect("an answer");
    assert_eq!(change(&plug, 1, 2, 1, MemberChange::Remove).await, Changed::Refused(ChangeRefused::IsTheOwner));
    assert_eq!(change(&plug, 2, 1, 2, MemberChange::Remove).await, Changed::Refused(ChangeRefused::NotAllowed));
    assert_eq!(change(&plug, 1, 1, 9, MemberChange::Remove).await, Changed::Refused(ChangeRefused::NotAMember));
    assert_eq!(change(&plug, 1, 1, 2, MemberChange::Remove).await, Changed::Done);
    assert_eq!(members(&plug, 1).await, [(user_id(1), "owner".to_owned())]);
    assert_eq!(plug.standing_by_key(&KeyLookup::Hash(hash(70)), at(6)).await.expect("an answer"), None);
    let standing = plug.standing(&sign_in_id(2), at(6)).await.expect("an answer").expect("they are not signed out");
    assert_eq!(standing.tenant.tenant_id, tenant_id(2));
    let Rotated::Done(found) = rotate(&plug, 2, 21, at(6)).await else { panic!("a rotation") };
    assert_eq!(found.standing.tenant.tenant_id, tenant_id(2));
    assert_eq!(found.session.tenant_id, Some(tenant_id(2)), "the session of the other tenant is not gone on with");
    joined(&plug, Role::Member).await;
    assert_eq!(
        plug.standing_by_key(&KeyLookup::Hash(hash(70)), at(6)).await.expect("an answer"),
        None,
        "who comes back gets no old keys"
    );
}

async fn nobody_is_left_without_a_tenant(plug: Plug) {
    for number in 1..=2 {
        registered(&plug, number).await;
    }
    joined(&plug, Role::Member).await;
    let new = invitation(51, 2, "person1@example.org", Role::Member);
    plug.invite(new).await.expect("an answer");
    plug.accept(hash(51), &user_id(1), at(1)).await.expect("an answer");
    assert_eq!(change(&plug, 2, 2, 1, MemberChange::Transfer).await, Changed::Done);
    assert_eq!(change(&plug, 2, 2, 2, MemberChange::Remove).await, Changed::Done, "they leave by themselves");
    assert_eq!(change(&plug, 1, 1, 2, MemberChange::Remove).await, Changed::Done);
    let memberships = plug.memberships(&user_id(2)).await.expect("memberships");
    let [(tenant, Role::Owner)] = memberships.as_slice() else { panic!("one of their own: {memberships:?}") };
    assert_eq!((&tenant.tenant_id, tenant.name.as_str()), (&tenant_id(99), "Person 2"));
    let standing = plug.standing(&sign_in_id(2), at(6)).await.expect("an answer").expect("they are not signed out");
    assert_eq!(standing.tenant.tenant_id, tenant_id(99));
}

async fn a_tenant_is_given_to_another(plug: Plug) {
    for number in 1..=2 {
        registered(&plug, number).await;
    }
    joined(&plug, Role::Viewer).await;
    assert_eq!(change(&plug, 1, 2, 2, MemberChange::Transfer).await, Changed::Refused(ChangeRefused::NotAllowed));
    assert_eq!(change(&plug, 1, 1, 2, MemberChange::Transfer).await, Changed::Done);
    let expected = [(user_id(1), "admin".to_owned()), (user_id(2), "owner".to_owned())];
    assert_eq!(members(&plug, 1).await, expected);
    assert_eq!(change(&plug, 1, 2, 1, MemberChange::Role(Role::Viewer)).await, Changed::Done);
    let refused = change(&plug, 1, 1, 2, MemberChange::Remove).await;
    assert_eq!(refused, Changed::Refused(ChangeRefused::IsTheOwner));
    assert_eq!(change(&plug, 1, 1, 1, MemberChange::Remove).await, Changed::Done, "the former owner leaves");
}

async fn service_accounts_have_keys_and_no_password(plug: Plug) {
    registered(&plug, 1).await;
    let user = User {
        user_id: user_id(8),
        email: String::new(),
        name: "Importer".to_owned(),
        created_at: at(0),
        disabled_at: None,
    };
    assert!(plug.add_service_account(user, &tenant_id(1)).await.expect("an answer"));
    let found = plug.members(&tenant_id(1)).await.expect("members");
    assert_eq!((found[1].kind, found[1].role.as_str()), (MemberKind::ServiceAccount, "agent"));
    for (tenant, user, expected) in [(1, 8, true), (2, 8, false), (1, 1, false), (1, 9, false)] {
        let answer = plug.is_service_account(&tenant_id(tenant), &user_id(user)).await.expect("an answer");
        assert_eq!(answer, expected, "{tenant} {user}");
    }
    for key in ["", user_id(8).as_str()] {
        assert!(plug.credentials(key).await.expect("an answer").is_none(), "there is nothing to sign in with");
    }
    let mut key = keys::new_key(70, 8);
    key.api_key.tenant_id = tenant_id(1);
    key.for_service_account = true;
    assert_eq!(plug.create_key(key).await.expect("an answer"), KeyCreated::Done);
    let mut for_a_person = keys::new_key(71, 1);
    for_a_person.for_service_account = true;
    let answer = plug.create_key(for_a_person).await.expect("an answer");
    assert_eq!(answer, KeyCreated::NoSuchUser, "nobody makes keys for other people");
    let by_key = plug.standing_by_key(&KeyLookup::Hash(hash(70)), at(1)).await.expect("an answer").expect("it works");
    assert_eq!(by_key.standing.roles, [Role::Agent]);
    let raised = change(&plug, 1, 1, 8, MemberChange::Role(Role::Admin)).await;
    assert_eq!(raised, Changed::Refused(ChangeRefused::NotThatRole));
    assert_eq!(change(&plug, 1, 1, 8, MemberChange::Remove).await, Changed::Done);
    assert!(plug.memberships(&user_id(8)).await.expect("memberships").is_empty());
    assert!(!plug.is_service_account(&tenant_id(1), &user_id(8)).await.expect("an answer"));
    assert_eq!(plug.standing_by_key(&KeyLookup::Hash(hash(70)), at(6)).await.expect("an answer"), None);
}
