-- +goose Up
-- Protected resources that tokens are asked for (RFC 8707), and the client assertions (RFC 7523) that were used, until they
-- could not be used again anyway.

CREATE TABLE resources (
    identifier TEXT    NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL,
    metadata   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE spent_assertions (
    digest     BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_assertions_expiry ON spent_assertions (expires_at);
