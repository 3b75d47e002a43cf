//! A whole house in memory: guard, Runtime, a few small intents, and the router in front. Time stands still.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use bytes::Bytes;
use contract::{
    AgentId, Code, EventType, Timestamp,
    agent::{AgentKind, AgentSummary, Surface},
    artifact::LifecycleState,
    intent::{ApprovalRule, IntentDescriptor},
};
use experience::{Experience, ExperienceConfig};
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use runtime::{
    ArtifactChange, Catalogue, ExecutionContext, Failure, Handler, NewArtifact, Runtime, RuntimeConfig,
    memory::{MemoryObjects, MemoryStore},
    port::store::Object,
};
use security_guard::{
    GuardConfig, Plugs, SecurityGuard,
    memory::{MemoryAccounts, MemoryMail},
    policy::{self, Policy, Question},
    providers::NoKeySource,
};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Stands still, and counts where chance is wanted.
#[derive(Default)]
struct TestClock(AtomicU64);

impl TestClock {
    fn present(&self) -> Timestamp {
        Timestamp::from_millis(1_795_339_800_000)
    }

    fn chance(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // A multiplicative hash of a counter: different each time, and the same in each run.
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = count.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ count;
            chunk.copy_from_slice(&mixed.to_be_bytes()[..chunk.len()]);
        }
    }
}

impl runtime::Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.present()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.chance(bytes);
    }
}

impl security_guard::Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.present()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.chance(bytes);
    }
}

/// The guard's policy as the Runtime asks it.
struct Judge(Policy);

impl runtime::Policy for Judge {
    fn decide(&self, intent: &IntentDescriptor, authority: &contract::Authority) -> runtime::Ruling {
        let question = Question { intent_type: &intent.intent_type, realm: &intent.realm, authority };
        match self.0.decide(question) {
            policy::Ruling::Allowed => runtime::Ruling::Allowed,
            policy::Ruling::NeedsApproval(reason) => runtime::Ruling::NeedsApproval(reason),
            policy::Ruling::Refused(reason) => runtime::Ruling::Refused(reason),
        }
    }
}

