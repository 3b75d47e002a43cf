-- What calls of models cost: a row a call, set aside before it is made and settled after it.
CREATE TABLE spending (
    number INTEGER PRIMARY KEY,
    call TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    agent TEXT NOT NULL,
    run TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    -- Millionths of a dollar.
    micros INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    spent_at INTEGER NOT NULL
) STRICT;
CREATE INDEX spending_by_tenant ON spending (tenant, spent_at, tokens, micros);
CREATE INDEX spending_by_user ON spending (user, spent_at, tokens, micros);
CREATE INDEX spending_by_agent ON spending (agent, spent_at, tokens, micros);
CREATE INDEX spending_by_run ON spending (run, spent_at, tokens, micros);
CREATE INDEX spending_by_time ON spending (spent_at);
