-- What executions are listed by. `conversation` is the stream of those that are in one.
ALTER TABLE executions ADD COLUMN intent_type TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN conversation INTEGER;
UPDATE executions SET
    intent_type = state ->> '$.header.intent_type',
    session_id = state ->> '$.header.session_id',
    conversation = iif(state ->> '$.header.conversation_id' IS NULL, NULL, stream);

-- Each ends with the row's number, which is the order of the lists. Those that a plain execution enters are few: every index is paid
-- for by every submission.
CREATE INDEX executions_by_intent ON executions (space, intent_type);
CREATE INDEX executions_by_session ON executions (space, session_id);
CREATE INDEX executions_by_conversation ON executions (space, conversation) WHERE conversation IS NOT NULL;
CREATE INDEX executions_by_parent ON executions (space, parent) WHERE parent IS NOT NULL;
CREATE INDEX executions_unfinished_by_space ON executions (space) WHERE ended = 0;
CREATE INDEX executions_ended ON executions (space, status) WHERE ended = 1;
CREATE INDEX executions_dead ON executions (space) WHERE status = 'failed' AND parent IS NULL;
