-- +goose Up
-- People signed in at browsers. The browser holds the secret, the row its digest; id is the sid that applications know.
CREATE TABLE sessions (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest      BLOB    NOT NULL,
    user_id     BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    revision    INTEGER NOT NULL,
    password_at INTEGER,
    factor_at   INTEGER,
    auth_time   INTEGER,
    acr         TEXT    NOT NULL,
    amr         TEXT    NOT NULL,
    chosen_at   INTEGER,
    created_at  INTEGER NOT NULL,
    used_at     INTEGER,
    expires_at  INTEGER NOT NULL,
    seen        TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_digest ON sessions (digest);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Browsers that need no second factor again.
CREATE TABLE remembered_devices (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest     BLOB    NOT NULL,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen       TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX remembered_devices_digest ON remembered_devices (digest);
CREATE INDEX remembered_devices_user ON remembered_devices (user_id);
CREATE INDEX remembered_devices_expiry ON remembered_devices (expires_at);

CREATE TABLE consents (
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scope      TEXT    NOT NULL,
    claims     TEXT    NOT NULL,
    resources  TEXT    NOT NULL,
    given_at   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_client ON consents (client_id);

-- Authorization requests that clients left here (RFC 9126).
CREATE TABLE pushed_requests (
    digest     BLOB    NOT NULL PRIMARY KEY,
    client_id  TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    params     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);
CREATE INDEX pushed_requests_client ON pushed_requests (client_id);

-- user_code is kept while the grant is pending and no longer.
ALTER TABLE grants ADD COLUMN offline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grants ADD COLUMN claims TEXT;
ALTER TABLE grants ADD COLUMN code_hash BLOB;
ALTER TABLE grants ADD COLUMN user_code BLOB;
CREATE INDEX grants_session ON grants (session_id) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX grants_user_code ON grants (user_code) WHERE user_code IS NOT NULL;
