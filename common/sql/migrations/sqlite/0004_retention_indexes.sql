-- min_reader_version: 2
CREATE INDEX idempotency_by_organization_age ON idempotency (organization_id, create_time);
DROP INDEX idempotency_by_age;
