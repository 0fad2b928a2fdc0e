-- Times are Unix milliseconds; 0 is "never". Ids that the other database refers to are never used again
-- (AUTOINCREMENT). Bulk tables have no foreign keys: a look-up per row would cost an import a third of its
-- time; the code that deletes a row deletes what hangs on it, and a test looks for orphans.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  name            TEXT    NOT NULL UNIQUE,
  from_addr       TEXT    NOT NULL,
  from_name       TEXT    NOT NULL,
  provider        TEXT    NOT NULL,
  host            TEXT    NOT NULL,
  port            INTEGER NOT NULL,
  tls             TEXT    NOT NULL,
  user            TEXT    NOT NULL,
  auth            TEXT    NOT NULL,
  profile         TEXT    NOT NULL,
  connections     INTEGER NOT NULL,
  per_minute      INTEGER NOT NULL,
  per_hour        INTEGER NOT NULL,
  per_day         INTEGER NOT NULL,
  per_session     INTEGER NOT NULL,
  gap_min_ms      INTEGER NOT NULL,
  gap_max_ms      INTEGER NOT NULL,
  ca_file         TEXT    NOT NULL,
  fingerprint     TEXT    NOT NULL,
  legacy_tls      INTEGER NOT NULL,
  allow_plaintext INTEGER NOT NULL,
  created         INTEGER NOT NULL,
  updated         INTEGER NOT NULL
) STRICT;

CREATE TABLE letters (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT    NOT NULL,
  subject     TEXT    NOT NULL,
  body        TEXT    NOT NULL,
  format      TEXT    NOT NULL,
  from_name   TEXT    NOT NULL,
  reply_to    TEXT    NOT NULL,
  attachments TEXT    NOT NULL, -- JSON: paths, names and types; the files stay where they are
  updated     INTEGER NOT NULL
) STRICT;

-- What users say about where addresses came from and how people agreed: the same few sentences for a
-- million contacts, so contacts refer to them by number.
CREATE TABLE statements (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE contacts (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  email     TEXT    NOT NULL, -- normalised: the key
  address   TEXT    NOT NULL, -- as it is shown; '' when the same as email
  name      TEXT    NOT NULL,
  fields    TEXT    NOT NULL, -- JSON object with sorted keys; '' for none
  source    INTEGER NOT NULL, -- statements.id, 0 for none
  consent   INTEGER NOT NULL, -- statements.id, 0 for not recorded
  import_id INTEGER NOT NULL, -- the import that brought the contact, 0 for none
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contacts_email ON contacts(email);
CREATE INDEX contacts_name ON contacts(name COLLATE NOCASE);

CREATE TABLE lists (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  name    TEXT    NOT NULL UNIQUE,
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE list_members (
  list_id    INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  import_id  INTEGER NOT NULL, -- the import that put the contact there, 0 for a person's own hand
  PRIMARY KEY (list_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_members_contact ON list_members(contact_id);

-- One row per import. Its counts grow with each chunk, in the chunk's own transaction.
CREATE TABLE imports (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  list_id      INTEGER NOT NULL,
  list_created INTEGER NOT NULL,
  list_name    TEXT    NOT NULL,
  source       TEXT    NOT NULL,
  consent      TEXT    NOT NULL,
  file_name    TEXT    NOT NULL,
  format       TEXT    NOT NULL,
  charset      TEXT    NOT NULL,
  state        TEXT    NOT NULL CHECK (state IN ('open', 'done', 'undone')),
  rows         INTEGER NOT NULL DEFAULT 0,
  added        INTEGER NOT NULL DEFAULT 0,
  updated      INTEGER NOT NULL DEFAULT 0,
  duplicate    INTEGER NOT NULL DEFAULT 0,
  suppressed   INTEGER NOT NULL DEFAULT 0,
  started      INTEGER NOT NULL,
  finished     INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every contact that an import named: the record of where an address came from, and what tells a second
-- appearance in one file from a first.
CREATE TABLE contact_sources (
  import_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  PRIMARY KEY (import_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_sources_contact ON contact_sources(contact_id);

-- What a known contact was before an import changed it, for undo.
CREATE TABLE import_before (
  import_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  fields     TEXT    NOT NULL,
  source     INTEGER NOT NULL,
  consent    INTEGER NOT NULL,
  updated    INTEGER NOT NULL,
  PRIMARY KEY (import_id, contact_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE contact_tags (
  tag_id     INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  PRIMARY KEY (tag_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_tags_contact ON contact_tags(contact_id);

CREATE TABLE segments (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  name    TEXT    NOT NULL UNIQUE,
  filter  TEXT    NOT NULL, -- JSON
  updated INTEGER NOT NULL
) STRICT;

-- Who is never mailed. Apart from contacts on purpose: it survives their removal.
CREATE TABLE suppressions (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  key    TEXT    NOT NULL UNIQUE, -- a normalised address, or "@" and a domain
  reason TEXT    NOT NULL,
  detail TEXT    NOT NULL,
  at     INTEGER NOT NULL
) STRICT;