pub(crate) struct House {
    pub(crate) experience: Experience,
    /// What has gone out.
    pub(crate) mail: Arc<MemoryMail>,
    router: Router,
    /// Works for as long as the house stands.
    _runtime: Runtime,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with("", "").await
    }

    /// A house whose face and guard are configured by these lines of TOML.
    pub(crate) async fn with(face: &str, guard: &str) -> Self {
        let clock = Arc::new(TestClock::default());
        let handlers = INTENTS.iter().map(|intent| Arc::new(Small::new(intent)) as Arc<dyn Handler>).collect();
        let catalogue = Catalogue::new(handlers).unwrap().judged_by(Arc::new(Judge(Policy::builtin())));
        let (store, objects) = (Arc::new(MemoryStore::default()), Arc::new(MemoryObjects::default()));
        let runtime = Runtime::start(store, objects, clock.clone(), catalogue, RuntimeConfig::default()).await.unwrap();
        let quick = "auth.password = { memory_kib = 19456, passes = 2, lanes = 1 }";
        let limits =
            if guard.contains("limits") { "" } else { "limits = { login = \"1000/1s\", register = \"1000/1s\" }" };
        let guard: GuardConfig = toml::from_str(&format!("{quick}\n{limits}\n{guard}")).unwrap();
        let mail = Arc::new(MemoryMail::default());
        let plugs = Plugs {
            accounts: Arc::new(MemoryAccounts::new()),
            clock: clock.clone(),
            keys: Arc::new(NoKeySource),
            mail: mail.clone(),
        };
        let guard = SecurityGuard::open_with(guard, plugs).await.unwrap();
        let config: ExperienceConfig = toml::from_str(face).unwrap();
        let experience = Experience::new(guard, runtime.client(), agents(), config, clock);
        Self { router: experience.router(), experience, mail, _runtime: runtime }
    }

    /// Under `legacy_client`.
    pub(crate) async fn legacy() -> Self {
        Self::with("legacy_client = true", "legacy_client = true").await
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        let response = self.router.clone().oneshot(ask.request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Registers somebody and answers who they are.
    pub(crate) async fn register(&self, name: &str) -> Person {
        let body = json!({ "name": name, "email": format!("{name}@example.com"), "password": PASSWORD });
        let answer = self.ask(post("/api/auth/register").json(&body)).await.expect(200);
        Person {
            token: answer.text("access_token"),
            refresh_token: answer.text("refresh_token"),
            session_id: answer.text("session_id"),
            user_id: answer.text("user_id"),
            tenant_id: answer.text("tenant_id"),
        }
    }

    /// Registers somebody who joins this person's tenant as this, and goes over to it.
    pub(crate) async fn member(&self, of: &Person, name: &str, role: &str) -> Person {
        let person = self.register(name).await;
        let invite = json!({ "email": format!("{name}@example.com"), "role": role });
        let invited = self.ask(post("/api/tenant/invitations").bearer(of).json(&invite)).await.expect(201);
        let join = json!({ "token": invited.text("token") });
        self.ask(post("/api/tenants/join").bearer(&person).json(&join)).await.expect(200);
        let switch = json!({ "to": of.tenant_id });
        let over = self.ask(post("/api/tenants/switch").bearer(&person).json(&switch)).await.expect(200);
        Person {
            token: over.text("access_token"),
            session_id: over.text("session_id"),
            tenant_id: over.text("tenant_id"),
            ..person
        }
    }

    pub(crate) async fn anonymous_session(&self) -> String {
        self.ask(post("/api/session/create-anonymous").json(&json!({}))).await.expect(200).text("session_id")
    }

    /// Submits an intent as this person; the execution's id.
    pub(crate) async fn submit(&self, person: &Person, intent_type: &str, parameters: Value) -> String {
        let body = json!({ "intent_type": intent_type, "session_id": person.session_id, "parameters": parameters });
        self.ask(post("/api/intent/submit").bearer(person).json(&body)).await.expect(200).text("execution_id")
    }

    /// Waits for the end of an execution; how it ended.
    pub(crate) async fn until_ended(&self, person: &Person, execution_id: &str) -> String {
        let path = format!("/api/execution/{execution_id}/status");
        loop {
            let execution = self.ask(get(&path).bearer(person)).await.expect(200);
            match execution.text("status").as_str() {
                "pending" | "running" => tokio::task::yield_now().await,
                ended => return ended.to_owned(),
            }
        }
    }

    /// Uploads a small file as this person; the artifact.
    pub(crate) async fn upload(&self, person: &Person) -> Value {
        let form = form(&[("session_id", None, &person.session_id), ("file", Some("sales.csv"), "a,b\n1,2\n")]);
        self.ask(post("/api/files").bearer(person).form(form)).await.expect(201).json()
    }
}

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    pub(crate) session_id: String,
    pub(crate) user_id: String,
    pub(crate) tenant_id: String,
}

/// A request that is being put together.
pub(crate) struct Ask {
    request: Request<Body>,
}

pub(crate) fn ask(method: &str, path: &str) -> Ask {
    let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8000");
    Ask { request: request.body(Body::empty()).unwrap() }
}

pub(crate) fn get(path: &str) -> Ask {
    ask("GET", path)
}

pub(crate) fn post(path: &str) -> Ask {
    ask("POST", path)
}

impl Ask {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, value.parse().unwrap());
        self
    }

    /// The name by which the client calls the server.
    pub(crate) fn host(mut self, host: &str) -> Self {
        self.request.headers_mut().insert(header::HOST, host.parse().unwrap());
        self
    }

    pub(crate) fn bearer(self, person: &Person) -> Self {
        self.header("authorization", &format!("Bearer {}", person.token))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut with = self.header("content-type", content_type);
        *with.request.body_mut() = Body::from(body.into());
        with
    }

    pub(crate) fn form(self, body: String) -> Self {
        self.body("multipart/form-data; boundary=edge", body)
    }
}

