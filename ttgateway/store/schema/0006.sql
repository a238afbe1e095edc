-- By an order's random uuid each change went to a page of its own: half of what a commit wrote. orders.seq leads to the
-- same changes (store/tables/journal.py).
DROP INDEX changes_of_order;
