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
-- statement care.appointment.get tenant
SELECT a.document, a.counts * (
    SELECT count(*) FROM care_appointment AS o
    WHERE o.organization_id = a.organization_id AND o.course = a.course
      AND o.segment = a.segment AND o.counts = 1
      AND (o.start_time, o.appointment) <= (a.start_time, a.appointment))
  FROM care_appointment AS a WHERE a.organization_id = $1 AND a.appointment = $2
-- statement care.appointment.list tenant
SELECT appointment, counts, document FROM care_appointment
  WHERE organization_id = $1 AND course = $2 ORDER BY start_time, appointment
-- statement care.appointment.put tenant
INSERT INTO care_appointment (organization_id, appointment, version, course, segment, start_time,
                                counts, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, appointment) DO UPDATE
  SET version = excluded.version, course = excluded.course, segment = excluded.segment,
      start_time = excluded.start_time, counts = excluded.counts, document = excluded.document
  WHERE care_appointment.version < excluded.version
-- statement care.clinic.put tenant
INSERT INTO care_clinic (organization_id, clinic, version, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, clinic) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE care_clinic.version < excluded.version
-- statement care.clinician.of_subject tenant
SELECT clinician FROM care_clinician WHERE organization_id = $1 AND subject = $2 LIMIT 2
-- statement care.clinician.put tenant
INSERT INTO care_clinician (organization_id, clinician, version, subject, licence_until,
                              trainee)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, clinician) DO UPDATE
  SET version = excluded.version, subject = excluded.subject,
      licence_until = excluded.licence_until, trainee = excluded.trainee
  WHERE care_clinician.version < excluded.version
-- statement care.clinician.reach tenant
SELECT me.clinician, 0, cover.clinician
  FROM care_clinician AS me LEFT JOIN care_cover AS cover
    ON cover.organization_id = me.organization_id AND cover.covering_clinician = me.clinician
    AND cover.deleted = 0 AND cover.start_time <= $3 AND cover.end_time > $3
  WHERE me.organization_id = $1 AND me.subject = $2
  UNION
  SELECT me.clinician, 1, pair.supervisee
  FROM care_clinician AS me JOIN care_supervision AS pair
    ON pair.organization_id = me.organization_id AND pair.supervisor = me.clinician
    AND pair.start_time <= $3 AND pair.end_time > $3
  WHERE me.organization_id = $1 AND me.subject = $2
  ORDER BY 1, 2, 3
-- statement care.clinician.standing tenant
SELECT c.licence_until, c.trainee, s.supervisor
  FROM care_clinician AS c LEFT JOIN care_supervision AS s
    ON s.organization_id = c.organization_id AND s.supervisee = c.clinician
    AND s.start_time <= $3 AND s.end_time > $3
  WHERE c.organization_id = $1 AND c.clinician = $2
  ORDER BY s.supervisor
-- statement care.course.get tenant
SELECT version, document FROM care_course WHERE organization_id = $1 AND course = $2
-- statement care.course.put tenant
INSERT INTO care_course (organization_id, course, version, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE care_course.version < excluded.version
-- statement care.cover.put tenant
INSERT INTO care_cover (organization_id, cover, version, clinician, covering_clinician,
                          start_time, end_time, deleted)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, cover) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician,
      covering_clinician = excluded.covering_clinician, start_time = excluded.start_time,
      end_time = excluded.end_time, deleted = excluded.deleted
  WHERE care_cover.version < excluded.version
-- statement care.cover.sees_to tenant
SELECT DISTINCT clinician FROM care_cover
  WHERE organization_id = $1 AND covering_clinician = $2 AND deleted = 0
    AND start_time <= $3 AND end_time > $3
  ORDER BY clinician
-- statement care.organization.get tenant
SELECT document FROM care_organization WHERE organization_id = $1
-- statement care.organization.put tenant
INSERT INTO care_organization (organization_id, version, document) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE care_organization.version < excluded.version
-- statement care.organization.put_state tenant
INSERT INTO organization (organization_id, state, create_time)
  SELECT organization_id, $3, $4 FROM care_organization
  WHERE organization_id = $1 AND version = $2
  ON CONFLICT (organization_id) DO UPDATE SET state = excluded.state
-- statement care.ownership.next_change tenant
SELECT min(instant) FROM (
    SELECT min(start_time) AS instant FROM care_time_off
    WHERE organization_id = $1 AND deleted = 0 AND start_time > $2
    UNION ALL
    SELECT min(end_time) FROM care_time_off
    WHERE organization_id = $1 AND deleted = 0 AND end_time > $2
    UNION ALL
    SELECT min(start_time) FROM care_cover
    WHERE organization_id = $1 AND deleted = 0 AND start_time > $2
    UNION ALL
    SELECT min(end_time) FROM care_cover
    WHERE organization_id = $1 AND deleted = 0 AND end_time > $2) AS instants
-- statement care.ownership.presence tenant
SELECT 'away', clinician, start_time, time_off FROM care_time_off
  WHERE organization_id = $1 AND deleted = 0 AND start_time <= $3 AND end_time > $3
  UNION ALL
  SELECT 'cover', covering_clinician, start_time, cover FROM care_cover
  WHERE organization_id = $1 AND clinician = $2 AND deleted = 0
    AND start_time <= $3 AND end_time > $3
  ORDER BY 3, 4
-- statement care.settings.get tenant
SELECT o.document, c.document
  FROM care_organization AS o LEFT JOIN care_clinic AS c
    ON c.organization_id = o.organization_id AND c.clinic = $2
  WHERE o.organization_id = $1
-- statement care.supervision.of tenant
SELECT supervisor, start_time, end_time FROM care_supervision
  WHERE organization_id = $1 AND supervisee = $2
  ORDER BY start_time, supervisor
-- statement care.supervision.put tenant
INSERT INTO care_supervision (organization_id, supervision, version, supervisor, supervisee,
                                start_time, end_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (organization_id, supervision) DO UPDATE
  SET version = excluded.version, supervisor = excluded.supervisor,
      supervisee = excluded.supervisee, start_time = excluded.start_time,
      end_time = excluded.end_time
  WHERE care_supervision.version < excluded.version
-- statement care.time_off.of tenant
SELECT start_time, end_time FROM care_time_off
  WHERE organization_id = $1 AND clinician = $2 AND end_time > $3 AND deleted = 0
  ORDER BY start_time, time_off LIMIT 50
-- statement care.time_off.put tenant
INSERT INTO care_time_off (organization_id, time_off, version, clinician, start_time, end_time,
                             deleted)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (organization_id, time_off) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician,
      start_time = excluded.start_time, end_time = excluded.end_time, deleted = excluded.deleted
  WHERE care_time_off.version < excluded.version
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
-- statement crypto.data_key.count_to_rewrap tenant
SELECT count(*) FROM data_key
  WHERE organization_id = $1 AND wrapping_key <> $2 AND wrapped IS NOT NULL
-- statement crypto.data_key.get tenant
SELECT wrapping_key, wrapped FROM data_key WHERE organization_id = $1 AND subject = $2
-- statement crypto.data_key.insert tenant
INSERT INTO data_key (organization_id, subject, wrapping_key, wrapped, create_time)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, subject) DO NOTHING
-- statement crypto.data_key.rewrap tenant
UPDATE data_key SET wrapping_key = $4, wrapped = $5
  WHERE organization_id = $1 AND subject = $2 AND wrapped = $3
-- statement crypto.data_key.shred tenant
INSERT INTO data_key (organization_id, subject, wrapping_key, wrapped, create_time, shred_time)
  VALUES ($1, $2, '', NULL, $3, $3)
  ON CONFLICT (organization_id, subject) DO UPDATE
  SET wrapping_key = '', wrapped = NULL, shred_time = excluded.shred_time
  WHERE data_key.shred_time IS NULL
-- statement crypto.data_key.to_rewrap tenant
SELECT subject, wrapping_key, wrapped FROM data_key
  WHERE organization_id = $1 AND wrapping_key <> $2 AND wrapped IS NOT NULL
  ORDER BY subject LIMIT $3
-- statement crypto.organizations feed
SELECT organization_id FROM organization ORDER BY organization_id
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
-- statement notes.audited.break_glass tenant
SELECT 1, document FROM break_glass
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3
  UNION ALL
  SELECT 2, review_document FROM break_glass
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3
    AND review_document IS NOT NULL
-- statement notes.audited.case tenant
SELECT document_version, document FROM note_case
  WHERE organization_id = $1 AND case_id = $2
-- statement notes.audited.consent tenant
SELECT 1, document FROM consent
  WHERE organization_id = $1 AND case_id = $2 AND consent_id = $3
-- statement notes.audited.determination tenant
SELECT 1, document FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
  UNION ALL
  SELECT 2, reopen_document FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
    AND reopen_time IS NOT NULL
-- statement notes.audited.determination_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/determinations/' || r.determination_id, 1 FROM determination AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = 1 AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/determinations/' || r.determination_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.entry tenant
SELECT version, document FROM case_entry_revision
  WHERE organization_id = $1 AND case_id = $2 AND entry_id = $3 AND version = $4
-- statement notes.audited.entry_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/entries/' || r.entry_id, r.version FROM case_entry_revision AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/entries/' || r.entry_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.fidelity_policy tenant
SELECT version, document FROM fidelity_policy WHERE organization_id = $1
-- statement notes.audited.formulation tenant
SELECT version, document FROM formulation
  WHERE organization_id = $1 AND case_id = $2 AND CAST(version AS TEXT) = $3 AND version = $4
