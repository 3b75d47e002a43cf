//! Tenants, through the guard.

use contract::{
    key::CreateApiKey,
    tenant::{Invite, MemberKind},
};

use super::*;
use crate::{Caller, Role};

impl House {
    /// Bob comes into Ada's tenant as this; both as they were before.
    async fn ada_and_bob(&self, role: Role) -> (SignedIn, SignedIn) {
        let (ada, bob) = (self.register("ada@example.org").await, self.register("bob@example.org").await);
        let invited = self.guard.invite(&ada.caller, &invite("BOB@example.org", role.as_str())).await.unwrap();
        let joined = self.guard.join_tenant(&bob.caller, &invited.token.0).await.unwrap();
        assert_eq!((&joined.tenant_id, joined.role.as_str()), (ada.caller.tenant_id(), role.as_str()));
        (ada, bob)
    }

    async fn in_adas_tenant(&self, ada: &SignedIn, bob: &SignedIn) -> Caller {
        self.guard.switch_tenant(&bob.caller, ada.caller.tenant_id().clone()).await.unwrap().caller
    }
}

fn invite(email: &str, role: &str) -> Invite {
    Invite { email: email.to_owned(), role: role.to_owned() }
}

#[tokio::test]
async fn a_sign_in_goes_from_tenant_to_tenant() {
    let house = House::new().await;
    let (ada, bob) = house.ada_and_bob(Role::Member).await;
    assert_eq!(bob.caller.roles(), [Role::Owner], "joining moves nobody");
    let over = house.guard.switch_tenant(&bob.caller, ada.caller.tenant_id().clone()).await.unwrap();
    assert_eq!((over.caller.tenant_id(), over.caller.roles()), (ada.caller.tenant_id(), &[Role::Member][..]));
    assert_eq!(over.caller.sign_in_id(), bob.caller.sign_in_id());
    assert_ne!(over.caller.owner(), ada.caller.owner(), "what is Ada's stays Ada's");
    assert_eq!(house.guard.authenticate(&over.access_token.0).await.unwrap(), over.caller);
    assert!(matches!(house.guard.authenticate(&bob.access_token.0).await, Err(GuardError::TokenInvalid)));
    assert!(matches!(house.guard.recheck(&bob.caller).await, Err(GuardError::TokenInvalid)), "its sockets end");
    let refreshed = house.guard.refresh(&bob.refresh_token.0, &home()).await.unwrap();
    assert_eq!(refreshed.caller.tenant_id(), ada.caller.tenant_id());
    let memberships = house.guard.memberships(&refreshed.caller).await.unwrap();
    assert_eq!(memberships.iter().map(|found| found.current).collect::<Vec<_>>(), [false, true]);
    let unknown = house.register("eve@example.org").await.caller.tenant_id().clone();
    let answer = house.guard.switch_tenant(&refreshed.caller, unknown).await;
    assert!(matches!(answer, Err(GuardError::NotFound(_))), "{answer:?}");
}

