-- When a secret ends by itself, in Unix seconds; NULL: it does not.
ALTER TABLE tokens ADD COLUMN ends REAL;
