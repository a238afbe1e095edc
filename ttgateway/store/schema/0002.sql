-- The history, what clients set, and replays.

-- With rowids in place of uuids the indexes are a third as large, and orders that were started one after the other lie
-- together: a page of the history is read from few pages of the file, and a new order is written to few.
CREATE TABLE orders_with_rowid (
    uuid TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    location TEXT NOT NULL,
    state TEXT NOT NULL,
    started REAL NOT NULL,
    changed REAL NOT NULL,
    born REAL NOT NULL,                -- uptime at the start, the base of every age
    seq INTEGER NOT NULL,              -- of the newest change
    located REAL,
    cleared REAL,
    cleared_reason TEXT,
    paged INTEGER NOT NULL,
    paged_at REAL
) STRICT;

INSERT INTO orders_with_rowid (uuid, name, type, location, state, started, changed, born, seq, located, cleared,
    cleared_reason, paged, paged_at)
SELECT uuid, name, type, location, state, started, changed, born, seq, located, cleared, cleared_reason, paged, paged_at
FROM orders ORDER BY started, seq;

DROP TABLE orders;
ALTER TABLE orders_with_rowid RENAME TO orders;

CREATE INDEX orders_active ON orders (seq) WHERE cleared IS NULL;
CREATE INDEX orders_cleared ON orders (cleared, started) WHERE cleared IS NOT NULL; -- statistics need nothing else

-- A deep page of the history walks one of these, so they are narrow.
CREATE INDEX orders_started ON orders (started);
CREATE INDEX orders_on_premise ON orders (started) WHERE type = 'ON_PREMISE';
CREATE INDEX orders_to_go ON orders (started) WHERE type = 'TO_GO';
CREATE INDEX orders_location ON orders (location, started, type) WHERE location <> '';

-- What clients set through the API, under the names of the protocol; a key that is missing has its default.
CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A replay is under way while replay_after < replay_upto: the changes between are told again.
ALTER TABLE listeners ADD COLUMN replay_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE listeners ADD COLUMN replay_upto INTEGER NOT NULL DEFAULT 0;
