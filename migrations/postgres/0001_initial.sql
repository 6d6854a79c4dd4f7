-- +goose Up
-- Times are timestamptz with microseconds; NULL is "never". Identifiers compare byte by byte: COLLATE "C". Records that are
-- never searched are json, not jsonb: it keeps every string, U+0000 included, exactly as it was given.

CREATE TABLE users (
    id             uuid             NOT NULL PRIMARY KEY,
    revision       bigint           NOT NULL,
    username       text COLLATE "C" NOT NULL,
    email          text COLLATE "C" NOT NULL,
    email_verified boolean          NOT NULL,
    phone          text COLLATE "C" NOT NULL,
    phone_verified boolean          NOT NULL,
    profile        json             NOT NULL,
    admin          boolean          NOT NULL,
    password_hash  text COLLATE "C" NOT NULL,
    disabled_at    timestamptz,
    created_at     timestamptz      NOT NULL,
    updated_at     timestamptz      NOT NULL
);

-- One namespace for every identifier by which somebody signs in, so that no one's e-mail is another one's username.
CREATE TABLE logins (
    login   text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id uuid             NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX logins_user ON logins (user_id);

CREATE TABLE totp (
    id           uuid        NOT NULL PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         text        NOT NULL,
    sealed       bytea       NOT NULL,
    confirmed_at timestamptz,
    last_step    bigint      NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX totp_user ON totp (user_id);
-- One device at a time waits for its first code.
CREATE UNIQUE INDEX totp_waiting ON totp (user_id) WHERE confirmed_at IS NULL;

CREATE TABLE recovery_codes (
    user_id uuid  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest  bytea NOT NULL,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE clients (
    id          text COLLATE "C" NOT NULL PRIMARY KEY,
    revision    bigint           NOT NULL,
    metadata    json             NOT NULL,
    secrets     json             NOT NULL,
    disabled_at timestamptz,
    created_at  timestamptz      NOT NULL,
    updated_at  timestamptz      NOT NULL
);

-- One row for each login of a user at a client. client_id and user_id carry no foreign key: a grant may outlive both for a
-- while, and is refused then; deleting a client or user removes its grants in the same commit.
-- A rotation changes no indexed column, and the free fifth of each page lets it stay there: a HOT update touches no index.
CREATE TABLE grants (
    id             uuid             NOT NULL PRIMARY KEY,
    client_id      text COLLATE "C" NOT NULL,
    user_id        uuid             NOT NULL,
    session_id     uuid,
    scope          text[]           NOT NULL,
    audience       text[]           NOT NULL,
    acr            text             NOT NULL,
    amr            text[]           NOT NULL,
    auth_time      timestamptz,
    nonce          text             NOT NULL,
    state          text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'active', 'revoked')),
    revision       bigint           NOT NULL,
    pending        jsonb,
    generation     bigint           NOT NULL,
    fork           integer          NOT NULL,
    parent_fork    integer          NOT NULL,
    key_id         integer          NOT NULL,
    issued_at      timestamptz,
    retired        timestamptz[]    NOT NULL,
    shared_at      timestamptz,
    seen           json             NOT NULL,
    secret_hash    bytea            NOT NULL,
    expires_at     timestamptz      NOT NULL,
    created_at     timestamptz      NOT NULL,
    sender         text             NOT NULL,
    revoked_at     timestamptz,
    revoked_reason text             NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX grants_expiry ON grants (expires_at);
CREATE INDEX grants_user ON grants (user_id);
CREATE INDEX grants_client ON grants (client_id);

CREATE TABLE denied_tokens (
    grant_id   uuid        NOT NULL,
    serial     bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (grant_id, serial)
);
CREATE INDEX denied_tokens_expiry ON denied_tokens (expires_at);

-- The generic cell rate algorithm: tat is the theoretical arrival time of the next token.
CREATE TABLE buckets (
    key bytea       NOT NULL PRIMARY KEY,
    tat timestamptz NOT NULL
);
CREATE INDEX buckets_tat ON buckets (tat);

CREATE TABLE keys (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    use        text COLLATE "C" NOT NULL CHECK (use IN ('sig', 'handle')),
    algorithm  text             NOT NULL,
    number     integer          NOT NULL,
    state      text             NOT NULL,
    public     text             NOT NULL,
    sealed     bytea            NOT NULL,
    created_at timestamptz      NOT NULL
);
CREATE UNIQUE INDEX keys_number ON keys (number) WHERE use = 'handle';

CREATE TABLE outbox (
    id         uuid        NOT NULL PRIMARY KEY,
    kind       text        NOT NULL,
    user_id    uuid,
    data       json        NOT NULL,
    attempt    integer     NOT NULL,
    due_at     timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE audit_events (
    id        uuid             NOT NULL PRIMARY KEY,
    at        timestamptz      NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    actor     text             NOT NULL,
    user_id   uuid,
    client_id text COLLATE "C" NOT NULL,
    grant_id  uuid,
    seen      json             NOT NULL,
    detail    json             NOT NULL
);
CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_user ON audit_events (user_id);

CREATE TABLE leases (
    name    text        NOT NULL PRIMARY KEY,
    holder  text        NOT NULL,
    ends_at timestamptz NOT NULL
);
