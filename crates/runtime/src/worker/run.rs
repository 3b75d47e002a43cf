//! One attempt at one execution: from its start to the commit that ends it.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use contract::{
    AgentId, Authority, Code, ConversationId, EventType, ExecutionId, HookId, MessageId, ObjectId, Owner, Timestamp,
    conversation::{ConversationSummary, Message, Role},
    intent::IntentDescriptor,
};
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info_span, warn};

use super::{
    Job, Shared,
    journal::{Journal, Stop, Taken, step_completed},
    keep::Kept,
    lock,
    steer::ABANDONED,
};
use crate::{
    context::ExecutionContext,
    handler::{Failure, FailureKind, Handler, Retries},
    machine::{Asked, Command, Decision, Header, Phase, Refusal, RetryPolicy, State, decide},
    port::{
        Store, StoreError,
        clock::random_10,
        store::{Change, Fence, NewEvent, NewMessage, Object, StepRecord},
    },
};

/// How long a full or busy store is given before the last commit of a run is tried again.
const COMMIT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// The longest wait between two attempts, where the handler does not say otherwise.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// How many pages of messages are looked through for the one that began a turn.
const MAX_HISTORY_PAGES: usize = 8;

/// The longest wait that a failure can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// The longest result of an execution or a step, and what an artifact's record or an answer may have, in bytes of JSON. What is larger
/// belongs into an artifact's content.
const MAX_RESULT_BYTES: usize = 4 * 1024 * 1024;

/// The longest data of one event, in bytes of JSON. Every viewer gets it, and it stays in the journal.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// One attempt, shared by the handler's context and the worker.
pub(crate) struct Run {
    pub(super) shared: Arc<Shared>,
    header: Header,
    /// How it is tried again.
    retries: Retries,
    /// The state since the start of this attempt.
    started: State,
    attempt: u32,
    cancellation: CancellationToken,
    cancel_reason: Mutex<Option<String>>,
    steps: Mutex<HashMap<String, Value>>,
    /// Counts the calls; a call's place in their order is its name.
    pub(super) calls: AtomicU32,
    pub(super) journal: Journal,
    pub(super) kept: Mutex<Kept>,
    /// Objects of artifacts that are deleted with the completion.
    pub(super) deleted_objects: Mutex<Vec<ObjectId>>,
    /// Why it cannot be kept, where it is too large.
    answer: Mutex<Option<Result<Answer, Failure>>>,
    /// The agent for whom this run calls intents.
    acting: Mutex<Option<AgentId>>,
}

/// What an agent has to say in the end.
struct Answer {
    agent_id: AgentId,
    content: String,
    event: NewEvent,
}

