-- +goose Up
-- pending → active → retiring → removed, or revoked. changed_at is when the state began.
ALTER TABLE keys ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE keys SET changed_at = created_at;
CREATE UNIQUE INDEX keys_pending ON keys (use, algorithm) WHERE state = 'pending';
CREATE UNIQUE INDEX keys_active ON keys (use, algorithm) WHERE state = 'active';
