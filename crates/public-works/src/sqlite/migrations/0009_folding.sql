-- How far the journal has been folded: of executions whose last row comes later, nothing was folded yet.
CREATE TABLE folding (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    folded_to INTEGER NOT NULL
) STRICT;
INSERT INTO folding (only, folded_to) VALUES (1, 0);
