//! Doing something: intents, executions, files, approvals, conversations, and the guide.

use serde_json::{Value, json};

use crate::house::{Ask, House, Person, ask, form, get, post};

fn submit(session_id: &str, intent_type: &str, parameters: Value) -> Ask {
    post("/api/intent/submit")
        .json(&json!({ "intent_type": intent_type, "session_id": session_id, "parameters": parameters }))
}

#[tokio::test]
async fn an_intent_is_submitted_and_read() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let accepted =
        house.ask(submit(&ada.session_id, "echo", json!({ "text": "hello" })).bearer(&ada)).await.expect(200);
    assert_eq!(accepted.text("status"), "accepted");
    let path = format!("/api/execution/{}/status", accepted.text("execution_id"));
    let execution = house.ask(get(&path).bearer(&ada)).await.expect(200).json();
    assert_eq!(execution["intent_type"], "echo");
    assert_eq!(execution["events"][0]["seq"], 1);
    let cancel = || post(&path.replace("status", "cancel")).bearer(&ada);
    house.ask(cancel().json(&json!({ "reason": "x".repeat(501) }))).await.refused(422, "validation_failed");
    house.ask(cancel()).await.expect(202);
    house.ask(cancel()).await.expect(202);
}

#[tokio::test]
async fn what_cannot_be_submitted() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    for (ask, status, code) in [
        (submit(&ada.session_id, "no_such_intent", json!({})), 404, "unknown_intent"),
        (submit(&ada.session_id, "echo", json!({ "text": 7 })), 422, "validation_failed"),
        (submit(&ada.session_id, "echo", json!({ "other": 7 })), 422, "validation_failed"),
        (submit("sess_nobody", "echo", json!({})), 404, "not_found"),
        (submit(&ada.session_id, "echo", json!({})).header("idempotency-key", "a b"), 400, "bad_idempotency_key"),
        (submit(&ada.session_id, "echo", json!({})).header("idempotency-key", ""), 400, "bad_idempotency_key"),
    ] {
        house.ask(ask.bearer(&ada)).await.refused(status, code);
    }
    for (field, value) in [
        ("deadline", "2020-01-01T00:00:00.000Z"),
        ("run_at", "2999-01-01T00:00:00.000Z"),
        ("run_at", "tomorrow"),
        ("priority", "urgent"),
    ] {
        let body = json!({ "intent_type": "echo", "session_id": ada.session_id, field: value });
        let refused = house.ask(post("/api/intent/submit").bearer(&ada).json(&body)).await;
        let errors = refused.refused(422, "validation_failed").json()["errors"].clone();
        assert_eq!(errors[0]["field"], field, "{value}");
    }
    let foreign = json!({ "intent_type": "echo", "session_id": ada.session_id, "tenant_id": "tenant_other" });
    house.ask(post("/api/intent/submit").bearer(&ada).json(&foreign)).await.refused(403, "forbidden");
    let own = json!({ "intent_type": "echo", "session_id": ada.session_id, "tenant_id": ada.tenant_id });
    house.ask(post("/api/intent/submit").bearer(&ada).json(&own)).await.expect(200);
}

#[tokio::test]
async fn a_retry_gets_the_first_answer() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let ask = |person: &Person, text: &str| {
        submit(&person.session_id, "echo", json!({ "text": text })).bearer(person).header("idempotency-key", "key-1")
    };
    let first = house.ask(ask(&ada, "one")).await.expect(200).json();
    assert_eq!(house.ask(ask(&ada, "one")).await.expect(200).json(), first);
    house.ask(ask(&ada, "two")).await.refused(422, "idempotency_mismatch");
    let other = house.ask(ask(&eve, "one")).await.expect(200).json();
    assert_ne!(other["execution_id"], first["execution_id"], "the key is its user's");
}

#[tokio::test]
async fn an_anonymous_session_works_within_its_limits() {
    let house = House::with("limits = { anonymous_intents = 2, anonymous_upload_bytes = 20 }", "").await;
    let session_id = house.anonymous_session().await;
    house.ask(submit(&session_id, "echo", json!({}))).await.expect(200);
    let upload = |content: &str| {
        post("/api/files").form(form(&[("file", Some("a.csv"), content), ("session_id", None, &session_id)]))
    };
    house.ask(upload(&"x".repeat(21))).await.refused(413, "payload_too_large");
    let first = house.ask(upload("twelve bytes").header("idempotency-key", "a")).await.expect(201).json();
    house.ask(upload("twelve bytes")).await.refused(429, "quota_reached");
    let retried = house.ask(upload("twelve bytes").header("idempotency-key", "a")).await.expect(201).json();
    assert_eq!(retried["artifact_id"], first["artifact_id"], "a retry brings nothing new");
    let in_parameters = submit(&session_id, "echo", json!({ "text": "twelve bytes" }));
    house.ask(in_parameters).await.refused(429, "quota_reached");
    house.ask(submit(&session_id, "echo", json!({}))).await.refused(429, "quota_reached");
    house
        .ask(post("/api/files").form(form(&[("file", Some("a.csv"), "x")])))
        .await
        .refused(401, "authentication_required");
}

