-- The log and the other tables that cannot be derived from it. They are never dropped or rewritten.

-- One row is one entry. `envelope` and `payload` have the bytes that were hashed. The other
-- columns repeat the values of the envelope, so that SQL does not need to parse it.
CREATE TABLE log (
    seq         INTEGER PRIMARY KEY CHECK (seq >= 0),
    id          TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version >= 1),
    recorded_at TEXT NOT NULL,
    reported_at TEXT,
    envelope    TEXT NOT NULL,
    payload     TEXT,
    salt        BLOB CHECK (length(salt) = 16),
    leaf        BLOB NOT NULL CHECK (length(leaf) = 32),
    UNIQUE (subject, version),
    CHECK ((payload IS NULL) = (salt IS NULL))
) STRICT;

-- A read as of a time first looks up that time in this index.
CREATE INDEX log_recorded_at ON log (recorded_at);

-- INSERT OR REPLACE does not run the two triggers below, and a UNIQUE constraint only chooses
-- the row that it replaces. So this trigger checks every row BEFORE INSERT. It calls no JSON
-- function: with trusted_schema=off, a JSON function would make every insert fail.
CREATE TRIGGER log_appends_only BEFORE INSERT ON log BEGIN
    SELECT RAISE(ABORT, 'log: seq must be the next number')
     WHERE NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM log);
    SELECT RAISE(ABORT, 'log: this id is already used')
     WHERE EXISTS (SELECT 1 FROM log WHERE id = NEW.id);
    SELECT RAISE(ABORT, 'log: version must be the next of its subject')
     WHERE NEW.version IS NOT
           (SELECT coalesce(max(version), 0) + 1 FROM log WHERE subject = NEW.subject);
END;

-- Only one change is allowed: remove the payload and the salt of an entry that a later
-- `entry.erased` names. The envelope does not change, so every proof still holds.
CREATE TRIGGER log_never_changes BEFORE UPDATE ON log
WHEN NOT (
    NEW.payload IS NULL AND NEW.salt IS NULL
    AND OLD.payload IS NOT NULL
    AND NEW.seq IS OLD.seq AND NEW.id IS OLD.id AND NEW.kind IS OLD.kind
    AND NEW.subject IS OLD.subject AND NEW.version IS OLD.version
    AND NEW.recorded_at IS OLD.recorded_at AND NEW.reported_at IS OLD.reported_at
    AND NEW.envelope IS OLD.envelope AND NEW.leaf IS OLD.leaf
    AND EXISTS (SELECT 1 FROM log AS e
                 WHERE e.subject = 'entry/' || OLD.id AND e.kind = 'entry.erased'
                   AND e.seq > OLD.seq)
)
BEGIN
    SELECT RAISE(ABORT, 'log: entries never change');
END;

CREATE TRIGGER log_never_forgets BEFORE DELETE ON log BEGIN
    SELECT RAISE(ABORT, 'log: entries are never deleted');
END;

-- The inner hashes of the Merkle tree over `leaf` (RFC 6962). Each hash is written once, in the
-- append that completes its subtree. n entries have n - b inner hashes; b is the number of 1
-- bits in n.
CREATE TABLE tree_hashes (
    position INTEGER PRIMARY KEY CHECK (position >= 0),
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER tree_hashes_appends_only BEFORE INSERT ON tree_hashes
WHEN NEW.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM tree_hashes)
BEGIN
    SELECT RAISE(ABORT, 'tree_hashes: position must be the next number');
END;

CREATE TRIGGER tree_hashes_never_change BEFORE UPDATE ON tree_hashes BEGIN
    SELECT RAISE(ABORT, 'tree_hashes: hashes never change');
END;

CREATE TRIGGER tree_hashes_never_forget BEFORE DELETE ON tree_hashes BEGIN
    SELECT RAISE(ABORT, 'tree_hashes: hashes are never deleted');
END;

-- Captured texts of sources, by the SHA-256 of their UTF-8 ("sha256:<hex>"). A text never
-- changes, but an `entry.erased` can erase it: then `body` is NULL, and `erased_by` names that
-- entry. If the text was found in HTML, `original_sha256` is the hash of the HTML.
CREATE TABLE source_texts (
    text_sha256     TEXT PRIMARY KEY,
    body            TEXT,
    captured_at     TEXT NOT NULL,
    original_sha256 TEXT,
    erased_by       TEXT,
    CHECK ((body IS NULL) = (erased_by IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER source_texts_guard BEFORE INSERT ON source_texts
WHEN EXISTS (SELECT 1 FROM source_texts WHERE text_sha256 = NEW.text_sha256)
BEGIN
    SELECT RAISE(ABORT, 'source_texts: this text is already kept');
END;

CREATE TRIGGER source_texts_never_change BEFORE UPDATE ON source_texts
WHEN NOT (NEW.body IS NULL AND OLD.body IS NOT NULL
          AND NEW.text_sha256 IS OLD.text_sha256 AND NEW.captured_at IS OLD.captured_at
          AND NEW.original_sha256 IS OLD.original_sha256
          AND EXISTS (SELECT 1 FROM log WHERE id = NEW.erased_by AND kind = 'entry.erased'))
BEGIN
    SELECT RAISE(ABORT, 'source_texts: texts never change');
END;

CREATE TRIGGER source_texts_never_forget BEFORE DELETE ON source_texts BEGIN
    SELECT RAISE(ABORT, 'source_texts: texts are never deleted');
END;

-- Signed tree heads (C2SP tlog-checkpoint), as they were signed. `verifier_keys` has the keys
-- that signed, one "name+hash+base64" per line, the log's own key first. When a witness adds a
-- signature, one more row is added.
CREATE TABLE checkpoints (
    size          INTEGER NOT NULL CHECK (size >= 0),
    root          BLOB NOT NULL CHECK (length(root) = 32),
    note          TEXT NOT NULL,
    verifier_keys TEXT NOT NULL,
    stored_at     TEXT NOT NULL,
    PRIMARY KEY (size, note)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER checkpoints_guard BEFORE INSERT ON checkpoints
WHEN EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size AND note = NEW.note)
BEGIN
    SELECT RAISE(ABORT, 'checkpoints: this note is already kept');
END;

CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints BEGIN
    SELECT RAISE(ABORT, 'checkpoints: notes never change');
END;

CREATE TRIGGER checkpoints_never_forget BEFORE DELETE ON checkpoints BEGIN
    SELECT RAISE(ABORT, 'checkpoints: notes are never deleted');
END;

-- One row for each state of the log that was published.
CREATE TABLE publications (
    published_at    TEXT NOT NULL PRIMARY KEY,
    size            INTEGER NOT NULL CHECK (size >= 0),
    root            BLOB NOT NULL CHECK (length(root) = 32),
    checkpoint_size INTEGER
) STRICT, WITHOUT ROWID;

CREATE TRIGGER publications_guard BEFORE INSERT ON publications
WHEN EXISTS (SELECT 1 FROM publications WHERE published_at = NEW.published_at)
BEGIN
    SELECT RAISE(ABORT, 'publications: this one is already on record');
END;

CREATE TRIGGER publications_never_change BEFORE UPDATE ON publications BEGIN
    SELECT RAISE(ABORT, 'publications: what was published never changes');
END;

CREATE TRIGGER publications_never_forget BEFORE DELETE ON publications BEGIN
    SELECT RAISE(ABORT, 'publications: what was published is never forgotten');
END;
