//! What goes wrong at a provider, and what comes of it: who is asked again, who is told, and who is left alone.

use std::{sync::Arc, time::Duration};

use agents::model::{LanguageModel, ModelError};
use public_works::models::{ModelConfig, Provider as Form};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    house::{KEY, Taken, ask, config, model, owner, request},
    provider::{Act, Answer, Provider},
};

const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Once upon\"}}]}\n\n";
const WHOLE: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Once.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
const BROKEN: &str = "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n";

fn quick(provider: &Provider) -> ModelConfig {
    let short = Duration::from_millis(80);
    ModelConfig {
        first_byte_timeout: short,
        idle_timeout: short,
        failures_until_rest: 100,
        ..config(Form::Openai, provider)
    }
}

fn is_transient(outcome: &Result<(), ModelError>) -> bool {
    matches!(outcome, Err(ModelError::Transient(_)))
}

#[tokio::test]
async fn what_ends_badly_is_told_and_said_once() {
    type Case = (&'static str, fn() -> Answer, bool, &'static str);
    let html = || {
        let mut answer = Answer::stream(["<html>Welcome</html>"]);
        answer.headers = vec![("content-type", "text/html".to_owned())];
        answer
    };
    let cases: [Case; 11] = [
        ("an error in the midst", || Answer::stream([TEXT, BROKEN]), true, "fault of its own"),
        ("an end in the midst", || Answer::stream([TEXT]), true, "cut off"),
        ("a hang-up in the midst", || Answer::stream([TEXT]).then(Act::HangUp), true, "cannot be reached"),
        ("silence in the midst", || Answer::stream([TEXT]).then(Act::Silence), true, "went silent"),
        ("silence from the beginning", || Answer::stream([""]).then(Act::Silence), true, "went silent"),
        ("nothing at all", || Answer::stream([""]), true, "cut off"),
        ("no JSON", || Answer::stream(["data: {\"choices\":[\n\n"]), true, "cannot be read"),
        ("no UTF-8", || Answer::stream([&b"data: \"\xff\xfe\"\n\n"[..]]), true, "cannot be read"),
        ("a line without end", || Answer::stream((0..40).map(|_| vec![b'x'; 64 * 1024])), false, "does not stop"),
        ("a page of the web", html, false, "its address is wrong"),
        (
            "what the provider declines",
            || Answer::stream(["data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n"]),
            false,
            "declines",
        ),
    ];
    for (what, answer, transient, told) in cases {
        let provider = Provider::start(move |_, _| answer()).await;
        let (outcome, taken) = ask(&model(quick(&provider))).await;
        assert_eq!(is_transient(&outcome), transient, "{what}: {outcome:?}");
        let Err(ModelError::Transient(sentence) | ModelError::Final(sentence)) = outcome else { panic!("{what}") };
        assert!(sentence.contains(told), "{what}: {sentence}");
        assert!(["", "Once upon"].contains(&taken.text().as_str()), "{what}: {taken:?}");
        assert_eq!(provider.requests().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn errors_in_the_midst_are_read_in_each_form() {
    let cases = [
        (
            Form::Anthropic,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            "too much to do",
        ),
        (
            Form::Gemini,
            "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}\n\n",
            "too much to do",
        ),
        (Form::Gemini, "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n", "declines"),
        (
            Form::Gemini,
            "data: {\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\n\n",
            "fault of its own",
        ),
    ];
    for (form, answer, told) in cases {
        let provider = Provider::start(move |_, _| Answer::stream([answer])).await;
        let (outcome, _) = ask(&model(config(form, &provider))).await;
        assert!(outcome.unwrap_err().to_string().contains(told), "{answer}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_before_anything_was_said() {
    let busy = |status: u16| {
        move || Answer::error(status, &[("retry-after-ms", "5")], &json!({ "error": { "message": "Slow down." } }))
    };
    let first: [fn() -> Answer; 2] = [|| Answer::stream([BROKEN]), || Answer::stream([""]).then(Act::HangUp)];
    for status in [429, 500, 503, 529] {
        let provider =
            Provider::start(move |number, _| if number < 2 { busy(status)() } else { Answer::stream([WHOLE]) }).await;
        let (outcome, taken) = ask(&model(ModelConfig { retries: 2, ..quick(&provider) })).await;
        assert_eq!((outcome, taken.text().as_str()), (Ok(()), "Once."), "{status}");
        assert_eq!(provider.requests().len(), 3);
    }
    for answer in first {
        let provider =
            Provider::start(move |number, _| if number == 0 { answer() } else { Answer::stream([WHOLE]) }).await;
        let (outcome, taken) = ask(&model(ModelConfig { retries: 1, ..quick(&provider) })).await;
        assert_eq!((outcome, taken.text().as_str()), (Ok(()), "Once."));
    }
    // What was said cannot be unsaid by a second try.
    let provider = Provider::start(|_, _| Answer::stream([TEXT, BROKEN])).await;
    let (outcome, _) = ask(&model(ModelConfig { retries: 2, ..quick(&provider) })).await;
    assert!(is_transient(&outcome));
    assert_eq!(provider.requests().len(), 1);
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again_and_no_key_is_told() {
    let cases: [(u16, Value, &str); 4] = [
        (
            401,
            json!({ "error": { "message": format!("Incorrect API key provided: {KEY}.") } }),
            "does not accept the key",
        ),
        (404, json!({ "error": { "message": "The model `x` does not exist" } }), "does not know it"),
        (400, json!({ "error": { "code": "context_length_exceeded", "message": "" } }), "too long"),
        (429, json!({ "error": { "code": "insufficient_quota", "message": "" } }), "used up"),
    ];
    for (status, body, told) in cases {
        let provider = Provider::start(move |_, _| Answer::error(status, &[], &body)).await;
        let (outcome, _) = ask(&model(ModelConfig { retries: 3, ..quick(&provider) })).await;
        let Err(ModelError::Final(sentence)) = outcome else { panic!("{outcome:?}") };
        assert!(sentence.contains(told) && !sentence.contains(KEY), "{sentence}");
        assert_eq!(provider.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Provider::start(|_, _| Answer::stream([WHOLE])).await;
    let location = elsewhere.url("/v1/chat/completions");
    let provider = Provider::start(move |_, _| Answer::error(307, &[("location", &location)], &json!({}))).await;
    let (outcome, _) = ask(&model(quick(&provider))).await;
    assert!(matches!(outcome, Err(ModelError::Final(_))), "{outcome:?}");
    assert!(elsewhere.requests().is_empty(), "the key goes to nobody else");
}

#[tokio::test]
async fn nobody_there_is_told() {
    let provider = Provider::start(|_, _| Answer::stream([WHOLE])).await;
    let config = quick(&provider);
    drop(provider);
    let (outcome, _) = ask(&model(config)).await;
    assert!(outcome.unwrap_err().to_string().contains("cannot be reached"));
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_and_then_tried() {
    let provider = Provider::start(|number, _| Answer::stream([if number < 2 { BROKEN } else { WHOLE }])).await;
    let rest = Duration::from_millis(60);
    let model = model(ModelConfig { failures_until_rest: 2, rest, ..quick(&provider) });
    for _ in 0..2 {
        assert!(is_transient(&ask(&model).await.0));
    }
    let begin = tokio::time::Instant::now();
    let (outcome, _) = ask(&model).await;
    assert!(outcome.unwrap_err().to_string().contains("left alone"));
    assert_eq!(provider.requests().len(), 2);
    tokio::time::sleep_until(begin + rest).await;
    assert_eq!(ask(&model).await.0, Ok(()));
}

#[tokio::test]
async fn a_tenant_has_its_places_and_no_more() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let provider = Provider::start(move |_, _| {
        let mut answer = Answer::stream([TEXT]).then(Act::Wait(Arc::clone(&gate)));
        answer.acts.push(Act::Send(WHOLE.as_bytes().to_vec()));
        answer
    })
    .await;
    let patient = Duration::from_secs(20);
    let settings =
        ModelConfig { parallel_per_tenant: 2, first_byte_timeout: patient, idle_timeout: patient, ..quick(&provider) };
    let model = model(settings);
    let of = |tenant: &str| {
        let mut request = request();
        request.owner = owner(tenant);
        request
    };
    let reply = async |tenant: &str| model.reply(&of(tenant), &mut Taken::default()).await;
    let opened = async {
        // Two of the first tenant, and the other one's.
        while provider.requests().len() < 3 {
            tokio::task::yield_now().await;
        }
        for _ in 0..4 {
            go.notify_one();
            tokio::task::yield_now().await;
        }
        while provider.requests().len() < 4 {
            go.notify_one();
            tokio::task::yield_now().await;
        }
        go.notify_one();
    };
    let (one, two, three, other, ()) =
        tokio::join!(reply("tenant_1"), reply("tenant_1"), reply("tenant_1"), reply("tenant_2"), opened);
    assert_eq!([one, two, three, other], [Ok(()), Ok(()), Ok(()), Ok(())]);
    assert!(provider.seen.most_answering.load(std::sync::atomic::Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn whoever_does_not_want_the_answer_stops_paying_for_it() {
    let provider = Provider::start(|_, _| Answer::stream([TEXT]).then(Act::Silence)).await;
    let model = model(ModelConfig { idle_timeout: Duration::from_secs(20), ..quick(&provider) });
    let mut taken = Taken::default();
    let request = request();
    tokio::select! {
        _ = model.reply(&request, &mut taken) => panic!("it never ends"),
        () = async {
            while provider.requests().is_empty() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    tokio::time::timeout(Duration::from_secs(10), provider.seen.left.notified())
        .await
        .expect("the provider sees the client leave");
}
