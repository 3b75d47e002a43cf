//! One's own sign-ins, and the audit of what was decided about them.

use serde_json::{Value, json};

use crate::house::{Ask, House, PASSWORD, Person, ask, get, post};

async fn sign_in(house: &House, ada: &Person, agent: &str) -> Person {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let answer = house.ask(post("/api/auth/login").header("user-agent", agent).json(&body)).await.expect(200);
    Person { token: answer.text("access_token"), refresh_token: answer.text("refresh_token"), ..ada.clone() }
}

async fn list(house: &House, person: &Person) -> Vec<Value> {
    let answer = house.ask(get("/api/auth/sign-ins").bearer(person)).await.expect(200).json();
    answer["sign_ins"].as_array().unwrap().clone()
}

fn end(sign_in: &Value) -> Ask {
    ask("DELETE", &format!("/api/auth/sign-ins/{}", sign_in["sign_in_id"].as_str().unwrap()))
}

#[tokio::test]
async fn a_user_sees_and_ends_their_sign_ins() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let phone = sign_in(&house, &ada, "a phone").await;
    let tablet = sign_in(&house, &ada, "a tablet").await;
    let mut listed = list(&house, &tablet).await;
    // Time stands still, so that the order in which they were made is not theirs.
    listed.sort_by_key(|sign_in| std::cmp::Reverse(sign_in["agent"].to_string()));
    listed.rotate_left(1);
    let agents: Vec<&Value> = listed.iter().map(|sign_in| &sign_in["agent"]).collect();
    assert_eq!(agents, [&json!("a tablet"), &json!("a phone"), &json!(null)]);
    let current: Vec<&Value> = listed.iter().map(|sign_in| &sign_in["current"]).collect();
    assert_eq!(current, [true, false, false]);
    assert_eq!(listed[0]["address"], "0.0.0.0");

    house.ask(end(&listed[1]).bearer(&eve)).await.refused(404, "not_found");
    house.ask(get("/api/auth/me").bearer(&phone)).await.expect(200);
    house.ask(end(&listed[1]).bearer(&tablet)).await.expect(204);
    house.ask(get("/api/auth/me").bearer(&phone)).await.refused(401, "token_invalid");
    let refresh = json!({ "refresh_token": phone.refresh_token });
    house.ask(post("/api/auth/refresh").json(&refresh)).await.refused(401, "token_invalid");
    house.ask(end(&listed[1]).bearer(&tablet)).await.refused(404, "not_found");

    house.ask(ask("DELETE", "/api/auth/sign-ins").bearer(&tablet)).await.expect(204);
    house.ask(get("/api/auth/me").bearer(&ada)).await.refused(401, "token_invalid");
    assert_eq!(list(&house, &tablet).await.len(), 1);
    assert_eq!(list(&house, &eve).await.len(), 1, "nobody else's");
    house.ask(end(&listed[0]).bearer(&tablet)).await.expect(204);
    house.ask(get("/api/auth/me").bearer(&tablet)).await.refused(401, "token_invalid");
}

// ASVS 16.3.1: Sign-ins, good and bad, are in the audit, without a secret.
#[tokio::test]
async fn what_was_decided_is_read_by_those_who_govern() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let wrong = json!({ "email": "ada@example.com", "password": "wrong wrong wrong" });
    house.ask(post("/api/auth/login").header("x-request-id", "trace-7").json(&wrong)).await.expect(401);
    let nobody = json!({ "email": "nobody@example.com", "password": "wrong wrong wrong" });
    house.ask(post("/api/auth/login").json(&nobody)).await.expect(401);
    let phone = sign_in(&house, &ada, "a phone").await;
    let sign_ins = list(&house, &ada).await;
    house.ask(end(&sign_ins[0]).bearer(&eve)).await.expect(404);
    house.ask(post("/api/auth/logout").bearer(&phone)).await.expect(204);

    let page = house.ask(get("/api/audit?limit=3").bearer(&ada)).await.expect(200);
    let text = String::from_utf8_lossy(&page.body).into_owned();
    for secret in [PASSWORD, "wrong wrong", "symr_", "ada@example.com", "nobody@example.com"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let records = page.json()["records"].as_array().unwrap().clone();
    let told: Vec<(&Value, &Value)> = records.iter().map(|record| (&record["action"], &record["outcome"])).collect();
    let expected = [("sign_out", "allowed"), ("sign_in", "allowed"), ("sign_in", "refused")];
    assert_eq!(told, expected.map(|(action, outcome)| (json!(action), json!(outcome))).each_ref().map(|(a, o)| (a, o)));
    assert_eq!(records[2]["code"], "authentication_failed");
    assert_eq!((&records[2]["user_id"], &records[2]["request_id"]), (&json!(ada.user_id), &json!("trace-7")));
    assert_eq!(records[2]["address"], "0.0.0.0");
    let cursor = page.text("next_cursor");
    let rest = house.ask(get(&format!("/api/audit?limit=3&cursor={cursor}")).bearer(&ada)).await.expect(200).json();
    assert_eq!((&rest["records"][0]["action"], &rest["next_cursor"]), (&json!("register"), &json!(null)));

    let hers = house.ask(get("/api/audit").bearer(&eve)).await.expect(200).json();
    let actions: Vec<&Value> = hers["records"].as_array().unwrap().iter().map(|record| &record["action"]).collect();
    assert_eq!(actions, ["end_sign_in", "register"], "what she tried stands with her");
    house.ask(get("/api/audit?cursor=x").bearer(&ada)).await.refused(400, "bad_cursor");
}