#[tokio::test]
async fn a_file_is_uploaded_read_and_deleted() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let artifact = house.upload(&ada).await;
    assert_eq!((&artifact["lifecycle_state"], &artifact["filename"]), (&json!("ready"), &json!("sales.csv")));
    let id = artifact["artifact_id"].as_str().unwrap();
    let content = || get(&format!("/api/artifacts/{id}/content")).bearer(&ada);
    let answer = house.ask(content()).await.expect(200);
    assert_eq!(&answer.body[..], b"a,b\n1,2\n");
    assert_eq!(answer.headers["content-type"], "text/csv");
    assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"sales.csv\""));
    let list = |body: Value| post("/api/artifact/list").bearer(&ada).json(&body);
    for (body, found) in [
        (json!({}), 1),
        (json!({ "lifecycle_state": "READY" }), 1),
        (json!({ "lifecycle_state": "active", "artifact_type": "file" }), 1),
        (json!({ "lifecycle_state": "draft" }), 0),
        (json!({ "session_id": ada.session_id, "limit": 1 }), 1),
        (json!({ "session_id": "sess_other" }), 0),
    ] {
        let page = house.ask(list(body.clone())).await.expect(200).json();
        assert_eq!(page["artifacts"].as_array().unwrap().len(), found, "{body}");
    }
    for body in [json!({ "limit": 0 }), json!({ "limit": 201 }), json!({ "lifecycle_state": "gone" })] {
        house.ask(list(body)).await.refused(422, "validation_failed");
    }
    let resolve = |body: Value| post("/api/artifact/resolve").bearer(&ada).json(&body);
    let resolved = house.ask(resolve(json!({ "artifact_id": id, "artifact_type": "file" }))).await.expect(200).json();
    assert_eq!((&resolved["filename"], &resolved["artifact"]["filename"]), (&json!("sales.csv"), &json!("sales.csv")));
    house.ask(resolve(json!({ "artifact_id": id, "artifact_type": "sop" }))).await.refused(404, "not_found");

    let deletion = house.submit(&ada, "delete", json!({ "artifact_id": id })).await;
    house.until_ended(&ada, &deletion).await;
    house.ask(content()).await.refused(410, "gone");
    let record = house.ask(get(&format!("/api/artifacts/{id}")).bearer(&ada)).await.expect(200).json();
    assert_eq!((&record["lifecycle_state"], &record["semantic_payload"]), (&json!("deleted"), &json!({})));
}

#[tokio::test]
async fn what_is_meant_waits_until_it_is_submitted() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let artifact = house.upload(&ada).await;
    let id = &artifact["artifact_id"];
    let create = |body: Value| post("/api/intent/pending/create").bearer(&ada).json(&body);
    let list = |body: Value| post("/api/intent/pending/list").bearer(&ada).json(&body);
    let meant = json!({
        "intent_type": "echo", "target_artifact_id": id, "context": { "ingestion_profile": "hybrid" },
        "tenant_id": ada.tenant_id, "user_id": ada.user_id, "session_id": ada.session_id,
    });
    let kept = house.ask(create(meant.clone())).await.expect(200).json();
    assert_eq!(kept["status"], "pending");
    let mut again = meant.clone();
    again["intent_id"] = kept["intent_id"].clone();
    assert_eq!(house.ask(create(again.clone())).await.expect(200).json()["intent_id"], kept["intent_id"]);
    again["context"] = json!({});
    house.ask(create(again)).await.refused(422, "idempotency_mismatch");
    for (wrong, status, code) in [
        (json!({ "intent_type": "nonsense", "target_artifact_id": id }), 404, "unknown_intent"),
        (json!({ "intent_type": "agent_invoke", "target_artifact_id": id }), 404, "unknown_intent"),
        (json!({ "intent_type": "echo", "target_artifact_id": "art_of_nobody" }), 404, "not_found"),
        (
            json!({ "intent_type": "echo", "target_artifact_id": id, "context": { "x": "y".repeat(17_000) } }),
            422,
            "validation_failed",
        ),
    ] {
        house.ask(create(wrong)).await.refused(status, code);
    }
    let found = house.ask(list(json!({ "target_artifact_id": id, "tenant_id": "" }))).await.expect(200).json();
    assert_eq!((&found["intents"][0], &found["total"]), (&kept, &json!(1)));

    let submit = json!({ "intent_type": "echo", "session_id": ada.session_id, "intent_id": kept["intent_id"] });
    let submitted = house.ask(post("/api/intent/submit").bearer(&ada).json(&submit)).await.expect(200).json();
    let execution_id = submitted["execution_id"].as_str().unwrap().to_owned();
    house.until_ended(&ada, &execution_id).await;
    assert_eq!(house.ask(list(json!({}))).await.expect(200).json()["intents"], json!([]));
    let all = house.ask(list(json!({ "include_submitted": true }))).await.expect(200).json();
    let carried_out = &all["intents"][0];
    assert_eq!((&carried_out["status"], &carried_out["execution_id"]), (&json!("completed"), &json!(execution_id)));
}