-- statement notes.audited.formulation_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/formulations/' || r.version, r.version FROM formulation AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/formulations/' || r.version WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.goal tenant
SELECT version, document FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3
-- statement notes.audited.goal_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/goals/' || r.goal_id, r.version FROM goal AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/goals/' || r.goal_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.guardian tenant
SELECT version, document FROM guardian
  WHERE organization_id = $1 AND patient = 'organizations/' || $1 || '/patients/' || $2
    AND guardian_id = $3
-- statement notes.audited.legal_hold tenant
SELECT version, document FROM legal_hold WHERE organization_id = $1 AND hold_id = $2
-- statement notes.audited.note tenant
SELECT version, document FROM note_version
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
  UNION ALL
  SELECT version, document FROM note_cosignature
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
  UNION ALL
  SELECT version, document FROM note_addendum
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
-- statement notes.audited.note_policy tenant
SELECT version, document FROM note_policy
  WHERE organization_id = $1 AND clinic = 'organizations/' || $1 || '/clinics/' || $2
-- statement notes.audited.note_policy_alone tenant
SELECT r.clinic || '/notePolicy', r.version FROM note_policy AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = r.clinic || '/notePolicy' WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.note_template tenant
SELECT revision, document FROM note_template
  WHERE organization_id = $1 AND clinician = 'organizations/' || $1 || '/clinicians/' || $2
    AND template_id = $3 AND CAST(revision AS TEXT) = $4
-- statement notes.audited.note_template_alone tenant
SELECT r.clinician || '/noteTemplates/' || r.template_id || '/revisions/' || r.revision, r.revision FROM note_template AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.revision AND leaf.resource = r.clinician || '/noteTemplates/' || r.template_id || '/revisions/' || r.revision WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.partner_screen tenant
SELECT 1, document FROM partner_screen
  WHERE organization_id = $1 AND case_id = $2 AND screen_id = $3
  UNION ALL
  SELECT 2, document FROM partner_screen_countersign
  WHERE organization_id = $1 AND case_id = $2 AND screen_id = $3
-- statement notes.audited.partner_screen_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/partnerScreens/' || r.screen_id, 1 FROM partner_screen AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = 1 AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/partnerScreens/' || r.screen_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.psychotherapy_note tenant
SELECT version, document FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
-- statement notes.audited.psychotherapy_note_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/psychotherapyNotes/' || r.psychotherapy_note_id, r.version FROM psychotherapy_note AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/psychotherapyNotes/' || r.psychotherapy_note_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.psychotherapy_release tenant
SELECT 1, document FROM psychotherapy_release
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND release_id = $4
-- statement notes.audited.recording_selection tenant
SELECT 1, seed FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3
  UNION ALL
  SELECT 2, drawn FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3
    AND drawn IS NOT NULL
-- statement notes.audited.release tenant
SELECT version, document FROM note_release
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
    AND patient = 'organizations/' || $1 || '/patients/' || $4 AND version = $5
-- statement notes.audited.risk_assessment tenant
SELECT 1, document FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND risk_assessment_id = $3
-- statement notes.audited.risk_assessment_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/riskAssessments/' || r.risk_assessment_id, 1 FROM risk_assessment AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = 1 AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/riskAssessments/' || r.risk_assessment_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.safety_plan tenant
SELECT version, document FROM safety_plan
  WHERE organization_id = $1 AND case_id = $2 AND CAST(version AS TEXT) = $3 AND version = $4
-- statement notes.audited.safety_plan_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/safetyPlans/' || r.version, r.version FROM safety_plan AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/safetyPlans/' || r.version WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.session_rating tenant
SELECT 1, document FROM session_rating
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND rating_id = $4
-- statement notes.audited.session_rating_alone tenant
SELECT 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/notes/' || r.note_id || '/ratings/' || r.rating_id, 1 FROM session_rating AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = 1 AND leaf.resource = 'organizations/' || r.organization_id || '/cases/' || r.case_id || '/notes/' || r.note_id || '/ratings/' || r.rating_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.session_recording tenant
SELECT 1, document FROM session_recording
  WHERE organization_id = $1 AND case_id = $2 AND recording_id = $3
-- statement notes.audited.signing_key tenant
SELECT 1, public_key, sealed FROM signing_key
  WHERE organization_id = $1 AND clinician = 'organizations/' || $1 || '/clinicians/' || $2
    AND key_id = $3
-- statement notes.audited.signing_key_alone tenant
SELECT r.clinician || '/signingKeys/' || r.key_id, 1 FROM signing_key AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = 1 AND leaf.resource = r.clinician || '/signingKeys/' || r.key_id WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement notes.audited.supervised_case tenant
SELECT 1, document FROM supervised_case
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND session_id = $3 AND case_id = $4
-- statement notes.audited.supervision_session tenant
SELECT 1, document FROM supervision_session
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND session_id = $3
  UNION ALL
  SELECT version, void_document FROM supervision_session
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND session_id = $3 AND voided = 1
-- statement notes.break_glass.end tenant
UPDATE break_glass SET end_time = $4, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3 AND version = $5
-- statement notes.break_glass.get tenant
SELECT case_id, break_glass_id, clinician, purpose, create_time, expire_time, end_time,
         review_time, finding, reviewer, version, subject, document, review_document
  FROM break_glass WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3
-- statement notes.break_glass.in_force tenant
SELECT break_glass_id FROM break_glass
  WHERE organization_id = $1 AND case_id = $2 AND clinician = $3 AND expire_time > $4
    AND create_time <= $4 AND end_time IS NULL
  ORDER BY expire_time DESC LIMIT 1
-- statement notes.break_glass.insert tenant
INSERT INTO break_glass (organization_id, case_id, break_glass_id, clinician, purpose,
                           create_time, expire_time, finding, reviewer, version, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 1, $8, $9)
-- statement notes.break_glass.list tenant
SELECT case_id, break_glass_id, clinician, purpose, create_time, expire_time, end_time,
         review_time, finding, reviewer, version, subject, document, review_document
  FROM break_glass
  WHERE organization_id = $1 AND (create_time, break_glass_id) > ($2, $3)
  ORDER BY create_time, break_glass_id
  LIMIT $4
-- statement notes.break_glass.queue tenant
SELECT case_id, break_glass_id, clinician, purpose, create_time, expire_time, end_time,
         review_time, finding, reviewer, version, subject, document, review_document
  FROM break_glass
  WHERE organization_id = $1 AND review_time IS NULL AND (create_time, break_glass_id) > ($2, $3)
  ORDER BY create_time, break_glass_id
  LIMIT $4
-- statement notes.break_glass.review tenant
UPDATE break_glass
  SET review_time = $4, finding = $5, reviewer = $6, review_document = $7, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3 AND version = $8
    AND review_time IS NULL
-- statement notes.case.course tenant
SELECT patient, clinician, formulation_due_session, course_version, partner
  FROM note_case WHERE organization_id = $1 AND case_id = $2
-- statement notes.case.follow tenant
UPDATE note_case
  SET patient = $3, clinician = $4, formulation_due_session = $5, course_version = $6,
      partner = $9, version = version + $7, update_time = CASE WHEN $7 > 0 THEN $8 ELSE update_time END
  WHERE organization_id = $1 AND case_id = $2 AND course_version < $6
-- statement notes.case.get tenant
SELECT c.case_id, c.patient, c.clinician, c.formulation_due_session, c.version, c.create_time,
         c.update_time, c.document, d.document, f.document,
         (SELECT count(*) FROM determination AS past
          WHERE past.organization_id = $1 AND past.case_id = c.case_id),
         c.partner, c.subject, c.document_version, d.determination_id, d.subject, f.subject,
         c.formulation_version
  FROM note_case AS c
  LEFT JOIN determination AS d
    ON d.organization_id = $1 AND d.case_id = c.case_id AND d.reopen_time IS NULL
  LEFT JOIN formulation AS f
    ON f.organization_id = $1 AND f.case_id = c.case_id AND f.version = c.formulation_version
  WHERE c.organization_id = $1 AND c.case_id = $2
-- statement notes.case.insert tenant
INSERT INTO note_case (organization_id, case_id, patient, clinician, formulation_due_session,
                         course_version, formulation_version, version, create_time, update_time,
                         document, partner, subject, document_version)
  VALUES ($1, $2, $3, $4, $5, $6, 0, 1, $7, $7, $9, $8, '', 0)
-- statement notes.case.list tenant
SELECT c.case_id, c.patient, c.clinician, c.formulation_due_session, c.version, c.create_time,
         c.update_time, c.document, d.document, f.document,
         (SELECT count(*) FROM determination AS past
          WHERE past.organization_id = $1 AND past.case_id = c.case_id),
         c.partner, c.subject, c.document_version, d.determination_id, d.subject, f.subject,
         c.formulation_version
  FROM note_case AS c
  LEFT JOIN determination AS d
    ON d.organization_id = $1 AND d.case_id = c.case_id AND d.reopen_time IS NULL
  LEFT JOIN formulation AS f
    ON f.organization_id = $1 AND f.case_id = c.case_id AND f.version = c.formulation_version
  WHERE c.organization_id = $1 AND c.clinician IN (SELECT value FROM json_each($2))
    AND (c.create_time, c.case_id) < ($3, $4)
  ORDER BY c.create_time DESC, c.case_id DESC
  LIMIT $5
