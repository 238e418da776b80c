-- statement audit.add_leaf feed
INSERT INTO audit_leaf (organization_id, leaf_index, entry, content_hash, salt, leaf_hash,
                          occur_time, sequence_time, kind, principal, resource, version)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
-- statement audit.add_node feed
INSERT INTO audit_node (organization_id, level, node_index, node_hash)
  VALUES ($1, $2, $3, $4)
-- statement audit.append tenant
INSERT INTO audit_pending (organization_id, entry, content_hash, occur_time)
  VALUES ($1, $2, $3, $4)
-- statement audit.earlier_leaves feed
SELECT leaf_hash FROM audit_leaf WHERE organization_id = $1 ORDER BY leaf_index
-- statement audit.leaf.hashes tenant
SELECT leaf_index, leaf_hash FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index >= $2 AND leaf_index < $3 ORDER BY leaf_index
-- statement audit.move_tree feed
INSERT INTO audit_tree (organization_id, tree_size, root_hash, frontier) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id) DO UPDATE
  SET tree_size = excluded.tree_size, root_hash = excluded.root_hash,
      frontier = excluded.frontier
-- statement audit.node.hashes tenant
SELECT node_index, node_hash FROM audit_node
  WHERE organization_id = $1 AND node_index >= $2 AND node_index < $3 AND level = $4
  ORDER BY node_index
-- statement audit.take feed
DELETE FROM audit_pending WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT $1)
  RETURNING id, organization_id, entry, content_hash, occur_time,
    (SELECT tree.tree_size FROM audit_tree AS tree
     WHERE tree.organization_id = audit_pending.organization_id),
    (SELECT tree.frontier FROM audit_tree AS tree
     WHERE tree.organization_id = audit_pending.organization_id)
-- statement audit.tree.get tenant
SELECT tree_size, root_hash FROM audit_tree WHERE organization_id = $1
-- statement audit.verify.after tenant
SELECT leaf_index FROM audit_leaf WHERE organization_id = $1 AND leaf_index > $2
  ORDER BY leaf_index LIMIT 1
-- statement audit.verify.by_hash tenant
SELECT leaf_index FROM audit_leaf WHERE organization_id = $1 AND leaf_hash = $2 LIMIT 1
-- statement audit.verify.erasures tenant
SELECT entry FROM audit_leaf WHERE organization_id = $1 AND kind = 4
-- statement audit.verify.heads tenant
SELECT tree_size, root_hash, sign_time, key_id, signature FROM audit_head
  WHERE organization_id = $1 AND tree_size > $2 ORDER BY tree_size LIMIT $3
-- statement audit.verify.last_of tenant
SELECT max(leaf_index) FROM audit_leaf
  WHERE organization_id = $1 AND resource = $2 AND version = $3
-- statement audit.verify.leaves tenant
SELECT leaf_index, entry, content_hash, salt, leaf_hash, kind, principal, resource, version
  FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index >= $2 AND leaf_index < $3 ORDER BY leaf_index
-- statement audit.verify.newest_of tenant
SELECT entry FROM audit_leaf
  WHERE organization_id = $1 AND resource = $2 AND kind = 1
  ORDER BY version DESC LIMIT 1
-- statement audit.verify.pending tenant
SELECT entry, occur_time FROM audit_pending WHERE organization_id = $1 ORDER BY id
-- statement auditing.add_head feed
INSERT INTO audit_head (organization_id, tree_size, root_hash, sign_time, key_id, signature)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, tree_size) DO NOTHING
-- statement auditing.last_head feed
SELECT tree_size, sign_time FROM audit_head WHERE organization_id = $1
  ORDER BY tree_size DESC LIMIT 1
-- statement auditing.list tenant
SELECT leaf_index, entry, content_hash, salt, leaf_hash, sequence_time FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index < $2 AND occur_time >= $3 AND occur_time < $4
    AND ($5 = '' OR replace($5, ',' || coalesce(kind, 1) || ',', '') <> $5)
  ORDER BY leaf_index DESC LIMIT $6
-- statement auditing.list_of_principal tenant
SELECT leaf_index, entry, content_hash, salt, leaf_hash, sequence_time FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index < $2 AND occur_time >= $3 AND occur_time < $4
    AND ($5 = '' OR replace($5, ',' || coalesce(kind, 1) || ',', '') <> $5)
    AND principal = $7
  ORDER BY leaf_index DESC LIMIT $6
-- statement auditing.list_of_resource tenant
SELECT leaf_index, entry, content_hash, salt, leaf_hash, sequence_time FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index < $2 AND occur_time >= $3 AND occur_time < $4
    AND ($5 = '' OR replace($5, ',' || coalesce(kind, 1) || ',', '') <> $5)
    AND ($7 = '' OR principal = $7)
    AND (resource = $8 OR (resource > $9 AND resource < $10))
  ORDER BY leaf_index DESC LIMIT $6
-- statement auditing.trees feed
SELECT tree.organization_id, tree.tree_size,
    (SELECT max(head.tree_size) FROM audit_head AS head
     WHERE head.organization_id = tree.organization_id)
  FROM audit_tree AS tree
-- statement call.idempotency.get tenant
SELECT request_hmac, resources, version FROM idempotency
  WHERE organization_id = $1 AND principal = $2 AND method = $3 AND request_id = $4
    AND create_time > $5
-- statement call.idempotency.put tenant
INSERT INTO idempotency (organization_id, principal, method, request_id, request_hmac, resources,
                           version, create_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, principal, method, request_id) DO UPDATE
  SET request_hmac = excluded.request_hmac, resources = excluded.resources,
      version = excluded.version, create_time = excluded.create_time
-- statement call.organization.state tenant
SELECT state FROM organization WHERE organization_id = $1
-- statement consumer.begin feed
INSERT INTO consumer_cursor (consumer, feed, cursor, update_time) VALUES ($1, $2, $3, $4)
  ON CONFLICT (consumer, feed) DO NOTHING
-- statement consumer.count_parked feed
SELECT count(*) FROM parked_event WHERE consumer = $1 AND feed = $2
-- statement consumer.drop_parked feed
DELETE FROM parked_event WHERE consumer = $1 AND feed = $2
-- statement consumer.failed_again tenant
UPDATE parked_event SET attempts = attempts + 1, error_code = $5
  WHERE organization_id = $3 AND consumer = $1 AND feed = $2 AND position = $4
-- statement consumer.hold feed
UPDATE consumer_cursor SET update_time = update_time WHERE consumer = $1 AND feed = $2
-- statement consumer.is_parked tenant
SELECT 1 FROM parked_event
  WHERE organization_id = $3 AND consumer = $1 AND feed = $2 AND resource = $4 LIMIT 1
-- statement consumer.list_parked feed
SELECT position, event FROM parked_event WHERE consumer = $1 AND feed = $2 AND position > $3
  ORDER BY position LIMIT $4
-- statement consumer.load feed
SELECT cursor, update_time FROM consumer_cursor WHERE consumer = $1 AND feed = $2
-- statement consumer.move feed
UPDATE consumer_cursor SET cursor = $4, update_time = $5
  WHERE consumer = $1 AND feed = $2 AND cursor = $3
