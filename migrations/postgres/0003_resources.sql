-- +goose Up
-- Protected resources that tokens are asked for (RFC 8707), and the client assertions (RFC 7523) that were used, until they
-- could not be used again anyway.

CREATE TABLE resources (
    identifier text COLLATE "C" NOT NULL PRIMARY KEY,
    revision   bigint           NOT NULL,
    metadata   json             NOT NULL,
    created_at timestamptz      NOT NULL,
    updated_at timestamptz      NOT NULL
);

CREATE TABLE spent_assertions (
    digest     bytea       NOT NULL PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX spent_assertions_expiry ON spent_assertions (expires_at);
