//! What every plug of the audit has to do.

use contract::audit::{AuditAction, AuditEntry, AuditOutcome};

use super::{Plug, at, tenant_id};
use crate::audit::{AuditBound, ChainPlace, check_row};

fn entry(second: i64, tenant: Option<u8>) -> AuditEntry {
    AuditEntry {
        at: at(second),
        action: AuditAction::SignIn,
        outcome: AuditOutcome::Refused,
        code: Some("authentication_failed".to_owned()),
        user_id: None,
        tenant_id: tenant.map(tenant_id),
        subject: None,
        address: Some("2001:db8::1".parse().expect("it is an address")),
        request_id: Some("req_1".to_owned()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
pub(super) async fn the_audit_is_one_chain(plug: Plug) {
    let start = plug.chain_ends().await.expect("an answer");
    assert_eq!((start.before, start.last), (ChainPlace::START, ChainPlace::START));
    let writers = (0..40).map(|number: u8| {
        let plug = plug.clone();
        tokio::spawn(async move { plug.append(entry(number.into(), Some(number % 2))).await.expect("a place") })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    let last = plug.append(entry(40, None)).await.expect("a place");
    let mut place = ChainPlace::START;
    loop {
        let rows = plug.audit_after(place.number, 7).await.expect("rows");
        if rows.is_empty() {
            break;
        }
        place = rows.iter().try_fold(place, check_row).expect("the chain holds");
    }
    assert_eq!((place, place.number), (last, 41));
    assert_eq!(plug.chain_ends().await.expect("an answer").last, last);
}

pub(super) async fn a_tenant_sees_its_own_records(plug: Plug) {
    for second in 0..6 {
        plug.append(entry(second, Some((second % 2) as u8))).await.expect("a place");
    }
    plug.append(entry(6, None)).await.expect("a place");
    for (before, limit, expected) in
        [(u64::MAX, 10, vec![5, 3, 1]), (u64::MAX, 2, vec![5, 3]), (3, 10, vec![1]), (1, 10, vec![])]
    {
        let rows = plug.audit_of(&tenant_id(0), before, limit).await.expect("rows");
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), expected, "before {before}");
    }
}

pub(super) async fn the_audit_is_trimmed_from_its_beginning(plug: Plug) {
    for second in 0..10 {
        plug.append(entry(second, None)).await.expect("a place");
    }
    let bound = |second, records| AuditBound { since: at(second), records };
    assert_eq!(plug.trim_audit(bound(0, 100), 100).await.expect("an answer"), 0);
    assert_eq!(plug.trim_audit(bound(4, 100), 3).await.expect("an answer"), 3, "a bounded number at a time");
    assert_eq!(plug.trim_audit(bound(4, 100), 100).await.expect("an answer"), 1);
    assert_eq!(plug.trim_audit(bound(0, 2), 100).await.expect("an answer"), 4);
    let ends = plug.chain_ends().await.expect("an answer");
    assert_eq!((ends.before.number, ends.last.number), (8, 10));
    let rows = plug.audit_after(0, 100).await.expect("rows");
    assert_eq!(rows.iter().try_fold(ends.before, check_row), Ok(ends.last), "what is left still holds");
    assert_eq!(plug.trim_audit(bound(100, 0), 100).await.expect("an answer"), 2);
    let next = plug.append(entry(11, None)).await.expect("a place");
    assert_eq!(next.number, 11, "numbers go on");
}
