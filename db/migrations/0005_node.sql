-- The one row, if there is any, says that this file is a node of a cluster: a copy of a log whose
-- order is a stream on several servers. The row says up to which message of the stream the log here
-- goes. With the row comes the trigger of db/node_guard.sql, and both are taken out together.
CREATE TABLE node (
    cluster    TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('writer', 'reader')),
    with_texts INTEGER NOT NULL CHECK (with_texts IN (0, 1)),
    generation INTEGER NOT NULL CHECK (generation > 0),
    created    TEXT NOT NULL,
    message    INTEGER NOT NULL CHECK (message >= 0),
    message_id TEXT NOT NULL,
    size       INTEGER NOT NULL CHECK (size >= 0),
    scrubbed   INTEGER NOT NULL,
    unexcused  TEXT NOT NULL,
    writing    INTEGER NOT NULL CHECK (writing IN (0, 1)),
    doubt      TEXT,
    doubt_body BLOB,
    CHECK ((doubt IS NULL) = (doubt_body IS NULL))
) STRICT;

CREATE TRIGGER node_of_one_cluster BEFORE INSERT ON node
WHEN EXISTS (SELECT 1 FROM node)
BEGIN
    SELECT RAISE(ABORT, 'node: this file is a node already');
END;
