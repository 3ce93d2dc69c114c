-- The state of a witness, in a file of its own. It is one thing with the key of the witness: with an
-- older state under the same key, the witness may sign a second history.
CREATE TABLE witness (
  verifier_key TEXT NOT NULL
) STRICT;

CREATE TRIGGER witness_one_key BEFORE INSERT ON witness
WHEN EXISTS (SELECT 1 FROM witness)
BEGIN
  SELECT RAISE(ABORT, 'witness: the key of a state never changes');
END;

-- Every log that was ever trusted. `newest` is the checkpoint that was signed last, with the
-- signatures of the log and of the witness: two that one log signed show a fork to anybody.
CREATE TABLE logs (
  origin TEXT PRIMARY KEY,
  newest TEXT
) STRICT;

CREATE TRIGGER logs_never_forget BEFORE DELETE ON logs BEGIN
  SELECT RAISE(ABORT, 'logs: what was signed is never forgotten');
END;

-- The keys of logs. One that is trusted no more has `untrusted_at`: what it signed may still be shown.
CREATE TABLE keys (
  verifier_key TEXT PRIMARY KEY,
  origin TEXT NOT NULL REFERENCES logs,
  trusted_at TEXT NOT NULL,
  untrusted_at TEXT
) STRICT;
CREATE INDEX keys_by_origin ON keys (origin);

-- The newest checkpoints that a log signed and that were refused, each with the one that was signed
-- last. Of one size, they are a fork by themselves (`is_fork`).
CREATE TABLE refused (
  number INTEGER PRIMARY KEY,
  origin TEXT NOT NULL REFERENCES logs,
  newest TEXT NOT NULL,
  note TEXT NOT NULL,
  is_fork INTEGER NOT NULL CHECK (is_fork IN (0, 1)),
  refused_at TEXT NOT NULL,
  UNIQUE (note, is_fork)
) STRICT;
