-- From here on every page of the file ends with a checksum (store/pages.py). An older gateway would write pages without:
-- this version keeps it out. The name of the format tells a file that has lost its checksums from one that had none.
PRAGMA application_id = 1953785719;    -- "ttgw"
