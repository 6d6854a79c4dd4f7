-- +goose Up
-- Rights that were given and have not been used. What the link in a mail holds stands in no table.
CREATE TABLE tickets (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL,
    user_id    BLOB REFERENCES users (id) ON DELETE CASCADE,
    email      TEXT    NOT NULL,
    login      TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    seen       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    ripe_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_user ON tickets (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX tickets_login ON tickets (login);
CREATE INDEX tickets_expiry ON tickets (expires_at);
-- Nobody begins anew what the person may still stop.
CREATE UNIQUE INDEX tickets_single ON tickets (user_id, kind) WHERE kind IN ('recovery', 'deletion');
CREATE INDEX tickets_ripe ON tickets (kind, ripe_at) WHERE kind IN ('recovery', 'deletion');

CREATE TABLE passkeys (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id         BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name            TEXT    NOT NULL,
    credential_id   BLOB    NOT NULL,
    public_key      BLOB    NOT NULL,
    aaguid          BLOB,
    transports      TEXT    NOT NULL,
    sign_count      INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    used_at         INTEGER
) STRICT;
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_id);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- The audit chain: an event gets its place after it was written, and the seal of a checkpoint vouches for all before it.
ALTER TABLE audit_events ADD COLUMN seq INTEGER;
ALTER TABLE audit_events ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX audit_events_seq ON audit_events (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE seq IS NULL;

CREATE TABLE audit_checkpoints (
    seq        INTEGER NOT NULL PRIMARY KEY,
    hash       BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
