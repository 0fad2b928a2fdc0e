-- What users did to people by hand, so that they can take it back: what was before, copied row by row. Rows whose
-- change is gone are swept away later.

CREATE TABLE changes (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  kind   TEXT    NOT NULL,
  n      INTEGER NOT NULL, -- how many people it was done to
  what   TEXT    NOT NULL,
  ref_id INTEGER NOT NULL, -- the list or tag, 0 for none
  made   INTEGER NOT NULL, -- 1: the list or tag came with it; -1: the tag went with it
  at     INTEGER NOT NULL
) STRICT;

-- People: how they were, and what came of them.
CREATE TABLE change_contacts (
  change_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  fate       TEXT    NOT NULL CHECK (fate IN ('new', 'edited', 'gone')),
  after      INTEGER NOT NULL, -- with 'new' and 'edited': contacts.updated as the change left it
  email      TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  fields     TEXT    NOT NULL,
  source     INTEGER NOT NULL,
  consent    INTEGER NOT NULL,
  import_id  INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  updated    INTEGER NOT NULL,
  PRIMARY KEY (change_id, contact_id)
) STRICT, WITHOUT ROWID;

-- What hangs on people: gone is 1 for a row that the change took away, 0 for one that it brought.
CREATE TABLE change_members (
  change_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  list_id    INTEGER NOT NULL,
  import_id  INTEGER NOT NULL,
  gone       INTEGER NOT NULL,
  PRIMARY KEY (change_id, contact_id, list_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE change_tags (
  change_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  tag_id     INTEGER NOT NULL,
  gone       INTEGER NOT NULL,
  PRIMARY KEY (change_id, contact_id, tag_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE change_sources (
  change_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  import_id  INTEGER NOT NULL,
  gone       INTEGER NOT NULL,
  PRIMARY KEY (change_id, contact_id, import_id)
) STRICT, WITHOUT ROWID;

-- import_before rows that went with people.
CREATE TABLE change_before (
  change_id  INTEGER NOT NULL,
  contact_id INTEGER NOT NULL,
  import_id  INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  fields     TEXT    NOT NULL,
  source     INTEGER NOT NULL,
  consent    INTEGER NOT NULL,
  updated    INTEGER NOT NULL,
  PRIMARY KEY (change_id, contact_id, import_id)
) STRICT, WITHOUT ROWID;

-- Who was merged into whom: campaigns still know the one who is gone.
CREATE TABLE contact_merged (
  contact_id INTEGER PRIMARY KEY,
  into_id    INTEGER NOT NULL
) STRICT;
