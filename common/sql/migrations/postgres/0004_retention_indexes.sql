-- min_reader_version: 2
-- concurrently
CREATE INDEX CONCURRENTLY idempotency_by_organization_age
  ON idempotency (organization_id, create_time);
DROP INDEX CONCURRENTLY idempotency_by_age;
