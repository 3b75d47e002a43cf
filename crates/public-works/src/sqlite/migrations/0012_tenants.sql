-- More than one person in a tenant. A service account has no password: its `password_hash` is empty, and its `email_key`, which
-- nobody can type as an address, is its id.
ALTER TABLE users ADD COLUMN is_service_account INTEGER NOT NULL DEFAULT 0;

CREATE INDEX memberships_by_tenant ON memberships (tenant_id, number);

-- Invitations that nobody has accepted yet. Of their tokens there is the SHA-256 only.
CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL,
    invited_by TEXT NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (tenant_id, email_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_end ON invitations (expires_at);
