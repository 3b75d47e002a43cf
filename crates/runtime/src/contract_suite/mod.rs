//! What every store promises, as functions that any plug can be handed to. Each promise gets a store of its own with
//! nothing in it, and panics where the store does not keep it.

#![expect(clippy::unwrap_used, reason = "a promise that is not kept panics")]

mod approvals;
mod artifacts;
mod conversations;
mod execution_lists;
mod executions;
mod idempotency;
mod journal;
mod keys;
mod objects;
mod pending;
mod scene;
mod schedules;
mod search;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::port::Store;

pub use objects::keeps_objects;

/// One promise, by its name.
pub type Promise = (&'static str, for<'store> fn(&'store dyn Store) -> BoxFuture<'store, ()>);

macro_rules! promises {
    ($($noun:ident::$promise:ident,)*) => {
        /// All of them.
        pub const PROMISES: &[Promise] =
            &[$((concat!(stringify!($noun), "::", stringify!($promise)), |store| Box::pin($noun::$promise(scene::Scene::new(store)))),)*];
    };
}

promises! {
    executions::a_submission_can_be_read_at_once,
    executions::a_change_needs_its_revision,
    executions::one_of_many_decides,
    executions::only_the_running_attempt_writes,
    executions::unfinished_ones_come_in_pages,
    executions::a_parent_knows_its_unfinished_children,
    executions::a_child_is_its_parents_owners,
    executions::steps_keep_their_order,
    execution_lists::filters_join,
    execution_lists::lists_come_in_pages,
    execution_lists::a_redriven_one_is_alive_again,
    idempotency::a_key_returns_the_first_answer,
    idempotency::each_of_several_keys_is_known,
    idempotency::a_key_is_its_owners,
    idempotency::of_many_twins_one_is_new,
    idempotency::a_key_counts_for_its_time,
    idempotency::a_change_can_remember_a_key,
    idempotency::old_keys_go_in_pieces,
    keys::unfinished_ones_are_found_by_their_key,
    keys::a_gate_holds_whoever_comes_together,
    idempotency::a_quota_counts_what_was_accepted,
    journal::numbers_have_no_holes,
    journal::any_cursor_gives_what_follows,
    journal::an_execution_has_its_own_events,
    journal::a_long_commit_is_read_in_parts,
    journal::any_text_survives,
    journal::a_conversation_is_its_owners,
    approvals::an_approval_is_written_with_its_execution,
    approvals::lists_are_by_owner_and_status,
    approvals::a_role_sees_what_waits_for_it_in_its_tenant,
    schedules::a_schedule_changes_behind_its_fence,
    schedules::the_longest_due_come_first,
    schedules::schedules_are_their_owners,
    artifacts::an_artifact_goes_through_its_life,
    artifacts::what_is_deleted_stays_deleted,
    artifacts::filters_join,
    artifacts::lists_come_in_pages,
    artifacts::others_have_no_artifact,
    pending::what_is_meant_is_kept_until_it_is_submitted,
    pending::others_mean_nothing,
    search::all_words_must_be_there,
    search::what_is_deleted_or_taken_out_is_not_found,
    search::no_text_breaks_it,
    search::others_texts_are_not_found,
    conversations::messages_enter_with_their_events,
    conversations::messages_are_read_backwards,
    conversations::lists_begin_with_the_newest,
    conversations::one_can_begin_with_what_was_said_elsewhere,
    conversations::what_was_said_is_found,
    conversations::a_new_title_stays,
    conversations::a_deleted_one_leaves_its_executions,
}

/// Hands a new store of `open` to each promise.
pub async fn keeps_every_promise<Opened>(open: impl Fn() -> Opened)
where
    Opened: Future<Output = Arc<dyn Store>>,
{
    for (name, promise) in PROMISES {
        // Shown where the promise panics.
        eprintln!("promise: {name}");
        let store = open().await;
        promise(&*store).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryObjects, MemoryStore};

    #[tokio::test]
    async fn the_store_in_memory_keeps_every_promise() {
        keeps_every_promise(|| async { Arc::new(MemoryStore::default()) as Arc<dyn Store> }).await;
    }

    #[tokio::test]
    async fn the_objects_in_memory_are_kept() {
        keeps_objects(&MemoryObjects::default()).await;
    }
}
