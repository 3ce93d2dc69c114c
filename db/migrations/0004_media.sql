-- Attached files, by the SHA-256 of their bytes ("sha256:<hex>"). A file never changes, but a
-- `media.erased`, or the `entry.erased` of the last entry that names it, can erase it: then its bytes
-- are deleted with all that only they could prove (its type, size, width and height), and `erased_by`
-- names that entry. Bytes that were erased never come in again.
CREATE TABLE media_files (
    sha256      TEXT PRIMARY KEY,
    media_type  TEXT,
    size        INTEGER CHECK (size > 0),
    width       INTEGER,
    height      INTEGER,
    attached_at TEXT NOT NULL,
    erased_by   TEXT,
    CHECK ((media_type IS NULL) = (size IS NULL)),
    CHECK ((width IS NULL) = (height IS NULL)),
    CHECK (CASE WHEN erased_by IS NULL THEN size IS NOT NULL
                ELSE size IS NULL AND width IS NULL END)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER media_files_guard BEFORE INSERT ON media_files BEGIN
    SELECT RAISE(ABORT, 'media_files: this file is already attached')
     WHERE EXISTS (SELECT 1 FROM media_files WHERE sha256 = NEW.sha256);
    SELECT RAISE(ABORT, 'media_files: this file was erased')
     WHERE EXISTS (SELECT 1 FROM log WHERE subject = 'media/' || substr(NEW.sha256, 8));
END;

CREATE TRIGGER media_files_never_change BEFORE UPDATE ON media_files
WHEN NOT (OLD.erased_by IS NULL
          AND NEW.sha256 IS OLD.sha256 AND NEW.attached_at IS OLD.attached_at
          AND EXISTS (SELECT 1 FROM log WHERE id = NEW.erased_by
                       AND (kind = 'entry.erased' OR subject = 'media/' || substr(OLD.sha256, 8))))
BEGIN
    SELECT RAISE(ABORT, 'media_files: files never change');
END;

CREATE TRIGGER media_files_never_forget BEFORE DELETE ON media_files BEGIN
    SELECT RAISE(ABORT, 'media_files: files are never deleted');
END;

-- The bytes of the files. They are apart from `media_files`, so that nobody reads them by chance,
-- and have a rowid, by which they can be read in pieces.
CREATE TABLE media_bytes (
    sha256 TEXT PRIMARY KEY NOT NULL REFERENCES media_files (sha256),
    body   BLOB NOT NULL
) STRICT;

CREATE TRIGGER media_bytes_guard BEFORE INSERT ON media_bytes BEGIN
    SELECT RAISE(ABORT, 'media_bytes: these bytes are already kept')
     WHERE EXISTS (SELECT 1 FROM media_bytes WHERE sha256 = NEW.sha256 OR rowid = NEW.rowid);
    SELECT RAISE(ABORT, 'media_bytes: this file is not attached')
     WHERE NOT EXISTS (SELECT 1 FROM media_files
                        WHERE sha256 = NEW.sha256 AND erased_by IS NULL
                          AND size = length(NEW.body));
END;

CREATE TRIGGER media_bytes_never_change BEFORE UPDATE ON media_bytes BEGIN
    SELECT RAISE(ABORT, 'media_bytes: bytes never change');
END;

CREATE TRIGGER media_bytes_never_forget BEFORE DELETE ON media_bytes
WHEN NOT EXISTS (SELECT 1 FROM media_files WHERE sha256 = OLD.sha256 AND erased_by IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'media_bytes: bytes are never deleted');
END;

CREATE TRIGGER media_files_erased AFTER UPDATE OF erased_by ON media_files BEGIN
    DELETE FROM media_bytes WHERE sha256 = NEW.sha256;
    INSERT OR IGNORE INTO scrub_pending SELECT seq FROM log WHERE id = NEW.erased_by;
END;
