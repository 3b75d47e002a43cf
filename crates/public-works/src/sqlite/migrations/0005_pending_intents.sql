-- Intents that somebody means to submit later. `execution` is the one that carries it out, once there is one.
CREATE TABLE pending_intents (
    number INTEGER PRIMARY KEY,
    space INTEGER NOT NULL,
    intent_id TEXT NOT NULL,
    intent_type TEXT NOT NULL,
    target_artifact_id TEXT NOT NULL,
    context TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    execution TEXT,
    UNIQUE (space, intent_id)
) STRICT;
CREATE INDEX pending_intents_by_artifact ON pending_intents (space, target_artifact_id, number);