-- statement consumer.park tenant
INSERT INTO parked_event (consumer, feed, organization_id, position, resource, event, attempts,
                            error_code, park_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
-- statement consumer.unpark tenant
DELETE FROM parked_event
  WHERE organization_id = $3 AND consumer = $1 AND feed = $2 AND position = $4
-- statement events.advance feed
UPDATE feed_state SET last_position = last_position + $1
-- statement events.append tenant
INSERT INTO outbox_pending (organization_id, event_id, resource, version, type, payload,
                              occur_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
-- statement events.compact.advance feed
UPDATE feed_compaction SET compacted_until = $1
-- statement events.compact.drop feed
DELETE FROM event WHERE position IN (
    SELECT older.position FROM event AS newer JOIN event AS older
      ON older.organization_id = newer.organization_id AND older.resource = newer.resource
     AND older.type = newer.type AND older.position < newer.position
    WHERE newer.position > $1 AND newer.position <= $2)
-- statement events.compact.next feed
SELECT max(position) FROM event WHERE position > $1 AND position <= $2 AND sequence_time < $3
-- statement events.compacted_until feed
SELECT compacted_until FROM feed_compaction
-- statement events.consumer.forget feed
DELETE FROM feed_consumer WHERE update_time < $1
-- statement events.consumer.note feed
INSERT INTO feed_consumer (consumer, position, update_time) VALUES ($1, $2, $3)
  ON CONFLICT (consumer) DO UPDATE
  SET position = CASE WHEN feed_consumer.position > excluded.position
                      THEN feed_consumer.position ELSE excluded.position END,
      update_time = excluded.update_time
-- statement events.consumer.slowest feed
SELECT min(position) FROM feed_consumer
-- statement events.forget feed
DELETE FROM outbox_pending WHERE event_id IN (
    SELECT event_id FROM event WHERE position >= $1 AND position <= $2)
-- statement events.look feed
SELECT last_position,
    (SELECT occur_time FROM outbox_pending ORDER BY id LIMIT 1),
    (SELECT occur_time FROM audit_pending ORDER BY id LIMIT 1)
  FROM feed_state
-- statement events.number feed
INSERT INTO event (position, organization_id, event_id, resource, version, type, payload,
                     occur_time, sequence_time)
  SELECT feed_state.last_position + row_number() OVER (ORDER BY batch.id), batch.organization_id,
    batch.event_id, batch.resource, batch.version, batch.type, batch.payload, batch.occur_time, $2
  FROM (SELECT * FROM outbox_pending ORDER BY id LIMIT $1) AS batch, feed_state
  WHERE feed_state.id = 1
  RETURNING position
-- statement events.read feed
SELECT position, organization_id, event_id, resource, version, occur_time, payload FROM event
  WHERE position > $1 AND position <= $2
    AND ($3 = '' OR replace($3, ',' || type || ',', '') <> $3)
  ORDER BY position LIMIT $4
-- statement events.read_of_one tenant
SELECT position, organization_id, event_id, resource, version, occur_time, payload FROM event
  WHERE organization_id = $5 AND position > $1 AND position <= $2
    AND ($3 = '' OR replace($3, ',' || type || ',', '') <> $3)
  ORDER BY position LIMIT $4
-- statement events.read_pending feed
SELECT organization_id, event_id, resource, version, occur_time, payload FROM outbox_pending
  WHERE $1 = '' OR replace($1, ',' || type || ',', '') <> $1
  ORDER BY id LIMIT $2
-- statement events.snapshot feed
SELECT e.position, e.organization_id, e.event_id, e.resource, e.version, e.occur_time, e.payload
  FROM event AS e
  WHERE e.position > $1 AND e.position <= $2
    AND ($3 = '' OR replace($3, ',' || e.type || ',', '') <> $3)
    AND NOT EXISTS (SELECT 1 FROM event AS newer
                    WHERE newer.organization_id = e.organization_id
                      AND newer.resource = e.resource AND newer.type = e.type
                      AND newer.position > e.position AND newer.position <= $5)
  ORDER BY e.position LIMIT $4
-- statement events.snapshot_of_one tenant
SELECT e.position, e.organization_id, e.event_id, e.resource, e.version, e.occur_time, e.payload
  FROM event AS e
  WHERE e.organization_id = $6 AND e.position > $1 AND e.position <= $2
    AND ($3 = '' OR replace($3, ',' || e.type || ',', '') <> $3)
    AND NOT EXISTS (SELECT 1 FROM event AS newer
                    WHERE newer.organization_id = e.organization_id
                      AND newer.resource = e.resource AND newer.type = e.type
                      AND newer.position > e.position AND newer.position <= $5)
  ORDER BY e.position LIMIT $4
-- statement events.state feed
SELECT epoch, last_position FROM feed_state
-- statement feed.organization tenant
SELECT 1 FROM organization WHERE organization_id = $1
-- statement retention.idempotency tenant
DELETE FROM idempotency WHERE organization_id = $1 AND (principal, method, request_id) IN (
    SELECT old.principal, old.method, old.request_id FROM idempotency AS old
    WHERE old.organization_id = $1 AND old.create_time < $2
    ORDER BY old.create_time LIMIT $3) AND create_time < $2
-- statement retention.organizations feed
SELECT organization_id FROM organization WHERE organization_id > $1
  ORDER BY organization_id LIMIT $2
-- statement scheduling.appointment.context tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END, (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))))), (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4))), (SELECT x.ends_at FROM claim x WHERE x.organization_id = $1 AND x.booking = a.appointment_id AND x.resource = 'clinicians/' || a.clinician_id), c.document, c.version, (SELECT COUNT(*) FROM appointment u WHERE u.organization_id = $1 AND u.course_id = a.course_id AND u.segment = c.segment AND u.used = 1), p.document, k.document, t.document FROM appointment a LEFT JOIN course c ON c.organization_id = $1 AND c.course_id = a.course_id JOIN organization_profile p ON p.organization_id = $1 LEFT JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = a.clinic_id LEFT JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = a.clinician_id WHERE a.organization_id = $1 AND a.appointment_id = $2
-- statement scheduling.appointment.get tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END, (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))))), (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4))), (SELECT x.ends_at FROM claim x WHERE x.organization_id = $1 AND x.booking = a.appointment_id AND x.resource = 'clinicians/' || a.clinician_id) FROM appointment a WHERE a.organization_id = $1 AND a.appointment_id = $2
-- statement scheduling.appointment.insert tenant
INSERT INTO appointment (organization_id, appointment_id, version, course_id, patient_id,
                           clinician_id, clinic_id, series_id, starts_at, ends_at, state, counts,
                           used, private, segment, room, tzdata_version, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
-- statement scheduling.appointment.list_booked_within tenant
SELECT appointment_id FROM appointment WHERE organization_id = $1 AND clinician_id = $2 AND state = 1 AND starts_at > $3 - 32400000000 AND starts_at < $4 AND ends_at > $3 ORDER BY starts_at, appointment_id LIMIT $5
-- statement scheduling.appointment.list_of_clinic tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END, (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))), (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10))) FROM appointment a WHERE a.organization_id = $1 AND a.clinic_id = $2 AND a.starts_at >= $3 AND a.starts_at < $4 AND (a.starts_at, a.appointment_id) > ($5, $6) AND (($7 = 1 AND ($8 = '' OR replace($8, ',' || a.clinic_id || ',', '') <> $8)) OR (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))) OR (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)))) AND $12 >= 0 ORDER BY a.starts_at, a.appointment_id LIMIT $13
-- statement scheduling.appointment.list_of_clinician tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END, (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))), (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10))) FROM appointment a WHERE a.organization_id = $1 AND a.clinician_id = $2 AND a.starts_at >= $3 AND a.starts_at < $4 AND (a.starts_at, a.appointment_id) > ($5, $6) AND (($7 = 1 AND ($8 = '' OR replace($8, ',' || a.clinic_id || ',', '') <> $8)) OR (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))) OR (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)))) AND $12 >= 0 ORDER BY a.starts_at, a.appointment_id LIMIT $13
-- statement scheduling.appointment.list_of_course tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END, (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))), (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10))) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = $2 AND a.starts_at >= $3 AND a.starts_at < $4 AND (a.starts_at, a.appointment_id) > ($5, $6) AND (($7 = 1 AND ($8 = '' OR replace($8, ',' || a.clinic_id || ',', '') <> $8)) OR (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))) OR (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)))) AND (a.private = 0 OR $12 = 1 OR (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))) OR (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)))) ORDER BY a.starts_at, a.appointment_id LIMIT $13
-- statement scheduling.appointment.list_of_patient tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END, (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))), (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10))) FROM attendee w JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = w.appointment_id WHERE w.organization_id = $1 AND w.person = $2 AND w.starts_at >= $3 AND w.starts_at < $4 AND (w.starts_at, w.appointment_id) > ($5, $6) AND (($7 = 1 AND ($8 = '' OR replace($8, ',' || a.clinic_id || ',', '') <> $8)) OR (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))) OR (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)))) AND (a.private = 0 OR $12 = 1 OR (EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = a.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = a.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $9 AND (me.clinician_id = own.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = own.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))))) OR (EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = a.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10) OR EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1 AND own.course_id = a.course_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $11 WHERE pair.organization_id = $1 AND pair.supervisee_id = own.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)))) ORDER BY w.starts_at, w.appointment_id LIMIT $13
-- statement scheduling.appointment.list_of_series tenant
SELECT a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END FROM appointment a WHERE a.organization_id = $1 AND a.course_id = $2 AND a.series_id = $3 ORDER BY a.starts_at, a.appointment_id
-- statement scheduling.appointment.update tenant
UPDATE appointment
  SET version = version + 1, course_id = $4, clinician_id = $5, starts_at = $6, ends_at = $7,
      state = $8, counts = $9, used = $10, segment = $11, room = $12, tzdata_version = $13,
      document = $14
  WHERE organization_id = $1 AND appointment_id = $2 AND version = $3
-- statement scheduling.attendee.insert tenant
INSERT INTO attendee (organization_id, person, starts_at, appointment_id)
  VALUES ($1, $2, $3, $4)
-- statement scheduling.attendee.move tenant
UPDATE attendee SET starts_at = $3 WHERE organization_id = $1 AND appointment_id = $2
-- statement scheduling.audited.appointment tenant
SELECT version, document FROM appointment
  WHERE organization_id = $1 AND appointment_id = $2
-- statement scheduling.audited.appointment_alone tenant
SELECT 'organizations/' || r.organization_id || '/appointments/' || r.appointment_id, r.version FROM appointment AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/appointments/' || r.appointment_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.clinic tenant
SELECT version, document FROM clinic
  WHERE organization_id = $1 AND clinic_id = $2
-- statement scheduling.audited.clinic_alone tenant
SELECT 'organizations/' || r.organization_id || '/clinics/' || r.clinic_id, r.version FROM clinic AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/clinics/' || r.clinic_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.clinician tenant
SELECT version, document FROM clinician
  WHERE organization_id = $1 AND clinician_id = $2
-- statement scheduling.audited.clinician_alone tenant
SELECT 'organizations/' || r.organization_id || '/clinicians/' || r.clinician_id, r.version FROM clinician AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/clinicians/' || r.clinician_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.course tenant
SELECT version, document FROM course
  WHERE organization_id = $1 AND course_id = $2
-- statement scheduling.audited.course_alone tenant
SELECT 'organizations/' || r.organization_id || '/courses/' || r.course_id, r.version FROM course AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/courses/' || r.course_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.cover tenant
SELECT version, document FROM cover
  WHERE organization_id = $1 AND cover_id = $2
-- statement scheduling.audited.cover_alone tenant
SELECT 'organizations/' || r.organization_id || '/covers/' || r.cover_id, r.version FROM cover AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/covers/' || r.cover_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.group tenant
SELECT version, document FROM care_group
  WHERE organization_id = $1 AND group_id = $2
-- statement scheduling.audited.group_alone tenant
SELECT 'organizations/' || r.organization_id || '/groups/' || r.group_id, r.version FROM care_group AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/groups/' || r.group_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.group_session tenant
SELECT version, document FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND session_id = $3
-- statement scheduling.audited.group_session_alone tenant
SELECT 'organizations/' || r.organization_id || '/groups/' || r.group_id || '/sessions/' || r.session_id, r.version FROM group_session AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/groups/' || r.group_id || '/sessions/' || r.session_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.organization tenant
SELECT version, document FROM organization_profile
  WHERE organization_id = $1
-- statement scheduling.audited.protocol tenant
SELECT 1, document FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id = $2 AND CAST(revision AS TEXT) = $3
-- statement scheduling.audited.protocol_alone tenant
SELECT 'organizations/' || r.organization_id || '/protocols/' || r.protocol_id || '/revisions/' || r.revision, 1 FROM protocol_revision AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = 1 AND leaf.resource = 'organizations/' || r.organization_id || '/protocols/' || r.protocol_id || '/revisions/' || r.revision WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.room tenant
SELECT version, document FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3
-- statement scheduling.audited.room_alone tenant
SELECT 'organizations/' || r.organization_id || '/clinics/' || r.clinic_id || '/rooms/' || r.room_id, r.version FROM room AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/clinics/' || r.clinic_id || '/rooms/' || r.room_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.supervision tenant
SELECT version, document FROM supervision
  WHERE organization_id = $1 AND supervision_id = $2
