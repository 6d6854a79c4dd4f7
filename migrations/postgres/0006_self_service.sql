-- +goose Up
-- Rights that were given and have not been used. What the link in a mail holds stands in no table.
CREATE TABLE tickets (
    id         uuid             NOT NULL PRIMARY KEY,
    kind       text             NOT NULL,
    user_id    uuid REFERENCES users (id) ON DELETE CASCADE,
    email      text             NOT NULL,
    login      text COLLATE "C" NOT NULL,
    data       json             NOT NULL,
    seen       json             NOT NULL,
    created_at timestamptz      NOT NULL,
    ripe_at    timestamptz      NOT NULL,
    expires_at timestamptz      NOT NULL
);
CREATE INDEX tickets_user ON tickets (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX tickets_login ON tickets (login);
CREATE INDEX tickets_expiry ON tickets (expires_at);
-- Nobody begins anew what the person may still stop.
CREATE UNIQUE INDEX tickets_single ON tickets (user_id, kind) WHERE kind IN ('recovery', 'deletion');
CREATE INDEX tickets_ripe ON tickets (kind, ripe_at) WHERE kind IN ('recovery', 'deletion');

CREATE TABLE passkeys (
    id              uuid        NOT NULL PRIMARY KEY,
    user_id         uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name            text        NOT NULL,
    credential_id   bytea       NOT NULL,
    public_key      bytea       NOT NULL,
    aaguid          uuid,
    transports      text[]      NOT NULL,
    sign_count      bigint      NOT NULL,
    backup_eligible boolean     NOT NULL,
    backed_up       boolean     NOT NULL,
    created_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_id);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- The audit chain: an event gets its place after it was written, and the seal of a checkpoint vouches for all before it.
ALTER TABLE audit_events
    ADD COLUMN seq  bigint,
    ADD COLUMN hash bytea;
CREATE UNIQUE INDEX audit_events_seq ON audit_events (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE seq IS NULL;

CREATE TABLE audit_checkpoints (
    seq        bigint      NOT NULL PRIMARY KEY,
    hash       bytea       NOT NULL,
    sealed     bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