#[tokio::test]
async fn forms_are_strict() {
    let house = House::with("limits = { upload_bytes = 100 }", "").await;
    let ada = house.register("ada").await;
    let large = "x".repeat(101);
    for (fields, status, code) in [
        (vec![], 422, "validation_failed"),
        (vec![("session_id", None, ada.session_id.as_str())], 422, "validation_failed"),
        (vec![("other", None, "x"), ("file", Some("a.csv"), "x")], 422, "validation_failed"),
        (vec![("session_id", None, "a b"), ("file", Some("a.csv"), "x")], 422, "validation_failed"),
        (vec![("session_id", None, "sess_other"), ("file", Some("a.csv"), "x")], 404, "not_found"),
        (vec![("file", Some("a.csv"), large.as_str())], 413, "payload_too_large"),
    ] {
        house.ask(post("/api/files").bearer(&ada).form(form(&fields))).await.refused(status, code);
    }
    house.ask(post("/api/files").bearer(&ada).json(&json!({}))).await.refused(415, "unsupported_media_type");
    house.ask(post("/api/files").bearer(&ada).form("--edge\r\nbroken".to_owned())).await.refused(400, "bad_request");
    let two = form(&[("file", Some("a.csv"), "1"), ("file", Some("b.csv"), "2")]);
    let answer = house.ask(post("/api/files").bearer(&ada).form(two)).await.expect(201).json();
    let names: Vec<&Value> =
        answer["artifacts"].as_array().unwrap().iter().map(|artifact| &artifact["filename"]).collect();
    assert_eq!(names, ["a.csv", "b.csv"]);
}

#[tokio::test]
async fn of_several_files_the_answer_says_which_were_kept() {
    let house = House::with("limits = { anonymous_intents = 2 }", "").await;
    let session_id = house.anonymous_session().await;
    let files = || {
        let file = |name, content| ("file", Some(name), content);
        form(&[("session_id", None, &session_id), file("a.csv", "1"), file("b.csv", "2"), file("c.csv", "3")])
    };
    for _retry in 0..2 {
        let upload = post("/api/files").header("idempotency-key", "once").form(files());
        let answer = house.ask(upload).await;
        let problem = answer.refused(429, "quota_reached").json();
        assert!(problem["detail"].as_str().unwrap().starts_with("2 of 3 were taken in"), "{problem}");
        let told: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap()).collect();
        assert_eq!(told.len(), 3, "{problem}");
        assert!(told[0].starts_with("a.csv was kept as art_") && told[1].starts_with("b.csv was kept as art_"));
        assert!(told[2].starts_with("c.csv was not kept: "), "{problem}");
    }
}