-- statement scheduling.audited.supervision_alone tenant
SELECT 'organizations/' || r.organization_id || '/supervisions/' || r.supervision_id, r.version FROM supervision AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/supervisions/' || r.supervision_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.time_off tenant
SELECT version, document FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3
-- statement scheduling.audited.time_off_alone tenant
SELECT 'organizations/' || r.organization_id || '/clinicians/' || r.clinician_id || '/timeOffs/' || r.time_off_id, r.version FROM time_off AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/clinicians/' || r.clinician_id || '/timeOffs/' || r.time_off_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.audited.waitlist_entry tenant
SELECT version, document FROM waitlist_entry
  WHERE organization_id = $1 AND entry_id = $2
-- statement scheduling.audited.waitlist_entry_alone tenant
SELECT 'organizations/' || r.organization_id || '/waitlistEntries/' || r.entry_id, r.version FROM waitlist_entry AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/waitlistEntries/' || r.entry_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement scheduling.booking.context tenant
SELECT 1, c.document, k.document, p.document, CASE WHEN EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))) THEN 1 ELSE 0 END, CASE WHEN EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4) THEN 1 ELSE 0 END, c.version, '', CAST(NULL AS BIGINT) FROM course c JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = c.clinic_id JOIN organization_profile p ON p.organization_id = $1 WHERE c.organization_id = $1 AND c.course_id = $2 UNION ALL SELECT 2, NULL, NULL, NULL, a.counts, 0, a.starts_at, a.appointment_id, (SELECT MAX(x.expires_at) FROM claim x WHERE x.organization_id = $1 AND x.booking = a.appointment_id) FROM course c JOIN appointment a ON a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.private = 0 AND (a.counts = 1 OR a.state = 6) WHERE c.organization_id = $1 AND c.course_id = $2
-- statement scheduling.booking.place tenant
SELECT k.document, p.document, EXISTS (SELECT 1 FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id = $5 AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = t.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = t.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4)))) FROM clinic k JOIN organization_profile p ON p.organization_id = $1 WHERE k.organization_id = $1 AND k.clinic_id = $2
-- statement scheduling.booking.times_16_16 tenant
WITH who(key, clinician) AS (VALUES (CAST($6 AS TEXT), CAST($7 AS TEXT)), (CAST($8 AS TEXT), CAST($9 AS TEXT)), (CAST($10 AS TEXT), CAST($11 AS TEXT)), (CAST($12 AS TEXT), CAST($13 AS TEXT)), (CAST($14 AS TEXT), CAST($15 AS TEXT)), (CAST($16 AS TEXT), CAST($17 AS TEXT)), (CAST($18 AS TEXT), CAST($19 AS TEXT)), (CAST($20 AS TEXT), CAST($21 AS TEXT)), (CAST($22 AS TEXT), CAST($23 AS TEXT)), (CAST($24 AS TEXT), CAST($25 AS TEXT)), (CAST($26 AS TEXT), CAST($27 AS TEXT)), (CAST($28 AS TEXT), CAST($29 AS TEXT)), (CAST($30 AS TEXT), CAST($31 AS TEXT)), (CAST($32 AS TEXT), CAST($33 AS TEXT)), (CAST($34 AS TEXT), CAST($35 AS TEXT)), (CAST($36 AS TEXT), CAST($37 AS TEXT))), win(lo, hi, s, e, lo_from, s_from) AS (VALUES (CAST($38 AS BIGINT), CAST($39 AS BIGINT), CAST($40 AS BIGINT), CAST($41 AS BIGINT), CAST($42 AS BIGINT), CAST($43 AS BIGINT)), (CAST($44 AS BIGINT), CAST($45 AS BIGINT), CAST($46 AS BIGINT), CAST($47 AS BIGINT), CAST($48 AS BIGINT), CAST($49 AS BIGINT)), (CAST($50 AS BIGINT), CAST($51 AS BIGINT), CAST($52 AS BIGINT), CAST($53 AS BIGINT), CAST($54 AS BIGINT), CAST($55 AS BIGINT)), (CAST($56 AS BIGINT), CAST($57 AS BIGINT), CAST($58 AS BIGINT), CAST($59 AS BIGINT), CAST($60 AS BIGINT), CAST($61 AS BIGINT)), (CAST($62 AS BIGINT), CAST($63 AS BIGINT), CAST($64 AS BIGINT), CAST($65 AS BIGINT), CAST($66 AS BIGINT), CAST($67 AS BIGINT)), (CAST($68 AS BIGINT), CAST($69 AS BIGINT), CAST($70 AS BIGINT), CAST($71 AS BIGINT), CAST($72 AS BIGINT), CAST($73 AS BIGINT)), (CAST($74 AS BIGINT), CAST($75 AS BIGINT), CAST($76 AS BIGINT), CAST($77 AS BIGINT), CAST($78 AS BIGINT), CAST($79 AS BIGINT)), (CAST($80 AS BIGINT), CAST($81 AS BIGINT), CAST($82 AS BIGINT), CAST($83 AS BIGINT), CAST($84 AS BIGINT), CAST($85 AS BIGINT)), (CAST($86 AS BIGINT), CAST($87 AS BIGINT), CAST($88 AS BIGINT), CAST($89 AS BIGINT), CAST($90 AS BIGINT), CAST($91 AS BIGINT)), (CAST($92 AS BIGINT), CAST($93 AS BIGINT), CAST($94 AS BIGINT), CAST($95 AS BIGINT), CAST($96 AS BIGINT), CAST($97 AS BIGINT)), (CAST($98 AS BIGINT), CAST($99 AS BIGINT), CAST($100 AS BIGINT), CAST($101 AS BIGINT), CAST($102 AS BIGINT), CAST($103 AS BIGINT)), (CAST($104 AS BIGINT), CAST($105 AS BIGINT), CAST($106 AS BIGINT), CAST($107 AS BIGINT), CAST($108 AS BIGINT), CAST($109 AS BIGINT)), (CAST($110 AS BIGINT), CAST($111 AS BIGINT), CAST($112 AS BIGINT), CAST($113 AS BIGINT), CAST($114 AS BIGINT), CAST($115 AS BIGINT)), (CAST($116 AS BIGINT), CAST($117 AS BIGINT), CAST($118 AS BIGINT), CAST($119 AS BIGINT), CAST($120 AS BIGINT), CAST($121 AS BIGINT)), (CAST($122 AS BIGINT), CAST($123 AS BIGINT), CAST($124 AS BIGINT), CAST($125 AS BIGINT), CAST($126 AS BIGINT), CAST($127 AS BIGINT)), (CAST($128 AS BIGINT), CAST($129 AS BIGINT), CAST($130 AS BIGINT), CAST($131 AS BIGINT), CAST($132 AS BIGINT), CAST($133 AS BIGINT)))
  SELECT 1, who.key, t.version, t.version, '', '', CAST(NULL AS BIGINT), CAST(NULL AS BIGINT),
         t.version, t.document
  FROM who JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = who.clinician
  UNION ALL
  SELECT 2, who.key, o.starts_at, o.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN time_off o ON o.organization_id = $1 AND o.clinician_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE o.starts_at < win.hi AND o.ends_at > win.lo)
  UNION ALL
  SELECT 3, who.key, s.starts_at, s.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN supervision s ON s.organization_id = $1 AND s.supervisee_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE s.starts_at < win.hi AND s.ends_at > win.lo)
  UNION ALL
  SELECT 4, c.resource, c.starts_at, c.ends_at, c.booking, COALESCE(a.clinic_id, g.clinic_id, ''),
         COALESCE(a.ends_at, n.ends_at), c.expires_at, COALESCE(a.version, 0),
         CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM who CROSS JOIN win
  JOIN claim c ON c.organization_id = $1 AND c.resource = who.key
    AND c.starts_at > win.lo_from AND c.starts_at < win.hi AND c.ends_at > win.lo
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  LEFT JOIN group_session n ON n.organization_id = $1 AND n.session_id = c.booking
  LEFT JOIN care_group g ON g.organization_id = $1 AND g.group_id = n.group_id
  UNION ALL
  SELECT 5, '', 0, 0, '', '', NULL, NULL, r.version, r.document
  FROM room r WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 6, c.resource, c.starts_at, c.ends_at, c.booking, '', NULL, c.expires_at,
         COALESCE(a.version, 0), CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM room r CROSS JOIN win
  JOIN claim c ON c.organization_id = $1
    AND c.resource = r.resource
    AND c.starts_at > win.s_from AND c.starts_at < win.e AND c.ends_at > win.s
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 7, who.key, 0, 0, '', '', NULL, NULL, k.version, k.document
  FROM who
  JOIN clinician_clinic w ON w.organization_id = $1 AND w.clinician_id = who.clinician
  JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = w.clinic_id
  WHERE $5 = 1
