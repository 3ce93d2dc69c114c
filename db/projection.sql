-- Every table here is derived from the log, and can be dropped and rebuilt to the same values.

CREATE TABLE projection_state (
    projection_version INTEGER NOT NULL,
    entry_version      INTEGER NOT NULL,
    time_zone          TEXT NOT NULL,
    zone_rules         TEXT NOT NULL
) STRICT;

CREATE TABLE event_types (
    code       TEXT PRIMARY KEY,
    label      TEXT NOT NULL,
    definition TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE countries (
    alpha3 TEXT PRIMARY KEY,
    name   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    event_id            TEXT PRIMARY KEY,
    title               TEXT,
    occurred            TEXT,
    event_type          TEXT REFERENCES event_types (code),
    place               TEXT,
    country             TEXT REFERENCES countries (alpha3),
    actors              TEXT,
    state               TEXT NOT NULL,
    modality            TEXT,
    verification        TEXT,
    highlight           INTEGER,
    summary             TEXT,
    note                TEXT,
    mode                TEXT,
    contexts            TEXT,
    tags                TEXT,
    occurred_text       TEXT,
    occurred_basis      TEXT,
    occurred_from       TEXT,
    occurred_to         TEXT,
    occurred_precision  TEXT,
    year                INTEGER,
    month               TEXT,
    admin1              TEXT,
    lat                 REAL,
    lon                 REAL,
    geo_precision       INTEGER,
    about_place         TEXT,
    about_country       TEXT REFERENCES countries (alpha3),
    about_admin1        TEXT,
    about_lat           REAL,
    about_lon           REAL,
    about_geo_precision INTEGER,
    sources_count       INTEGER NOT NULL,
    at_risk             INTEGER NOT NULL,
    merged_into         TEXT REFERENCES events (event_id),
    extra               TEXT,
    version             INTEGER NOT NULL,
    corrections_count   INTEGER NOT NULL,
    seq                 INTEGER NOT NULL REFERENCES log (seq),
    recorded_at         TEXT NOT NULL,
    first_recorded_at   TEXT NOT NULL,
    reported_at         TEXT,
    event_key           INTEGER NOT NULL UNIQUE
) STRICT;

CREATE INDEX events_occurred ON events (occurred_from, event_id);
CREATE INDEX events_event_type ON events (event_type);
CREATE INDEX events_country ON events (country);
CREATE INDEX events_month ON events (month);
CREATE INDEX events_seq ON events (seq);

CREATE VIEW current_events AS SELECT * FROM events WHERE state = 'current';

CREATE TABLE actors (
    actor_id    TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    aliases     TEXT,
    country     TEXT REFERENCES countries (alpha3),
    wikidata    TEXT,
    merged_into TEXT REFERENCES actors (actor_id),
    seq         INTEGER REFERENCES log (seq)
) STRICT;

-- The names of recorded actors, folded: how a participant finds its actor.
CREATE TABLE actor_names (
    name_key TEXT NOT NULL,
    actor_id TEXT NOT NULL REFERENCES actors (actor_id),
    PRIMARY KEY (name_key, actor_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    source_id        TEXT PRIMARY KEY,
    title            TEXT,
    publisher        TEXT,
    published        TEXT,
    url              TEXT,
    authors          TEXT,
    archive_url      TEXT,
    accessed         TEXT,
    language         TEXT,
    licence          TEXT,
    reliability      TEXT,
    media_type       TEXT,
    text_sha256      TEXT,
    state            TEXT NOT NULL,
    withdrawn_reason TEXT,
    version          INTEGER NOT NULL,
    seq              INTEGER NOT NULL REFERENCES log (seq),
    recorded_at      TEXT NOT NULL,
    source_key       INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE source_states (
    source_id     TEXT NOT NULL REFERENCES sources (source_id),
    seq           INTEGER NOT NULL REFERENCES log (seq),
    state         TEXT NOT NULL,
    recorded_at   TEXT NOT NULL,
    reported_from TEXT NOT NULL,
    reason        TEXT,
    PRIMARY KEY (source_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX sources_url ON sources (url);
CREATE INDEX sources_title ON sources (title);
CREATE INDEX sources_withdrawn ON sources (source_id) WHERE state = 'withdrawn';

-- What a source is called: by its title, else its address, else its id.
CREATE VIEW source_names AS
SELECT source_id, coalesce(title, url, source_id) AS name FROM sources;

CREATE TABLE event_actors (
    event_id     TEXT NOT NULL REFERENCES events (event_id),
    position     INTEGER NOT NULL,
    actor_id     TEXT NOT NULL REFERENCES actors (actor_id),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    as_named     TEXT,
    office       TEXT,
    country      TEXT REFERENCES countries (alpha3),
    organisation TEXT,
    sector       TEXT,
    wikidata     TEXT,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_actors_actor ON event_actors (actor_id);

CREATE TABLE event_tags (
    event_id TEXT NOT NULL REFERENCES events (event_id),
    tag      TEXT NOT NULL,
    PRIMARY KEY (event_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_tags_tag ON event_tags (tag);

CREATE TABLE event_quantities (
    event_id    TEXT NOT NULL REFERENCES events (event_id),
    position    INTEGER NOT NULL,
    measure     TEXT NOT NULL,
    qualifier   TEXT NOT NULL,
    value       ANY,
    low         ANY,
    high        ANY,
    unit        TEXT NOT NULL,
    dated       TEXT,
    reported_by TEXT,
    source_ids  TEXT,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_quantities_measure ON event_quantities (measure, unit);

CREATE TABLE event_claims (
    event_id   TEXT NOT NULL REFERENCES events (event_id),
    position   INTEGER NOT NULL,
    speaker    TEXT NOT NULL,
    stance     TEXT NOT NULL,
    statement  TEXT,
    source_ids TEXT,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_relations (
    event_id         TEXT NOT NULL REFERENCES events (event_id),
    relation         TEXT NOT NULL,
    related_event_id TEXT NOT NULL,
    origin           TEXT NOT NULL,
    own_event_id     TEXT REFERENCES events (event_id),
    PRIMARY KEY (event_id, relation, related_event_id, origin)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_relations_related ON event_relations (own_event_id);

CREATE TABLE event_media (
    event_id   TEXT NOT NULL REFERENCES events (event_id),
    position   INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    sha256     TEXT REFERENCES media_files (sha256),
    url        TEXT,
    media_type TEXT,
    width      INTEGER,
    height     INTEGER,
    alt        TEXT,
    caption    TEXT,
    credit     TEXT,
    licence    TEXT,
    source_id  TEXT REFERENCES sources (source_id),
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_media_sha256 ON event_media (sha256);

CREATE TABLE citations (
    event_id       TEXT NOT NULL REFERENCES events (event_id),
    position       INTEGER NOT NULL,
    source_id      TEXT NOT NULL REFERENCES sources (source_id),
    source_version INTEGER,
    quote          TEXT,
    quote_start    INTEGER,
    quote_end      INTEGER,
    credibility    INTEGER,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX citations_source ON citations (source_id);

-- An external id has one event now; in the past of the reported clock, it may have two.
CREATE TABLE event_external_ids (
    external_id TEXT NOT NULL,
    event_id    TEXT NOT NULL REFERENCES events (event_id),
    PRIMARY KEY (external_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_external_ids_event ON event_external_ids (event_id);

-- An event after one of its entries. What it said lies in the log at `content_seq`, and
-- is not copied: the view below reads it there.
CREATE TABLE event_versions (
    event_id       TEXT NOT NULL REFERENCES events (event_id),
    version        INTEGER NOT NULL,
    seq            INTEGER NOT NULL REFERENCES log (seq),
    kind           TEXT NOT NULL,
    state          TEXT NOT NULL,
    recorded_at    TEXT NOT NULL,
    superseded_at  TEXT,
    reported_at    TEXT,
    reported_from  TEXT NOT NULL,
    author         TEXT,
    reason         TEXT,
    proposed_by    TEXT,
    merged_into    TEXT,
    content_seq    INTEGER NOT NULL REFERENCES log (seq),
    superseded_seq INTEGER,
    PRIMARY KEY (event_id, version)
) STRICT, WITHOUT ROWID;

-- The two clocks: each finds the version of one event, as of any moment, in one look.
CREATE INDEX event_versions_recorded ON event_versions (event_id, seq);
CREATE INDEX event_versions_reported ON event_versions (event_id, reported_from);

CREATE VIEW event_version_contents AS
SELECT v.event_id, v.version, v.seq, v.kind, v.state, v.recorded_at, v.superseded_at,
       v.reported_at, v.reported_from, v.author, v.reason, l.payload AS content
  FROM event_versions AS v JOIN log AS l ON l.seq = v.content_seq;

-- Leads from an entry about an event to the version that it made. CROSS JOIN: the entry is
-- found first, by its `seq`, then its version, by the key of the table.
CREATE VIEW entry_versions AS
SELECT l.seq, v.event_id, v.version, v.kind, v.state, v.recorded_at, v.reported_at,
       v.reported_from, v.merged_into, v.content_seq
  FROM log AS l CROSS JOIN event_versions AS v
    ON v.event_id = substr(l.subject, 7) AND v.version = l.version AND v.seq = l.seq;

CREATE TABLE field_changes (
    event_id  TEXT NOT NULL REFERENCES events (event_id),
    version   INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    path      TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    kind      TEXT NOT NULL,
    reason    TEXT,
    seq       INTEGER NOT NULL REFERENCES log (seq),
    PRIMARY KEY (event_id, version, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX field_changes_seq ON field_changes (seq);

-- What the versions in 32,768 entries of the log have, by facet and value: their `seq`, as a
-- roaring bitmap. Of the last, unfinished segment there is nothing yet.
CREATE TABLE facet_segments (
    facet   TEXT NOT NULL,
    value   TEXT NOT NULL,
    segment INTEGER NOT NULL,
    seqs    BLOB NOT NULL,
    PRIMARY KEY (facet, value, segment)
) STRICT, WITHOUT ROWID;

-- Words of events, without case and diacritics; rowid is events.event_key. It keeps no text, only
-- the index: what it is given are the words that search_words.py makes of the texts. The beginnings
-- of words of 2, 4 and 5 characters are indexed too, and help to find those of 1 and 3.
CREATE VIRTUAL TABLE event_search USING fts5 (
    title, summary, quotes, actors, places,
    content = '', prefix = '2 4 5',
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);
