//! A tool of a server as a handler of the Runtime.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::Value;

use super::{server::Server, tool::Tool};

/// The step in which the server is called.
const CALL: &str = "call";

/// How long an attempt may take beyond the call, so that a call that takes too long says so itself.
const MORE_TIME: Duration = Duration::from_secs(10);

/// Executes one intent by one tool.
pub struct ToolHandler {
    server: Arc<Server>,
    tool: Tool,
}

impl ToolHandler {
    pub fn new(server: Arc<Server>, tool: Tool) -> Self {
        Self { server, tool }
    }
}

#[async_trait]
impl Handler for ToolHandler {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.tool.descriptor
    }

    fn time_limit(&self) -> Duration {
        self.server.config().timeout + MORE_TIME
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let key = context.step_key(CALL);
        context.step(CALL, || self.server.call(&self.tool, &parameters, &key)).await
    }
}