-- statement scheduling.booking.times_4_1 tenant
WITH who(key, clinician) AS (VALUES (CAST($6 AS TEXT), CAST($7 AS TEXT)), (CAST($8 AS TEXT), CAST($9 AS TEXT)), (CAST($10 AS TEXT), CAST($11 AS TEXT)), (CAST($12 AS TEXT), CAST($13 AS TEXT))), win(lo, hi, s, e, lo_from, s_from) AS (VALUES (CAST($14 AS BIGINT), CAST($15 AS BIGINT), CAST($16 AS BIGINT), CAST($17 AS BIGINT), CAST($18 AS BIGINT), CAST($19 AS BIGINT)))
  SELECT 1, who.key, t.version, t.version, '', '', CAST(NULL AS BIGINT), CAST(NULL AS BIGINT),
         t.version, t.document
  FROM who JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = who.clinician
  UNION ALL
  SELECT 2, who.key, o.starts_at, o.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN time_off o ON o.organization_id = $1 AND o.clinician_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE o.starts_at < win.hi AND o.ends_at > win.lo)
  UNION ALL
  SELECT 3, who.key, s.starts_at, s.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN supervision s ON s.organization_id = $1 AND s.supervisee_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE s.starts_at < win.hi AND s.ends_at > win.lo)
  UNION ALL
  SELECT 4, c.resource, c.starts_at, c.ends_at, c.booking, COALESCE(a.clinic_id, g.clinic_id, ''),
         COALESCE(a.ends_at, n.ends_at), c.expires_at, COALESCE(a.version, 0),
         CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM who CROSS JOIN win
  JOIN claim c ON c.organization_id = $1 AND c.resource = who.key
    AND c.starts_at > win.lo_from AND c.starts_at < win.hi AND c.ends_at > win.lo
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  LEFT JOIN group_session n ON n.organization_id = $1 AND n.session_id = c.booking
  LEFT JOIN care_group g ON g.organization_id = $1 AND g.group_id = n.group_id
  UNION ALL
  SELECT 5, '', 0, 0, '', '', NULL, NULL, r.version, r.document
  FROM room r WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 6, c.resource, c.starts_at, c.ends_at, c.booking, '', NULL, c.expires_at,
         COALESCE(a.version, 0), CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM room r CROSS JOIN win
  JOIN claim c ON c.organization_id = $1
    AND c.resource = r.resource
    AND c.starts_at > win.s_from AND c.starts_at < win.e AND c.ends_at > win.s
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 7, who.key, 0, 0, '', '', NULL, NULL, k.version, k.document
  FROM who
  JOIN clinician_clinic w ON w.organization_id = $1 AND w.clinician_id = who.clinician
  JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = w.clinic_id
  WHERE $5 = 1
-- statement scheduling.booking.times_4_16 tenant
WITH who(key, clinician) AS (VALUES (CAST($6 AS TEXT), CAST($7 AS TEXT)), (CAST($8 AS TEXT), CAST($9 AS TEXT)), (CAST($10 AS TEXT), CAST($11 AS TEXT)), (CAST($12 AS TEXT), CAST($13 AS TEXT))), win(lo, hi, s, e, lo_from, s_from) AS (VALUES (CAST($14 AS BIGINT), CAST($15 AS BIGINT), CAST($16 AS BIGINT), CAST($17 AS BIGINT), CAST($18 AS BIGINT), CAST($19 AS BIGINT)), (CAST($20 AS BIGINT), CAST($21 AS BIGINT), CAST($22 AS BIGINT), CAST($23 AS BIGINT), CAST($24 AS BIGINT), CAST($25 AS BIGINT)), (CAST($26 AS BIGINT), CAST($27 AS BIGINT), CAST($28 AS BIGINT), CAST($29 AS BIGINT), CAST($30 AS BIGINT), CAST($31 AS BIGINT)), (CAST($32 AS BIGINT), CAST($33 AS BIGINT), CAST($34 AS BIGINT), CAST($35 AS BIGINT), CAST($36 AS BIGINT), CAST($37 AS BIGINT)), (CAST($38 AS BIGINT), CAST($39 AS BIGINT), CAST($40 AS BIGINT), CAST($41 AS BIGINT), CAST($42 AS BIGINT), CAST($43 AS BIGINT)), (CAST($44 AS BIGINT), CAST($45 AS BIGINT), CAST($46 AS BIGINT), CAST($47 AS BIGINT), CAST($48 AS BIGINT), CAST($49 AS BIGINT)), (CAST($50 AS BIGINT), CAST($51 AS BIGINT), CAST($52 AS BIGINT), CAST($53 AS BIGINT), CAST($54 AS BIGINT), CAST($55 AS BIGINT)), (CAST($56 AS BIGINT), CAST($57 AS BIGINT), CAST($58 AS BIGINT), CAST($59 AS BIGINT), CAST($60 AS BIGINT), CAST($61 AS BIGINT)), (CAST($62 AS BIGINT), CAST($63 AS BIGINT), CAST($64 AS BIGINT), CAST($65 AS BIGINT), CAST($66 AS BIGINT), CAST($67 AS BIGINT)), (CAST($68 AS BIGINT), CAST($69 AS BIGINT), CAST($70 AS BIGINT), CAST($71 AS BIGINT), CAST($72 AS BIGINT), CAST($73 AS BIGINT)), (CAST($74 AS BIGINT), CAST($75 AS BIGINT), CAST($76 AS BIGINT), CAST($77 AS BIGINT), CAST($78 AS BIGINT), CAST($79 AS BIGINT)), (CAST($80 AS BIGINT), CAST($81 AS BIGINT), CAST($82 AS BIGINT), CAST($83 AS BIGINT), CAST($84 AS BIGINT), CAST($85 AS BIGINT)), (CAST($86 AS BIGINT), CAST($87 AS BIGINT), CAST($88 AS BIGINT), CAST($89 AS BIGINT), CAST($90 AS BIGINT), CAST($91 AS BIGINT)), (CAST($92 AS BIGINT), CAST($93 AS BIGINT), CAST($94 AS BIGINT), CAST($95 AS BIGINT), CAST($96 AS BIGINT), CAST($97 AS BIGINT)), (CAST($98 AS BIGINT), CAST($99 AS BIGINT), CAST($100 AS BIGINT), CAST($101 AS BIGINT), CAST($102 AS BIGINT), CAST($103 AS BIGINT)), (CAST($104 AS BIGINT), CAST($105 AS BIGINT), CAST($106 AS BIGINT), CAST($107 AS BIGINT), CAST($108 AS BIGINT), CAST($109 AS BIGINT)))
  SELECT 1, who.key, t.version, t.version, '', '', CAST(NULL AS BIGINT), CAST(NULL AS BIGINT),
         t.version, t.document
  FROM who JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = who.clinician
  UNION ALL
  SELECT 2, who.key, o.starts_at, o.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN time_off o ON o.organization_id = $1 AND o.clinician_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE o.starts_at < win.hi AND o.ends_at > win.lo)
  UNION ALL
  SELECT 3, who.key, s.starts_at, s.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN supervision s ON s.organization_id = $1 AND s.supervisee_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE s.starts_at < win.hi AND s.ends_at > win.lo)
  UNION ALL
  SELECT 4, c.resource, c.starts_at, c.ends_at, c.booking, COALESCE(a.clinic_id, g.clinic_id, ''),
         COALESCE(a.ends_at, n.ends_at), c.expires_at, COALESCE(a.version, 0),
         CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM who CROSS JOIN win
  JOIN claim c ON c.organization_id = $1 AND c.resource = who.key
    AND c.starts_at > win.lo_from AND c.starts_at < win.hi AND c.ends_at > win.lo
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  LEFT JOIN group_session n ON n.organization_id = $1 AND n.session_id = c.booking
  LEFT JOIN care_group g ON g.organization_id = $1 AND g.group_id = n.group_id
  UNION ALL
  SELECT 5, '', 0, 0, '', '', NULL, NULL, r.version, r.document
  FROM room r WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 6, c.resource, c.starts_at, c.ends_at, c.booking, '', NULL, c.expires_at,
         COALESCE(a.version, 0), CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM room r CROSS JOIN win
  JOIN claim c ON c.organization_id = $1
    AND c.resource = r.resource
    AND c.starts_at > win.s_from AND c.starts_at < win.e AND c.ends_at > win.s
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 7, who.key, 0, 0, '', '', NULL, NULL, k.version, k.document
  FROM who
  JOIN clinician_clinic w ON w.organization_id = $1 AND w.clinician_id = who.clinician
  JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = w.clinic_id
  WHERE $5 = 1
-- statement scheduling.claim.book tenant
UPDATE claim SET state = 'BOOKED', expires_at = NULL
  WHERE organization_id = $1 AND booking = $2
-- statement scheduling.claim.delete tenant
DELETE FROM claim WHERE organization_id = $1 AND booking = $2
-- statement scheduling.claim.insert tenant
INSERT INTO claim (organization_id, resource, booking, starts_at, ends_at, state, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
-- statement scheduling.claim.insert_many tenant
INSERT INTO claim (organization_id, resource, booking, starts_at, ends_at, state, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7), ($1, $8, $9, $10, $11, $12, $13), ($1, $14, $15, $16, $17, $18, $19), ($1, $20, $21, $22, $23, $24, $25), ($1, $26, $27, $28, $29, $30, $31), ($1, $32, $33, $34, $35, $36, $37), ($1, $38, $39, $40, $41, $42, $43), ($1, $44, $45, $46, $47, $48, $49), ($1, $50, $51, $52, $53, $54, $55), ($1, $56, $57, $58, $59, $60, $61), ($1, $62, $63, $64, $65, $66, $67), ($1, $68, $69, $70, $71, $72, $73), ($1, $74, $75, $76, $77, $78, $79), ($1, $80, $81, $82, $83, $84, $85), ($1, $86, $87, $88, $89, $90, $91), ($1, $92, $93, $94, $95, $96, $97)
-- statement scheduling.clinic.delete tenant
DELETE FROM clinic WHERE organization_id = $1 AND clinic_id = $2 AND version = $3
-- statement scheduling.clinic.documents tenant
SELECT document FROM clinic WHERE organization_id = $1
-- statement scheduling.clinic.get tenant
SELECT document, version FROM clinic WHERE organization_id = $1 AND clinic_id = $2
-- statement scheduling.clinic.insert tenant
INSERT INTO clinic (organization_id, clinic_id, version, document)
  VALUES ($1, $2, 1 + coalesce((SELECT retired_name.version FROM retired_name WHERE retired_name.organization_id = $1 AND retired_name.name = $4), 0), $3)
  RETURNING version
-- statement scheduling.clinic.known tenant
SELECT clinic_id FROM clinic
  WHERE organization_id = $1 AND clinic_id IN ($2, $3, $4, $5, $6, $7, $8, $9)
-- statement scheduling.clinic.list tenant
SELECT document, version FROM clinic WHERE organization_id = $1 AND clinic_id > $2
  ORDER BY clinic_id LIMIT $3
-- statement scheduling.clinic.update tenant
UPDATE clinic SET version = version + 1, document = $4
  WHERE organization_id = $1 AND clinic_id = $2 AND version = $3
-- statement scheduling.clinic.used_by tenant
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM room WHERE organization_id = $1 AND clinic_id = $2) THEN 'rooms'
    WHEN EXISTS (SELECT 1 FROM clinician_clinic WHERE organization_id = $1 AND clinic_id = $2)
      THEN 'clinicians'
    WHEN EXISTS (SELECT 1 FROM course WHERE organization_id = $1 AND clinic_id = $2) THEN 'courses'
    WHEN EXISTS (SELECT 1 FROM care_group WHERE organization_id = $1 AND clinic_id = $2)
      THEN 'groups'
    WHEN EXISTS (SELECT 1 FROM appointment WHERE organization_id = $1 AND clinic_id = $2)
      THEN 'appointments'
    ELSE '' END
