-- What is kept for some days is counted by the store's own age, not by the wall clock: that one may leap (store/age.py).
ALTER TABLE gateway ADD COLUMN age REAL NOT NULL DEFAULT 0;    -- in seconds, at the moment of gateway.uptime

-- The changes from seq on were made when the store was of this age or older.
CREATE TABLE marks (seq INTEGER PRIMARY KEY, age REAL NOT NULL) STRICT;
INSERT INTO marks (seq, age) VALUES (0, 0);    -- what is there already counts as of today

CREATE INDEX orders_ended ON orders (seq) WHERE cleared IS NOT NULL;    -- in the order in which they ended

-- In seconds from the start of an order to its end, by the uptime; NULL: only the wall clock knows, as before this step.
ALTER TABLE orders ADD COLUMN took REAL;
DROP INDEX orders_cleared;
CREATE INDEX orders_cleared ON orders (cleared, started, took) WHERE cleared IS NOT NULL; -- statistics need nothing else
