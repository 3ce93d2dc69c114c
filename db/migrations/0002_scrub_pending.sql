-- One row is an erasure whose words may still be bytes in the file: in its free pages or in its
-- write-ahead log. `seq` is the number of the entry that erases. Triggers add the row in the same
-- transaction that empties the entry or the text. It is deleted after VACUUM and a checkpoint that
-- empties the write-ahead log.
CREATE TABLE scrub_pending (
    seq INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER scrub_pending_guard BEFORE INSERT ON scrub_pending
WHEN NOT EXISTS (SELECT 1 FROM log WHERE seq = NEW.seq AND kind GLOB '*.erased')
BEGIN
    SELECT RAISE(ABORT, 'scrub_pending: this entry erases nothing');
END;

CREATE TRIGGER scrub_pending_never_changes BEFORE UPDATE ON scrub_pending BEGIN
    SELECT RAISE(ABORT, 'scrub_pending: rows never change');
END;

CREATE TRIGGER log_erased AFTER UPDATE OF payload ON log BEGIN
    INSERT OR IGNORE INTO scrub_pending
    SELECT seq FROM log WHERE subject = 'entry/' || NEW.id AND kind = 'entry.erased';
END;

CREATE TRIGGER source_texts_erased AFTER UPDATE OF body ON source_texts BEGIN
    INSERT OR IGNORE INTO scrub_pending SELECT seq FROM log WHERE id = NEW.erased_by;
END;

-- An older version did not note whether it finished an erasure.
INSERT INTO scrub_pending
SELECT DISTINCT e.seq FROM log AS l
  JOIN log AS e ON e.subject = 'entry/' || l.id AND e.kind = 'entry.erased'
 WHERE l.payload IS NULL;
