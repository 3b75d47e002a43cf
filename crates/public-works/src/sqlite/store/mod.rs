//! The Runtime's store on SQLite. Each file here keeps one noun; this one puts them together as the port asks for it.
//! What follows from a write is decided by the Runtime; nothing of it is known here.

mod abandoned;
mod approvals;
mod artifacts;
mod conversations;
mod execution_list;
mod executions;
mod folded;
mod folding;
mod idempotency;
pub(crate) mod journal;
mod paging;
mod pending;
mod retention;
mod rows;
mod schedules;
pub(crate) mod search;
mod spaces;
mod steps;
mod versioned;

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    ArtifactId, ConversationId, ExecutionId, HookId, ObjectId, Owner, ScheduleId, Timestamp,
    approval::{Approval, ApprovalStatus},
    artifact::Artifact,
    conversation::{ConversationSummary, Message},
    pending::PendingIntent,
};
use runtime::{
    machine::State,
    port::store::{
        ArtifactFilter, Change, Committed, Decider, ExecutionFilter, JournalEvent, KeptPending, Known, Listing,
        MAX_PAGE, NewConversation, Page, PageRequest, PendingFilter, SearchHit, StepRecord, Store, StoreError,
        StoredArtifact, StoredSchedule, StreamId, StreamKey, StreamPosition, Submission, SubmitOutcome,
    },
    torture::{Bug, has_bug},
};
use rusqlite::Connection;

use super::{Database, DatabaseError};

