-- +goose Up
-- People signed in at browsers. The browser holds the secret, the row its digest; id is the sid that applications know.
-- A use changes no indexed column, as a rotation of a grant does not.
CREATE TABLE sessions (
    id          uuid        NOT NULL PRIMARY KEY,
    digest      bytea       NOT NULL,
    user_id     uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    revision    bigint      NOT NULL,
    password_at timestamptz,
    factor_at   timestamptz,
    auth_time   timestamptz,
    acr         text        NOT NULL,
    amr         text[]      NOT NULL,
    chosen_at   timestamptz,
    created_at  timestamptz NOT NULL,
    used_at     timestamptz,
    expires_at  timestamptz NOT NULL,
    seen        json        NOT NULL
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX sessions_digest ON sessions (digest);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Browsers that need no second factor again.
CREATE TABLE remembered_devices (
    id         uuid        NOT NULL PRIMARY KEY,
    digest     bytea       NOT NULL,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    seen       json        NOT NULL
);
CREATE UNIQUE INDEX remembered_devices_digest ON remembered_devices (digest);
CREATE INDEX remembered_devices_user ON remembered_devices (user_id);
CREATE INDEX remembered_devices_expiry ON remembered_devices (expires_at);

CREATE TABLE consents (
    user_id    uuid             NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  text COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scope      text[]           NOT NULL,
    claims     text[]           NOT NULL,
    resources  text[]           NOT NULL,
    given_at   timestamptz      NOT NULL,
    created_at timestamptz      NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_client ON consents (client_id);

-- Authorization requests that clients left here (RFC 9126).
CREATE TABLE pushed_requests (
    digest     bytea            NOT NULL PRIMARY KEY,
    client_id  text COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    params     text             NOT NULL,
    expires_at timestamptz      NOT NULL
);
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);
CREATE INDEX pushed_requests_client ON pushed_requests (client_id);

-- user_code is kept while the grant is pending and no longer. No rotation changes a column of these indexes.
ALTER TABLE grants
    ADD COLUMN offline   boolean NOT NULL DEFAULT false,
    ADD COLUMN claims    json,
    ADD COLUMN code_hash bytea,
    ADD COLUMN user_code bytea,
    ALTER COLUMN user_id DROP NOT NULL; -- what a device asks for is nobody's until a person has answered
CREATE INDEX grants_session ON grants (session_id) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX grants_user_code ON grants (user_code) WHERE user_code IS NOT NULL;
