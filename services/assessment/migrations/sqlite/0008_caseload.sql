-- min_reader_version: 7

-- SQLite has json_each already.
SELECT 1;
