-- Executions of one key run one after the other; those that have not ended are found by it.
ALTER TABLE executions ADD COLUMN concurrency_key TEXT;
UPDATE executions SET concurrency_key = state ->> '$.header.concurrency_key' WHERE ended = 0;
CREATE INDEX executions_unfinished_by_key ON executions (concurrency_key)
    WHERE ended = 0 AND concurrency_key IS NOT NULL;

-- Until when a key of a submission counts; NULL is for as long as its execution. Those of before count for seven days.
ALTER TABLE idempotency ADD COLUMN expires_at INTEGER;
UPDATE idempotency SET expires_at = created_at + 604800000 WHERE key NOT GLOB 'child:*';
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at) WHERE expires_at IS NOT NULL;
