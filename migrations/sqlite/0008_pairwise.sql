-- +goose Up
-- The key that pairwise subjects are made with: there is one, and it never changes. A CHECK changes only with its table.
CREATE TABLE keys_anew (
    id         TEXT    NOT NULL PRIMARY KEY,
    use        TEXT    NOT NULL CHECK (use IN ('sig', 'handle', 'pairwise')),
    algorithm  TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    public     TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
INSERT INTO keys_anew (id, use, algorithm, number, state, public, sealed, created_at, changed_at)
    SELECT id, use, algorithm, number, state, public, sealed, created_at, changed_at FROM keys;
DROP TABLE keys;
ALTER TABLE keys_anew RENAME TO keys;
CREATE UNIQUE INDEX keys_number ON keys (number) WHERE use = 'handle';
CREATE UNIQUE INDEX keys_pending ON keys (use, algorithm) WHERE state = 'pending';
CREATE UNIQUE INDEX keys_active ON keys (use, algorithm) WHERE state = 'active';
