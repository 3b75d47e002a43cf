//! A real Runtime over memory with the real handlers, for one owner and one session.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use bytes::Bytes;
use contract::{
    ExecutionId, Owner, Timestamp,
    approval::{Approval, ApprovalStatus, Decision},
    execution::{Execution, ExecutionStatus},
    intent::Timing,
};
use realms::{Cell, QueryAnswer, QueryError, QueryLimits, Table, TableQuery};
use runtime::{
    Catalogue, Clock, Runtime, RuntimeClient, RuntimeConfig, RuntimeError, SubmitRequest,
    memory::{MemoryObjects, MemoryStore},
    port::store::{Object, PageRequest, StoredObject},
};
use serde_json::{Value, json};

/// Every look at it is a millisecond later, so that the newest file is the last one.
#[derive(Default)]
struct TestClock {
    millis: AtomicI64,
    counter: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_339_800_000 + self.millis.fetch_add(1, Ordering::Relaxed))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let start = bytes.len() - count.len();
        bytes[start..].copy_from_slice(&count);
    }
}

/// Answers every question with the number of rows and of texts that it could have read: what the engines make of SQL is tested where they are.
struct Counts;

impl TableQuery for Counts {
    fn query(&self, table: &Table, sql: &str, _limits: QueryLimits) -> Result<QueryAnswer, QueryError> {
        match sql {
            "SELECT nonsense FROM data" => Err(QueryError::Wrong("no such column: nonsense".to_owned())),
            "DELETE FROM data" => Err(QueryError::NotReadOnly),
            _ => {
                let rows = i64::try_from(table.rows.len()).expect("the tests' tables are small");
                Ok(QueryAnswer {
                    columns: vec!["rows".to_owned()],
                    rows: vec![vec![Cell::Integer(rows)]],
                    truncated: false,
                })
            }
        }
    }
}

pub(crate) struct House {
    client: RuntimeClient,
    _runtime: Runtime,
}

impl House {
    pub(crate) async fn new() -> Self {
        let catalogue = Catalogue::new(realms::handlers(Arc::new(Counts))).expect("every intent has its own name");
        let (store, objects) = (Arc::new(MemoryStore::default()), Arc::new(MemoryObjects::default()));
        let runtime =
            Runtime::start(store, objects, Arc::new(TestClock::default()), catalogue, RuntimeConfig::default());
        let runtime = runtime.await.unwrap();
        Self { client: runtime.client(), _runtime: runtime }
    }

    pub(crate) fn client(&self) -> &RuntimeClient {
        &self.client
    }

    pub(crate) async fn submit(&self, intent: &str, parameters: Value, attachments: Vec<StoredObject>) -> ExecutionId {
        self.try_submit(intent, parameters, attachments).await.unwrap_or_else(|error| panic!("{intent}: {error:?}"))
    }

    pub(crate) async fn try_submit(
        &self,
        intent: &str,
        parameters: Value,
        attachments: Vec<StoredObject>,
    ) -> Result<ExecutionId, RuntimeError> {
        let Value::Object(parameters) = parameters else { panic!("parameters are an object") };
        let request = SubmitRequest {
            owner: owner(),
            authority: contract::Authority::default(),
            session_id: "sess_1".parse().unwrap(),
            intent_type: intent.to_owned(),
            parameters,
            metadata: Object::new(),
            intent_id: None,
            idempotency_key: None,
            conversation_id: None,
            message: None,
            attachments,
            timing: Timing::default(),
            quota: None,
            concurrency_key: None,
        };
        Ok(self.client.submit(request).await?.execution_id)
    }

    /// Has an intent executed to its end.
    pub(crate) async fn run(&self, intent: &str, parameters: Value) -> Execution {
        let id = self.submit(intent, parameters, Vec::new()).await;
        self.client.wait(&owner(), &id).await.unwrap().unwrap()
    }

    /// The same, and it has to succeed: its result.
    pub(crate) async fn result(&self, intent: &str, parameters: Value) -> Value {
        let execution = self.run(intent, parameters).await;
        assert_eq!(execution.status, ExecutionStatus::Completed, "{intent}: {:?}", execution.problem);
        let summary = execution.result["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{intent} has no summary");
        execution.result
    }

    /// The same, and it has to fail: its code and sentence.
    pub(crate) async fn failure(&self, intent: &str, parameters: Value) -> (String, String) {
        let execution = self.run(intent, parameters).await;
        assert_eq!(execution.status, ExecutionStatus::Failed, "{intent}: {}", execution.result);
        let problem = execution.problem.expect("a failed execution says why");
        (problem.code, problem.message)
    }

    /// Uploads a file and keeps it; answers its id.
    pub(crate) async fn upload(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let mut upload = self.client.upload().await.unwrap();
        upload.write(Bytes::copy_from_slice(bytes.as_ref())).await.unwrap();
        let object = upload.finish("application/octet-stream", name).await.unwrap();
        let id = self.submit("ingest_file", json!({"keep": true}), vec![object]).await;
        let execution = self.client.wait(&owner(), &id).await.unwrap().unwrap();
        assert_eq!(execution.status, ExecutionStatus::Completed, "{name}: {:?}", execution.problem);
        execution.result["file_id"].as_str().unwrap().to_owned()
    }

    /// The one approval that is pending.
    pub(crate) async fn pending(&self) -> Approval {
        let pending =
            self.client.approvals(&owner(), Some(ApprovalStatus::Pending), PageRequest::first(10)).await.unwrap();
        let [approval] = &pending.items[..] else { panic!("one approval is pending, not {}", pending.items.len()) };
        approval.clone()
    }

    pub(crate) async fn decide(&self, approval: &Approval, word: Value) -> Result<Option<Approval>, RuntimeError> {
        let decision = serde_json::from_value::<Decision>(word).unwrap();
        self.client.decide(&owner(), &approval.hook_id, decision).await
    }

    /// Submits what needs an approval, and gives it.
    pub(crate) async fn run_approved(&self, intent: &str, parameters: Value) -> Execution {
        let id = self.submit(intent, parameters, Vec::new()).await;
        let approval = self.pending().await;
        self.decide(&approval, json!({"approved": true})).await.unwrap().unwrap();
        self.client.wait(&owner(), &id).await.unwrap().unwrap()
    }
}

pub(crate) fn owner() -> Owner {
    Owner::User { tenant_id: "tenant_1".parse().unwrap(), user_id: "user_1".parse().unwrap() }
}
