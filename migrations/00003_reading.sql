-- +goose Up

-- A section a learner wants to find again. Sections are named by the book.
CREATE TABLE bookmark (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    chapter    TEXT NOT NULL,
    section    TEXT NOT NULL,
    marked_at  TEXT NOT NULL,
    PRIMARY KEY (learner_id, chapter, section)
);

-- What a learner wrote beside a section: plain text.
CREATE TABLE remark (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    chapter    TEXT NOT NULL,
    section    TEXT NOT NULL,
    body       TEXT NOT NULL,
    written_at TEXT NOT NULL,
    PRIMARY KEY (learner_id, chapter, section)
);

-- A note a learner gave through the page. It is nobody else's, and its bytes
-- are kept as they came.
CREATE TABLE note (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    size       BIGINT NOT NULL,
    file       BYTEA NOT NULL,
    given_at   TEXT NOT NULL,
    PRIMARY KEY (learner_id, name)
);

-- +goose Down
DROP TABLE note;
DROP TABLE remark;
DROP TABLE bookmark;