-- statement notes.case.of_patient tenant
SELECT c.case_id,
         CASE WHEN c.patient = $2 THEN c.partner ELSE c.patient END AS other,
         (SELECT count(*) FROM erasure AS e
          WHERE e.organization_id = $1
            AND e.patient = CASE WHEN c.patient = $2 THEN c.partner ELSE c.patient END)
  FROM note_case AS c
  WHERE c.organization_id = $1 AND (c.patient = $2 OR c.partner = $2)
  ORDER BY c.case_id
-- statement notes.case.seen_by_patient tenant
SELECT case_id FROM note_case
  WHERE organization_id = $1 AND (patient = $2 OR partner = $2)
  ORDER BY create_time, case_id
  LIMIT 50
-- statement notes.case.update tenant
UPDATE note_case
  SET formulation_version = $3, update_time = $4, document = $5, version = version + 1,
      document_version = version + 1, subject = $7
  WHERE organization_id = $1 AND case_id = $2 AND version = $6
-- statement notes.case_label.get tenant
SELECT labels, recorder, update_time FROM case_label
  WHERE organization_id = $1 AND case_id = $2
-- statement notes.case_label.put tenant
INSERT INTO case_label (organization_id, case_id, labels, recorder, version, update_time)
  VALUES ($1, $2, $3, $4, 1, $5)
  ON CONFLICT (organization_id, case_id)
  DO UPDATE SET labels = excluded.labels, recorder = excluded.recorder,
                version = case_label.version + 1, update_time = excluded.update_time
-- statement notes.caseload.awaiting tenant
SELECT n.case_id, count(*), min(n.sign_time)
  FROM session_note AS n JOIN note_case AS c
    ON c.organization_id = $1 AND c.case_id = n.case_id
  WHERE n.organization_id = $1 AND n.cosign IN (1, 3) AND n.cosign = 1
    AND c.clinician IN (SELECT value FROM json_each($2))
  GROUP BY n.case_id
-- statement notes.caseload.last_supervised tenant
SELECT k.case_id, max(v.start_time)
  FROM note_case AS c
  JOIN supervised_case AS k ON k.organization_id = $1 AND k.case_id = c.case_id
  JOIN supervision_session AS v
    ON v.organization_id = $1 AND v.supervisee = k.supervisee AND v.session_id = k.session_id
    AND v.voided = 0
  WHERE c.organization_id = $1 AND c.clinician IN (SELECT value FROM json_each($2))
  GROUP BY k.case_id
-- statement notes.caseload.rows tenant
SELECT c.case_id, c.clinician, c.formulation_due_session, c.formulation_version, k.document
  FROM note_case AS c JOIN care_course AS k
    ON k.organization_id = $1 AND k.course = $3 || c.case_id
  WHERE c.organization_id = $1 AND c.clinician IN (SELECT value FROM json_each($2))
  ORDER BY c.case_id
-- statement notes.caseload.sessions tenant
SELECT case_id, count(CASE WHEN private = 0 THEN 1 END),
         count(CASE WHEN signed = 0 AND end_time >= $3 THEN 1 END),
         count(CASE WHEN signed = 0 AND end_time < $3 THEN 1 END),
         min(CASE WHEN signed = 0 AND end_time >= $3 THEN end_time END),
         min(CASE WHEN signed = 0 AND end_time < $3 THEN end_time END)
  FROM (SELECT s.case_id, s.private, s.end_time,
               CASE WHEN EXISTS (SELECT 1 FROM session_note AS n
                                 WHERE n.organization_id = $1 AND n.appointment = s.appointment
                                   AND n.signed_version > 0) THEN 1 ELSE 0 END AS signed
        FROM note_case AS c JOIN noted_session AS s
          ON s.organization_id = $1 AND s.case_id = c.case_id AND s.held = 1
        WHERE c.organization_id = $1
          AND c.clinician IN (SELECT value FROM json_each($2))) AS held
  GROUP BY case_id
-- statement notes.consent.get tenant
SELECT consent_id, patient, purpose, recorder, create_time, expire_time, revoke_time, subject,
         document
  FROM consent WHERE organization_id = $1 AND case_id = $2 AND consent_id = $3
-- statement notes.consent.in_force tenant
SELECT DISTINCT patient FROM consent
  WHERE organization_id = $1 AND case_id = $2 AND purpose = $3 AND revoke_time IS NULL
    AND (expire_time IS NULL OR expire_time > $4)
  ORDER BY patient
-- statement notes.consent.insert tenant
INSERT INTO consent (organization_id, case_id, consent_id, patient, purpose, recorder,
                       create_time, expire_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $4, $9)
-- statement notes.consent.list tenant
SELECT consent_id, patient, purpose, recorder, create_time, expire_time, revoke_time, subject,
         document
  FROM consent
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, consent_id) < ($3, $4)
  ORDER BY create_time DESC, consent_id DESC
  LIMIT $5
-- statement notes.consent.revoke tenant
UPDATE consent SET revoke_time = $4
  WHERE organization_id = $1 AND case_id = $2 AND consent_id = $3 AND revoke_time IS NULL
-- statement notes.cosign_policy.get tenant
SELECT supervisee, supervisor, sample_percent, seed, set_by, version, update_time
  FROM cosign_policy WHERE organization_id = $1 AND supervisee = $2 AND supervisor = $3
-- statement notes.cosign_policy.list tenant
SELECT supervisee, supervisor, sample_percent, seed, set_by, version, update_time
  FROM cosign_policy
  WHERE organization_id = $1 AND ($2 = '' OR supervisee = $2 OR supervisor = $2)
    AND (supervisee, supervisor) > ($3, $4)
  ORDER BY supervisee, supervisor
  LIMIT $5
-- statement notes.cosign_policy.put tenant
INSERT INTO cosign_policy (organization_id, supervisee, supervisor, sample_percent, seed, set_by,
                             version, update_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, supervisee, supervisor) DO UPDATE
  SET sample_percent = excluded.sample_percent, seed = excluded.seed, set_by = excluded.set_by,
      version = excluded.version, update_time = excluded.update_time
  WHERE cosign_policy.version = excluded.version - 1
-- statement notes.determination.get tenant
SELECT document, reopen_time, sign_time, determination_id, subject FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
-- statement notes.determination.insert tenant
INSERT INTO determination (organization_id, case_id, determination_id, sign_time, machine_time,
                             document, subject)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
-- statement notes.determination.list tenant
SELECT document, reopen_time, sign_time, determination_id, subject FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND (sign_time, determination_id) < ($3, $4)
  ORDER BY sign_time DESC, determination_id DESC
  LIMIT $5
-- statement notes.determination.reopen tenant
UPDATE determination
  SET reopen_time = $4, reopen_clinician = $5, reopen_reason = '', reopen_document = $6
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
    AND reopen_time IS NULL
-- statement notes.due.count tenant
SELECT kind, count(*), CAST(sum(CASE WHEN end_time < $2 THEN 1 ELSE 0 END) AS BIGINT),
         min(end_time)
  FROM (
    SELECT 1 AS kind, s.end_time AS end_time
    FROM noted_session AS s
    JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
    WHERE s.organization_id = $1 AND s.held = 1 AND s.end_time >= $3
      AND NOT EXISTS (SELECT 1 FROM session_note AS n
                      WHERE n.organization_id = $1 AND n.appointment = s.appointment
                        AND n.signed_version > 0 AND (n.kind <> 3 OR s.private = 1))
    UNION ALL
    SELECT n.cosign + CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END, n.session_end_time
    FROM session_note AS n
    WHERE n.organization_id = $1 AND n.cosign IN (1, 3)
      AND (n.cosign = 1 OR n.draft_version > 0)) AS due
  GROUP BY kind
-- statement notes.due.list tenant
SELECT * FROM (
    SELECT 1 AS kind, s.appointment AS id, s.appointment AS appointment, s.case_id AS case_id,
           s.clinician AS clinician, s.end_time AS end_time, s.clinic AS clinic,
           d.note_id AS draft, '' AS note, CAST(NULL AS BIGINT) AS sign_time, s.private AS hidden
    FROM noted_session AS s
    JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
    LEFT JOIN session_note AS d
      ON d.organization_id = $1 AND d.appointment = s.appointment AND d.author = $6
      AND (d.kind <> 3 OR s.private = 1)
    WHERE s.organization_id = $1 AND s.held = 1 AND $5 IN (0, 1)
      AND ($4 = 1 OR c.clinician IN (SELECT value FROM json_each($2))
           OR s.clinic IN (SELECT value FROM json_each($3)))
      AND ($7 = '' OR s.clinician = $7)
      AND NOT EXISTS (SELECT 1 FROM session_note AS n
                      WHERE n.organization_id = $1 AND n.appointment = s.appointment
                        AND n.signed_version > 0 AND (n.kind <> 3 OR s.private = 1))
      AND (s.end_time, s.appointment) > ($8, $9)
    UNION ALL
    SELECT n.cosign + CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END, n.note_id, n.appointment, n.case_id,
           n.author, n.session_end_time, n.clinic, NULL, n.note_id, n.sign_time,
           CASE WHEN n.kind = 3 THEN 1 ELSE 0 END
    FROM session_note AS n
    WHERE n.organization_id = $1 AND n.cosign IN (1, 3) AND (n.cosign = 1 OR n.draft_version > 0)
      AND $5 IN (0, n.cosign + CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END)
      AND ($4 = 1 OR n.author IN (SELECT value FROM json_each($2))
           OR n.clinic IN (SELECT value FROM json_each($3)))
      AND ($7 = '' OR n.author = $7)
      AND (n.session_end_time, n.note_id) > ($8, $9)) AS due
  ORDER BY end_time, id
  LIMIT $10