-- statement scheduling.clinician.delete tenant
DELETE FROM clinician
  WHERE organization_id = $1 AND clinician_id = $2 AND version = $3
-- statement scheduling.clinician.get tenant
SELECT document, version FROM clinician WHERE organization_id = $1 AND clinician_id = $2
-- statement scheduling.clinician.insert tenant
INSERT INTO clinician (organization_id, clinician_id, version, subject, document)
  VALUES ($1, $2, 1 + coalesce((SELECT retired_name.version FROM retired_name WHERE retired_name.organization_id = $1 AND retired_name.name = $5), 0), nullif($3, ''), $4)
  RETURNING version
-- statement scheduling.clinician.known tenant
SELECT clinician_id FROM clinician
  WHERE organization_id = $1 AND clinician_id IN ($2, $3, $4, $5, $6, $7, $8, $9)
-- statement scheduling.clinician.link_clinics tenant
INSERT INTO clinician_clinic (organization_id, clinician_id, clinic_id)
  SELECT $1, $2, clinic_id FROM clinic
  WHERE organization_id = $1 AND replace($3, ',' || clinic_id || ',', '') <> $3
-- statement scheduling.clinician.list tenant
SELECT document, version FROM clinician WHERE organization_id = $1 AND clinician_id > $2
  ORDER BY clinician_id LIMIT $3
-- statement scheduling.clinician.other_with_subject tenant
SELECT 1 FROM clinician
  WHERE organization_id = $1 AND subject = $2 AND clinician_id <> $3
-- statement scheduling.clinician.unlink_clinics tenant
DELETE FROM clinician_clinic WHERE organization_id = $1 AND clinician_id = $2
-- statement scheduling.clinician.update tenant
UPDATE clinician SET version = version + 1, subject = nullif($4, ''), document = $5
  WHERE organization_id = $1 AND clinician_id = $2 AND version = $3
-- statement scheduling.clinician.used_by tenant
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM course WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'courses'
    WHEN EXISTS (SELECT 1 FROM appointment WHERE organization_id = $1 AND clinician_id = $2)
      OR EXISTS (SELECT 1 FROM claim WHERE organization_id = $1 AND resource = $3)
      THEN 'appointments'
    WHEN EXISTS (SELECT 1 FROM care_group WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'groups'
    WHEN EXISTS (SELECT 1 FROM cover
                 WHERE organization_id = $1
                   AND (clinician_id = $2 OR covering_clinician_id = $2)) THEN 'covers'
    WHEN EXISTS (SELECT 1 FROM supervision
                 WHERE organization_id = $1
                   AND (supervisor_id = $2 OR supervisee_id = $2)) THEN 'supervisions'
    WHEN EXISTS (SELECT 1 FROM time_off WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'timeOffs'
    WHEN EXISTS (SELECT 1 FROM leave_plan WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'leavePlans'
    WHEN EXISTS (SELECT 1 FROM waitlist_entry WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'waitlistEntries'
    ELSE '' END
-- statement scheduling.course.count_open tenant
SELECT COUNT(*) FROM course
  WHERE organization_id = $1 AND clinician_id = $2 AND state BETWEEN 1 AND 5
-- statement scheduling.course.get tenant
SELECT c.document, c.version, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))), EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.used = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.state = 3 AND a.counts = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.counts = 1), COALESCE((SELECT k.formulation_agreed FROM course_case k WHERE k.organization_id = $1 AND k.course_id = c.course_id), 0) FROM course c WHERE c.organization_id = $1 AND c.course_id = $2
-- statement scheduling.course.get_relation tenant
SELECT c.version, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))), EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4) FROM course c WHERE c.organization_id = $1 AND c.course_id = $2
-- statement scheduling.course.insert tenant
INSERT INTO course (organization_id, course_id, version, patient_id, partner_id, clinician_id,
                      clinic_id, state, create_time, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9)
-- statement scheduling.course.list tenant
SELECT c.document, c.version, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3))), EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $12 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.used = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.state = 3 AND a.counts = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.counts = 1), COALESCE((SELECT k.formulation_agreed FROM course_case k WHERE k.organization_id = $1 AND k.course_id = c.course_id), 0) FROM course c WHERE c.organization_id = $1 AND $10 = '' AND $11 = '' AND ($4 & (CAST(1 AS BIGINT) << CAST(c.state AS INTEGER))) <> 0 AND (($5 = 1 AND ($6 = '' OR replace($6, ',' || c.clinic_id || ',', '') <> $6)) OR EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3))) OR EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $12 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3)) AND (c.create_time, c.course_id) < ($7, $8) ORDER BY c.create_time DESC, c.course_id DESC LIMIT $9
-- statement scheduling.course.list_attended tenant
WITH RECURSIVE wanted (place) AS (
    SELECT CAST(0 AS BIGINT) UNION ALL SELECT place + 1 FROM wanted WHERE place + 1 < $3
  ), ids AS MATERIALIZED (
    SELECT place, substr(CAST($2 AS TEXT), CAST(place AS INTEGER) * 26 + 1, 26) AS course_id
    FROM wanted
  )
  SELECT s.place, s.number, s.document FROM (
    SELECT w.place, a.state, a.document, ROW_NUMBER() OVER (
        PARTITION BY w.place ORDER BY a.starts_at, a.appointment_id) AS number
    FROM ids w
    JOIN course c ON c.organization_id = $1 AND c.course_id = w.course_id
    JOIN appointment a ON a.organization_id = $1 AND a.course_id = c.course_id
      AND a.segment = c.segment AND a.counts = 1
  ) s
  WHERE s.state IN (2, 3) ORDER BY s.place, s.number
-- statement scheduling.course.list_of_clinician tenant
SELECT c.document, c.version, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3))), EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $12 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.used = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.state = 3 AND a.counts = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.counts = 1), COALESCE((SELECT k.formulation_agreed FROM course_case k WHERE k.organization_id = $1 AND k.course_id = c.course_id), 0) FROM course c WHERE c.organization_id = $1 AND c.clinician_id = $10 AND $11 = '' AND ($4 & (CAST(1 AS BIGINT) << CAST(c.state AS INTEGER))) <> 0 AND (($5 = 1 AND ($6 = '' OR replace($6, ',' || c.clinic_id || ',', '') <> $6)) OR EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3))) OR EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $12 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3)) AND (c.create_time, c.course_id) < ($7, $8) ORDER BY c.create_time DESC, c.course_id DESC LIMIT $9
-- statement scheduling.course.list_of_patient tenant
SELECT c.document, c.version, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3))), EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $12 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.used = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.state = 3 AND a.counts = 1), (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = c.course_id AND a.segment = c.segment AND a.counts = 1), COALESCE((SELECT k.formulation_agreed FROM course_case k WHERE k.organization_id = $1 AND k.course_id = c.course_id), 0) FROM course c WHERE c.organization_id = $1 AND (c.patient_id = $11 OR (c.partner_id = $11 AND c.partner_id <> '')) AND ($10 = '' OR c.clinician_id = $10) AND ($4 & (CAST(1 AS BIGINT) << CAST(c.state AS INTEGER))) <> 0 AND (($5 = 1 AND ($6 = '' OR replace($6, ',' || c.clinic_id || ',', '') <> $6)) OR EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = c.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = c.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3))) OR EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $12 WHERE pair.organization_id = $1 AND pair.supervisee_id = c.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3)) AND (c.create_time, c.course_id) < ($7, $8) ORDER BY c.create_time DESC, c.course_id DESC LIMIT $9
-- statement scheduling.course.list_standing tenant
SELECT document, version FROM appointment
  WHERE organization_id = $1 AND course_id = $2 AND state IN (1, 6) AND starts_at > $3
  ORDER BY starts_at, appointment_id
-- statement scheduling.course.sees_to tenant
SELECT EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = t.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = t.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))) FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id = $2
-- statement scheduling.course.update tenant
UPDATE course SET version = version + 1, clinician_id = $4, state = $5, group_id = $6,
                    segment = $7, document = $8
  WHERE organization_id = $1 AND course_id = $2 AND version = $3
-- statement scheduling.course_case.put tenant
INSERT INTO course_case (organization_id, course_id, version, determination_reopened,
                           formulation_agreed)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, course_id) DO UPDATE
  SET version = excluded.version, determination_reopened = excluded.determination_reopened,
      formulation_agreed = excluded.formulation_agreed
  WHERE course_case.version < excluded.version
-- statement scheduling.course_case.reopened tenant
SELECT determination_reopened FROM course_case
  WHERE organization_id = $1 AND course_id = $2
-- statement scheduling.cover.delete tenant
DELETE FROM cover WHERE organization_id = $1 AND cover_id = $2 AND version = $3
-- statement scheduling.cover.get tenant
SELECT document, version FROM cover WHERE organization_id = $1 AND cover_id = $2
-- statement scheduling.cover.insert tenant
INSERT INTO cover (organization_id, cover_id, version, clinician_id, covering_clinician_id,
                     starts_at, ends_at, document)
  VALUES ($1, $2, 1 + coalesce((SELECT retired_name.version FROM retired_name WHERE retired_name.organization_id = $1 AND retired_name.name = $8), 0), $3, $4, $5, $6, $7)
  RETURNING version
-- statement scheduling.cover.list tenant
SELECT document, version FROM cover
  WHERE organization_id = $1 AND (starts_at, cover_id) > ($2, $3)
  ORDER BY starts_at, cover_id LIMIT $4