pub use abandoned::Abandoned;
pub use folding::Folded;
use paging::Window;
pub use retention::{Expired, Found, KeptFrom, Pass};
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

    /// The number of the newest row of the journal.
    pub async fn newest_row(&self) -> Result<i64, StoreError> {
        self.read(folding::newest).await
    }

    /// Folds the journal a piece further, at most up to the row `to`. What anybody reads stays what it was.
    pub async fn fold(&self, to: i64) -> Result<Folded, StoreError> {
        let plan = self.read(move |connection| folding::plan(connection, to)).await?;
        if plan.is_nothing() {
            return Ok(Folded::default());
        }
        Ok(self.database.write(move |transaction| folding::fold(transaction, &plan)).await?)
    }

    /// Looks for what is older than it is kept, a piece of a pass further.
    pub async fn find_expired(&self, kept: &KeptFrom, pass: Pass) -> Result<Found, StoreError> {
        let kept = kept.clone();
        self.read(move |connection| retention::find(connection, &kept, pass)).await
    }

    /// All of it, as one line of JSON.
    pub async fn archive_line(&self, expired: &Expired) -> Result<String, StoreError> {
        let expired = expired.clone();
        self.read(move |connection| retention::line(connection, &expired)).await
    }

    /// Takes it away, all of it or nothing. False where it is in use again.
    pub async fn remove(&self, expired: &Expired, now: Timestamp) -> Result<bool, StoreError> {
        let expired = expired.clone();
        Ok(self.database.write(move |transaction| retention::remove(transaction, &expired, now)).await?)
    }

    /// The next space after `after` that nobody can reach any more.
    pub async fn find_abandoned(&self, after: Option<&Abandoned>) -> Result<Option<Abandoned>, StoreError> {
        let after = after.map_or(0, |abandoned| abandoned.space);
        self.read(move |connection| abandoned::find(connection, after)).await
    }

    /// The files of what [`Self::forget_abandoned`] takes away next.
    pub async fn abandoned_objects(&self, abandoned: &Abandoned) -> Result<Vec<ObjectId>, StoreError> {
        let abandoned = abandoned.clone();
        self.read(move |connection| abandoned::objects(connection, &abandoned)).await
    }

    /// Takes away a piece of it. Answers whether there is more.
    pub async fn forget_abandoned(&self, abandoned: &Abandoned) -> Result<bool, StoreError> {
        let abandoned = abandoned.clone();
        Ok(self.database.write(move |transaction| abandoned::forget_piece(transaction, &abandoned)).await?)
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
            DatabaseError::Unreadable(_) => Self::Unreadable(Box::new(error)),
            DatabaseError::Panicked | DatabaseError::Failed(_) | DatabaseError::Poisoned => {
                Self::Failed(Box::new(error))
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn submit(&self, submission: Submission) -> Result<SubmitOutcome, StoreError> {
        let submission = Arc::new(executions::PreparedSubmission::new(submission));
        if has_bug(Bug::DeduplicatedOutside) {
            let asked = Arc::clone(&submission);
            let known = self.read(move |connection| executions::known_outside(connection, &asked)).await?;
            if let Some(known) = known {
                return Ok(known);
            }
        }
        self.database.write(move |transaction| executions::submit(transaction, &submission)).await
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let change = executions::PreparedChange::new(change);
        self.database.write(move |transaction| executions::commit(transaction, &change)).await
    }

    async fn recall(&self, owner: &Owner, key: &str, now: Timestamp) -> Result<Option<Known>, StoreError> {
        let (owner, key) = (owner.clone(), key.to_owned());
        self.read(move |connection| idempotency::recall(connection, &owner, &key, now)).await
    }

    async fn forget_keys(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.database.write(move |transaction| idempotency::forget(transaction, now, limit)).await?)
    }

    async fn unfinished_of_key(&self, concurrency_key: &str, limit: u32) -> Result<Vec<State>, StoreError> {
        let key = concurrency_key.to_owned();
        self.read(move |connection| executions::unfinished_of_key(connection, &key, limit)).await
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
        let (owner, filter, window) = (owner.clone(), filter.clone(), Window::of(&page)?);
        self.read(move |connection| execution_list::list(connection, &owner, &filter, &window)).await
    }

    async fn put_schedule(&self, schedule: StoredSchedule, revision: Option<u64>) -> Result<(), StoreError> {
        self.database.write(move |transaction| schedules::put(transaction, &schedule, revision)).await
    }

    async fn schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<Option<StoredSchedule>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.read(move |connection| schedules::get(connection, &owner, &id)).await
    }

    async fn schedules(&self, owner: &Owner, page: PageRequest) -> Result<Listing<StoredSchedule>, StoreError> {
        let (owner, window) = (owner.clone(), Window::of(&page)?);
        self.read(move |connection| schedules::list(connection, &owner, &window)).await
    }

    async fn due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredSchedule>, StoreError> {
        self.read(move |connection| schedules::due(connection, now, limit)).await
    }

    async fn next_schedule(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(schedules::next).await
    }

    async fn delete_schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<bool, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        Ok(self.database.write(move |transaction| schedules::delete(transaction, &owner, &id)).await?)
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

    async fn newest_events(
        &self,
        stream: StreamId,
        execution: &ExecutionId,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError> {
        let execution = execution.clone();
        self.read(move |connection| journal::newest(connection, stream, &execution, limit)).await
    }

    async fn approval(&self, hook_id: &HookId) -> Result<Option<(Owner, Approval)>, StoreError> {
        let hook_id = hook_id.clone();
        self.read(move |connection| approvals::get(connection, &hook_id)).await
    }

    async fn approvals(
        &self,
        decider: &Decider,
        status: Option<ApprovalStatus>,
        page: PageRequest,
    ) -> Result<Listing<Approval>, StoreError> {
        let (decider, window) = (decider.clone(), Window::of(&page)?);
        self.read(move |connection| approvals::list(connection, &decider, status, &window)).await
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
        let (owner, filter, window) = (owner.clone(), filter.clone(), Window::of(&page)?);
        self.read(move |connection| artifacts::list(connection, &owner, &filter, &window)).await
    }

    async fn newest_artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        limit: u32,
    ) -> Result<Vec<Artifact>, StoreError> {
        let (owner, filter, limit) = (owner.clone(), filter.clone(), limit.min(MAX_PAGE));
        self.read(move |connection| artifacts::newest(connection, &owner, &filter, limit)).await
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
        let (owner, text, window) = (owner.clone(), text.map(str::to_owned), Window::of(&page)?);
        self.read(move |connection| conversations::list(connection, &owner, text.as_deref(), &window)).await
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

    async fn keep_pending(&self, owner: &Owner, pending: &PendingIntent, most: u32) -> Result<KeptPending, StoreError> {
        let (owner, pending) = (owner.clone(), pending.clone());
        self.database.write(move |transaction| Ok(pending::keep(transaction, &owner, &pending, most)?)).await
    }

    async fn pending_intents(
        &self,
        owner: &Owner,
        filter: &PendingFilter,
        page: PageRequest,
    ) -> Result<Page<PendingIntent>, StoreError> {
        let (owner, filter, window) = (owner.clone(), filter.clone(), Window::of(&page)?);
        self.read(move |connection| pending::list(connection, &owner, &filter, &window)).await
    }

    async fn begin_conversation(&self, new: NewConversation) -> Result<bool, StoreError> {
        Ok(self.database.write(move |transaction| conversations::begin(transaction, &new)).await?)
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

#[cfg(test)]
mod tests;
