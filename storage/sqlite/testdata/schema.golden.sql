CREATE TABLE audit_checkpoints (
    seq        INTEGER NOT NULL PRIMARY KEY,
    hash       BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_events (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    user_id   BLOB,
    client_id TEXT    NOT NULL,
    grant_id  BLOB,
    seen      TEXT    NOT NULL,
    detail    TEXT    NOT NULL
, seq INTEGER, hash BLOB) STRICT;

CREATE INDEX audit_events_at ON audit_events (at);

CREATE UNIQUE INDEX audit_events_seq ON audit_events (seq) WHERE seq IS NOT NULL;

CREATE INDEX audit_events_unchained ON audit_events (id) WHERE seq IS NULL;

CREATE INDEX audit_events_user ON audit_events (user_id);

CREATE TABLE buckets (
    key BLOB    NOT NULL PRIMARY KEY,
    tat INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX buckets_tat ON buckets (tat);

CREATE TABLE client_secret_uses (
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    made_at   INTEGER NOT NULL,
    used_at   INTEGER NOT NULL,
    PRIMARY KEY (client_id, made_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_secret_uses_age ON client_secret_uses (used_at);

CREATE TABLE client_usage (
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    day       INTEGER NOT NULL,
    sign_ins  INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    failures  INTEGER NOT NULL,
    PRIMARY KEY (client_id, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_usage_day ON client_usage (day);

CREATE TABLE clients (
    id          TEXT    NOT NULL PRIMARY KEY,
    revision    INTEGER NOT NULL,
    metadata    TEXT    NOT NULL,
    secrets     TEXT    NOT NULL,
    disabled_at INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
, origin TEXT NOT NULL DEFAULT 'operator' CHECK (origin IN ('operator', 'person', 'software', 'document')), owner_id BLOB REFERENCES users (id) ON DELETE SET NULL, disabled_for TEXT NOT NULL DEFAULT '', registration BLOB, used_at INTEGER, used_by BLOB REFERENCES users (id) ON DELETE SET NULL) STRICT;

CREATE INDEX clients_awaiting ON clients (created_at) WHERE disabled_for = 'approval';

CREATE INDEX clients_owner ON clients (owner_id, created_at) WHERE owner_id IS NOT NULL;

CREATE INDEX clients_unused ON clients (created_at, id, used_at, disabled_at, origin)
    WHERE used_at IS NULL AND disabled_at IS NULL AND origin IN ('software', 'document');

CREATE INDEX clients_used_by ON clients (used_by) WHERE used_by IS NOT NULL;

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

CREATE TABLE denied_tokens (
    grant_id   BLOB    NOT NULL,
    serial     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (grant_id, serial)
) STRICT, WITHOUT ROWID;

CREATE INDEX denied_tokens_expiry ON denied_tokens (expires_at);

CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);

CREATE TABLE grants (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    client_id      TEXT    NOT NULL,
    user_id        BLOB    NOT NULL,
    session_id     BLOB,
    scope          TEXT    NOT NULL,
    audience       TEXT    NOT NULL,
    acr            TEXT    NOT NULL,
    amr            TEXT    NOT NULL,
    auth_time      INTEGER,
    nonce          TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'active', 'revoked')),
    revision       INTEGER NOT NULL,
    pending        TEXT,
    generation     INTEGER NOT NULL,
    fork           INTEGER NOT NULL,
    parent_fork    INTEGER NOT NULL,
    key_id         INTEGER NOT NULL,
    issued_at      INTEGER,
    retired        TEXT    NOT NULL,
    shared_at      INTEGER,
    seen           TEXT    NOT NULL,
    secret_hash    BLOB    NOT NULL,
    expires_at     INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    sender         TEXT    NOT NULL,
    revoked_at     INTEGER,
    revoked_reason TEXT    NOT NULL
, offline INTEGER NOT NULL DEFAULT 0, claims TEXT, code_hash BLOB, user_code BLOB) STRICT;

CREATE INDEX grants_client ON grants (client_id);

CREATE INDEX grants_expiry ON grants (expires_at);

CREATE INDEX grants_session ON grants (session_id) WHERE session_id IS NOT NULL;

CREATE INDEX grants_user ON grants (user_id);

CREATE UNIQUE INDEX grants_user_code ON grants (user_code) WHERE user_code IS NOT NULL;

CREATE TABLE "keys" (
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

CREATE UNIQUE INDEX keys_active ON keys (use, algorithm) WHERE state = 'active';

CREATE UNIQUE INDEX keys_number ON keys (number) WHERE use = 'handle';

CREATE UNIQUE INDEX keys_pending ON keys (use, algorithm) WHERE state = 'pending';

CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    holder  TEXT    NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    login   TEXT NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_user ON logins (user_id);

CREATE TABLE outbox (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL,
    user_id    BLOB,
    data       TEXT    NOT NULL,
    attempt    INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at);

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

CREATE TABLE pushed_requests (
    digest     BLOB    NOT NULL PRIMARY KEY,
    client_id  TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    params     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX pushed_requests_client ON pushed_requests (client_id);

CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);

CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest  BLOB NOT NULL,
    PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
    id          TEXT    NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    endpoint    TEXT    NOT NULL,
    client_id   TEXT    NOT NULL,
    grant_type  TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    grant_id    BLOB,
    token       TEXT    NOT NULL,
    seen        TEXT    NOT NULL
, detail TEXT NOT NULL DEFAULT '{}') STRICT;

CREATE INDEX refusals_at ON refusals (at, id);

CREATE INDEX refusals_client ON refusals (client_id, at, id);

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

CREATE TABLE remembered_devices (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest     BLOB    NOT NULL,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen       TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX remembered_devices_digest ON remembered_devices (digest);

CREATE INDEX remembered_devices_expiry ON remembered_devices (expires_at);

CREATE INDEX remembered_devices_user ON remembered_devices (user_id);

CREATE TABLE resources (
    identifier TEXT    NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL,
    metadata   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

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

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE spent_assertions (
    digest     BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_assertions_expiry ON spent_assertions (expires_at);

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

CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE INDEX tickets_login ON tickets (login);

CREATE INDEX tickets_ripe ON tickets (kind, ripe_at) WHERE kind IN ('recovery', 'deletion');

CREATE UNIQUE INDEX tickets_single ON tickets (user_id, kind) WHERE kind IN ('recovery', 'deletion');

CREATE INDEX tickets_user ON tickets (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE totp (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    sealed       BLOB    NOT NULL,
    confirmed_at INTEGER,
    last_step    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX totp_user ON totp (user_id);

CREATE UNIQUE INDEX totp_waiting ON totp (user_id) WHERE confirmed_at IS NULL;

CREATE TABLE users (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    revision       INTEGER NOT NULL,
    username       TEXT    NOT NULL,
    email          TEXT    NOT NULL,
    email_verified INTEGER NOT NULL,
    phone          TEXT    NOT NULL,
    phone_verified INTEGER NOT NULL,
    profile        TEXT    NOT NULL,
    admin          INTEGER NOT NULL,
    password_hash  TEXT    NOT NULL,
    disabled_at    INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
