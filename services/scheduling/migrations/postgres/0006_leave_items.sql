-- min_reader_version: 3

-- The plan's version when the item was last written, under which the audit log tells of it; NULL: by a release that
-- told of the plan alone.
ALTER TABLE leave_plan_item ADD COLUMN version BIGINT;
