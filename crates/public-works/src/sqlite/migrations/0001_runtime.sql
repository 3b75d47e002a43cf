-- What the Runtime keeps. Rows name each other by small numbers; the ids that clients know stand once, in the row that
-- they name. Instants are milliseconds since 1970. Bodies are JSON.

-- The space of one owner. A claimed anonymous space names the space that took everything over.
CREATE TABLE spaces (
    number INTEGER PRIMARY KEY,
    space TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    moved_to INTEGER
) STRICT;

-- A sequence of numbered events: a conversation, or an execution that is in none. `head` is the newest number; the
-- other columns are a conversation's.
CREATE TABLE streams (
    number INTEGER PRIMARY KEY,
    head INTEGER NOT NULL,
    space INTEGER,
    conversation_id TEXT,
    agent_id TEXT,
    title TEXT,
    created_at INTEGER,
    updated_at INTEGER
) STRICT;
CREATE UNIQUE INDEX streams_by_conversation ON streams (space, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX streams_by_age ON streams (space, number) WHERE conversation_id IS NOT NULL;

-- One row for all events of one commit: JSON objects with a newline between them, numbered up to `last_seq`.
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_by_seq ON journal (stream, last_seq);

-- `first_seq` and `last_seq` bound the execution's events in its stream; `last_seq` is known once it has ended.
CREATE TABLE executions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    space INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    parent TEXT,
    status TEXT NOT NULL,
    ended INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX executions_by_space ON executions (space);
CREATE INDEX executions_unfinished ON executions (id) WHERE ended = 0;
CREATE INDEX executions_unfinished_children ON executions (parent) WHERE ended = 0 AND parent IS NOT NULL;

-- What makes a retry of a submission return the first answer.
CREATE TABLE idempotency (
    space INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    execution_id TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    number INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX steps_by_name ON steps (execution, name);

CREATE TABLE approvals (
    number INTEGER PRIMARY KEY,
    hook_id TEXT NOT NULL UNIQUE,
    space INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_by_age ON approvals (space, number, status);

CREATE TABLE messages (
    number INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    agent_id TEXT,
    execution_id TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_seq ON messages (stream, seq);

CREATE TABLE artifacts (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    space INTEGER NOT NULL,
    lifecycle_state TEXT NOT NULL,
    artifact_type TEXT NOT NULL,
    session_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    body TEXT NOT NULL,
    content TEXT
) STRICT;
-- Lists walk and count in this index alone.
CREATE INDEX artifacts_by_age ON artifacts (space, number, lifecycle_state, artifact_type, session_id);
CREATE INDEX artifacts_by_execution ON artifacts (execution_id);

CREATE TABLE artifact_parents (
    parent TEXT NOT NULL,
    artifact INTEGER NOT NULL,
    PRIMARY KEY (parent, artifact)
) STRICT, WITHOUT ROWID;

-- The row's number is the artifact's. `space` is a word such as `s42`, so that a question never meets others' texts.
CREATE VIRTUAL TABLE artifact_search USING fts5 (space, text, tokenize = 'porter unicode61 remove_diacritics 2');