-- statement scheduling.cover.update tenant
UPDATE cover SET version = version + 1, clinician_id = $4, covering_clinician_id = $5,
                   starts_at = $6, ends_at = $7, document = $8
  WHERE organization_id = $1 AND cover_id = $2 AND version = $3
-- statement scheduling.erased_patient.get tenant
SELECT erasure FROM erased_patient WHERE organization_id = $1 AND patient_id = $2
-- statement scheduling.erased_patient.insert tenant
INSERT INTO erased_patient (organization_id, patient_id, erasure, erase_time)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, patient_id) DO NOTHING
-- statement scheduling.erasure.appointments tenant
SELECT appointment_id FROM appointment WHERE organization_id = $1 AND patient_id = $2
  ORDER BY starts_at, appointment_id
-- statement scheduling.erasure.courses tenant
SELECT course_id FROM course WHERE organization_id = $1 AND patient_id = $2
  UNION
  SELECT course_id FROM course
  WHERE organization_id = $1 AND partner_id = $2 AND partner_id <> ''
  ORDER BY 1
-- statement scheduling.freed_time.defer tenant
INSERT INTO due_work (organization_id, kind, key, due_at, attempts, revision)
  SELECT $1, $2, $3, $4, 0, 0
  WHERE EXISTS (SELECT 1 FROM waitlist_entry AS w
                WHERE w.organization_id = $1 AND w.clinician_id = $5 AND w.state = 1)
  ON CONFLICT (organization_id, kind, key) DO UPDATE
  SET due_at = excluded.due_at, attempts = 0, revision = due_work.revision + 1
-- statement scheduling.group.documents tenant
SELECT document FROM care_group WHERE organization_id = $1
-- statement scheduling.group.get tenant
SELECT g.document, g.version, EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1 AND l.group_id = g.group_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = l.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = l.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4)))), EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1 AND l.group_id = g.group_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = l.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4)) FROM care_group g WHERE g.organization_id = $1 AND g.group_id = $2
-- statement scheduling.group.insert tenant
INSERT INTO care_group (organization_id, group_id, version, clinician_id, clinic_id, capacity,
                          create_time, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7)
-- statement scheduling.group.list tenant
SELECT g.document, g.version, EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1 AND l.group_id = g.group_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = l.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = l.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3)))), EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1 AND l.group_id = g.group_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $9 WHERE pair.organization_id = $1 AND pair.supervisee_id = l.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3)) FROM care_group g WHERE g.organization_id = $1 AND (($4 = 1 AND ($5 = '' OR replace($5, ',' || g.clinic_id || ',', '') <> $5)) OR EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1 AND l.group_id = g.group_id AND EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $2 AND (me.clinician_id = l.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = l.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $3 AND cover.ends_at > $3)))) OR EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1 AND l.group_id = g.group_id AND EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $9 WHERE pair.organization_id = $1 AND pair.supervisee_id = l.clinician_id AND pair.starts_at <= $3 AND pair.ends_at > $3))) AND (g.create_time, g.group_id) < ($6, $7) ORDER BY g.create_time DESC, g.group_id DESC LIMIT $8
-- statement scheduling.group.update tenant
UPDATE care_group SET version = version + 1, document = $4
  WHERE organization_id = $1 AND group_id = $2 AND version = $3
-- statement scheduling.group_leader.insert tenant
INSERT INTO group_leader (organization_id, group_id, clinician_id) VALUES ($1, $2, $3)
-- statement scheduling.group_leader.list tenant
SELECT t.document FROM group_leader l
  JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = l.clinician_id
  WHERE l.organization_id = $1 AND l.group_id = $2
  ORDER BY l.clinician_id
-- statement scheduling.group_member.delete tenant
DELETE FROM group_member
  WHERE organization_id = $1 AND group_id = $2 AND course_id = $3
-- statement scheduling.group_member.insert tenant
INSERT INTO group_member (organization_id, group_id, seat, capacity, course_id, join_time)
  VALUES ($1, $2, $3, $4, $5, $6)
-- statement scheduling.group_member.list tenant
SELECT m.seat, m.course_id, m.join_time, c.patient_id FROM group_member m
  JOIN course c ON c.organization_id = $1 AND c.course_id = m.course_id
  WHERE m.organization_id = $1 AND m.group_id = $2 AND m.seat > $3
  ORDER BY m.seat LIMIT $4
-- statement scheduling.group_member.taken_seats tenant
SELECT seat FROM group_member WHERE organization_id = $1 AND group_id = $2
  UNION
  SELECT p.seat FROM group_session s
  JOIN seat p ON p.organization_id = $1 AND p.session_id = s.session_id
  WHERE s.organization_id = $1 AND s.group_id = $2 AND s.state = 1 AND s.starts_at > $3
-- statement scheduling.group_session.count tenant
SELECT COUNT(*) FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND state = 1
-- statement scheduling.group_session.get tenant
SELECT document, version FROM group_session
  WHERE organization_id = $1 AND session_id = $2 AND group_id = $3
-- statement scheduling.group_session.insert tenant
INSERT INTO group_session (organization_id, group_id, session_id, version, series_id, starts_at,
                             ends_at, state, document)
  VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8)
-- statement scheduling.group_session.list tenant
SELECT document, version FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND (starts_at, session_id) > ($3, $4)
  ORDER BY starts_at, session_id LIMIT $5
-- statement scheduling.group_session.list_of_series tenant
SELECT document, version FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND series_id = $3
  ORDER BY starts_at, session_id
-- statement scheduling.group_session.list_to_come tenant
SELECT document, version FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND starts_at > $3 AND state = 1
  ORDER BY starts_at, session_id
-- statement scheduling.group_session.update tenant
UPDATE group_session SET version = version + 1, state = $4, document = $5
  WHERE organization_id = $1 AND session_id = $2 AND version = $3
-- statement scheduling.index.busy_of tenant
SELECT starts_at, ends_at FROM claim
  WHERE organization_id = $1 AND resource IN ($2, $3, $4, $5)
    AND starts_at > $6 - 32400000000 AND starts_at < $7 AND ends_at > $6
-- statement scheduling.index.claims tenant
SELECT c.resource, c.starts_at, c.booking, c.ends_at, COALESCE(a.version, g.version, 0)
  FROM claim c
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  LEFT JOIN group_session g ON g.organization_id = $1 AND g.session_id = c.booking
  WHERE c.organization_id = $1 AND c.ends_at > $2 AND c.starts_at < $3
    AND c.resource >= $7 AND c.resource < $8
    AND (c.resource, c.starts_at, c.booking) > ($4, $5, $6)
  ORDER BY c.resource, c.starts_at, c.booking LIMIT $9
-- statement scheduling.index.claims_of tenant
SELECT resource, starts_at, ends_at FROM claim
  WHERE organization_id = $1 AND booking = $2
    AND (resource >= 'clinicians/' AND resource < 'clinicians0'
         OR resource >= 'rooms/' AND resource < 'rooms0')
-- statement scheduling.index.clinician tenant
SELECT t.clinician_id, t.version, t.document, (SELECT COUNT(*) FROM course c WHERE c.organization_id = $1 AND c.clinician_id = t.clinician_id AND c.state BETWEEN 1 AND 5) FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id = $2
-- statement scheduling.index.clinicians tenant
SELECT t.clinician_id, t.version, t.document, (SELECT COUNT(*) FROM course c WHERE c.organization_id = $1 AND c.clinician_id = t.clinician_id AND c.state BETWEEN 1 AND 5) FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id > $2 ORDER BY t.clinician_id LIMIT $3
-- statement scheduling.index.covers_of tenant
SELECT covering_clinician_id, starts_at, ends_at FROM cover
  WHERE organization_id = $1 AND clinician_id = $2 AND starts_at < $4 AND ends_at > $3
  ORDER BY starts_at, cover_id
-- statement scheduling.index.former_clinicians tenant
SELECT clinician_id FROM course WHERE organization_id = $1 AND patient_id IN ($2, $3, $4, $5)
  UNION
  SELECT clinician_id FROM course
  WHERE organization_id = $1 AND partner_id <> '' AND partner_id IN ($2, $3, $4, $5)
-- statement scheduling.index.has_course tenant
SELECT EXISTS (SELECT 1 FROM course WHERE organization_id = $1 AND patient_id = $2)
    OR EXISTS (SELECT 1 FROM course
               WHERE organization_id = $1 AND partner_id <> '' AND partner_id = $2)
-- statement scheduling.index.organizations feed
SELECT organization_id FROM organization ORDER BY 1
-- statement scheduling.index.planned tenant
SELECT COUNT(*), MIN(starts_at) FROM appointment
  WHERE organization_id = $1 AND course_id = $2 AND segment = $3 AND private = 0
    AND (counts = 1 OR state = 6)
-- statement scheduling.index.position tenant
SELECT position FROM event
  WHERE organization_id = $1 AND resource = $2 AND version >= $3
  ORDER BY position LIMIT 1
-- statement scheduling.index.rooms tenant
SELECT clinic_id, room_id, version, document FROM room
  WHERE organization_id = $1 AND (clinic_id, room_id) > ($2, $3)
  ORDER BY clinic_id, room_id LIMIT $4
