-- What the Security Guard keeps. Instants are milliseconds since 1970. Of tokens there are SHA-256 hashes only.

-- One row: from it and a refresh token follows the token's successor.
CREATE TABLE server_secrets (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    refresh_secret BLOB NOT NULL
) STRICT;

-- Ed25519 keys that sign access tokens, PKCS #8; the newest one signs.
CREATE TABLE signing_keys (
    number INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL UNIQUE,
    pkcs8 BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `email` is as it was typed, `email_key` as it is compared.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT, WITHOUT ROWID;

-- Numbered in the order of joining; a user is in the tenant that they joined first.
CREATE TABLE memberships (
    number INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    role TEXT NOT NULL,
    UNIQUE (user_id, tenant_id, role)
) STRICT;

-- A sign-in is the head of a family of refresh tokens, and ends with the newest of them.
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    session_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_by_user ON sign_ins (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sign_ins_by_end ON sign_ins (expires_at);

CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,
    sign_in_id TEXT NOT NULL REFERENCES sign_ins (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    rotated_at INTEGER,
    successor BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_sign_in ON refresh_tokens (sign_in_id);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

-- Sessions of work. One without a user is anonymous.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    tenant_id TEXT,
    user_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    CHECK ((tenant_id IS NULL) = (user_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Failed sign-ins by the hash of the address that was tried, whether there is such an account or not.
CREATE TABLE sign_in_failures (
    account_key BLOB PRIMARY KEY,
    count INTEGER NOT NULL,
    since INTEGER NOT NULL,
    forgotten_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failures_by_end ON sign_in_failures (forgotten_at);
