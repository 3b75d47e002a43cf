-- Letters that are not out yet: what they are about and to whom. No token is here: it is made when its letter goes out.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    posted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_by_due ON outbox (due_at, number);

-- The SHA-256 of what went out in letters, for a user or for an invitation.
CREATE TABLE mail_tokens (
    hash BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_tokens_by_subject ON mail_tokens (subject, purpose);
CREATE INDEX mail_tokens_by_end ON mail_tokens (expires_at);

CREATE TABLE verified_addresses (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    verified_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
