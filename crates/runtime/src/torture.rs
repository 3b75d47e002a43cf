//! Places at which a torture test ends the process, and mistakes that it plants to see that they are found. A build without the
//! feature `torture` has neither: the questions are answered when it is compiled.

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// Where the process can be made to die.
    CrashPoint {
        SubmissionUnsaved = "submission_unsaved",
        /// After the commit and before anybody is told.
        SubmissionSaved = "submission_saved",
        ChangeUnsaved = "change_unsaved",
        ChangeSaved = "change_saved",
        /// Between a step's effect and its record.
        EffectUnrecorded = "effect_unrecorded",
        DecisionSaved = "decision_saved",
        /// At each execution that a start takes up.
        Recovery = "recovery",
        Recovered = "recovered",
        GroupUncommitted = "group_uncommitted",
        GroupCommitted = "group_committed",
        CheckpointBegun = "checkpoint_begun",
        CheckpointEnded = "checkpoint_ended",
        MigrationUncommitted = "migration_uncommitted",
        MigrationCommitted = "migration_committed",
        ObjectUnsynced = "object_unsynced",
        ObjectUnnamed = "object_unnamed",
        ObjectNamed = "object_named",
        ClaimUncommitted = "claim_uncommitted",
    }
}

words! {
    /// Mistakes that somebody could make.
    Bug {
        /// A commit is not synced.
        SyncSkipped = "sync_skipped",
        AcknowledgedEarly = "acknowledged_early",
        /// A key is looked up before the transaction that uses it.
        DeduplicatedOutside = "deduplicated_outside",
        ResumedOffByOne = "resumed_off_by_one",
        /// A step goes on before its record is durable.
        StepRecordedLate = "step_recorded_late",
        /// What was accepted is now and then not taken up.
        WakeUpLost = "wake_up_lost",
        DecidedTwice = "decided_twice",
        FenceIgnored = "fence_ignored",
        MessageWithoutEvent = "message_without_event",
        ClaimLeavesBehind = "claim_leaves_behind",
    }
}

#[cfg(not(feature = "torture"))]
mod hooks {
    use super::{Bug, CrashPoint};

    pub const fn crash_point(_: CrashPoint) {}

    pub const fn has_bug(_: Bug) -> bool {
        false
    }

    pub const fn has_bug_now(_: Bug) -> bool {
        false
    }
}

#[cfg(feature = "torture")]
mod hooks {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    use super::{Bug, CrashPoint};

    /// What this process is to suffer.
    #[derive(Clone, Copy, Debug)]
    pub struct Plan {
        /// The point, and at which arrival there it dies, counted from 1.
        pub crash: Option<(CrashPoint, u64)>,
        pub bug: Option<Bug>,
        /// Ends the process without another instruction of ours.
        pub die: fn(),
    }

    /// How often a mistake that is made now and then is made: once in so many times.
    const NOW_AND_THEN: u64 = 25;

    static PLAN: OnceLock<Plan> = OnceLock::new();
    static ARRIVALS: AtomicU64 = AtomicU64::new(0);
    static OCCASIONS: AtomicU64 = AtomicU64::new(0);

    /// Arms this process. The first plan stands.
    pub fn arm(plan: Plan) {
        PLAN.get_or_init(|| plan);
    }

    /// Ends the process here, where the plan says so.
    pub fn crash_point(point: CrashPoint) {
        let Some(Plan { crash: Some((wanted, at)), die, .. }) = PLAN.get() else { return };
        if *wanted == point && ARRIVALS.fetch_add(1, Ordering::Relaxed) + 1 == *at {
            die();
        }
    }

    /// Whether this process makes the mistake.
    pub fn has_bug(bug: Bug) -> bool {
        PLAN.get().is_some_and(|plan| plan.bug == Some(bug))
    }

    /// Whether it makes the mistake this time.
    pub fn has_bug_now(bug: Bug) -> bool {
        has_bug(bug) && OCCASIONS.fetch_add(1, Ordering::Relaxed) % NOW_AND_THEN == NOW_AND_THEN - 1
    }
}

pub use hooks::*;
