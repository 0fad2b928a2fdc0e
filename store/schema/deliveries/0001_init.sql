-- Times are Unix milliseconds; 0 is "never".

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT    NOT NULL UNIQUE,
  state       TEXT    NOT NULL CHECK (state IN ('draft', 'ready', 'running', 'paused', 'stopped', 'done')),
  reason      TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  letter      TEXT    NOT NULL, -- JSON: the campaign's own snapshot, without attachments
  list_id     INTEGER NOT NULL,
  list_name   TEXT    NOT NULL,
  account_ids TEXT    NOT NULL, -- JSON array
  seed        TEXT    NOT NULL,
  schedule    TEXT    NOT NULL, -- JSON
  created     INTEGER NOT NULL,
  started     INTEGER NOT NULL DEFAULT 0,
  finished    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE attachments (
  campaign_id INTEGER NOT NULL,
  n           INTEGER NOT NULL, -- their order
  path        TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  type        TEXT    NOT NULL,
  data        BLOB    NOT NULL,
  PRIMARY KEY (campaign_id, n)
) STRICT;

-- One row per recipient and campaign.
CREATE TABLE deliveries (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL,
  contact_id  INTEGER NOT NULL,
  email       TEXT    NOT NULL,
  address     TEXT    NOT NULL, -- '' when the same as email
  name        TEXT    NOT NULL,
  fields      TEXT    NOT NULL, -- JSON; '' for none
  state       TEXT    NOT NULL
              CHECK (state IN ('queued', 'attempting', 'accepted', 'deferred', 'rejected', 'unknown', 'skipped')),
  reason      TEXT    NOT NULL DEFAULT '',
  attempts    INTEGER NOT NULL DEFAULT 0, -- since the user last asked to try again
  tries       INTEGER NOT NULL DEFAULT 0, -- in all: the highest attempts.n
  account_id  INTEGER NOT NULL DEFAULT 0,
  step        TEXT    NOT NULL DEFAULT '',
  code        INTEGER NOT NULL DEFAULT 0,
  enhanced    TEXT    NOT NULL DEFAULT '',
  reply       TEXT    NOT NULL DEFAULT '',
  scope       TEXT    NOT NULL DEFAULT '',
  next_at     INTEGER NOT NULL DEFAULT 0, -- with deferred
  updated     INTEGER NOT NULL
) STRICT;
-- An address is mailed once in a campaign. A second appearance is kept as a skipped row of its own, so that
-- the counts add up to what the user chose.
CREATE UNIQUE INDEX deliveries_once ON deliveries(campaign_id, email) WHERE reason <> 'duplicate';
-- Pages of all.
CREATE INDEX deliveries_campaign ON deliveries(campaign_id);
-- What is due, how many there are of each state, and pages of one state.
CREATE INDEX deliveries_due ON deliveries(campaign_id, state, next_at);

-- The history: one row per attempt, written when it begins and completed when it ends, never changed after.
CREATE TABLE attempts (
  delivery_id INTEGER NOT NULL,
  n           INTEGER NOT NULL, -- 1, 2, ...
  account_id  INTEGER NOT NULL,
  started     INTEGER NOT NULL,
  ended       INTEGER NOT NULL DEFAULT 0, -- 0 while under way, and for ever after a crash
  intended    INTEGER NOT NULL,           -- 0 when nothing was said to a server about this recipient
  state       TEXT    NOT NULL,
  step        TEXT    NOT NULL DEFAULT '',
  code        INTEGER NOT NULL DEFAULT 0,
  enhanced    TEXT    NOT NULL DEFAULT '',
  reply       TEXT    NOT NULL DEFAULT '',
  scope       TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (delivery_id, n)
) STRICT, WITHOUT ROWID;
-- The limits of an account are counted from here, so a restart forgets none.
CREATE INDEX attempts_pace ON attempts(account_id, started) WHERE intended = 1;

CREATE TABLE clocks (
  account_id INTEGER PRIMARY KEY,
  state      TEXT    NOT NULL,
  until      INTEGER NOT NULL,
  scope      TEXT    NOT NULL,
  step       TEXT    NOT NULL,
  code       INTEGER NOT NULL,
  enhanced   TEXT    NOT NULL,
  reply      TEXT    NOT NULL,
  at         INTEGER NOT NULL
) STRICT;