impl Run {
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.shared.store)
    }

    /// From now on, calls are this agent's.
    pub(crate) fn act_as(&self, agent_id: &AgentId) {
        *lock(&self.acting) = Some(agent_id.clone());
    }

    /// With whose rights this run calls other intents: those of its own execution, through the agent that acts.
    pub(super) fn authority(&self) -> Option<Authority> {
        let own = self.header.authority.as_ref()?;
        Some(match &*lock(&self.acting) {
            None => own.clone(),
            Some(agent_id) => own.through(agent_id),
        })
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How often somebody drove this execution again.
    pub(super) fn redrives(&self) -> u32 {
        self.started.redrives()
    }

    /// When somebody last drove this execution again.
    pub(super) fn redriven_at(&self) -> Option<Timestamp> {
        self.started.redriven.map(|redriven| redriven.at)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(crate) fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    pub(crate) fn cancel(&self, reason: &str) {
        lock(&self.cancel_reason).get_or_insert_with(|| reason.to_owned());
        self.cancellation.cancel();
    }

    pub(crate) fn cancel_failure(&self) -> Failure {
        let reason = lock(&self.cancel_reason).clone();
        Failure::cancelled(reason.unwrap_or_else(|| "It was cancelled.".to_owned()))
    }

    /// A place among those that compute. When the Runtime's places are gone for good it computes without one.
    pub(crate) async fn computing_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.computing).acquire_owned().await.ok()
    }

    pub(crate) fn intents(&self) -> Vec<&IntentDescriptor> {
        self.shared.catalogue.descriptors().collect()
    }

    pub(crate) fn recorded(&self, step: &str) -> Option<Value> {
        lock(&self.steps).get(step).cloned()
    }

    pub(crate) async fn record(&self, name: &str, result: Value) -> Result<(), Failure> {
        check_size("result", &result, MAX_RESULT_BYTES)?;
        let id = &self.header.execution_id;
        let record = StepRecord { name: name.to_owned(), result: result.clone(), recorded_at: self.now() };
        let event = step_completed(id, name, &*self.shared.clock);
        self.journal.record(id, record, event).await?;
        lock(&self.steps).insert(name.to_owned(), result);
        Ok(())
    }

    pub(crate) async fn tell(&self, event_type: EventType, data: &Value) -> Result<(), Failure> {
        check_size("data of an event", data, MAX_EVENT_BYTES)?;
        let id = &self.header.execution_id;
        let event = NewEvent::new(event_type, id, self.now(), data);
        if event_type == EventType::StepStarted {
            self.journal.tell_lazily(id, event);
            return Ok(());
        }
        self.journal.tell(id, event).await
    }

    pub(crate) async fn token(&self, token: &str, about: &Object) -> Result<(), Failure> {
        check_size("piece of an answer", &(token, about), MAX_EVENT_BYTES)?;
        self.journal.token(&self.header.execution_id, token, about, self.now()).await
    }

    pub(crate) fn answer(&self, agent_id: AgentId, content: String, event_type: EventType, data: Value) {
        let checked = check_size("answer", &(&content, &data), MAX_RESULT_BYTES);
        *lock(&self.answer) = Some(checked.map(|()| {
            let event = NewEvent::new(event_type, &self.header.execution_id, self.now(), &data);
            Answer { agent_id, content, event }
        }));
    }

    /// Refuses a completion with an answer or an artifact that is too large to be kept.
    fn check_kept(&self) -> Result<(), Failure> {
        if let Some(Err(failure)) = &*lock(&self.answer) {
            return Err(failure.clone());
        }
        let kept = lock(&self.kept).artifacts();
        kept.iter().try_for_each(|stored| {
            check_size("record of an artifact", &(&stored.artifact, &stored.search_text), MAX_RESULT_BYTES)
        })
    }

    pub(crate) async fn owner(&self) -> Result<Owner, Failure> {
        // A user keeps what is theirs; an anonymous session may have been claimed since this began.
        if matches!(self.header.owner, Owner::User { .. }) {
            return Ok(self.header.owner.clone());
        }
        let owner = self.shared.store.owner(&self.header.execution_id).await.map_err(storage_failure)?;
        // Until the start is stored the row may be behind us, but it is there since the submission.
        owner.ok_or_else(|| Failure::new(Code::NotFound, "The execution is gone."))
    }

    /// The newest messages as they are for this turn: what a person has said meanwhile waits for a turn of its own, and what began this
    /// one (several messages where they were merged) is the last.
    pub(crate) async fn history(&self, limit: u32) -> Result<Vec<Message>, Failure> {
        let Some(conversation_id) = &self.header.conversation_id else { return Ok(Vec::new()) };
        let owner = self.owner().await?;
        let mut newest: Vec<Message> = Vec::new();
        for _ in 0..MAX_HISTORY_PAGES {
            let before = newest.first().map(|message| message.seq);
            let page =
                self.shared.store.messages(&owner, conversation_id, before, limit).await.map_err(storage_failure)?;
            let is_last = page.len() < limit as usize;
            newest.splice(0..0, page);
            let reaches_before = newest.first().is_some_and(|message| !self.began_with(message));
            let has_own = newest.iter().any(|message| self.began_with(message));
            if is_last || (has_own && reaches_before) {
                break;
            }
        }
        let own: Vec<Message> = newest.iter().filter(|message| self.began_with(message)).cloned().collect();
        if let Some(first) = own.first().map(|message| message.seq) {
            newest.retain(|message| !self.began_with(message) && (message.role != Role::User || message.seq < first));
            newest.extend(own);
        }
        let superfluous = newest.len().saturating_sub(limit as usize);
        Ok(newest.split_off(superfluous))
    }

    /// Whether this message began this execution.
    fn began_with(&self, message: &Message) -> bool {
        message.role == Role::User && message.execution_id.as_ref() == Some(&self.header.execution_id)
    }

    /// The newest messages before `before` of any of the owner's conversations, as they stand.
    pub(crate) async fn messages(
        &self,
        conversation_id: &ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Message>, Failure> {
        let owner = self.owner().await?;
        self.shared.store.messages(&owner, conversation_id, before, limit).await.map_err(storage_failure)
    }

    pub(crate) async fn conversation(&self, id: &ConversationId) -> Result<Option<ConversationSummary>, Failure> {
        let owner = self.owner().await?;
        self.shared.store.conversation(&owner, id).await.map_err(storage_failure)
    }

    /// The change that ends the run with `decision`, and all that was told and kept before.
    fn last_change(&self, fence: Fence, taken: &Taken, decision: Decision) -> Change {
        let mut change = Change::new(self.header.execution_id.clone(), fence);
        change.events.clone_from(&taken.events);
        change.steps.clone_from(&taken.steps);
        let ends = decision.next.has_ended();
        if let Some(Ok(answer)) = lock(&self.answer).as_ref().filter(|_| ends) {
            change.message = Some(NewMessage {
                id: MessageId::from_parts(self.now(), random_10(&*self.shared.clock)),
                at_event: change.events.len(),
                role: Role::Assistant,
                content: answer.content.clone(),
                agent_id: Some(answer.agent_id.clone()),
                created_at: self.now(),
            });
            change.events.push(answer.event.clone());
        }
        if matches!(decision.next.phase, Phase::Completed { .. }) {
            change.artifacts = lock(&self.kept).artifacts();
        }
        change.events.extend(decision.events);
        change.approval = decision.approval;
        change.next = Some(decision.next);
        change
    }
}

