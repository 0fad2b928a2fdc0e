-- Letters that may leave without a commit of their own: see ahead.go. A row is there only while one of them is open.
CREATE TABLE reservations (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: a mark that bears a later one is newer than this file
  account_id INTEGER NOT NULL,                  -- by which they were expected to leave
  at         INTEGER NOT NULL,
  members    TEXT    NOT NULL                   -- JSON: delivery id and number of the attempt, in turns
) STRICT;
