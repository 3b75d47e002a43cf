//! People in one tenant, through the front door: invited, come over, changed, removed.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Person, ask, get, post};

async fn members(house: &House, who: &Person) -> Vec<Value> {
    let answer = house.ask(get("/api/tenant/members").bearer(who)).await.expect(200).json();
    answer["members"].as_array().unwrap().clone()
}

#[tokio::test]
async fn somebody_is_invited_and_works_beside() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let execution_id = house.submit(&ada, "echo", json!({})).await;
    let bob = house.member(&ada, "bob", "member").await;
    assert_eq!(bob.tenant_id, ada.tenant_id);
    let roles: Vec<Value> = members(&house, &ada).await.iter().map(|member| member["role"].clone()).collect();
    assert_eq!(roles, ["owner", "member"]);
    house.ask(get(&format!("/api/execution/{execution_id}/status")).bearer(&bob)).await.refused(404, "not_found");
    let own = house.submit(&bob, "echo", json!({})).await;
    house.ask(get(&format!("/api/execution/{own}/status")).bearer(&ada)).await.refused(404, "not_found");
    house.ask(get("/api/tenant/members").bearer(&bob)).await.refused(403, "forbidden");
    let tenants = house.ask(get("/api/tenants").bearer(&bob)).await.expect(200).json();
    let current: Vec<&Value> = tenants["tenants"].as_array().unwrap().iter().map(|one| &one["current"]).collect();
    assert_eq!(current, [&json!(false), &json!(true)]);
}

#[tokio::test]
async fn who_is_removed_is_out_at_the_next_request() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let bob = house.member(&ada, "bob", "member").await;
    let (program, _) = house.key(&bob, json!({})).await;
    house.ask(get("/api/agents").bearer(&program)).await.expect(200);
    house.ask(ask("DELETE", &format!("/api/tenant/members/{}", bob.user_id)).bearer(&ada)).await.expect(204);
    house.ask(get("/api/agents").bearer(&bob)).await.refused(401, "token_invalid");
    house.ask(get("/api/agents").bearer(&program)).await.refused(401, "token_invalid");
    let refresh = json!({ "refresh_token": bob.refresh_token });
    let home = house.ask(post("/api/auth/refresh").json(&refresh)).await.expect(200);
    assert_ne!(home.text("tenant_id"), ada.tenant_id);
}

#[tokio::test]
async fn the_owner_stays_until_there_is_another() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let bob = house.member(&ada, "bob", "admin").await;
    let at_ada = format!("/api/tenant/members/{}", ada.user_id);
    for who in [&ada, &bob] {
        house.ask(ask("DELETE", &at_ada).bearer(who)).await.refused(409, "conflict");
        let demoted = ask("PATCH", &at_ada).bearer(who).json(&json!({ "role": "viewer" }));
        house.ask(demoted).await.refused(409, "conflict");
    }
    let to_bob = json!({ "new_owner": bob.user_id });
    house.ask(post("/api/tenant/transfer").bearer(&bob).json(&to_bob)).await.refused(403, "forbidden");
    house.ask(post("/api/tenant/transfer").bearer(&ada).json(&to_bob)).await.expect(204);
    let roles: Vec<Value> = members(&house, &bob).await.iter().map(|member| member["role"].clone()).collect();
    assert_eq!(roles, ["admin", "owner"]);
    house.ask(ask("DELETE", &at_ada).bearer(&ada)).await.expect(204);
    assert_eq!(members(&house, &bob).await.len(), 1);
}

#[tokio::test]
async fn a_service_account_works_by_its_key() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let made = house.ask(post("/api/tenant/service-accounts").bearer(&ada).json(&json!({ "name": "importer" }))).await;
    let user_id = made.expect(201).text("user_id");
    let (program, _) = house.key(&ada, json!({ "user_id": user_id })).await;
    let me = house.ask(get("/api/auth/me").bearer(&program)).await.expect(200).json();
    assert_eq!((&me["user"]["id"], &me["roles"]), (&json!(user_id), &json!(["agent"])));
    let program = Person { user_id, ..program };
    let execution_id = house.submit(&program, "echo", json!({})).await;
    assert_eq!(house.until_ended(&program, &execution_id).await, "completed");
    house.ask(get(&format!("/api/execution/{execution_id}/status")).bearer(&ada)).await.refused(404, "not_found");
    let decision = json!({ "approved": true });
    house.ask(post("/api/approvals/hook_1").bearer(&program).json(&decision)).await.refused(403, "forbidden");
}

#[tokio::test]
async fn somebody_acts_for_a_person_and_both_are_named() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let made = house.ask(post("/api/tenant/service-accounts").bearer(&ada).json(&json!({ "name": "helper" }))).await;
    let actor = made.expect(201).text("user_id");
    let delegate = |actor: &str| post("/api/auth/delegate").json(&json!({ "actor": actor }));
    let token = house.ask(delegate(&actor).bearer(&ada)).await.expect(200).text("access_token");
    let acting = Person { token, ..ada.clone() };
    let me = house.ask(get("/api/auth/me").bearer(&acting)).await.expect(200).json();
    assert_eq!((&me["user"]["id"], &me["actor"]), (&json!(ada.user_id), &json!(actor)));
    let execution_id = house.submit(&acting, "echo", json!({})).await;
    house.ask(get(&format!("/api/execution/{execution_id}/status")).bearer(&ada)).await.expect(200);

    let waiting = house.submit(&acting, "careful", json!({})).await;
    let hook =
        house.ask(get("/api/approvals").bearer(&acting)).await.expect(200).json()["approvals"][0]["hook_id"].clone();
    let decide = |who: &Person| {
        post(&format!("/api/approvals/{}", hook.as_str().unwrap())).bearer(who).json(&json!({ "approved": true }))
    };
    house.ask(decide(&acting)).await.refused(403, "forbidden");
    for refused in [
        post("/api/auth/keys").json(&json!({ "name": "x" })),
        post("/api/tenants/switch").json(&json!({ "to": ada.tenant_id })),
        delegate(&actor),
        get("/api/tenant/members"),
    ] {
        house.ask(refused.bearer(&acting)).await.refused(403, "forbidden");
    }
    house.ask(post("/api/auth/logout").bearer(&acting)).await.refused(401, "authentication_required");
    house.ask(decide(&ada)).await.expect(200);
    assert_eq!(house.until_ended(&ada, &waiting).await, "completed");

    house.ask(delegate(&ada.user_id).bearer(&ada)).await.refused(404, "not_found");
    house.ask(ask("DELETE", &format!("/api/tenant/members/{actor}")).bearer(&ada)).await.expect(204);
    house.ask(get("/api/agents").bearer(&acting)).await.refused(401, "token_invalid");
    house.ask(get("/api/agents").bearer(&ada)).await.expect(200);
}

#[tokio::test]
async fn a_page_with_cookies_goes_over_without_seeing_a_token() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = house.ask(post("/api/auth/login?mode=cookie").json(&body)).await.expect(200);
    let cookie = |answer: &crate::house::Answer| {
        let access = answer.cookies().into_iter().find(|cookie| cookie.starts_with("symphainy=")).unwrap();
        access.split(';').next().unwrap().to_owned()
    };
    let switch = post("/api/tenants/switch").json(&json!({ "to": ada.tenant_id }));
    let switch = switch.header("cookie", &cookie(&signed_in)).header("origin", "http://localhost:8000");
    let over = house.ask(switch).await.expect(200);
    assert!(over.json().get("access_token").is_none());
    house.ask(get("/api/auth/me").header("cookie", &cookie(&over))).await.expect(200);
}