-- statement scheduling.index.taken tenant
WITH wanted(place, resource, starts_at, ends_at, since) AS (VALUES
    (0, $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT)),
    (1, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT)),
    (2, $10, CAST($11 AS BIGINT), CAST($12 AS BIGINT), CAST($13 AS BIGINT)),
    (3, $14, CAST($15 AS BIGINT), CAST($16 AS BIGINT), CAST($17 AS BIGINT)),
    (4, $18, CAST($19 AS BIGINT), CAST($20 AS BIGINT), CAST($21 AS BIGINT)),
    (5, $22, CAST($23 AS BIGINT), CAST($24 AS BIGINT), CAST($25 AS BIGINT)),
    (6, $26, CAST($27 AS BIGINT), CAST($28 AS BIGINT), CAST($29 AS BIGINT)),
    (7, $30, CAST($31 AS BIGINT), CAST($32 AS BIGINT), CAST($33 AS BIGINT)),
    (8, $34, CAST($35 AS BIGINT), CAST($36 AS BIGINT), CAST($37 AS BIGINT)),
    (9, $38, CAST($39 AS BIGINT), CAST($40 AS BIGINT), CAST($41 AS BIGINT)),
    (10, $42, CAST($43 AS BIGINT), CAST($44 AS BIGINT), CAST($45 AS BIGINT)),
    (11, $46, CAST($47 AS BIGINT), CAST($48 AS BIGINT), CAST($49 AS BIGINT)),
    (12, $50, CAST($51 AS BIGINT), CAST($52 AS BIGINT), CAST($53 AS BIGINT)),
    (13, $54, CAST($55 AS BIGINT), CAST($56 AS BIGINT), CAST($57 AS BIGINT)),
    (14, $58, CAST($59 AS BIGINT), CAST($60 AS BIGINT), CAST($61 AS BIGINT)),
    (15, $62, CAST($63 AS BIGINT), CAST($64 AS BIGINT), CAST($65 AS BIGINT)))
  SELECT w.place FROM wanted w WHERE EXISTS (
    SELECT 1 FROM claim c
    WHERE c.organization_id = $1 AND c.resource = w.resource
      AND c.starts_at > w.since AND c.starts_at < w.ends_at
      AND c.ends_at > w.starts_at)
  ORDER BY w.place
-- statement scheduling.index.time_offs tenant
SELECT clinician_id, time_off_id, version, starts_at, ends_at FROM time_off
  WHERE organization_id = $1 AND ends_at > $2 AND starts_at < $3
    AND (clinician_id, time_off_id) > ($4, $5)
  ORDER BY clinician_id, time_off_id LIMIT $6
-- statement scheduling.leave.busy_others tenant
SELECT DISTINCT a.appointment_id, other.starts_at, other.ends_at FROM appointment a JOIN claim mine ON mine.organization_id = $1 AND mine.booking = a.appointment_id JOIN claim other ON other.organization_id = $1 AND other.resource = mine.resource AND other.booking <> mine.booking AND other.starts_at > $7 - 32400000000 AND other.starts_at < $8 WHERE a.organization_id = $1 AND a.clinician_id = $2 AND a.state = 1 AND a.starts_at > $3 - 28800000000 AND a.starts_at < $4 AND a.ends_at > $3 AND a.starts_at > $5 AND mine.resource <> $6 AND substr(mine.resource, 1, 6) <> 'rooms/' ORDER BY a.appointment_id, other.starts_at
-- statement scheduling.leave.covers tenant
SELECT covering_clinician_id, starts_at, ends_at FROM cover
  WHERE organization_id = $1 AND clinician_id = $2 AND starts_at < $4 AND ends_at > $3
  ORDER BY starts_at, cover_id LIMIT $5
-- statement scheduling.leave.sessions tenant
SELECT a.document, c.document, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1 AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END FROM appointment a JOIN course c ON c.organization_id = $1 AND c.course_id = a.course_id WHERE a.organization_id = $1 AND a.clinician_id = $2 AND a.state = 1 AND a.starts_at > $3 - 28800000000 AND a.starts_at < $4 AND a.ends_at > $3 AND a.starts_at > $5 AND ($6 = 1 OR ($7 = '' OR replace($7, ',' || a.clinic_id || ',', '') <> $7)) ORDER BY a.starts_at, a.appointment_id LIMIT $8
-- statement scheduling.leave_plan.get tenant
SELECT p.document, p.version, p.sessions, p.settled, p.clinician_id, t.document, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = p.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = p.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))) FROM leave_plan p JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = p.clinician_id WHERE p.organization_id = $1 AND p.leave_plan_id = $2
-- statement scheduling.leave_plan.insert tenant
INSERT INTO leave_plan (organization_id, leave_plan_id, version, clinician_id, sessions, settled,
                          document)
  VALUES ($1, $2, 1, $3, $4, $5, $6)
-- statement scheduling.leave_plan.update tenant
UPDATE leave_plan SET version = version + 1, settled = $4, document = $5
  WHERE organization_id = $1 AND leave_plan_id = $2 AND version = $3
-- statement scheduling.leave_plan_item.get tenant
SELECT document, clinic_id, private, in_group FROM leave_plan_item
  WHERE organization_id = $1 AND leave_plan_id = $2 AND appointment_id = $3
-- statement scheduling.leave_plan_item.insert tenant
INSERT INTO leave_plan_item (organization_id, leave_plan_id, appointment_id, starts_at, clinic_id,
                               private, in_group, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
-- statement scheduling.leave_plan_item.list tenant
SELECT i.document, i.clinic_id, i.private, i.in_group FROM leave_plan_item i WHERE i.organization_id = $1 AND i.leave_plan_id = $2 AND ($3 = 1 OR ($4 = '' OR replace($4, ',' || i.clinic_id || ',', '') <> $4)) ORDER BY i.starts_at, i.appointment_id
-- statement scheduling.leave_plan_item.update tenant
UPDATE leave_plan_item SET document = $4
  WHERE organization_id = $1 AND leave_plan_id = $2 AND appointment_id = $3
-- statement scheduling.name.retire tenant
INSERT INTO retired_name (organization_id, name, version) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, name) DO UPDATE SET version = excluded.version
-- statement scheduling.organization.document tenant
SELECT document FROM organization_profile WHERE organization_id = $1
-- statement scheduling.organization.get tenant
SELECT document, version FROM organization_profile WHERE organization_id = $1
-- statement scheduling.organization.insert tenant
INSERT INTO organization_profile (organization_id, version, document)
  VALUES ($1, 1, $2)
-- statement scheduling.organization.make_known tenant
INSERT INTO organization (organization_id, state, create_time)
  VALUES ($1, 'ACTIVE', $2)
-- statement scheduling.organization.set_state tenant
UPDATE organization SET state = $2 WHERE organization_id = $1
-- statement scheduling.organization.update tenant
UPDATE organization_profile SET version = version + 1, document = $3
  WHERE organization_id = $1 AND version = $2
-- statement scheduling.protocol_revision.get tenant
SELECT document FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id = $2 AND revision = $3
-- statement scheduling.protocol_revision.insert tenant
INSERT INTO protocol_revision (organization_id, protocol_id, revision, create_time, document)
  VALUES ($1, $2, $3, $4, $5)
-- statement scheduling.protocol_revision.list_newest tenant
SELECT document FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id > $2
    AND NOT EXISTS (SELECT 1 FROM protocol_revision newer
                    WHERE newer.organization_id = $1
                      AND newer.protocol_id = protocol_revision.protocol_id
                      AND newer.revision > protocol_revision.revision)
  ORDER BY protocol_id LIMIT $3
-- statement scheduling.protocol_revision.newest tenant
SELECT revision FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id = $2
  ORDER BY revision DESC LIMIT 1
-- statement scheduling.reminder.appointments tenant
SELECT document, version FROM appointment
  WHERE organization_id = $1 AND starts_at > $2 AND starts_at <= $3
    AND state = 1 AND private = 0 AND (starts_at, appointment_id) > ($4, $5)
  ORDER BY starts_at, appointment_id LIMIT $6
-- statement scheduling.reminder.drop_mark tenant
DELETE FROM reminder_progress WHERE organization_id = $1 AND lead_micros = $2
-- statement scheduling.reminder.marks tenant
SELECT lead_micros, reminded_until FROM reminder_progress WHERE organization_id = $1
-- statement scheduling.reminder.put_mark tenant
INSERT INTO reminder_progress (organization_id, lead_micros, reminded_until) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, lead_micros) DO UPDATE
  SET reminded_until = excluded.reminded_until
-- statement scheduling.room.delete tenant
DELETE FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3 AND version = $4
-- statement scheduling.room.get tenant
SELECT document, version FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3
-- statement scheduling.room.insert tenant
INSERT INTO room (organization_id, clinic_id, room_id, version, capacity, out_of_use, resource,
                    document)
  VALUES ($1, $2, $3, 1 + coalesce((SELECT retired_name.version FROM retired_name WHERE retired_name.organization_id = $1 AND retired_name.name = $7), 0), $4, $5, $8, $6)
  RETURNING version
-- statement scheduling.room.list tenant
SELECT document, version FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id > $3
  ORDER BY room_id LIMIT $4
-- statement scheduling.room.update tenant
UPDATE room SET version = version + 1, capacity = $5, out_of_use = $6, document = $7
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3 AND version = $4
-- statement scheduling.room.used_by tenant
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM claim WHERE organization_id = $1 AND resource = $3)
      OR EXISTS (SELECT 1 FROM appointment
                 WHERE organization_id = $1 AND clinic_id = $2 AND room = $4)
      THEN 'appointments'
    ELSE '' END
-- statement scheduling.seat.delete tenant
DELETE FROM seat WHERE organization_id = $1 AND appointment_id = $2
-- statement scheduling.seat.insert tenant
INSERT INTO seat (organization_id, session_id, seat, capacity, appointment_id)
  VALUES ($1, $2, $3, $4, $5)
-- statement scheduling.seat.list tenant
SELECT p.session_id, p.seat, p.appointment_id, a.state FROM seat p
  JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = p.appointment_id
  WHERE p.organization_id = $1 AND p.session_id = $2
  ORDER BY p.seat
-- statement scheduling.seat.list_between tenant
SELECT p.session_id, p.seat, p.appointment_id, a.state FROM group_session s
  JOIN seat p ON p.organization_id = $1 AND p.session_id = s.session_id
  JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = p.appointment_id
  WHERE s.organization_id = $1 AND s.group_id = $2 AND s.starts_at >= $3 AND s.starts_at <= $4
  ORDER BY p.session_id, p.seat
-- statement scheduling.seat.list_to_come tenant
SELECT p.session_id, p.seat, p.appointment_id, a.state FROM group_session s
  JOIN seat p ON p.organization_id = $1 AND p.session_id = s.session_id
  JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = p.appointment_id
  WHERE s.organization_id = $1 AND s.group_id = $2 AND s.starts_at > $4 AND s.state = 1
    AND a.course_id = $3
  ORDER BY s.starts_at, s.session_id
