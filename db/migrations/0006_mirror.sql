-- The one row, if there is any, says that `timeline follow` keeps this file a checked copy of a log
-- that somebody else publishes: where, by which policy (C2SP tlog-policy), and what is wrong there.
CREATE TABLE follows (
    url           TEXT NOT NULL,
    origin        TEXT NOT NULL,
    policy        TEXT NOT NULL,
    since         TEXT NOT NULL,
    seen_at       TEXT NOT NULL,
    problem       TEXT,
    problem_since TEXT,
    CHECK ((problem IS NULL) = (problem_since IS NULL))
) STRICT;

CREATE TRIGGER follows_one_log BEFORE INSERT ON follows
WHEN EXISTS (SELECT 1 FROM follows)
BEGIN
    SELECT RAISE(ABORT, 'follows: this file follows a log already');
END;

CREATE TRIGGER follows_never_renamed BEFORE UPDATE ON follows
WHEN NEW.origin IS NOT OLD.origin OR NEW.since IS NOT OLD.since
BEGIN
    SELECT RAISE(ABORT, 'follows: origin and since never change');
END;

-- Every checkpoint of that log that was seen there and held, as it was served, with the place where
-- it was seen first. Two rows of one fork are two signed histories.
CREATE TABLE sightings (
    size    INTEGER NOT NULL CHECK (size >= 0),
    root    BLOB NOT NULL CHECK (length(root) = 32),
    note    TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    place   TEXT NOT NULL,
    PRIMARY KEY (size, note)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER sightings_guard BEFORE INSERT ON sightings
WHEN EXISTS (SELECT 1 FROM sightings WHERE size = NEW.size AND note = NEW.note)
BEGIN
    SELECT RAISE(ABORT, 'sightings: this note is already kept');
END;

CREATE TRIGGER sightings_never_change BEFORE UPDATE ON sightings BEGIN
    SELECT RAISE(ABORT, 'sightings: what was seen never changes');
END;

CREATE TRIGGER sightings_never_forget BEFORE DELETE ON sightings BEGIN
    SELECT RAISE(ABORT, 'sightings: what was seen is never forgotten');
END;

-- The witnesses (C2SP tlog-witness) that this log asks to sign its checkpoints. One that is asked no
-- more has `removed_at`. With `pull`, it has no server: what it signed is fetched from its address.
CREATE TABLE witnesses (
    name         TEXT NOT NULL,
    verifier_key TEXT NOT NULL PRIMARY KEY,
    url          TEXT NOT NULL,
    pull         INTEGER NOT NULL CHECK (pull IN (0, 1)),
    added_at     TEXT NOT NULL,
    removed_at   TEXT
) STRICT, WITHOUT ROWID;