#[tokio::test]
async fn the_guide_answers_over_http() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let chat = |text: &str| {
        post("/api/v1/guide-agent/chat").bearer(&ada).json(&json!({ "message": text, "session_id": ada.session_id }))
    };
    let answer = house.ask(chat("hello")).await.expect(200).json();
    assert_eq!((&answer["success"], &answer["response"]), (&json!(true), &json!("You said: hello")));
    assert_eq!(answer["routing_info"]["agent_id"], "guide");
    assert_eq!(answer["intent_analysis"]["agent_id"], "guide");
    house.ask(chat(" ")).await.refused(422, "validation_failed");
    let history =
        house.ask(get(&format!("/api/v1/guide-agent/history/{}", ada.session_id)).bearer(&ada)).await.expect(200);
    let said: Vec<Value> =
        history.json()["messages"].as_array().unwrap().iter().map(|it| it["content"].clone()).collect();
    assert_eq!(said, [json!("hello"), json!("You said: hello")]);
    let analyze = post("/api/v1/guide-agent/analyze-intent").bearer(&ada).json(&json!({ "message": "hello" }));
    assert_eq!(house.ask(analyze).await.expect(200).json()["intent_analysis"]["agent_id"], "liaison.content");

    let conversations = house.ask(get("/api/conversations").bearer(&ada)).await.expect(200).json();
    let id = conversations["conversations"][0]["conversation_id"].as_str().unwrap().to_owned();
    let read = |query: &str| get(&format!("/api/conversations/{id}{query}")).bearer(&ada);
    assert_eq!(house.ask(read("?limit=1")).await.expect(200).json()["messages"].as_array().unwrap().len(), 1);
    house.ask(read("?before=x")).await.refused(400, "bad_cursor");
    house.ask(read("?limit=0")).await.refused(422, "validation_failed");
    house.ask(read("?limit=many")).await.refused(400, "bad_request");
}

#[tokio::test]
async fn conversations_are_found_renamed_and_deleted() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let chat = json!({ "message": "hello", "session_id": ada.session_id });
    house.ask(post("/api/v1/guide-agent/chat").bearer(&ada).json(&chat)).await.expect(200);
    let path = format!("/api/conversations/{}", ada.session_id);
    let found = async |search: &str| {
        let path = format!("/api/conversations?search={search}");
        let page = house.ask(get(&path).bearer(&ada)).await.expect(200).json();
        page["conversations"].as_array().unwrap().len()
    };
    for (search, count) in [("HELL", 1), ("You%20said", 1), ("%20", 1), ("zebra", 0)] {
        assert_eq!(found(search).await, count, "{search}");
    }
    let too_long = format!("/api/conversations?search={}", "x".repeat(201));
    house.ask(get(&too_long).bearer(&ada)).await.refused(422, "validation_failed");

    let rename = |title: &str| ask("PATCH", &path).bearer(&ada).json(&json!({ "title": title }));
    for bad in ["", "  ", "two\nlines", &"x".repeat(201)] {
        house.ask(rename(bad)).await.refused(422, "validation_failed");
    }
    assert_eq!(house.ask(rename(" Zebra ")).await.expect(200).text("title"), "Zebra");
    assert_eq!(found("zebra").await, 1);

    house.ask(ask("DELETE", &path).bearer(&ada)).await.expect(204);
    for gone in [get(&path), ask("DELETE", &path)] {
        house.ask(gone.bearer(&ada)).await.refused(404, "not_found");
    }
    assert_eq!(found("").await, 0);
    let under_way = json!({ "message": "careful", "session_id": ada.session_id });
    house.ask(post("/api/v1/guide-agent/chat").bearer(&ada).json(&under_way)).await.expect(200);
    house.ask(ask("DELETE", &path).bearer(&ada)).await.refused(409, "conflict");
}

#[tokio::test]
async fn an_approval_is_asked_for_and_decided_once() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let chat = json!({ "message": "careful", "session_id": ada.session_id });
    let answer = house.ask(post("/api/v1/guide-agent/chat").bearer(&ada).json(&chat)).await.expect(200).json();
    let hook_id = answer["approval"]["hook_id"].as_str().unwrap().to_owned();
    let pending = house.ask(get("/api/approvals").bearer(&ada)).await.expect(200).json();
    assert_eq!(pending["approvals"][0]["hook_id"], hook_id.as_str());
    let decide =
        |approved: bool| post(&format!("/api/approvals/{hook_id}")).bearer(&ada).json(&json!({ "approved": approved }));
    assert_eq!(house.ask(decide(true)).await.expect(200).json()["status"], "approved");
    house.ask(decide(false)).await.refused(409, "already_decided");
    let pending = house.ask(get("/api/approvals").bearer(&ada)).await.expect(200).json();
    assert_eq!(pending["approvals"], json!([]));
    let all = house.ask(get("/api/approvals?status=all").bearer(&ada)).await.expect(200).json();
    assert_eq!(all["approvals"].as_array().unwrap().len(), 1);
    house.ask(get("/api/approvals?status=maybe").bearer(&ada)).await.refused(422, "validation_failed");
}
