-- +goose Up

-- A recording is a file; about is its header as JSON, for lists. SQLite takes
-- PostgreSQL's name of the type and keeps bytes as they are.
CREATE TABLE recording (
    id         TEXT PRIMARY KEY,
    kept_at    TEXT NOT NULL,
    about      TEXT NOT NULL,
    size       BIGINT NOT NULL,
    file       BYTEA NOT NULL
);

-- +goose Down
DROP TABLE recording;
