-- +goose Up
-- Requests that were refused, for a day, so that an operator can be asked about one by its X-Request-Id.
CREATE TABLE refusals (
    id          text COLLATE "C" NOT NULL PRIMARY KEY,
    at          timestamptz      NOT NULL,
    endpoint    text             NOT NULL,
    client_id   text COLLATE "C" NOT NULL,
    grant_type  text             NOT NULL,
    code        text             NOT NULL,
    description text             NOT NULL,
    cause       text             NOT NULL,
    grant_id    uuid,
    token       text             NOT NULL,
    seen        json             NOT NULL
);
CREATE INDEX refusals_at ON refusals (at, id);
CREATE INDEX refusals_client ON refusals (client_id, at, id);