/// A storage error as a handler meets it.
pub(crate) fn storage_failure(error: StoreError) -> Failure {
    match error {
        StoreError::BadCursor => Failure::new(Code::BadCursor, "The cursor is none that an earlier page gave."),
        error => Stop::from(&error).failure(),
    }
}

impl Shared {
    /// Takes a job up and sees it through.
    pub(super) async fn execute(self: &Arc<Self>, job: Job) {
        let id = job.state.header.execution_id.clone();
        let span = info_span!("runtime.execute", execution_id = %id, intent_type = %job.state.header.intent_type);
        async {
            loop {
                match self.start(&job).await {
                    Ok(Some((run, handler))) => return self.see_through(run, handler).await,
                    Ok(None) => return,
                    Err(StoreError::Full | StoreError::Busy) if !self.stopping.is_cancelled() => {
                        warn!("the storage takes nothing; an execution waits to be taken up");
                        tokio::time::sleep(COMMIT_RETRY_DELAY).await;
                    }
                    Err(error) => {
                        return error!(error = %error, "an execution cannot be taken up; it will be at the next start");
                    }
                }
            }
        }
        .instrument(span)
        .await;
    }

    async fn start(self: &Arc<Self>, job: &Job) -> Result<Option<(Arc<Run>, Arc<dyn Handler>)>, StoreError> {
        let Some(handler) = self.catalogue.handler(&job.state.header.intent_type).cloned() else {
            let message = "This version does not know the intent any more.";
            Box::pin(self.give_up(job, Code::UnknownIntent, message)).await?;
            return Ok(None);
        };
        if job.start_durably && job.state.tries() >= self.retries_of(&*handler).max_attempts {
            let message = "It ended the process too often and is not tried again.";
            Box::pin(self.give_up(job, Code::HandlerPanicked, message)).await?;
            return Ok(None);
        }
        let Ok(decision) = decide(&job.state, Command::Start, self.clock.now()) else { return Ok(None) };
        let recorded = if decision.next.attempt() > 1 {
            self.store.steps(&job.state.header.execution_id).await?
        } else {
            Vec::new()
        };
        let run = self.new_run(job, decision, recorded, self.retries_of(&*handler));
        let id = &run.header.execution_id;
        lock(&self.live).insert(id.clone(), Arc::clone(&run));
        // A cancellation withdraws the job and then looks for a run: one of the two is seen.
        if self.is_withdrawn(id) {
            lock(&self.live).remove(id);
            return Ok(None);
        }
        Ok(Some((run, handler)))
    }

    /// What the handler says of retries, or else the configuration.
    fn retries_of(&self, handler: &dyn Handler) -> Retries {
        handler.retries().unwrap_or(Retries {
            max_attempts: self.config.max_attempts,
            first_delay: self.config.retry_delay,
            max_delay: MAX_RETRY_DELAY,
        })
    }

