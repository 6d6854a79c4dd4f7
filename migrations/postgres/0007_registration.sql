-- +goose Up
-- First what a running server locks first too, so that the two do not wait for each other.
ALTER TABLE refusals ADD COLUMN detail json NOT NULL DEFAULT '{}';

-- Who made a client, whose it is, and when a token was first obtained with it. Those of before are the operators'.
ALTER TABLE clients
    ADD COLUMN origin text NOT NULL DEFAULT 'operator' CHECK (origin IN ('operator', 'person', 'software', 'document')),
    ADD COLUMN owner_id uuid REFERENCES users (id) ON DELETE SET NULL,
    ADD COLUMN disabled_for text NOT NULL DEFAULT '',
    ADD COLUMN registration bytea,
    ADD COLUMN used_at timestamptz,
    ADD COLUMN used_by uuid REFERENCES users (id) ON DELETE SET NULL;
UPDATE clients SET disabled_for = 'operator' WHERE disabled_at IS NOT NULL;
CREATE INDEX clients_owner ON clients (owner_id, created_at) WHERE owner_id IS NOT NULL;
CREATE INDEX clients_used_by ON clients (used_by) WHERE used_by IS NOT NULL;
CREATE INDEX clients_awaiting ON clients (created_at) WHERE disabled_for = 'approval';
-- Those that machines made and nobody has used yet: the oldest make room for new ones. One that is disabled stays, so that it does not
-- come back enabled.
CREATE INDEX clients_unused ON clients (created_at, id) WHERE used_at IS NULL AND disabled_at IS NULL AND origin IN ('software', 'document');

CREATE TABLE registration_tokens (
    id          uuid        NOT NULL PRIMARY KEY,
    digest      bytea       NOT NULL,
    name        text        NOT NULL,
    created_by  text        NOT NULL,
    max_uses    bigint      NOT NULL,
    uses        bigint      NOT NULL,
    grant_types text[]      NOT NULL,
    scope       text        NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz
);
CREATE UNIQUE INDEX registration_tokens_digest ON registration_tokens (digest);

CREATE TABLE client_usage (
    client_id text COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    day       timestamptz      NOT NULL,
    sign_ins  bigint           NOT NULL,
    tokens    bigint           NOT NULL,
    failures  bigint           NOT NULL,
    PRIMARY KEY (client_id, day)
);
CREATE INDEX client_usage_day ON client_usage (day);

CREATE TABLE client_secret_uses (
    client_id text COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    made_at   timestamptz      NOT NULL,
    used_at   timestamptz      NOT NULL,
    PRIMARY KEY (client_id, made_at)
);
CREATE INDEX client_secret_uses_age ON client_secret_uses (used_at);