/// A form of fields: name, file name, content.
pub(crate) fn form(fields: &[(&str, Option<&str>, &str)]) -> String {
    let mut form = String::new();
    for (name, file_name, content) in fields {
        let file_name =
            file_name.map(|name| format!("; filename=\"{name}\"\r\nContent-Type: text/csv")).unwrap_or_default();
        form.push_str(&format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n{content}\r\n"
        ));
    }
    form + "--edge--\r\n"
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The answer, which has to have this status; one that is no success has to be a whole problem document.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.check();
        self
    }

    /// A refusal with this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.text("error"), code, "{}", String::from_utf8_lossy(&answer.body));
        answer
    }

    /// What has to be true of every answer.
    #[track_caller]
    pub(crate) fn check(&self) {
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!(self.headers[name], value);
        }
        let request_id = self.headers["x-request-id"].to_str().unwrap();
        if self.status < 400 {
            return;
        }
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: contract::Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((problem.status, problem.request_id.as_str()), (self.status, request_id));
        assert_eq!(problem.detail, problem.message);
        assert!(problem.detail.ends_with(['.', '!', '?']), "a sentence: {}", problem.detail);
        assert_eq!(self.status == 401, self.headers.contains_key("www-authenticate"));
        if matches!(self.status, 429 | 503) {
            assert_eq!(self.headers["retry-after"].to_str().unwrap(), problem.retry_after.unwrap().to_string());
        }
        for secret in ["panicked", "crates/", ".rs", "SELECT", "127.0.0.1"] {
            assert!(!problem.detail.contains(secret), "{}", problem.detail);
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A field of the body that is a text.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no text {field} in {}", self.json())).to_owned()
    }

    pub(crate) fn cookies(&self) -> Vec<String> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

fn agents() -> Vec<AgentSummary> {
    let agent = |id: &str, kind, surface| AgentSummary {
        agent_id: AgentId::from_str(id).unwrap(),
        kind,
        realm: None,
        surfaces: vec![surface],
        description: String::new(),
        intents: Vec::new(),
        turn_policy: contract::agent::TurnPolicy::Queue,
    };
    vec![
        agent("guide", AgentKind::Guide, Surface::General),
        agent("liaison.content", AgentKind::Liaison, Surface::Content),
    ]
}

const INTENTS: [&str; 7] =
    ["agent_invoke", "analyze_user_intent", "careful", "delete", "echo", "fragile", "ingest_file"];

/// An intent that is just large enough to see what the face does with it.
struct Small(IntentDescriptor);

impl Small {
    fn new(intent_type: &str) -> Self {
        let is_strict = intent_type == "echo";
        let text = json!({ "type": "string" });
        Self(IntentDescriptor {
            intent_type: intent_type.to_owned(),
            realm: "content".to_owned(),
            description: "For tests.".to_owned(),
            parameters: json!({ "type": "object", "properties": { "text": text }, "additionalProperties": !is_strict }),
            approval: if intent_type == "careful" { ApprovalRule::Owner } else { ApprovalRule::None },
            examples: Vec::new(),
        })
    }

    async fn invoke(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let text = parameters["text"].as_str().unwrap_or_default();
        if text == "careful" {
            context.call("careful", Object::new()).await?;
        }
        let said = format!("You said: {text}");
        let data = json!({ "response": said });
        context.answer(AgentId::from_str("guide").unwrap(), said.clone(), EventType::AgentCompleted, data);
        Ok(json!({ "response": said, "intent_analysis": { "agent_id": "guide", "intent_type": null } }))
    }
}

#[async_trait]
impl Handler for Small {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.0
    }

    fn is_offered(&self) -> bool {
        self.0.intent_type != "agent_invoke"
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        match self.0.intent_type.as_str() {
            "agent_invoke" => return self.invoke(context, parameters).await,
            "analyze_user_intent" => return Ok(json!({ "intent_analysis": { "agent_id": "liaison.content" } })),
            "fragile" if context.attempt() == 1 => {
                return Err(Failure::new(Code::ExecutionFailed, "It broke the first time."));
            }
            "delete" => {
                let id = parameters["artifact_id"].as_str().unwrap().parse().unwrap();
                context.change_artifact("file", &id, ArtifactChange::Delete).await?;
            }
            "ingest_file" => {
                let object = context.attachments()[0].clone();
                let descriptor = json!({ "title": object.file_name, "size_bytes": object.size_bytes });
                let Value::Object(semantic_descriptor) = descriptor else { unreachable!() };
                let artifact = NewArtifact {
                    artifact_type: "file".to_owned(),
                    lifecycle_state: Some(LifecycleState::Ready),
                    semantic_descriptor,
                    semantic_payload: parameters.clone(),
                    content: Some(object),
                    ..NewArtifact::default()
                };
                context.keep("file", artifact);
            }
            _ => {}
        }
        Ok(Value::Object(parameters))
    }
}
