-- +goose Up
-- Who made a client, whose it is, and when a token was first obtained with it. Those of before are the operators'.
ALTER TABLE clients ADD COLUMN origin TEXT NOT NULL DEFAULT 'operator' CHECK (origin IN ('operator', 'person', 'software', 'document'));
ALTER TABLE clients ADD COLUMN owner_id BLOB REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE clients ADD COLUMN disabled_for TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN registration BLOB;
ALTER TABLE clients ADD COLUMN used_at INTEGER;
ALTER TABLE clients ADD COLUMN used_by BLOB REFERENCES users (id) ON DELETE SET NULL;
UPDATE clients SET disabled_for = 'operator' WHERE disabled_at IS NOT NULL;
CREATE INDEX clients_owner ON clients (owner_id, created_at) WHERE owner_id IS NOT NULL;
CREATE INDEX clients_used_by ON clients (used_by) WHERE used_by IS NOT NULL;
CREATE INDEX clients_awaiting ON clients (created_at) WHERE disabled_for = 'approval';
-- Those that machines made and nobody has used yet: the oldest make room for new ones. One that is disabled stays, so that it does not
-- come back enabled. The last three columns are there so that counting them reads the index alone.
CREATE INDEX clients_unused ON clients (created_at, id, used_at, disabled_at, origin)
    WHERE used_at IS NULL AND disabled_at IS NULL AND origin IN ('software', 'document');

CREATE TABLE registration_tokens (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest      BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    created_by  TEXT    NOT NULL,
    max_uses    INTEGER NOT NULL,
    uses        INTEGER NOT NULL,
    grant_types TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX registration_tokens_digest ON registration_tokens (digest);

CREATE TABLE client_usage (
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    day       INTEGER NOT NULL,
    sign_ins  INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    failures  INTEGER NOT NULL,
    PRIMARY KEY (client_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_usage_day ON client_usage (day);

CREATE TABLE client_secret_uses (
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    made_at   INTEGER NOT NULL,
    used_at   INTEGER NOT NULL,
    PRIMARY KEY (client_id, made_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_secret_uses_age ON client_secret_uses (used_at);

ALTER TABLE refusals ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