-- statement scheduling.supervision.get tenant
SELECT document, version FROM supervision
  WHERE organization_id = $1 AND supervision_id = $2
-- statement scheduling.supervision.insert tenant
INSERT INTO supervision (organization_id, supervision_id, version, supervisor_id, supervisee_id,
                           starts_at, ends_at, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7)
  RETURNING version
-- statement scheduling.supervision.list tenant
SELECT document, version FROM supervision
  WHERE organization_id = $1 AND (starts_at, supervision_id) > ($2, $3)
    AND ($4 = '' OR supervisor_id = $4) AND ($5 = '' OR supervisee_id = $5)
  ORDER BY starts_at, supervision_id LIMIT $6
-- statement scheduling.supervision.overlapping tenant
SELECT supervision_id FROM supervision
  WHERE organization_id = $1 AND supervisee_id = $2 AND supervisor_id = $3 AND starts_at < $5
    AND ends_at > $4 AND supervision_id <> $6
  ORDER BY starts_at, supervision_id LIMIT 1
-- statement scheduling.supervision.update tenant
UPDATE supervision SET version = version + 1, starts_at = $4, ends_at = $5, document = $6
  WHERE organization_id = $1 AND supervision_id = $2 AND version = $3
-- statement scheduling.time_off.delete tenant
DELETE FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3 AND version = $4
-- statement scheduling.time_off.get tenant
SELECT document, version FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3
-- statement scheduling.time_off.insert tenant
INSERT INTO time_off (organization_id, clinician_id, time_off_id, version, starts_at, ends_at,
                        document)
  VALUES ($1, $2, $3, 1, $4, $5, $6)
-- statement scheduling.time_off.list tenant
SELECT document, version FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND (starts_at, time_off_id) > ($3, $4)
  ORDER BY starts_at, time_off_id LIMIT $5
-- statement scheduling.time_watch.checked tenant
UPDATE appointment SET tzdata_version = $4
  WHERE organization_id = $1 AND appointment_id = $2 AND version = $3
-- statement scheduling.time_watch.to_check tenant
SELECT document, version FROM appointment
  WHERE organization_id = $1 AND starts_at > $2 AND state IN (1, 6) AND tzdata_version < $3
  ORDER BY starts_at, appointment_id LIMIT $4
-- statement scheduling.waitlist.candidate tenant
SELECT w.document, w.version, c.document, k.document, (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = w.course_id AND a.counts = 1 AND a.segment = c.segment AND a.starts_at < $2) FROM waitlist_entry w JOIN course c ON c.organization_id = $1 AND c.course_id = w.course_id JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = c.clinic_id WHERE w.organization_id = $1 AND w.state = 1 AND w.entry_id = $3
-- statement scheduling.waitlist.candidates tenant
SELECT w.document, w.version, c.document, k.document, (SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1 AND a.course_id = w.course_id AND a.counts = 1 AND a.segment = c.segment AND a.starts_at < $2) FROM waitlist_entry w JOIN course c ON c.organization_id = $1 AND c.course_id = w.course_id JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = c.clinic_id WHERE w.organization_id = $1 AND w.state = 1 AND w.clinician_id = $3 AND c.clinician_id = $3 AND (w.urgency, w.create_time, w.entry_id) > ($4, $5, $6) ORDER BY w.urgency, w.create_time, w.entry_id LIMIT $7
-- statement scheduling.waitlist.count tenant
SELECT -urgency, count(*), min(create_time) FROM waitlist_entry
  WHERE organization_id = $1 AND state IN (1, 2) GROUP BY urgency
-- statement scheduling.waitlist.follow_course tenant
UPDATE waitlist_entry SET clinician_id = $3, clinic_id = $4
  WHERE organization_id = $1 AND course_id = $2 AND state IN (1, 2)
-- statement scheduling.waitlist.forget_passes tenant
DELETE FROM waitlist_pass WHERE organization_id = $1 AND entry_id = $2
-- statement scheduling.waitlist.get tenant
SELECT w.document, w.version, w.clinic_id, EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $3 AND (me.clinician_id = w.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = w.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $4 AND cover.ends_at > $4))), EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $5 WHERE pair.organization_id = $1 AND pair.supervisee_id = w.clinician_id AND pair.starts_at <= $4 AND pair.ends_at > $4) FROM waitlist_entry w WHERE w.organization_id = $1 AND w.entry_id = $2
-- statement scheduling.waitlist.insert tenant
INSERT INTO waitlist_entry (organization_id, entry_id, version, course_id, clinician_id, clinic_id,
                              state, urgency, create_time, latest_at, offer_id, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, '', $10)
-- statement scheduling.waitlist.is_on tenant
SELECT 1 FROM waitlist_entry
  WHERE organization_id = $1 AND course_id = $2 AND state IN (1, 2)
-- statement scheduling.waitlist.list tenant
SELECT w.document, w.version FROM waitlist_entry w WHERE w.organization_id = $1 AND $3 = '' AND $4 = '' AND ($2 = 1 OR w.state IN (1, 2)) AND ($5 = 1 OR ($6 = 1 AND ($7 = '' OR replace($7, ',' || w.clinic_id || ',', '') <> $7)) OR EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $8 AND (me.clinician_id = w.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = w.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $9 WHERE pair.organization_id = $1 AND pair.supervisee_id = w.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)) AND (w.urgency, w.create_time, w.entry_id) > ($11, $12, $13) ORDER BY w.urgency, w.create_time, w.entry_id LIMIT $14
-- statement scheduling.waitlist.list_of_clinician tenant
SELECT w.document, w.version FROM waitlist_entry w WHERE w.organization_id = $1 AND w.clinician_id = $3 AND ($4 = '' OR w.course_id = $4) AND ($2 = 1 OR w.state IN (1, 2)) AND ($5 = 1 OR ($6 = 1 AND ($7 = '' OR replace($7, ',' || w.clinic_id || ',', '') <> $7)) OR EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $8 AND (me.clinician_id = w.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = w.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $9 WHERE pair.organization_id = $1 AND pair.supervisee_id = w.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)) AND (w.urgency, w.create_time, w.entry_id) > ($11, $12, $13) ORDER BY w.urgency, w.create_time, w.entry_id LIMIT $14
-- statement scheduling.waitlist.list_of_course tenant
SELECT w.document, w.version FROM waitlist_entry w WHERE w.organization_id = $1 AND w.course_id = $4 AND $3 = '' AND ($2 = 1 OR w.state IN (1, 2)) AND ($5 = 1 OR ($6 = 1 AND ($7 = '' OR replace($7, ',' || w.clinic_id || ',', '') <> $7)) OR EXISTS (SELECT 1 FROM clinician me WHERE me.organization_id = $1 AND me.subject = $8 AND (me.clinician_id = w.clinician_id OR EXISTS (SELECT 1 FROM cover WHERE cover.organization_id = $1 AND cover.clinician_id = w.clinician_id AND cover.covering_clinician_id = me.clinician_id AND cover.starts_at <= $10 AND cover.ends_at > $10))) OR EXISTS (SELECT 1 FROM supervision pair JOIN clinician me ON me.organization_id = $1 AND me.clinician_id = pair.supervisor_id AND me.subject = $9 WHERE pair.organization_id = $1 AND pair.supervisee_id = w.clinician_id AND pair.starts_at <= $10 AND pair.ends_at > $10)) AND (w.urgency, w.create_time, w.entry_id) > ($11, $12, $13) ORDER BY w.urgency, w.create_time, w.entry_id LIMIT $14
-- statement scheduling.waitlist.offered tenant
SELECT document, version FROM waitlist_entry
  WHERE organization_id = $1 AND offer_id = $2 AND offer_id <> '' AND state = 2
-- statement scheduling.waitlist.pass tenant
INSERT INTO waitlist_pass (organization_id, entry_id, starts_at) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, entry_id, starts_at) DO NOTHING
-- statement scheduling.waitlist.passes tenant
SELECT p.entry_id, p.starts_at FROM waitlist_entry w
  JOIN waitlist_pass p ON p.organization_id = $1 AND p.entry_id = w.entry_id
  WHERE w.organization_id = $1 AND w.clinician_id = $2 AND w.state = 1
    AND p.starts_at >= $3 AND p.starts_at < $4
-- statement scheduling.waitlist.update tenant
UPDATE waitlist_entry SET version = version + 1, state = $4, offer_id = $5, document = $6
  WHERE organization_id = $1 AND entry_id = $2 AND version = $3
-- statement survey.organizations feed
SELECT organization_id FROM organization ORDER BY organization_id
-- statement work.done tenant
DELETE FROM due_work
  WHERE organization_id = $1 AND kind = $2 AND key = $3 AND revision = $4
-- statement work.due feed
SELECT organization_id, kind, key, due_at, attempts FROM due_work
  WHERE due_at <= $1 AND replace($2, ',' || kind || ',', '') <> $2
  ORDER BY due_at LIMIT $3
-- statement work.lacking feed
SELECT o.organization_id FROM organization o
  WHERE o.organization_id > $1
    AND NOT EXISTS (SELECT 1 FROM due_work d
                    WHERE d.organization_id = o.organization_id AND d.kind = $2 AND d.key = $3)
  ORDER BY o.organization_id LIMIT $4
-- statement work.look tenant
SELECT due_at, attempts, revision FROM due_work
  WHERE organization_id = $1 AND kind = $2 AND key = $3 AND due_at <= $4
-- statement work.put_off tenant
UPDATE due_work SET attempts = attempts + 1, due_at = $5
  WHERE organization_id = $1 AND kind = $2 AND key = $3 AND revision = $4
-- statement work.schedule tenant
INSERT INTO due_work (organization_id, kind, key, due_at, attempts, revision)
  VALUES ($1, $2, $3, $4, 0, 0)
  ON CONFLICT (organization_id, kind, key) DO UPDATE
  SET due_at = excluded.due_at, attempts = 0, revision = due_work.revision + 1
-- statement work.unschedule tenant
DELETE FROM due_work WHERE organization_id = $1 AND kind = $2 AND key = $3
