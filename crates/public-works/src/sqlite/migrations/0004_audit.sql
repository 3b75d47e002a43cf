-- With what a sign-in was made or refreshed last, and when.
ALTER TABLE sign_ins ADD COLUMN address TEXT;
ALTER TABLE sign_ins ADD COLUMN agent TEXT;
ALTER TABLE sign_ins ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
UPDATE sign_ins SET used_at = created_at;

-- The decisions of the guard. `hash` is over the hash of the row before, the number and the text; the instant and the tenant
-- stand beside the text for those who look for them.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tenant_id TEXT,
    text TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX audit_by_tenant ON audit (tenant_id, number) WHERE tenant_id IS NOT NULL;
CREATE INDEX audit_by_time ON audit (at);

-- One row: the last record that is no longer kept, and the last one of all.
CREATE TABLE audit_ends (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    before_number INTEGER NOT NULL,
    before_hash BLOB NOT NULL,
    last_number INTEGER NOT NULL,
    last_hash BLOB NOT NULL
) STRICT;

INSERT INTO audit_ends VALUES (1, 0, zeroblob(32), 0, zeroblob(32));