    fn new_run(
        self: &Arc<Self>,
        job: &Job,
        decision: Decision,
        recorded: Vec<StepRecord>,
        retries: Retries,
    ) -> Arc<Run> {
        let started = decision.next;
        let events = job.events.iter().cloned().chain(decision.events).collect();
        let run = Run {
            shared: Arc::clone(self),
            header: started.header.clone(),
            retries,
            attempt: started.attempt(),
            cancellation: CancellationToken::new(),
            cancel_reason: Mutex::default(),
            steps: Mutex::new(recorded.into_iter().map(|step| (step.name, step.result)).collect()),
            calls: AtomicU32::new(0),
            journal: Journal::new(started.clone(), job.stored_revision, events, self.config.coalesce),
            kept: Mutex::default(),
            deleted_objects: Mutex::default(),
            answer: Mutex::default(),
            acting: Mutex::default(),
            started,
        };
        if job.start_durably {
            run.journal.hurry();
        }
        Arc::new(run)
    }

    async fn give_up(&self, job: &Job, code: Code, message: &str) -> Result<(), StoreError> {
        let command = Command::Fail { code, message: message.to_owned(), details: None, retry: None };
        let Ok(decision) = decide(&job.state, command, self.clock.now()) else { return Ok(()) };
        let mut change = Change::new(job.state.header.execution_id.clone(), Fence::Revision(job.stored_revision));
        change.events = job.events.iter().cloned().chain(decision.events).collect();
        change.next = Some(decision.next);
        self.commit(change).await
    }

    async fn see_through(self: &Arc<Self>, run: Arc<Run>, handler: Arc<dyn Handler>) {
        let outcome = self.attempt(&run, &*handler).await;
        let ended = match outcome {
            Err(Failure { kind: FailureKind::Fenced, .. }) => None,
            outcome => self.end(&run, outcome).await,
        };
        lock(&self.live).remove(&run.header.execution_id);
        if let Some(state) = ended {
            self.after(&state);
            if state.has_ended() && run.calls.load(Ordering::Relaxed) > 0 {
                Box::pin(self.end_children(&state)).await;
            }
            if matches!(state.phase, Phase::Completed { .. }) {
                Box::pin(self.delete_objects(&run)).await;
            }
        }
    }

    /// Ends the children that nobody waits for any more: the handler was stopped, or gave them up.
    async fn end_children(self: &Arc<Self>, parent: &State) {
        if let Err(error) = self.cancel_children(&parent.header.execution_id, ABANDONED).await {
            warn!(error = %error, "the children of an ended execution could not be cancelled; they are at the next start");
        }
    }

    /// Takes the bytes of deleted artifacts away, after their records say that they are gone.
    async fn delete_objects(&self, run: &Run) {
        let objects = std::mem::take(&mut *lock(&run.deleted_objects));
        for object in objects {
            if let Err(error) = self.objects.delete(&object).await {
                warn!(error = %error, "the bytes of a deleted artifact could not be taken away");
            }
        }
    }

    /// Runs the handler beside the journal until one of them is done.
    async fn attempt(&self, run: &Arc<Run>, handler: &dyn Handler) -> Result<Value, Failure> {
        let id = &run.header.execution_id;
        let context = ExecutionContext::new(Arc::clone(run));
        let mut flushing = std::pin::pin!(run.journal.keep_flushing(id, run.attempt, self));
        let outcome = {
            let mut handling =
                std::pin::pin!(AssertUnwindSafe(super::handling::handle(run, handler, &context)).catch_unwind());
            tokio::select! {
                biased;
                outcome = &mut handling => Some(outcome.unwrap_or_else(|_| {
                    Err(Failure::new(Code::HandlerPanicked, "The handler broke; this execution was ended, and nothing else."))
                })),
                stopped = &mut flushing => {
                    if let Err(error) = stopped {
                        return Err(storage_failure(error));
                    }
                    None
                }
            }
        };
        run.journal.close();
        // A commit that is under way must be finished, and its news told.
        if let Err(error) = flushing.await {
            return Err(storage_failure(error));
        }
        outcome.unwrap_or_else(|| Err(Stop::Failed.failure()))
    }

