-- +goose Up
-- Requests that were refused, for a day, so that an operator can be asked about one by its X-Request-Id.
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
) STRICT;
CREATE INDEX refusals_at ON refusals (at, id);
CREATE INDEX refusals_client ON refusals (client_id, at, id);
