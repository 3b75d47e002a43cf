//! What every plug of second factors has to do.

use super::{Plug, hash, registered, user_id};
use crate::factors::FactorSecret;

pub(super) async fn a_factor_is_offered_confirmed_and_used(plug: Plug) {
    registered(&plug, 1).await;
    registered(&plug, 2).await;
    let ada = user_id(1);
    let secret = |number: u8| FactorSecret([number; 20]);
    assert_eq!(plug.factor(&ada).await.expect("an answer"), None);
    assert!(!plug.confirm_factor(&ada, 1, Vec::new()).await.expect("an answer"), "nothing is offered");
    assert!(plug.offer_factor(&ada, secret(1)).await.expect("an answer"));
    assert!(plug.offer_factor(&ada, secret(2)).await.expect("an answer"), "an offer can be made again");
    let offered = plug.factor(&ada).await.expect("an answer").expect("a factor");
    assert_eq!((offered.secret, offered.is_confirmed, offered.recovery_codes), (secret(2), false, 0));
    assert!(plug.confirm_factor(&ada, 10, vec![hash(1), hash(2)]).await.expect("an answer"));
    assert!(!plug.offer_factor(&ada, secret(3)).await.expect("an answer"), "a confirmed one stays");
    assert!(!plug.confirm_factor(&ada, 11, Vec::new()).await.expect("an answer"));
    for (step, good) in [(10, false), (9, false), (11, true), (11, false), (13, true), (12, false)] {
        assert_eq!(plug.use_step(&ada, step).await.expect("an answer"), good, "step {step}");
    }
    assert!(plug.use_recovery_code(&ada, hash(1)).await.expect("an answer"));
    assert!(!plug.use_recovery_code(&ada, hash(1)).await.expect("an answer"), "once");
    assert!(!plug.use_recovery_code(&user_id(2), hash(2)).await.expect("an answer"), "another user's");
    let used = plug.factor(&ada).await.expect("an answer").expect("a factor");
    assert_eq!((used.is_confirmed, used.recovery_codes), (true, 1));
    assert!(plug.remove_factor(&ada).await.expect("an answer"));
    assert!(!plug.remove_factor(&ada).await.expect("an answer"));
    assert!(!plug.use_recovery_code(&ada, hash(2)).await.expect("an answer"), "they go with the factor");
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
pub(super) async fn a_step_is_used_once_by_whoever_is_first(plug: Plug) {
    registered(&plug, 1).await;
    plug.offer_factor(&user_id(1), FactorSecret([1; 20])).await.expect("an answer");
    plug.confirm_factor(&user_id(1), 1, Vec::new()).await.expect("an answer");
    let tries = (0..10).map(|_| {
        let plug = plug.clone();
        tokio::spawn(async move { plug.use_step(&user_id(1), 2).await.expect("an answer") })
    });
    let mut winners = 0;
    for answer in tries.collect::<Vec<_>>() {
        winners += u32::from(answer.await.expect("no panic"));
    }
    assert_eq!(winners, 1);
}