-- statement notes.entry.all_revisions tenant
SELECT e.entry_id, e.kind, e.about, e.private, e.appointment, e.create_time, r.version, r.clinician, r.update_time, r.voided, r.subject, r.document, e.open FROM case_entry AS e JOIN case_entry_revision AS r ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id WHERE e.organization_id = $1 AND e.case_id = $2 AND e.kind = $3 AND e.voided = 0 ORDER BY e.create_time, e.entry_id, r.version LIMIT $4
-- statement notes.entry.count_revisions tenant
SELECT count(*)
  FROM case_entry AS e JOIN case_entry_revision AS r
    ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id
  WHERE e.organization_id = $1 AND e.case_id = $2 AND e.kind = $3
-- statement notes.entry.get tenant
SELECT e.entry_id, e.kind, e.about, e.private, e.appointment, e.create_time, r.version, r.clinician, r.update_time, r.voided, r.subject, r.document, e.open FROM case_entry AS e JOIN case_entry_revision AS r ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id AND r.version = e.version WHERE e.organization_id = $1 AND e.case_id = $2 AND e.entry_id = $3
-- statement notes.entry.goals tenant
SELECT goal_id, create_time FROM goal WHERE organization_id = $1 AND case_id = $2
-- statement notes.entry.insert tenant
INSERT INTO case_entry (organization_id, case_id, entry_id, kind, about, private, subject,
                          appointment, open, voided, due_day, unique_key, clinician, version,
                          create_time, update_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, 1, $13, $13)
  ON CONFLICT DO NOTHING
-- statement notes.entry.insert_revision tenant
INSERT INTO case_entry_revision (organization_id, case_id, entry_id, version, clinician,
                                   update_time, voided, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
-- statement notes.entry.list tenant
SELECT e.entry_id, e.kind, e.about, e.private, e.appointment, e.create_time, r.version, r.clinician, r.update_time, r.voided, r.subject, r.document, e.open FROM case_entry AS e JOIN case_entry_revision AS r ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id AND r.version = e.version WHERE e.organization_id = $1 AND e.case_id = $2 AND (e.create_time, e.entry_id) > ($3, $4) AND ($5 = 1 OR CAST(e.kind AS TEXT) IN (SELECT value FROM json_each($6))) AND ($7 = '' OR e.about = $7 OR (e.about = '' AND e.private = 0)) AND ($8 = 0 OR e.open = 1) AND ($9 = 1 OR e.voided = 0) ORDER BY e.create_time, e.entry_id LIMIT $10
-- statement notes.entry.list_revisions tenant
SELECT e.entry_id, e.kind, e.about, e.private, e.appointment, e.create_time, r.version, r.clinician, r.update_time, r.voided, r.subject, r.document, e.open FROM case_entry AS e JOIN case_entry_revision AS r ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id WHERE e.organization_id = $1 AND e.case_id = $2 AND e.entry_id = $3 AND r.version < $4 ORDER BY r.version DESC LIMIT $5
-- statement notes.entry.open tenant
SELECT entry_id FROM case_entry
  WHERE organization_id = $1 AND case_id = $2 AND kind = $3 AND open = 1
    AND ($4 = 1 OR private = 0)
  ORDER BY create_time, entry_id
-- statement notes.entry.patients tenant
SELECT DISTINCT about FROM case_entry
  WHERE organization_id = $1 AND case_id = $2 AND kind = $3 AND voided = 0 AND about <> ''
  ORDER BY about
-- statement notes.entry.update tenant
UPDATE case_entry
  SET appointment = $5, open = $6, voided = $7, due_day = $8, unique_key = $9, clinician = $10,
      version = version + 1, update_time = $11
  WHERE organization_id = $1 AND case_id = $2 AND entry_id = $3 AND version = $4
-- statement notes.erasure.find tenant
SELECT document, version FROM erasure WHERE organization_id = $1 AND patient = $2
-- statement notes.erasure.get tenant
SELECT document, version FROM erasure WHERE organization_id = $1 AND erasure_id = $2
-- statement notes.erasure.insert tenant
INSERT INTO erasure (organization_id, erasure_id, patient, state, create_time, version, document)
  VALUES ($1, $2, $3, $4, $5, 1, $6)
-- statement notes.erasure.list tenant
SELECT document, version, create_time, erasure_id FROM erasure
  WHERE organization_id = $1 AND ($2 = 0 OR state = 1) AND (create_time, erasure_id) < ($3, $4)
  ORDER BY create_time DESC, erasure_id DESC
  LIMIT $5
-- statement notes.erasure.update tenant
UPDATE erasure SET state = $4, document = $5, version = version + 1
  WHERE organization_id = $1 AND erasure_id = $2 AND version = $3
-- statement notes.fidelity.case_facts tenant
SELECT CASE WHEN c.formulation_version > 0 THEN 1 ELSE 0 END,
         CASE WHEN EXISTS (SELECT 1 FROM risk_assessment AS r
                           WHERE r.organization_id = $1 AND r.case_id = $2) THEN 1 ELSE 0 END,
         CASE WHEN EXISTS (SELECT 1 FROM goal AS g
                           WHERE g.organization_id = $1 AND g.case_id = $2) THEN 1 ELSE 0 END
  FROM note_case AS c WHERE c.organization_id = $1 AND c.case_id = $2
-- statement notes.fidelity_policy.get tenant
SELECT version, update_time, document FROM fidelity_policy WHERE organization_id = $1
-- statement notes.fidelity_policy.put tenant
INSERT INTO fidelity_policy (organization_id, version, update_time, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id) DO UPDATE
  SET version = excluded.version, update_time = excluded.update_time,
      document = excluded.document
  WHERE fidelity_policy.version = excluded.version - 1
-- statement notes.fidelity_share.get tenant
SELECT note_id, share_time FROM fidelity_share
  WHERE organization_id = $1 AND case_id = $2 AND clinician = $3
-- statement notes.fidelity_share.put tenant
INSERT INTO fidelity_share (organization_id, case_id, clinician, note_id, share_time)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, case_id, clinician, note_id) DO NOTHING
-- statement notes.formulation.get tenant
SELECT document, version, subject FROM formulation
  WHERE organization_id = $1 AND case_id = $2 AND version = $3
-- statement notes.formulation.insert tenant
INSERT INTO formulation (organization_id, case_id, version, document, subject)
  VALUES ($1, $2, $3, $4, $5)
-- statement notes.formulation.list tenant
SELECT document, version, subject FROM formulation
  WHERE organization_id = $1 AND case_id = $2 AND version < $3
  ORDER BY version DESC
  LIMIT $4
-- statement notes.goal.get tenant
SELECT document, version, create_time, goal_id, subject FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3
-- statement notes.goal.insert tenant
INSERT INTO goal (organization_id, case_id, goal_id, version, create_time, document,
                    subject)
  VALUES ($1, $2, $3, 1, $4, $5, $6)
-- statement notes.goal.list tenant
SELECT document, version, create_time, goal_id, subject FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, goal_id) > ($3, $4)
  ORDER BY create_time, goal_id
  LIMIT $5
-- statement notes.goal.update tenant
UPDATE goal SET version = version + 1, document = $5
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3 AND version = $4
-- statement notes.guardian.by_token tenant
SELECT guardian_id, token_subject, version, create_time, update_time, subject, document
  FROM guardian WHERE organization_id = $1 AND patient = $2 AND token_subject = $3
-- statement notes.guardian.get tenant
SELECT guardian_id, token_subject, version, create_time, update_time, subject, document
  FROM guardian WHERE organization_id = $1 AND patient = $2 AND guardian_id = $3
-- statement notes.guardian.insert tenant
INSERT INTO guardian (organization_id, patient, guardian_id, token_subject, version, create_time,
                        update_time, subject, document)
  VALUES ($1, $2, $3, $4, 1, $5, $5, $2, $6)
-- statement notes.guardian.list tenant
SELECT guardian_id, token_subject, version, create_time, update_time, subject, document
  FROM guardian
  WHERE organization_id = $1 AND patient = $2 AND (create_time, guardian_id) > ($3, $4)
  ORDER BY create_time, guardian_id
  LIMIT $5
-- statement notes.guardian.update tenant
UPDATE guardian SET document = $4, update_time = $5, version = version + 1
  WHERE organization_id = $1 AND patient = $2 AND guardian_id = $3 AND version = $6
-- statement notes.legal_hold.get tenant
SELECT document, version, create_time, hold_id FROM legal_hold
  WHERE organization_id = $1 AND hold_id = $2
-- statement notes.legal_hold.insert tenant
INSERT INTO legal_hold (organization_id, hold_id, patient, create_time, version, document, subject)
  VALUES ($1, $2, $3, $4, 1, $5, $6)
-- statement notes.legal_hold.list tenant
SELECT document, version, create_time, hold_id FROM legal_hold
  WHERE organization_id = $1 AND ($2 = '' OR patient = $2) AND ($3 = 1 OR release_time IS NULL)
    AND (create_time, hold_id) < ($4, $5)
  ORDER BY create_time DESC, hold_id DESC
  LIMIT $6
