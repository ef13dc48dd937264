-- +goose Up

-- A learner is whoever holds a cookie; there are no accounts.
CREATE TABLE learner (
    id         TEXT PRIMARY KEY,
    created_at TEXT NOT NULL
);

-- Where somebody is in a chapter.
CREATE TABLE place (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    chapter    TEXT NOT NULL,
    step       TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (learner_id, chapter)
);

-- The newest run of a chapter's scene: which log, and the event each fact was
-- seen in. Sequence numbers mean something in that log only.
CREATE TABLE reached (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    chapter    TEXT NOT NULL,
    step       TEXT NOT NULL,
    log_id     TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    reached_at TEXT NOT NULL,
    PRIMARY KEY (learner_id, chapter, step)
);

-- What was predicted, and what the log then said; answer is empty until it did.
CREATE TABLE prediction (
    learner_id   TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    chapter      TEXT NOT NULL,
    chosen       TEXT NOT NULL,
    answer       TEXT NOT NULL,
    predicted_at TEXT NOT NULL,
    PRIMARY KEY (learner_id, chapter)
);

CREATE TABLE checkpoint (
    learner_id TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    chapter    TEXT NOT NULL,
    passed_at  TEXT NOT NULL,
    PRIMARY KEY (learner_id, chapter)
);

-- +goose Down
DROP TABLE checkpoint;
DROP TABLE prediction;
DROP TABLE reached;
DROP TABLE place;
DROP TABLE learner;
