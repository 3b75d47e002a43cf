//! The Runtime's store on SQLite. Each file here keeps one noun; this one puts them together as the port asks for it.
//! What follows from a write is decided by the Runtime; nothing of it is known here.

mod approvals;
mod artifacts;
mod conversations;
mod execution_list;
mod executions;
pub(crate) mod journal;
mod paging;
mod rows;
pub(crate) mod search;
mod spaces;
mod steps;

use async_trait::async_trait;
use contract::{
    ArtifactId, ConversationId, ExecutionId, HookId, Owner,
    approval::{Approval, ApprovalStatus},
    artifact::Artifact,
    conversation::{ConversationSummary, Message},
};
use runtime::{
    machine::State,
    port::store::{
        ArtifactFilter, Change, Committed, ExecutionFilter, JournalEvent, Listing, Page, PageRequest, SearchHit,
        StepRecord, Store, StoreError, StoredArtifact, StreamId, StreamKey, StreamPosition, Submission, SubmitOutcome,
    },
};
use rusqlite::Connection;

use super::{Database, DatabaseError};

pub use spaces::move_space;

/// The store of one database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    database: Database,
}

impl SqliteStore {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn read<T, Question>(&self, question: Question) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Question: FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    {
        Ok(self.database.read(question).await?)
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Full => Self::Full,
            // While it is being closed, a caller can do no better than ask again, of the next process.
            DatabaseError::Busy | DatabaseError::Closed => Self::Busy,
            DatabaseError::Panicked | DatabaseError::Failed(_) | DatabaseError::Poisoned => {
                Self::Failed(Box::new(error))
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn submit(&self, submission: Submission) -> Result<SubmitOutcome, StoreError> {
        let submission = executions::PreparedSubmission::new(submission);
        self.database.write(move |transaction| executions::submit(transaction, &submission)).await
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let change = executions::PreparedChange::new(change);
        self.database.write(move |transaction| executions::commit(transaction, &change)).await
    }

    async fn execution(&self, id: &ExecutionId) -> Result<Option<State>, StoreError> {
        let id = id.clone();
        self.read(move |connection| executions::get(connection, &id)).await
    }

    async fn unfinished(&self, after: Option<&ExecutionId>, limit: u32) -> Result<Vec<State>, StoreError> {
        let after = after.cloned();
        self.read(move |connection| executions::unfinished(connection, after.as_ref(), limit)).await
    }

    async fn unfinished_children(&self, parent: &ExecutionId) -> Result<Vec<ExecutionId>, StoreError> {
        let parent = parent.clone();
        self.read(move |connection| executions::unfinished_children(connection, &parent)).await
    }

    async fn executions(
        &self,
        owner: &Owner,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Listing<State>, StoreError> {
        let (owner, filter) = (owner.clone(), filter.clone());
        self.read(move |connection| execution_list::list(connection, &owner, &filter, &page)).await
    }

    async fn steps(&self, id: &ExecutionId) -> Result<Vec<StepRecord>, StoreError> {
        let id = id.clone();
        self.read(move |connection| steps::of(connection, &id)).await
    }

    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamPosition>, StoreError> {
        let key = key.clone();
        self.read(move |connection| journal::stream(connection, &key)).await
    }

    async fn events(
        &self,
        stream: StreamId,
        after: u64,
        execution: Option<&ExecutionId>,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError> {
        let execution = execution.cloned();
        self.read(move |connection| journal::events(connection, stream, after, execution.as_ref(), limit)).await
    }

    async fn approval(&self, hook_id: &HookId) -> Result<Option<(Owner, Approval)>, StoreError> {
        let hook_id = hook_id.clone();
        self.read(move |connection| approvals::get(connection, &hook_id)).await
    }

    async fn approvals(
        &self,
        owner: &Owner,
        status: Option<ApprovalStatus>,
        page: PageRequest,
    ) -> Result<Page<Approval>, StoreError> {
        let owner = owner.clone();
        self.read(move |connection| approvals::list(connection, &owner, status, &page)).await
    }

    async fn artifact(&self, owner: &Owner, id: &ArtifactId) -> Result<Option<StoredArtifact>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.read(move |connection| artifacts::get(connection, &owner, &id)).await
    }

    async fn artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<Artifact>, StoreError> {
        let (owner, filter) = (owner.clone(), filter.clone());
        self.read(move |connection| artifacts::list(connection, &owner, &filter, &page)).await
    }

    async fn search(&self, owner: &Owner, text: &str, limit: u32) -> Result<Vec<SearchHit>, StoreError> {
        let (owner, text) = (owner.clone(), text.to_owned());
        self.read(move |connection| search::search(connection, &owner, &text, limit)).await
    }

    async fn conversations(
        &self,
        owner: &Owner,
        text: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        let (owner, text) = (owner.clone(), text.map(str::to_owned));
        self.read(move |connection| conversations::list(connection, &owner, text.as_deref(), &page)).await
    }

    async fn rename_conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
        title: &str,
    ) -> Result<Option<ConversationSummary>, StoreError> {
        let (owner, id, title) = (owner.clone(), id.clone(), title.to_owned());
        Ok(self.database.write(move |transaction| conversations::rename(transaction, &owner, &id, &title)).await?)
    }

    async fn delete_conversation(&self, owner: &Owner, id: &ConversationId) -> Result<bool, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.database.write(move |transaction| conversations::delete(transaction, &owner, &id)).await
    }

    async fn conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
    ) -> Result<Option<ConversationSummary>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.read(move |connection| conversations::get(connection, &owner, &id)).await
    }

    async fn messages(
        &self,
        owner: &Owner,
        id: &ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.read(move |connection| conversations::messages(connection, &owner, &id, before, limit)).await
    }

    async fn owner(&self, id: &ExecutionId) -> Result<Option<Owner>, StoreError> {
        let id = id.clone();
        self.read(move |connection| executions::owner(connection, &id)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.database.write(|_| Ok::<_, DatabaseError>(())).await?;
        self.read(|connection| Ok(connection.prepare_cached("SELECT 1")?.query_row([], |_| Ok(()))?)).await
    }
}