-- statement notes.legal_hold.release tenant
UPDATE legal_hold SET release_time = $4, document = $5, version = version + 1
  WHERE organization_id = $1 AND hold_id = $2 AND version = $3 AND release_time IS NULL
-- statement notes.legal_hold.standing tenant
SELECT hold_id FROM legal_hold
  WHERE organization_id = $1 AND patient = $2 AND release_time IS NULL
  ORDER BY create_time, hold_id
  LIMIT 1
-- statement notes.note.count_addendum tenant
UPDATE session_note SET addenda = $4, version = version + 1, update_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND version = $6
-- statement notes.note.get tenant
SELECT n.note_id, 0, n.head, n.subject, n.signed_version, n.draft_version, n.cosign,
         n.cosign_document, n.version, n.update_time, d.sequence, d.saves,
         (SELECT count(*) FROM note_draft_copy AS k
          WHERE k.organization_id = $1 AND k.case_id = $2 AND k.note_id = $3)
  FROM session_note AS n
  LEFT JOIN note_draft AS d
    ON d.organization_id = $1 AND d.case_id = $2 AND d.note_id = n.note_id
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $3
-- statement notes.note.insert tenant
INSERT INTO session_note (organization_id, case_id, note_id, appointment, author, kind, about,
                            subject, clinic, session_time, session_end_time, due_time, create_time,
                            head, signed_version, draft_version, cosign, cosigner, copied_percent,
                            addenda, version, update_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 1, 0, '', 0, 0, 1,
          $13)
-- statement notes.note.last_signed tenant
SELECT n.note_id, v.version, v.subject, v.document
  FROM session_note AS n
  JOIN note_version AS v
    ON v.organization_id = $1 AND v.case_id = n.case_id AND v.note_id = n.note_id
    AND v.version = n.signed_version
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.about = $3 AND n.session_time < $4
  ORDER BY n.session_time DESC, n.note_id DESC
  LIMIT 1
-- statement notes.note.list tenant
WITH n AS (SELECT n.organization_id, n.case_id, n.note_id, n.author, n.head, n.subject, n.signed_version, n.draft_version, n.cosign, n.cosign_document, n.version, n.update_time, n.session_time, 0 AS wanted
  FROM session_note AS n
  WHERE n.organization_id = $1 AND n.case_id = $2 AND (n.signed_version > 0 OR n.author = $3)
    AND (n.session_time, n.note_id) > ($4, $5)
  ORDER BY n.session_time, n.note_id
  LIMIT $6)
  SELECT n.note_id, n.wanted, n.head, n.subject, n.signed_version, n.draft_version, n.cosign,
         n.cosign_document, n.version, n.update_time, n.session_time,
         d.version, d.sequence, d.saves, d.update_time, d.document, p.document,
         (SELECT count(*) FROM note_draft_copy AS k
          WHERE k.organization_id = $1 AND k.case_id = $2 AND k.note_id = d.note_id),
         v.version, v.document, v.signature, c.kind, c.version, c.document,
         a.number, a.version, a.document, a.signature, n.author
  FROM n
  LEFT JOIN note_draft AS d
    ON d.organization_id = $1 AND d.case_id = $2 AND d.note_id = n.note_id AND n.author = $3
    AND n.wanted IN (0, d.version)
  LEFT JOIN note_prefill AS p
    ON p.organization_id = $1 AND p.case_id = $2 AND p.note_id = d.note_id
  LEFT JOIN note_version AS v
    ON v.organization_id = $1 AND v.case_id = $2 AND v.note_id = n.note_id
    AND v.version = CASE WHEN n.wanted = 0 THEN n.signed_version ELSE n.wanted END
    AND d.note_id IS NULL
  LEFT JOIN note_cosignature AS c
    ON c.organization_id = $1 AND c.case_id = $2 AND c.note_id = n.note_id
    AND c.version = coalesce(v.version, n.signed_version)
  LEFT JOIN note_addendum AS a
    ON a.organization_id = $1 AND a.case_id = $2 AND a.note_id = v.note_id
  ORDER BY n.session_time, n.note_id, n.wanted DESC, a.number
-- statement notes.note.of_author tenant
SELECT case_id, note_id FROM session_note
  WHERE organization_id = $1 AND appointment = $2 AND author = $3 AND about = $4
-- statement notes.note.open_draft tenant
UPDATE session_note SET draft_version = $4, version = version + 1, update_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND draft_version = 0
    AND signed_version = $4 - 1 AND version = $6
-- statement notes.note.read tenant
WITH n AS (SELECT n.organization_id, n.case_id, n.note_id, n.author, n.head, n.subject, n.signed_version, n.draft_version, n.cosign, n.cosign_document, n.version, n.update_time, n.session_time, CAST($5 AS BIGINT) AS wanted
  FROM session_note AS n
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $4)
  SELECT n.note_id, n.wanted, n.head, n.subject, n.signed_version, n.draft_version, n.cosign,
         n.cosign_document, n.version, n.update_time, n.session_time,
         d.version, d.sequence, d.saves, d.update_time, d.document, p.document,
         (SELECT count(*) FROM note_draft_copy AS k
          WHERE k.organization_id = $1 AND k.case_id = $2 AND k.note_id = d.note_id),
         v.version, v.document, v.signature, c.kind, c.version, c.document,
         a.number, a.version, a.document, a.signature, n.author
  FROM n
  LEFT JOIN note_draft AS d
    ON d.organization_id = $1 AND d.case_id = $2 AND d.note_id = n.note_id AND n.author = $3
    AND n.wanted IN (0, d.version)
  LEFT JOIN note_prefill AS p
    ON p.organization_id = $1 AND p.case_id = $2 AND p.note_id = d.note_id
  LEFT JOIN note_version AS v
    ON v.organization_id = $1 AND v.case_id = $2 AND v.note_id = n.note_id
    AND v.version = CASE WHEN n.wanted = 0 THEN n.signed_version ELSE n.wanted END
    AND d.note_id IS NULL
  LEFT JOIN note_cosignature AS c
    ON c.organization_id = $1 AND c.case_id = $2 AND c.note_id = n.note_id
    AND c.version = coalesce(v.version, n.signed_version)
  LEFT JOIN note_addendum AS a
    ON a.organization_id = $1 AND a.case_id = $2 AND a.note_id = v.note_id
  ORDER BY n.session_time, n.note_id, n.wanted DESC, a.number
-- statement notes.note.set_cosign tenant
UPDATE session_note
  SET cosign = $4, cosigner = $5, cosign_time = $6, cosign_document = $7, version = version + 1,
      update_time = $8
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND version = $9
-- statement notes.note.sign tenant
UPDATE session_note
  SET signed_version = $4, draft_version = 0, first_sign_time = coalesce(first_sign_time, $5),
      sign_time = $5, cosign = $6, cosigner = '', cosign_time = NULL, cosign_document = $7,
      copied_percent = $8, version = $9, update_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND draft_version = $4
    AND version = $10
-- statement notes.note.versions tenant
WITH n AS (SELECT n.organization_id, n.case_id, n.note_id, n.author, n.head, n.subject, n.signed_version, n.draft_version, n.cosign, n.cosign_document, n.version, n.update_time, n.session_time, w.version AS wanted
  FROM session_note AS n
  JOIN (SELECT version FROM note_version
        WHERE organization_id = $1 AND case_id = $2 AND note_id = $4
        UNION ALL
        SELECT version FROM note_draft
        WHERE organization_id = $1 AND case_id = $2 AND note_id = $4) AS w
    ON w.version <= n.signed_version OR n.author = $3
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $4 AND w.version < $5
  ORDER BY w.version DESC
  LIMIT $6)
  SELECT n.note_id, n.wanted, n.head, n.subject, n.signed_version, n.draft_version, n.cosign,
         n.cosign_document, n.version, n.update_time, n.session_time,
         d.version, d.sequence, d.saves, d.update_time, d.document, p.document,
         (SELECT count(*) FROM note_draft_copy AS k
          WHERE k.organization_id = $1 AND k.case_id = $2 AND k.note_id = d.note_id),
         v.version, v.document, v.signature, c.kind, c.version, c.document,
         a.number, a.version, a.document, a.signature, n.author
  FROM n
  LEFT JOIN note_draft AS d
    ON d.organization_id = $1 AND d.case_id = $2 AND d.note_id = n.note_id AND n.author = $3
    AND n.wanted IN (0, d.version)
  LEFT JOIN note_prefill AS p
    ON p.organization_id = $1 AND p.case_id = $2 AND p.note_id = d.note_id
  LEFT JOIN note_version AS v
    ON v.organization_id = $1 AND v.case_id = $2 AND v.note_id = n.note_id
    AND v.version = CASE WHEN n.wanted = 0 THEN n.signed_version ELSE n.wanted END
    AND d.note_id IS NULL
  LEFT JOIN note_cosignature AS c
    ON c.organization_id = $1 AND c.case_id = $2 AND c.note_id = n.note_id
    AND c.version = coalesce(v.version, n.signed_version)
  LEFT JOIN note_addendum AS a
    ON a.organization_id = $1 AND a.case_id = $2 AND a.note_id = v.note_id
  ORDER BY n.session_time, n.note_id, n.wanted DESC, a.number