    /// Commits the end of the attempt. Where another decision came in between, decides again on what is stored.
    async fn end(&self, run: &Arc<Run>, outcome: Result<Value, Failure>) -> Option<State> {
        let taken = run.journal.take_rest(&run.header.execution_id, run.attempt);
        let command = self.ending(
            run,
            outcome.and_then(|result| {
                check_size("result", &result, MAX_RESULT_BYTES)?;
                run.check_kept()?;
                Ok(result)
            }),
        );
        let mut state = run.started.clone();
        let mut fence = match taken.fence {
            Fence::Revision(stored) => Fence::Revision(stored),
            Fence::Attempt(_) => Fence::Revision(state.revision),
        };
        loop {
            let decision = match decide(&state, command.clone(), self.clock.now()) {
                Ok(decision) => decision,
                Err(Refusal::HasEnded | Refusal::NotNow) => return None,
            };
            let next = decision.next.clone();
            match self.commit(run.last_change(fence, &taken, decision)).await {
                Ok(()) => return Some(next),
                Err(StoreError::Conflict) => {
                    state = self.reread(run).await?;
                    fence = Fence::Revision(state.revision);
                }
                Err(StoreError::Full | StoreError::Busy) if !self.stopping.is_cancelled() => {
                    warn!("the storage takes nothing; the end of an execution waits");
                    tokio::time::sleep(COMMIT_RETRY_DELAY).await;
                }
                Err(error) => {
                    error!(error = %error, "the end of an execution cannot be saved; it is run again at the next start");
                    return None;
                }
            }
        }
    }

    /// The stored state, if this attempt still has a say in it. Where not even its start was stored, because there was no space for
    /// it, the execution is as it was before and is taken up again in a while.
    async fn reread(&self, run: &Arc<Run>) -> Option<State> {
        let state = self.store.execution(&run.header.execution_id).await.ok()??;
        if !state.has_ended() && state.revision < run.started.revision {
            self.try_again(&run.header.execution_id);
        }
        matches!(&state.phase, Phase::Running { attempt, .. } if *attempt == run.attempt).then_some(state)
    }

    fn ending(&self, run: &Run, outcome: Result<Value, Failure>) -> Command {
        match outcome {
            Ok(result) => Command::Complete { result, artifacts: lock(&run.kept).keys() },
            Err(Failure { kind: FailureKind::Cancelled, code, message, .. }) => {
                Command::Cancelled { code, reason: message.into_owned() }
            }
            Err(Failure { kind, code, message, details, retry_after }) => {
                let retry = (kind == FailureKind::Transient).then(|| RetryPolicy {
                    max_attempts: run.retries.max_attempts,
                    delay: retry_after.map_or_else(|| self.backoff(run), |wait| wait.min(MAX_RETRY_AFTER)),
                });
                Command::Fail { code, message: message.into_owned(), details, retry }
            }
        }
    }

    /// Doubles with each attempt, and up to half of it is taken off by chance so that many do not come back at once.
    fn backoff(&self, run: &Run) -> Duration {
        let doubled = run.retries.first_delay.saturating_mul(1 << run.started.tries().saturating_sub(1).min(16));
        let longest = doubled.min(run.retries.max_delay);
        let mut chance = [0];
        self.clock.fill(&mut chance);
        longest - longest.mul_f64(f64::from(chance[0]) / 512.0)
    }
}

/// Refuses what is too large to be kept in the journal. Nothing of its JSON is kept for that, and no more of it is made than the bound.
fn check_size(what: &str, value: &impl Serialize, most_bytes: usize) -> Result<(), Failure> {
    struct Room(usize);
    impl std::io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Room(most_bytes), value).map_err(|_| {
        let most = most_bytes / (1024 * 1024);
        Failure::new(Code::ResultTooLarge, format!("The {what} has more than {most} MiB. Ask for less at once."))
    })
}

/// The data of the approval of a new execution.
pub(crate) fn approval_of(shared: &Shared, header: &Header, reason: String, role: Option<String>) -> Asked {
    let now = shared.clock.now();
    let hook_id = HookId::from_parts(now, random_10(&*shared.clock));
    let expires_at = now.after(shared.config.approval_ttl);
    let expires_at = header.timing.deadline.map_or(expires_at, |deadline| deadline.min(expires_at));
    Asked { hook_id, reason, role, expires_at }
}

/// The name under which a child's submission is idempotent. `again` counts the earlier children of this place that were abandoned
/// before the parent was driven again.
pub(super) fn child_key(parent: &ExecutionId, place: u32, again: u32) -> String {
    match again {
        0 => format!("child:{parent}:{place}"),
        again => format!("child:{parent}:{place}:{again}"),
    }
}
