-- +goose Up
-- The key that pairwise subjects are made with: there is one, and it never changes.
ALTER TABLE keys DROP CONSTRAINT keys_use_check;
ALTER TABLE keys ADD CONSTRAINT keys_use_check CHECK (use IN ('sig', 'handle', 'pairwise'));
