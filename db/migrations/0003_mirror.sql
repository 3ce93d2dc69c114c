-- The one row, if there is any, says that `timeline import jsonl` keeps this file in step with a log
-- that is written elsewhere. An append deletes the row if it makes this file another log.
CREATE TABLE mirror (
    origin TEXT PRIMARY KEY,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER mirror_of_one_log BEFORE INSERT ON mirror
WHEN EXISTS (SELECT 1 FROM mirror)
BEGIN
    SELECT RAISE(ABORT, 'mirror: this file is a mirror already');
END;

CREATE TRIGGER mirror_never_changes BEFORE UPDATE ON mirror BEGIN
    SELECT RAISE(ABORT, 'mirror: rows never change');
END;