-- statement notes.note_addendum.bytes tenant
SELECT subject, document, version FROM note_addendum
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND number = $4
-- statement notes.note_addendum.insert tenant
INSERT INTO note_addendum (organization_id, case_id, note_id, number, version, signature, subject,
                             document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
-- statement notes.note_cosignature.insert tenant
INSERT INTO note_cosignature (organization_id, case_id, note_id, version, kind, clinician,
                                sign_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
-- statement notes.note_draft.delete tenant
DELETE FROM note_draft WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
-- statement notes.note_draft.insert tenant
INSERT INTO note_draft (organization_id, case_id, note_id, version, sequence, saves, update_time,
                          subject, document)
  VALUES ($1, $2, $3, $4, 0, 0, $5, $6, $7)
-- statement notes.note_draft.save tenant
UPDATE note_draft SET document = $4, sequence = $5, update_time = $6, saves = saves + 1
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND sequence = $7
    AND saves = $8
-- statement notes.note_draft_copy.delete tenant
DELETE FROM note_draft_copy
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
    AND copy_id IN (SELECT value FROM json_each($4))
-- statement notes.note_draft_copy.list tenant
SELECT copy_id, sequence, base_sequence, create_time, subject, document FROM note_draft_copy
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
  ORDER BY create_time, copy_id
-- statement notes.note_draft_copy.put tenant
INSERT INTO note_draft_copy (organization_id, case_id, note_id, copy_id, sequence, base_sequence,
                               create_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (organization_id, case_id, note_id, copy_id) DO UPDATE
  SET sequence = excluded.sequence, base_sequence = excluded.base_sequence,
      create_time = excluded.create_time, document = excluded.document
-- statement notes.note_policy.get tenant
SELECT version, update_time, document FROM note_policy
  WHERE organization_id = $1 AND clinic = $2
-- statement notes.note_policy.put tenant
INSERT INTO note_policy (organization_id, clinic, version, update_time, document)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, clinic) DO UPDATE
  SET version = excluded.version, update_time = excluded.update_time, document = excluded.document
  WHERE note_policy.version = excluded.version - 1
-- statement notes.note_prefill.insert tenant
INSERT INTO note_prefill (organization_id, case_id, note_id, subject, document)
  VALUES ($1, $2, $3, $4, $5)
-- statement notes.note_release.insert tenant
INSERT INTO note_release (organization_id, case_id, note_id, patient, version, note_version,
                            addenda, state, reason, review_day, decider, decide_time, subject,
                            document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $4, $13)
-- statement notes.note_release.newest tenant
SELECT r.note_id, r.patient, r.version, r.note_version, r.addenda, r.state, r.reason,
         r.review_day, r.decider, r.decide_time, r.subject, r.document
  FROM note_release AS r
  WHERE r.organization_id = $1 AND r.case_id = $2
    AND r.note_id IN (SELECT value FROM json_each($3))
    AND r.version = (SELECT max(o.version) FROM note_release AS o
                     WHERE o.organization_id = $1 AND o.case_id = r.case_id
                       AND o.note_id = r.note_id AND o.patient = r.patient)
-- statement notes.note_template.get tenant
SELECT document FROM note_template
  WHERE organization_id = $1 AND clinician = $2 AND template_id = $3 AND revision = $4
-- statement notes.note_template.insert tenant
INSERT INTO note_template (organization_id, clinician, template_id, revision, phase, document)
  VALUES ($1, $2, $3, $4, $5, $6)
-- statement notes.note_template.list tenant
SELECT t.document, t.template_id FROM note_template AS t
  WHERE t.organization_id = $1 AND t.clinician = $2 AND t.template_id > $3
    AND ($4 = 0 OR t.phase = $4)
    AND NOT EXISTS (SELECT 1 FROM note_template AS o
                    WHERE o.organization_id = $1 AND o.clinician = $2
                      AND o.template_id = t.template_id AND o.revision > t.revision)
  ORDER BY t.template_id
  LIMIT $5
-- statement notes.note_template.newest tenant
SELECT coalesce(max(revision), 0) FROM note_template
  WHERE organization_id = $1 AND clinician = $2 AND template_id = $3
-- statement notes.note_version.bytes tenant
SELECT subject, document FROM note_version
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND version = $4
-- statement notes.note_version.insert tenant
INSERT INTO note_version (organization_id, case_id, note_id, version, author, sign_time,
                            content_sha256, signature, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
-- statement notes.noted_session.get tenant
SELECT appointment, case_id, clinician, held, private, patient FROM noted_session
  WHERE organization_id = $1 AND appointment = $2
-- statement notes.noted_session.keep tenant
INSERT INTO noted_session (organization_id, appointment, case_id, clinician, end_time, held,
                             version, clinic, patient, group_session, private)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  ON CONFLICT (organization_id, appointment) DO UPDATE
  SET case_id = excluded.case_id, clinician = excluded.clinician, end_time = excluded.end_time,
      held = excluded.held, version = excluded.version, clinic = excluded.clinic,
      patient = excluded.patient, group_session = excluded.group_session,
      private = excluded.private
  WHERE noted_session.version < excluded.version
-- statement notes.noted_session.seats tenant
SELECT appointment, case_id, clinician, held, private, patient FROM noted_session
  WHERE organization_id = $1 AND group_session = $2 AND group_session <> ''
  ORDER BY appointment
-- statement notes.partner_screen.countersign tenant
INSERT INTO partner_screen_countersign (organization_id, case_id, screen_id, document, subject)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT DO NOTHING
-- statement notes.partner_screen.get tenant
SELECT s.document, k.document, s.create_time, s.screen_id, s.subject FROM partner_screen s LEFT JOIN partner_screen_countersign k ON k.organization_id = s.organization_id AND k.case_id = s.case_id AND k.screen_id = s.screen_id WHERE s.organization_id = $1 AND s.case_id = $2 AND s.screen_id = $3
-- statement notes.partner_screen.insert tenant
INSERT INTO partner_screen (organization_id, case_id, screen_id, patient, create_time, document,
                              subject)
  VALUES ($1, $2, $3, $4, $5, $6, $4)
-- statement notes.partner_screen.list tenant
SELECT s.document, k.document, s.create_time, s.screen_id, s.subject FROM partner_screen s LEFT JOIN partner_screen_countersign k ON k.organization_id = s.organization_id AND k.case_id = s.case_id AND k.screen_id = s.screen_id WHERE s.organization_id = $1 AND s.case_id = $2 AND (s.create_time, s.screen_id) < ($3, $4) ORDER BY s.create_time DESC, s.screen_id DESC LIMIT $5
-- statement notes.partner_screen.newest tenant
SELECT s.document, k.document, s.create_time, s.screen_id, s.subject FROM partner_screen s LEFT JOIN partner_screen_countersign k ON k.organization_id = s.organization_id AND k.case_id = s.case_id AND k.screen_id = s.screen_id WHERE s.organization_id = $1 AND s.case_id = $2 AND NOT EXISTS (SELECT 1 FROM partner_screen n WHERE n.organization_id = $1 AND n.case_id = $2 AND n.patient = s.patient AND (n.create_time, n.screen_id) > (s.create_time, s.screen_id))
-- statement notes.portfolio.drawn tenant
SELECT s.case_id, s.selection_id, s.count, s.commitment, s.draw_time, s.drawn
  FROM note_case AS c JOIN recording_selection AS s
    ON s.organization_id = $1 AND s.case_id = c.case_id AND s.draw_time IS NOT NULL
  WHERE c.organization_id = $1 AND c.clinician = $2
  ORDER BY s.case_id, s.selection_id
-- statement notes.portfolio.inventory tenant
SELECT DISTINCT e.case_id
  FROM note_case AS c JOIN case_entry AS e
    ON e.organization_id = $1 AND e.case_id = c.case_id AND e.kind = $3 AND e.voided = 0
  WHERE c.organization_id = $1 AND c.clinician = $2
-- statement notes.portfolio.minutes tenant
SELECT k.case_id, CAST(sum(k.minutes) AS BIGINT)
  FROM supervision_session AS v JOIN supervised_case AS k
    ON k.organization_id = $1 AND k.supervisee = v.supervisee AND k.session_id = v.session_id
  WHERE v.organization_id = $1 AND v.supervisee = $2 AND v.voided = 0
    AND v.confirm_time IS NOT NULL
  GROUP BY k.case_id
-- statement notes.portfolio.ratings tenant
SELECT r.case_id, r.note_id, r.kind, r.percent
  FROM note_case AS c
  JOIN session_note AS n ON n.organization_id = $1 AND n.case_id = c.case_id AND n.author = $2
  JOIN session_rating AS r
    ON r.organization_id = $1 AND r.case_id = n.case_id AND r.note_id = n.note_id
  WHERE c.organization_id = $1 AND c.clinician = $2
    AND NOT EXISTS (SELECT 1 FROM session_rating AS o
                    WHERE o.organization_id = $1 AND o.case_id = r.case_id
                      AND o.note_id = r.note_id AND o.rater = r.rater
                      AND (o.create_time, o.rating_id) > (r.create_time, r.rating_id))
  ORDER BY r.case_id, r.note_id, r.rating_id
-- statement notes.portfolio.totals tenant
SELECT count(confirm_time),
         CAST(coalesce(sum(CASE WHEN confirm_time IS NULL THEN 0 ELSE minutes END), 0) AS BIGINT),
         count(*)
  FROM supervision_session
  WHERE organization_id = $1 AND supervisee = $2 AND voided = 0
-- statement notes.portfolio.work tenant
SELECT s.case_id, count(*),
         count(CASE WHEN EXISTS (SELECT 1 FROM session_note AS n
                                 WHERE n.organization_id = $1 AND n.appointment = s.appointment
                                   AND n.signed_version > 0) THEN 1 END),
         count(CASE WHEN EXISTS (SELECT 1 FROM session_recording AS r
                                 WHERE r.organization_id = $1 AND r.appointment = s.appointment)
                    THEN 1 END),
         count(CASE WHEN EXISTS (SELECT 1 FROM supervised_appointment AS a
                                 JOIN supervision_session AS v
                                   ON v.organization_id = $1 AND v.supervisee = a.supervisee
                                   AND v.session_id = a.session_id
                                 WHERE a.organization_id = $1 AND a.appointment = s.appointment
                                   AND a.supervisee = $2 AND v.voided = 0
                                   AND v.confirm_time IS NOT NULL) THEN 1 END),
         min(s.end_time)
  FROM note_case AS c JOIN noted_session AS s
    ON s.organization_id = $1 AND s.case_id = c.case_id AND s.held = 1 AND s.private = 0
  WHERE c.organization_id = $1 AND c.clinician = $2
  GROUP BY s.case_id
-- statement notes.privacy.count_sealed tenant
SELECT 'break_glass' AS kind, count(*) AS number FROM break_glass WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'case_entry' AS kind, count(*) AS number FROM case_entry WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'case_entry_revision' AS kind, count(*) AS number FROM case_entry_revision WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'consent' AS kind, count(*) AS number FROM consent WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'determination' AS kind, count(*) AS number FROM determination WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'formulation' AS kind, count(*) AS number FROM formulation WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'goal' AS kind, count(*) AS number FROM goal WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_addendum' AS kind, count(*) AS number FROM note_addendum WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_case' AS kind, count(*) AS number FROM note_case WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_cosignature' AS kind, count(*) AS number FROM note_cosignature WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_draft' AS kind, count(*) AS number FROM note_draft WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_draft_copy' AS kind, count(*) AS number FROM note_draft_copy WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_prefill' AS kind, count(*) AS number FROM note_prefill WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_release' AS kind, count(*) AS number FROM note_release WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'note_version' AS kind, count(*) AS number FROM note_version WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'partner_screen' AS kind, count(*) AS number FROM partner_screen WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'partner_screen_countersign' AS kind, count(*) AS number FROM partner_screen_countersign WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'psychotherapy_note' AS kind, count(*) AS number FROM psychotherapy_note WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'psychotherapy_release' AS kind, count(*) AS number FROM psychotherapy_release WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'recording_selection' AS kind, count(*) AS number FROM recording_selection WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'risk_assessment' AS kind, count(*) AS number FROM risk_assessment WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'safety_plan' AS kind, count(*) AS number FROM safety_plan WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'session_note' AS kind, count(*) AS number FROM session_note WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'session_rating' AS kind, count(*) AS number FROM session_rating WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'session_recording' AS kind, count(*) AS number FROM session_recording WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3)) UNION ALL SELECT 'supervised_case' AS kind, count(*) AS number FROM supervised_case WHERE organization_id = $1 AND case_id IN (SELECT value FROM json_each($2)) AND subject IN (SELECT value FROM json_each($3))
-- statement notes.psychotherapy.facts tenant
SELECT n.author,
         (SELECT count(*) FROM psychotherapy_release AS r
          WHERE r.organization_id = $1 AND r.case_id = n.case_id
            AND r.psychotherapy_note_id = n.psychotherapy_note_id AND r.recipient = $4
            AND r.revoke_time IS NULL AND r.expire_time > $5)
  FROM psychotherapy_note AS n
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.psychotherapy_note_id = $3
-- statement notes.psychotherapy.get tenant
SELECT psychotherapy_note_id, author, appointment, version, create_time, update_time, subject,
         document
  FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
-- statement notes.psychotherapy.insert tenant
INSERT INTO psychotherapy_note (organization_id, case_id, psychotherapy_note_id, author,
                                  appointment, version, create_time, update_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $8)
-- statement notes.psychotherapy.list tenant
SELECT psychotherapy_note_id, author, appointment, version, create_time, update_time, subject,
         document
  FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 AND author = $3
    AND (create_time, psychotherapy_note_id) < ($4, $5)
  ORDER BY create_time DESC, psychotherapy_note_id DESC
  LIMIT $6
-- statement notes.psychotherapy.subjects tenant
SELECT DISTINCT subject FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 ORDER BY subject
-- statement notes.psychotherapy.update tenant
UPDATE psychotherapy_note SET document = $4, update_time = $5, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND version = $6
-- statement notes.psychotherapy_release.get tenant
SELECT release_id, recipient, basis, author, create_time, expire_time, revoke_time, subject,
         document
  FROM psychotherapy_release
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND release_id = $4
-- statement notes.psychotherapy_release.insert tenant
INSERT INTO psychotherapy_release (organization_id, case_id, psychotherapy_note_id, release_id,
                                     recipient, basis, author, create_time, expire_time, subject,
                                     document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
-- statement notes.psychotherapy_release.list tenant
SELECT release_id, recipient, basis, author, create_time, expire_time, revoke_time, subject,
         document
  FROM psychotherapy_release
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND (create_time, release_id) < ($4, $5)
  ORDER BY create_time DESC, release_id DESC
  LIMIT $6
-- statement notes.psychotherapy_release.revoke tenant
UPDATE psychotherapy_release SET revoke_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3 AND release_id = $4
    AND revoke_time IS NULL
-- statement notes.recording.get tenant
SELECT r.case_id, r.recording_id, r.appointment, r.session_number, r.clinician, r.medium, r.private, r.retain_until, r.withdraw_time, r.delete_time, r.deleted_by, r.version, r.create_time, r.subject, r.document, CASE WHEN EXISTS (SELECT 1 FROM erasure AS x WHERE x.organization_id = $1 AND x.patient IN (c.patient, c.partner)) THEN 1 ELSE 0 END FROM session_recording AS r JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = r.case_id WHERE r.organization_id = $1 AND r.case_id = $2 AND r.recording_id = $3
-- statement notes.recording.insert tenant
INSERT INTO session_recording (organization_id, case_id, recording_id, appointment,
                                 session_number, clinician, medium, private, retain_until,
                                 deleted_by, version, create_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 1, $10, $11, $12)
-- statement notes.recording.list tenant
SELECT r.case_id, r.recording_id, r.appointment, r.session_number, r.clinician, r.medium, r.private, r.retain_until, r.withdraw_time, r.delete_time, r.deleted_by, r.version, r.create_time, r.subject, r.document, CASE WHEN EXISTS (SELECT 1 FROM erasure AS x WHERE x.organization_id = $1 AND x.patient IN (c.patient, c.partner)) THEN 1 ELSE 0 END FROM session_recording AS r JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = r.case_id WHERE r.organization_id = $1 AND ($2 = '' OR r.case_id = $2) AND ($2 <> '' OR c.clinician IN (SELECT value FROM json_each($3))) AND ($4 = 0 OR (r.delete_time IS NULL AND (r.withdraw_time IS NOT NULL OR r.retain_until < $5 OR EXISTS (SELECT 1 FROM erasure AS x WHERE x.organization_id = $1 AND x.patient IN (c.patient, c.partner)) ))) AND ($6 = 0 OR (r.delete_time IS NULL AND r.retain_until <= $7)) AND (r.retain_until, r.recording_id) > ($8, $9) ORDER BY r.retain_until, r.recording_id LIMIT $10
-- statement notes.recording.of_session tenant
SELECT case_id, recording_id FROM session_recording
  WHERE organization_id = $1 AND appointment = $2
-- statement notes.recording.update tenant
UPDATE session_recording
  SET withdraw_time = $5, delete_time = $6, deleted_by = $7, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND recording_id = $3 AND version = $4
-- statement notes.recording_selection.draw tenant
UPDATE recording_selection SET draw_time = $4, drawn = $5
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3 AND draw_time IS NULL
-- statement notes.recording_selection.get tenant
SELECT selection_id, count, commitment, committed_by, commit_time, draw_time, drawn FROM recording_selection WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3
-- statement notes.recording_selection.insert tenant
INSERT INTO recording_selection (organization_id, case_id, selection_id, count, commitment,
                                   committed_by, commit_time, subject, seed)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
-- statement notes.recording_selection.list tenant
SELECT selection_id, count, commitment, committed_by, commit_time, draw_time, drawn FROM recording_selection WHERE organization_id = $1 AND case_id = $2 AND (commit_time, selection_id) < ($3, $4) ORDER BY commit_time DESC, selection_id DESC LIMIT $5
-- statement notes.recording_selection.open tenant
SELECT selection_id FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND draw_time IS NULL
-- statement notes.recording_selection.seed tenant
SELECT subject, seed FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3
-- statement notes.risk_assessment.get tenant
SELECT document, create_time, risk_assessment_id, subject FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND risk_assessment_id = $3
-- statement notes.risk_assessment.insert tenant
INSERT INTO risk_assessment (organization_id, case_id, risk_assessment_id, create_time, document,
                               subject)
  VALUES ($1, $2, $3, $4, $5, $6)
-- statement notes.risk_assessment.list tenant
SELECT document, create_time, risk_assessment_id, subject FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, risk_assessment_id) < ($3, $4)
  ORDER BY create_time DESC, risk_assessment_id DESC
  LIMIT $5
-- statement notes.safety_plan.any tenant
SELECT version FROM safety_plan WHERE organization_id = $1 AND case_id = $2 LIMIT 1
-- statement notes.safety_plan.get tenant
SELECT document, version, subject FROM safety_plan
  WHERE organization_id = $1 AND case_id = $2 AND version <= $3
  ORDER BY version DESC
  LIMIT 1
-- statement notes.safety_plan.insert tenant
INSERT INTO safety_plan (organization_id, case_id, version, document, subject)
  VALUES ($1, $2, $3, $4, $5)
-- statement notes.session_rating.get tenant
SELECT rating_id, rater, kind, percent, create_time, subject, document FROM session_rating
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND rating_id = $4
-- statement notes.session_rating.insert tenant
INSERT INTO session_rating (organization_id, case_id, note_id, rating_id, rater, kind, percent,
                              create_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
-- statement notes.session_rating.newest tenant
SELECT r.rating_id, r.rater, r.kind, r.percent, r.create_time, r.subject, r.document
  FROM session_rating AS r
  WHERE r.organization_id = $1 AND r.case_id = $2 AND r.note_id = $3
    AND ($4 = '' OR r.rater = $4)
    AND NOT EXISTS (SELECT 1 FROM session_rating AS n
                    WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $3
                      AND n.rater = r.rater
                      AND (n.create_time, n.rating_id) > (r.create_time, r.rating_id))
  ORDER BY r.create_time DESC, r.rating_id DESC
  LIMIT 100
-- statement notes.signing_facts.get tenant
SELECT c.licence_until, c.trainee, s.supervisor, k.document, n.document, p.sample_percent, p.seed
  FROM care_clinician AS c
  LEFT JOIN care_supervision AS s
    ON s.organization_id = $1 AND s.supervisee = $2 AND s.start_time <= $4 AND s.end_time > $4
  LEFT JOIN cosign_policy AS p
    ON p.organization_id = $1 AND p.supervisee = $2 AND p.supervisor = s.supervisor
  LEFT JOIN care_clinic AS k ON k.organization_id = $1 AND k.clinic = $3
  LEFT JOIN note_policy AS n ON n.organization_id = $1 AND n.clinic = $3
  WHERE c.organization_id = $1 AND c.clinician = $2
  ORDER BY s.supervisor
-- statement notes.signing_key.get tenant
SELECT key_id, public_key, create_time, sealed FROM signing_key
  WHERE organization_id = $1 AND clinician = $2
-- statement notes.signing_key.insert tenant
INSERT INTO signing_key (organization_id, clinician, key_id, public_key, create_time, subject,
                           sealed)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
-- statement notes.signing_key.list tenant
SELECT key_id, public_key, create_time, clinician FROM signing_key
  WHERE organization_id = $1 AND ($2 = '' OR clinician = $2) AND (create_time, key_id) > ($3, $4)
  ORDER BY create_time, key_id
  LIMIT $5
-- statement notes.supervision.cases_of tenant
SELECT case_id FROM note_case
  WHERE organization_id = $1 AND clinician IN (SELECT value FROM json_each($2))
    AND case_id IN (SELECT value FROM json_each($3))
-- statement notes.supervision.confirm tenant
UPDATE supervision_session SET confirm_time = $4, version = version + 1
  WHERE organization_id = $1 AND supervisee = $2 AND session_id = $3 AND version = $5
-- statement notes.supervision.get tenant
SELECT session_id, supervisor, logged_by, start_time, minutes, confirm_time, voided, version, create_time, subject, document, void_document FROM supervision_session WHERE organization_id = $1 AND supervisee = $2 AND session_id = $3
-- statement notes.supervision.held_sessions tenant
SELECT appointment, case_id FROM noted_session
  WHERE organization_id = $1 AND held = 1
    AND appointment IN (SELECT value FROM json_each($2))
-- statement notes.supervision.insert tenant
INSERT INTO supervision_session (organization_id, supervisee, session_id, supervisor, logged_by,
                                   start_time, minutes, voided, version, create_time, subject,
                                   document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1, $8, $9, $10)
-- statement notes.supervision.insert_appointment tenant
INSERT INTO supervised_appointment (organization_id, supervisee, session_id, case_id, appointment)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, supervisee, session_id, case_id, appointment) DO NOTHING
-- statement notes.supervision.insert_case tenant
INSERT INTO supervised_case (organization_id, supervisee, session_id, case_id, position, minutes,
                               subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
-- statement notes.supervision.list tenant
SELECT session_id, supervisor, logged_by, start_time, minutes, confirm_time, voided, version, create_time, subject, document, void_document FROM supervision_session WHERE organization_id = $1 AND supervisee = $2 AND ($3 = '' OR supervisor = $3) AND (start_time, session_id) < ($4, $5) ORDER BY start_time DESC, session_id DESC LIMIT $6
-- statement notes.supervision.list_cases tenant
SELECT session_id, case_id, subject, document FROM supervised_case
  WHERE organization_id = $1 AND supervisee = $2
    AND session_id IN (SELECT value FROM json_each($3))
  ORDER BY session_id, position
-- statement notes.supervision.subjects tenant
SELECT case_id, patient, partner FROM note_case
  WHERE organization_id = $1 AND clinician = $2
    AND case_id IN (SELECT value FROM json_each($3))
-- statement notes.supervision.void tenant
UPDATE supervision_session SET voided = 1, void_document = $4, version = version + 1
  WHERE organization_id = $1 AND supervisee = $2 AND session_id = $3 AND version = $5
-- statement notes.timeliness.overdue tenant
SELECT CASE $4 WHEN 1 THEN s.clinician WHEN 2 THEN p.supervisor ELSE s.clinic END, count(*)
  FROM noted_session AS s
  JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
  LEFT JOIN care_supervision AS p
    ON p.organization_id = $1 AND p.supervisee = s.clinician AND $4 = 2
    AND p.start_time <= $7 AND p.end_time > $7
  WHERE s.organization_id = $1 AND s.held = 1 AND s.end_time >= $5 AND s.end_time < $6
    AND s.end_time < $9 AND ($4 <> 2 OR p.supervisor IS NOT NULL)
    AND ($8 = 1 OR s.clinician IN (SELECT value FROM json_each($2))
         OR s.clinic IN (SELECT value FROM json_each($3)))
    AND NOT EXISTS (SELECT 1 FROM session_note AS n
                    WHERE n.organization_id = $1 AND n.appointment = s.appointment
                      AND n.signed_version > 0 AND (n.kind <> 3 OR s.private = 1))
  GROUP BY 1 ORDER BY 1 LIMIT 1000
-- statement notes.timeliness.signed tenant
WITH one AS (
    SELECT CASE $4 WHEN 1 THEN n.author WHEN 2 THEN p.supervisor ELSE n.clinic END AS whose,
           n.first_sign_time - n.session_end_time AS taken,
           CASE WHEN n.first_sign_time > n.due_time THEN 1 ELSE 0 END AS late,
           CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END AS awaits,
           n.cosign_time - n.sign_time AS cosign_taken,
           n.copied_percent AS copied
    FROM session_note AS n
    LEFT JOIN care_supervision AS p
      ON p.organization_id = $1 AND p.supervisee = n.author AND $4 = 2
      AND p.start_time <= $7 AND p.end_time > $7
    WHERE n.organization_id = $1 AND n.session_end_time >= $5 AND n.session_end_time < $6
      AND n.signed_version > 0 AND ($4 <> 2 OR p.supervisor IS NOT NULL)
      AND ($8 = 1 OR n.author IN (SELECT value FROM json_each($2))
           OR n.clinic IN (SELECT value FROM json_each($3)))),
  ranked AS (
    SELECT whose, taken, late, awaits, cosign_taken, copied,
           row_number() OVER (PARTITION BY whose ORDER BY taken) AS rank,
           count(*) OVER (PARTITION BY whose) AS total,
           row_number() OVER (PARTITION BY whose
                              ORDER BY CASE WHEN cosign_taken IS NULL THEN 1 ELSE 0 END,
                                       cosign_taken) AS cosign_rank,
           count(cosign_taken) OVER (PARTITION BY whose) AS cosign_total
    FROM one)
  SELECT whose, count(*), CAST(sum(late) AS BIGINT), CAST(sum(awaits) AS BIGINT),
         count(cosign_taken), CAST(sum(copied) / count(*) AS BIGINT),
         max(CASE WHEN rank = (total * 50 + 99) / 100 THEN taken END),
         max(CASE WHEN rank = (total * 90 + 99) / 100 THEN taken END),
         max(CASE WHEN rank = (total * 99 + 99) / 100 THEN taken END),
         max(CASE WHEN cosign_rank = (cosign_total * 50 + 99) / 100 THEN cosign_taken END),
         max(CASE WHEN cosign_rank = (cosign_total * 90 + 99) / 100 THEN cosign_taken END),
         max(CASE WHEN cosign_rank = (cosign_total * 99 + 99) / 100 THEN cosign_taken END)
  FROM ranked GROUP BY whose ORDER BY whose LIMIT 1000
-- statement retention.idempotency tenant
DELETE FROM idempotency WHERE organization_id = $1 AND (principal, method, request_id) IN (
    SELECT old.principal, old.method, old.request_id FROM idempotency AS old
    WHERE old.organization_id = $1 AND old.create_time < $2
    ORDER BY old.create_time LIMIT $3) AND create_time < $2
-- statement retention.organizations feed
SELECT organization_id FROM organization WHERE organization_id > $1
  ORDER BY organization_id LIMIT $2
-- statement survey.organizations feed
SELECT organization_id FROM organization ORDER BY organization_id
