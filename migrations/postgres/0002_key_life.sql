-- +goose Up
-- pending → active → retiring → removed, or revoked. changed_at is when the state began.
ALTER TABLE keys ADD COLUMN changed_at timestamptz;
UPDATE keys SET changed_at = created_at;
ALTER TABLE keys ALTER COLUMN changed_at SET NOT NULL;
CREATE UNIQUE INDEX keys_pending ON keys (use, algorithm) WHERE state = 'pending';
CREATE UNIQUE INDEX keys_active ON keys (use, algorithm) WHERE state = 'active';