// ASVS 8.3.2: A new role counts from the next request on.
#[tokio::test]
async fn a_new_role_counts_at_once() {
    let house = House::new().await;
    let (ada, bob) = house.ada_and_bob(Role::Admin).await;
    let in_tenant = house.in_adas_tenant(&ada, &bob).await;
    assert!(in_tenant.may(crate::Permission::ManageMembers));
    house.guard.change_role(&ada.caller, bob.caller.user_id().clone(), "viewer").await.unwrap();
    let now = house.guard.recheck(&in_tenant).await.unwrap();
    assert_eq!(now.roles(), [Role::Viewer]);
    assert!(matches!(house.guard.members(&now).await, Err(GuardError::Forbidden(_))));
    for role in ["owner", "agent", "root"] {
        let answer = house.guard.change_role(&ada.caller, bob.caller.user_id().clone(), role).await;
        assert!(matches!(answer, Err(GuardError::Invalid(_))), "{role}: {answer:?}");
    }
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_and_still_signed_in() {
    let house = House::new().await;
    let (ada, bob) = house.ada_and_bob(Role::Member).await;
    let over = house.guard.switch_tenant(&bob.caller, ada.caller.tenant_id().clone()).await.unwrap();
    house.guard.authenticate(&over.access_token.0).await.unwrap();
    let mut endings = house.guard.endings();
    house.guard.remove_member(&ada.caller, bob.caller.user_id().clone()).await.unwrap();
    assert_eq!(endings.try_recv(), Ok(crate::Ended::User(bob.caller.user_id().clone())), "sockets look again");
    assert!(matches!(house.guard.authenticate(&over.access_token.0).await, Err(GuardError::TokenInvalid)));
    assert!(matches!(house.guard.recheck(&over.caller).await, Err(GuardError::TokenInvalid)));
    let home = house.guard.refresh(&bob.refresh_token.0, &home()).await.unwrap();
    assert_eq!((home.caller.tenant_id(), home.caller.roles()), (bob.caller.tenant_id(), &[Role::Owner][..]));
    assert_eq!(home.session.tenant_id.as_ref(), Some(bob.caller.tenant_id()));
}

#[tokio::test]
async fn the_owner_leaves_by_a_transfer_only() {
    let house = House::new().await;
    let (ada, bob) = house.ada_and_bob(Role::Member).await;
    let leave = async || house.guard.remove_member(&ada.caller, ada.caller.user_id().clone()).await;
    assert!(matches!(leave().await, Err(GuardError::Conflict(_))));
    let in_tenant = house.in_adas_tenant(&ada, &bob).await;
    let answer = house.guard.transfer_tenant(&in_tenant, bob.caller.user_id().clone()).await;
    assert!(matches!(answer, Err(GuardError::Forbidden(_))), "{answer:?}");
    house.guard.transfer_tenant(&ada.caller, bob.caller.user_id().clone()).await.unwrap();
    assert_eq!(house.guard.recheck(&in_tenant).await.unwrap().roles(), [Role::Owner]);
    assert_eq!(house.guard.recheck(&ada.caller).await.unwrap().roles(), [Role::Admin]);
    leave().await.unwrap();
    assert!(house.guard.authenticate(&ada.access_token.0).await.is_err());
    let home = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    assert_ne!(home.caller.tenant_id(), ada.caller.tenant_id(), "a tenant of her own again");
    assert_eq!(home.caller.roles(), [Role::Owner]);
}

#[tokio::test]
async fn an_invitation_is_for_its_address() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let invited = house.guard.invite(&ada.caller, &invite("bob@example.org", "viewer")).await.unwrap();
    assert!(invited.token.0.starts_with("symi_"));
    let eve = house.register("eve@example.org").await;
    for token in [invited.token.0.as_str(), "symi_made-up", ""] {
        let answer = house.guard.join_tenant(&eve.caller, token).await;
        assert!(matches!(answer, Err(GuardError::NotFound(_))), "{answer:?}");
    }
    let bob = house.register("bob@example.org").await;
    house.clock.advance(Duration::from_secs(7 * 24 * 3_600));
    assert!(matches!(house.guard.join_tenant(&bob.caller, &invited.token.0).await, Err(GuardError::NotFound(_))));
    let again = house.guard.invite(&ada.caller, &invite("bob@example.org", "viewer")).await.unwrap();
    house.guard.withdraw_invitation(&ada.caller, &again.invitation.invitation_id).await.unwrap();
    assert!(matches!(house.guard.join_tenant(&bob.caller, &again.token.0).await, Err(GuardError::NotFound(_))));
    assert_eq!(house.guard.invitations(&ada.caller).await.unwrap(), []);
    for (email, role, field) in [("bob", "member", "email"), ("bob@example.org", "owner", "role")] {
        let error = house.guard.invite(&ada.caller, &invite(email, role)).await.unwrap_err();
        assert_eq!(error.field_errors()[0].field, field);
    }
}

#[tokio::test]
async fn a_service_account_works_by_key_and_decides_nothing() {
    let house = House::new().await;
    let (ada, bob) = house.ada_and_bob(Role::Member).await;
    let account = house.guard.create_service_account(&ada.caller, "importer").await.unwrap();
    assert_eq!(account.kind, MemberKind::ServiceAccount);
    let request = || CreateApiKey {
        name: "its key".to_owned(),
        user_id: Some(account.user_id.clone()),
        ..CreateApiKey::default()
    };
    let made = house.guard.create_key(&ada.caller, request()).await.unwrap();
    let caller = house.guard.authenticate(&made.key.0).await.unwrap();
    assert_eq!((caller.user_id(), caller.roles()), (&account.user_id, &[Role::Agent][..]));
    assert!(!caller.may(crate::Permission::DecideApprovals));
    let in_tenant = house.in_adas_tenant(&ada, &bob).await;
    assert!(matches!(house.guard.create_key(&in_tenant, request()).await, Err(GuardError::Forbidden(_))));
    assert!(matches!(house.guard.create_service_account(&in_tenant, "x").await, Err(GuardError::Forbidden(_))));
    house.guard.remove_member(&ada.caller, account.user_id).await.unwrap();
    assert!(matches!(house.guard.authenticate(&made.key.0).await, Err(GuardError::TokenInvalid)));
}
