//! What passes a filter, and the page that is asked for, over values in memory.

use contract::{Timestamp, artifact::Artifact, artifact::LifecycleState};

use crate::{
    machine::{Phase, State},
    port::store::{ArtifactFilter, ExecutionFilter, Idempotency, MAX_PAGE, Page, PageRequest, StoreError},
};

/// How many words stand around a found place.
const SNIPPET_WORDS: usize = 16;

pub(super) fn has_run_out(idempotency: &Idempotency, now: Timestamp) -> bool {
    idempotency.expires_at.is_some_and(|expires_at| expires_at <= now)
}

pub(super) fn is_wanted(filter: &ExecutionFilter, state: &State) -> bool {
    let header = &state.header;
    filter.status.is_none_or(|status| state.status() == status)
        && filter.intent_type.as_ref().is_none_or(|intent_type| header.intent_type == *intent_type)
        && filter.session_id.as_ref().is_none_or(|id| header.session_id == *id)
        && filter.conversation_id.as_ref().is_none_or(|id| header.conversation_id.as_ref() == Some(id))
        && filter.parent.as_ref().is_none_or(|id| header.parent.as_ref() == Some(id))
        && (!filter.dead_letters || (matches!(state.phase, Phase::Failed { .. }) && header.parent.is_none()))
}

pub(super) fn passes(filter: &ArtifactFilter, artifact: &Artifact) -> bool {
    let state = match filter.lifecycle_state {
        Some(state) => artifact.lifecycle_state == state,
        None => artifact.lifecycle_state != LifecycleState::Deleted,
    };
    state
        && filter.session_id.as_ref().is_none_or(|id| artifact.session_id == *id)
        && filter.artifact_type.as_ref().is_none_or(|kind| artifact.artifact_type == *kind)
        && filter.execution_id.as_ref().is_none_or(|id| artifact.produced_by.execution_id == *id)
        && filter.parent.as_ref().is_none_or(|id| artifact.parent_artifacts.contains(id))
}

/// The cursor of this plug is the index of the next item.
pub(super) fn page_of<T>(items: Vec<T>, page: &PageRequest) -> Result<Page<T>, StoreError> {
    let total = items.len();
    let begin = match &page.cursor {
        Some(cursor) => cursor.parse().map_err(|_| StoreError::BadCursor)?,
        None => page.offset as usize,
    };
    let limit = page.limit.min(MAX_PAGE) as usize;
    let items: Vec<T> = items.into_iter().skip(begin).take(limit).collect();
    let end = begin.saturating_add(items.len());
    let next_cursor = (end < total && !items.is_empty()).then(|| end.to_string());
    Ok(Page { items, total: total as u64, next_cursor })
}

pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

pub(super) fn snippet(text: &str, wanted: &[String]) -> Option<String> {
    let there = words(text);
    if wanted.is_empty() || !wanted.iter().all(|word| there.contains(word)) {
        return None;
    }
    let first = there.iter().position(|word| wanted.contains(word))?;
    let around = there.iter().skip(first.saturating_sub(SNIPPET_WORDS / 2)).take(SNIPPET_WORDS);
    let marked = around.map(|word| if wanted.contains(word) { format!("**{word}**") } else { word.clone() });
    Some(marked.collect::<Vec<String>>().join(" "))
}
