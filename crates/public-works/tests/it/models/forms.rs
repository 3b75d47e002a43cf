//! The three forms: what is asked, to the field, and what is read out of an answer, wherever it is cut.

use std::collections::BTreeMap;

use agents::model::{LanguageModel, Piece, Round, ToolCall, ToolOutcome, ToolResult, Usage};
use public_works::models::Provider as Form;
use serde_json::{Value, json};

use super::{
    house::{KEY, Taken, ask, config, model, request},
    provider::{Answer, Provider},
};

/// Text with letters of several bytes, and two calls at once whose arguments come in pieces and interleaved.
const OPENAI: &str = concat!(
    ": a comment\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Größe \"},\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"→ 🙂.\"},\"finish_reason\":null}]}\r\n\r\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"parse_content\",\"arguments\":\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"call_b\",\"type\":\"function\",\"function\":{\"name\":\"list_files\",\"arguments\":\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"file\\\":\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\"ä.csv\\\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":120,\"completion_tokens\":30,\"total_tokens\":150}}\n\n",
    "data: [DONE]\n\n",
);

const ANTHROPIC: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":20,\"cache_read_input_tokens\":100,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Größe \"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"→ 🙂.\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"call_a\",\"name\":\"parse_content\",\"input\":{}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"file\\\": \\\"ä\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\".csv\\\"}\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"call_b\",\"name\":\"list_files\",\"input\":{}}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":2}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":30}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

const GEMINI: &str = concat!(
    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"I think…\",\"thought\":true},{\"text\":\"Größe \"}]},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":120,\"candidatesTokenCount\":4}}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"→ 🙂.\"}]},\"index\":0}]}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"parse_content\",\"args\":{\"file\":\"ä.csv\"}},\"thoughtSignature\":\"c2ln\"},{\"functionCall\":{\"name\":\"list_files\",\"args\":{}}}]},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":120,\"candidatesTokenCount\":24,\"thoughtsTokenCount\":6}}\r\n\r\n",
);

const FORMS: [(Form, &str); 3] = [(Form::Openai, OPENAI), (Form::Anthropic, ANTHROPIC), (Form::Gemini, GEMINI)];

/// From one cut to the next, in bytes: it has no factor in common with anything here, and every place would take half a minute.
const STRIDE: usize = 7;

/// What all three answers say.
fn assert_read(form: Form, taken: &Taken) {
    assert_eq!(taken.text(), "Größe → 🙂.", "{form:?}");
    let calls: Vec<&ToolCall> =
        taken.0.iter().filter_map(|piece| if let Piece::ToolCall(call) = piece { Some(call) } else { None }).collect();
    let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["parse_content", "list_files"], "{form:?}");
    assert_eq!(json!(calls[0].arguments), json!({ "file": "ä.csv" }));
    assert!(calls[1].arguments.is_empty() && calls.iter().all(|call| call.unreadable.is_none()));
    let ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    let (expected, signature) =
        if form == Form::Gemini { (["call_0_0", "call_0_1"], Some("c2ln")) } else { (["call_a", "call_b"], None) };
    assert_eq!(ids, expected);
    assert_eq!(calls[0].signature.as_deref(), signature);
    let mut usage = Usage::default();
    for piece in &taken.0 {
        if let Piece::Usage(used) = piece {
            usage.add(*used);
        }
    }
    assert_eq!(usage, Usage { input_tokens: 120, output_tokens: 30 }, "{form:?}");
}

#[tokio::test]
async fn an_answer_is_the_same_wherever_it_is_cut() {
    for (form, answer) in FORMS {
        let bytes = answer.as_bytes();
        let provider = Provider::start(move |number, _| {
            // The first time a byte at a time, then in two parts.
            let (first, rest) = bytes.split_at(number * STRIDE);
            if number == 0 { Answer::stream(bytes.chunks(1)) } else { Answer::stream([first, rest]) }
        })
        .await;
        let model = model(config(form, &provider));
        for number in 0..bytes.len() / STRIDE {
            let (outcome, taken) = ask(&model).await;
            assert_eq!(outcome, Ok(()), "{form:?} cut at {}", number * STRIDE);
            assert_read(form, &taken);
        }
    }
}

