-- What it takes to go on with an import that was cut off: the file, what tells it from a changed one, how it was read,
-- and how far. The rows that are stored are counted in imports.rows.
ALTER TABLE imports ADD COLUMN path   TEXT    NOT NULL DEFAULT ''; -- '' for pasted text
ALTER TABLE imports ADD COLUMN size   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN digest TEXT    NOT NULL DEFAULT ''; -- SHA-256, hexadecimal
ALTER TABLE imports ADD COLUMN sheet  TEXT    NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN roles  TEXT    NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN line   INTEGER NOT NULL DEFAULT 0; -- of the last row that is stored
