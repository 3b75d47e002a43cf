-- API keys: of a key there is its SHA-256 only. `scopes` and `intents` are JSON lists; absent: no limit.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    session_id TEXT NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT,
    intents TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_user ON api_keys (user_id, tenant_id) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_by_end ON api_keys (expires_at);