/// A request with a round of two calls behind it, as each form writes it.
#[tokio::test]
async fn what_was_done_is_told_in_the_providers_form() {
    for (form, answer) in FORMS {
        let provider = Provider::start(move |_, _| Answer::stream([answer])).await;
        let mut request = request();
        let call = |id: &str, name: &str| ToolCall { id: id.to_owned(), name: name.to_owned(), ..ToolCall::default() };
        let done = ToolOutcome::Completed { result: json!({ "rows": 3 }), artifacts: BTreeMap::new() };
        let failed = ToolOutcome::Failed { code: "unreadable_file".to_owned(), message: "It is empty.".to_owned() };
        let signed = ToolCall { signature: Some("c2ln".to_owned()), ..call("call_1", "parse_content") };
        request.rounds = vec![Round {
            agent_id: request.agent.agent_id.clone(),
            text: "I read both.".to_owned(),
            results: vec![
                ToolResult { call: signed, outcome: done },
                ToolResult { call: call("call_2", "parse_content"), outcome: failed },
            ],
        }];
        let mut taken = Taken::default();
        model(config(form, &provider)).reply(&request, &mut taken).await.unwrap();
        let asked = provider.requests().remove(0);
        match form {
            Form::Openai | Form::Ollama | Form::OpenaiCompatible => {
                assert_eq!(asked.path, "/v1/chat/completions");
                assert_eq!(asked.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
                let messages = asked.body["messages"].as_array().unwrap();
                let roles: Vec<&Value> = messages.iter().map(|message| &message["role"]).collect();
                assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
                assert_eq!(messages[2]["tool_calls"][1]["id"], "call_2");
                assert_eq!(messages[2]["tool_calls"][0]["function"]["arguments"], "{}");
                assert_eq!(messages[3]["tool_call_id"], "call_1");
                assert!(messages[3]["content"].as_str().unwrap().contains("\"rows\":3"));
                assert_eq!(asked.body["max_completion_tokens"], 4096);
                assert_eq!(asked.body["stream_options"]["include_usage"], true);
                let tools = asked.body["tools"].as_array().unwrap();
                let names: Vec<&Value> = tools.iter().map(|tool| &tool["function"]["name"]).collect();
                assert_eq!(names, ["parse_content", "list_files", "hand_off"]);
                assert!(tools[0]["function"]["parameters"].get("$schema").is_none());
            }
            Form::Anthropic => {
                assert_eq!(asked.path, "/v1/messages");
                assert_eq!(asked.header("x-api-key"), Some(KEY));
                assert_eq!(asked.header("anthropic-version"), Some("2023-06-01"));
                assert_eq!(asked.body["system"][0]["cache_control"]["type"], "ephemeral");
                let messages = asked.body["messages"].as_array().unwrap();
                assert_eq!(messages[1]["content"][0]["text"], "I read both.");
                assert_eq!(messages[1]["content"][2]["id"], "call_2");
                assert_eq!(messages[2]["content"][1]["tool_use_id"], "call_2");
                assert_eq!(messages[2]["content"][1]["is_error"], true);
                assert_eq!(asked.body["tools"][0]["input_schema"]["type"], "object");
            }
            Form::Gemini => {
                assert_eq!(asked.path, "/v1beta/models/test-model:streamGenerateContent?alt=sse");
                assert_eq!(asked.header("x-goog-api-key"), Some(KEY));
                let contents = asked.body["contents"].as_array().unwrap();
                assert_eq!(contents[1]["role"], "model");
                assert_eq!(contents[1]["parts"][1]["thoughtSignature"], "c2ln");
                assert_eq!(contents[2]["parts"][0]["functionResponse"]["response"]["data"]["rows"], 3);
                let declared = &asked.body["tools"][0]["functionDeclarations"][0];
                assert_eq!(declared["parametersJsonSchema"]["type"], "object");
            }
        }
        assert!(!asked.body.to_string().contains(KEY));
        assert!(!asked.path.contains(KEY));
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_are_told_and_not_guessed() {
    let answer = OPENAI.replace("{\\\"file\\\":", "{\\\"file\\\"");
    let provider = Provider::start(move |_, _| Answer::stream([answer.as_bytes()])).await;
    let (outcome, taken) = ask(&model(config(Form::Openai, &provider))).await;
    assert_eq!(outcome, Ok(()));
    let Some(Piece::ToolCall(call)) = taken.0.iter().find(|piece| matches!(piece, Piece::ToolCall(_))) else {
        panic!()
    };
    assert!(call.unreadable.as_deref().unwrap().starts_with("The arguments are no JSON"), "{call:?}");
}

/// Servers that follow OpenAI's form leave things out: ids, indexes, the last line, usage; some send whole arguments.
#[tokio::test]
async fn servers_that_leave_things_out_are_understood() {
    let answer = concat!(
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"list_files\",\"arguments\":{\"limit\":5}}},{\"function\":{\"name\":\"parse_content\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":null},\"finish_reason\":\"stop\"}]}\n\n",
    );
    let provider = Provider::start(move |_, _| Answer::stream([answer])).await;
    let (outcome, taken) = ask(&model(config(Form::OpenaiCompatible, &provider))).await;
    assert_eq!(outcome, Ok(()));
    let [Piece::ToolCall(first), Piece::ToolCall(second)] = taken.0.as_slice() else { panic!("{taken:?}") };
    assert_eq!((first.id.as_str(), second.id.as_str()), ("call_0_0", "call_0_1"));
    assert_eq!(first.arguments["limit"], 5);
    assert_eq!(provider.requests()[0].body["max_tokens"], 4096);
}

#[tokio::test]
async fn what_is_cut_short_is_told() {
    let answers = [
        (
            Form::Openai,
            "data: {\"choices\":[{\"delta\":{\"content\":\"Once\"},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n",
        ),
        (
            Form::Anthropic,
            concat!(
                "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Once\"}}\n\n",
                "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n"
            ),
        ),
        (
            Form::Gemini,
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Once\"}]},\"finishReason\":\"MAX_TOKENS\"}]}\n\n",
        ),
    ];
    for (form, answer) in answers {
        let provider = Provider::start(move |_, _| Answer::stream([answer])).await;
        let (outcome, taken) = ask(&model(config(form, &provider))).await;
        assert_eq!(outcome, Ok(()), "{form:?}");
        assert!(taken.text().starts_with("Once\n\n*(The answer ends here"), "{form:?} {taken:?}");
    }
}
