-- The store's first schema. Times are Unix seconds (REAL) unless said otherwise; uptimes are seconds since boot.

CREATE TABLE gateway (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch TEXT NOT NULL,               -- names this journal: another epoch, another count of seq
    id TEXT NOT NULL,                  -- names this gateway
    trimmed INTEGER NOT NULL,          -- changes up to this seq may be gone
    boot TEXT NOT NULL,                -- the boot to which every uptime in this file belongs
    uptime REAL NOT NULL,              -- when the file was last written, on both clocks
    wall REAL NOT NULL,
    clean INTEGER NOT NULL,            -- 1: closed cleanly, nothing to check at the next opening
    damage TEXT NOT NULL DEFAULT ''    -- what was lost and when, for the operator
) STRICT;

CREATE TABLE orders (
    uuid TEXT PRIMARY KEY,
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
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_active ON orders (seq) WHERE cleared IS NULL;
CREATE INDEX orders_cleared ON orders (cleared) WHERE cleared IS NOT NULL;

CREATE TABLE changes (
    seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    type TEXT NOT NULL,
    order_uuid TEXT NOT NULL,
    body BLOB NOT NULL,                -- the JSON that a version 2 listener gets, byte for byte
    crc INTEGER NOT NULL               -- of all the above: SQLite does not notice a flipped bit, we do
) STRICT;

CREATE INDEX changes_of_order ON changes (order_uuid, seq);

CREATE TABLE listeners (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    api INTEGER NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,              -- blank-separated types; '' for all
    snapshot INTEGER NOT NULL,
    catch_up TEXT NOT NULL,
    registered REAL NOT NULL,
    base INTEGER NOT NULL,             -- the cursor at the start: what lies before is none of its business
    cursor INTEGER NOT NULL,
    previous INTEGER NOT NULL,         -- the seq that was delivered last
    delivered INTEGER NOT NULL,
    coalesced INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    snapshot_due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,         -- made for the change after the cursor
    failures INTEGER NOT NULL,         -- in a row
    delay REAL NOT NULL,               -- the backoff in force, seconds
    failing_since REAL,
    last_success REAL,
    last_failure REAL,
    last_cause TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parked (
    listener TEXT NOT NULL REFERENCES listeners (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at REAL NOT NULL,
    cause TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (listener, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,             -- SHA-256 of the secret, which is kept nowhere
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    created REAL NOT NULL,
    last_used REAL,
    ip_address TEXT
) STRICT, WITHOUT ROWID;
