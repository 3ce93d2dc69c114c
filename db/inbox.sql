-- The inbox of a timeline, in a file of its own beside the database. Nothing here is in the log.
CREATE TABLE about (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- What machines propose, as they wrote it. `same` is the SHA-256 of the body with sorted keys: a
-- body that comes again is the proposal that is here.
CREATE TABLE proposals (
  id TEXT PRIMARY KEY,
  received_at TEXT NOT NULL,
  way TEXT NOT NULL CHECK (way IN ('draft', 'mcp', 'propose')),
  proposer TEXT NOT NULL,
  kind TEXT NOT NULL,
  event_id TEXT,
  expect INTEGER,
  body TEXT NOT NULL CHECK (json_valid(body)),
  same TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE documents (
  proposal_id TEXT NOT NULL REFERENCES proposals ON DELETE CASCADE,
  position INTEGER NOT NULL,
  text_sha256 TEXT NOT NULL,
  source TEXT NOT NULL CHECK (json_valid(source)),
  body TEXT NOT NULL,
  PRIMARY KEY (proposal_id, position)
) STRICT;
CREATE INDEX documents_by_text ON documents (text_sha256);

-- The newest decision about a proposal counts. A proposal that was recorded has none: its id is an
-- entry of the log.
CREATE TABLE decisions (
  number INTEGER PRIMARY KEY,
  proposal_id TEXT NOT NULL REFERENCES proposals ON DELETE CASCADE,
  decided_at TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('rejected', 'later', 'reopened')),
  by TEXT,
  reason TEXT
) STRICT;
CREATE INDEX decisions_by_proposal ON decisions (proposal_id, number);

-- What a person types into a form, until it is recorded. The id will be that of the entry.
CREATE TABLE drafts (
  id TEXT PRIMARY KEY,
  of_proposal TEXT REFERENCES proposals ON DELETE CASCADE,
  event_id TEXT,
  version INTEGER,
  fields TEXT NOT NULL CHECK (json_valid(fields)),
  by TEXT,
  saved_at TEXT NOT NULL
) STRICT;
