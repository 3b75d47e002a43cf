//! What every plug of the outbox has to do.

use super::{Plug, account, at, hash, password, registered, user_id};
use crate::{
    accounts::Registered,
    mailbox::{LetterKind, MAX_WAITING, MailPurpose, NewLetter, NewMailToken, RecoverRequest, WaitingLetter},
};

fn letter(kind: LetterKind, subject: &str, seconds: i64) -> NewLetter {
    NewLetter { kind, subject: subject.to_owned(), now: at(seconds) }
}

async fn due(plug: &Plug, seconds: i64) -> Vec<WaitingLetter> {
    plug.due_letters(at(seconds), 10).await.expect("an answer")
}

async fn keep(plug: &Plug, number: u8, purpose: MailPurpose, subject: &str, end: i64) {
    let token = NewMailToken { hash: hash(number), purpose, subject: subject.to_owned(), expires_at: at(end) };
    plug.keep_mail_token(token).await.expect("an answer");
}

pub(super) async fn a_letter_waits_until_it_is_out(plug: Plug) {
    assert_eq!(plug.next_letter().await.expect("an answer"), None);
    for (number, kind) in (1..).zip(LetterKind::ALL) {
        assert!(plug.post(letter(kind, "somebody", number)).await.expect("an answer"), "{kind}");
    }
    assert_eq!(plug.next_letter().await.expect("an answer"), Some(at(1)));
    assert!(due(&plug, 0).await.is_empty(), "none is due yet");
    let found = due(&plug, 3).await;
    let kinds: Vec<LetterKind> = found.iter().map(|letter| letter.kind).collect();
    assert_eq!(kinds, LetterKind::ALL[..3], "those that wait longest come first");
    assert_eq!((found[0].attempts, found[0].posted_at), (0, at(1)));
    plug.put_off(found[0].number, at(100)).await.expect("an answer");
    plug.take_out(found[1].number).await.expect("an answer");
    plug.take_out(found[1].number).await.expect("once more is no error");
    assert_eq!(due(&plug, 3).await, found[2..]);
    let later = due(&plug, 100).await;
    assert_eq!(later.last().map(|letter| (letter.kind, letter.attempts)), Some((LetterKind::ALL[0], 1)));
}

pub(super) async fn the_outbox_has_a_bound(plug: Plug) {
    for number in 0..MAX_WAITING {
        assert!(plug.post(letter(LetterKind::Reset, "somebody", 0)).await.expect("an answer"), "{number}");
    }
    assert!(!plug.post(letter(LetterKind::Reset, "somebody", 0)).await.expect("an answer"));
    let mut refused = account(1, "one@example.org", None);
    refused.letter = Some(letter(LetterKind::Registered, "one@example.org", 0));
    assert_eq!(plug.register(refused).await.expect("an answer"), Registered::OutboxFull);
    assert!(plug.user_by_email("one@example.org").await.expect("an answer").is_none(), "all or nothing");
}

pub(super) async fn a_registration_posts_its_letter_whoever_it_is(plug: Plug) {
    for _ in 0..2 {
        let mut new = account(1, "one@example.org", None);
        new.letter = Some(letter(LetterKind::Registered, "one@example.org", 0));
        plug.register(new).await.expect("an answer");
    }
    assert_eq!(due(&plug, 0).await.len(), 2, "one for the new user, and one for the address that was taken");
}

pub(super) async fn a_token_of_a_letter_is_good_once(plug: Plug) {
    registered(&plug, 1).await;
    registered(&plug, 2).await;
    let ada = user_id(1);
    for number in [11, 12] {
        keep(&plug, number, MailPurpose::Reset, ada.as_str(), 60).await;
    }
    keep(&plug, 13, MailPurpose::Verify, ada.as_str(), 60).await;
    keep(&plug, 14, MailPurpose::Reset, user_id(2).as_str(), 60).await;
    let subject = |number: u8, purpose, seconds| {
        let plug = plug.clone();
        async move { plug.mail_token(hash(number), purpose, at(seconds)).await.expect("an answer") }
    };
    assert_eq!(subject(11, MailPurpose::Reset, 59).await.as_deref(), Some(ada.as_str()));
    assert_eq!(subject(11, MailPurpose::Reset, 60).await, None, "its time is over");
    assert_eq!(subject(11, MailPurpose::Verify, 0).await, None, "another purpose");
    let recover = |number: u8, user: u8, seconds| {
        let plug = plug.clone();
        let request =
            RecoverRequest { token: hash(number), user_id: user_id(user), hash: password("new"), now: at(seconds) };
        async move { plug.recover(request).await.expect("an answer") }
    };
    assert!(!recover(11, 2, 0).await, "another user's");
    assert!(!recover(13, 1, 0).await, "another purpose");
    assert!(!recover(11, 1, 60).await, "too late");
    assert!(!plug.has_verified_address(&ada).await.expect("an answer"));
    assert!(recover(11, 1, 1).await);
    assert!(plug.has_verified_address(&ada).await.expect("an answer"), "who reads the mail has the address");
    assert!(plug.standing(&super::sign_in_id(1), at(1)).await.expect("an answer").is_none(), "sign-ins end");
    let kept = plug.credentials("person1@example.org").await.expect("an answer").expect("a user");
    assert_eq!(kept.password_hash, password("new"));
    assert!(!recover(11, 1, 1).await, "once");
    assert!(!recover(12, 1, 1).await, "and all of them together");
    assert!(recover(14, 2, 1).await, "another user's stay");
    let verify = |number: u8| {
        let plug = plug.clone();
        async move { plug.verify_address(hash(number), at(2)).await.expect("an answer") }
    };
    assert_eq!(verify(13).await, Some(ada));
    assert_eq!(verify(13).await, None, "once");
    registered(&plug, 3).await;
    plug.vouch_for_address(&user_id(3), at(0)).await.expect("an answer");
    plug.vouch_for_address(&user_id(3), at(0)).await.expect("twice is no error");
    assert!(plug.has_verified_address(&user_id(3)).await.expect("an answer"));
}
