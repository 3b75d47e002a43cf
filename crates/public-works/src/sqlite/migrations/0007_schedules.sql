-- What is submitted again and again. The body is JSON; `next_at` is the timer, NULL while it is paused.
CREATE TABLE schedules (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    space INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    next_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX schedules_by_age ON schedules (space);
CREATE INDEX schedules_by_time ON schedules (next_at) WHERE next_at IS NOT NULL;
