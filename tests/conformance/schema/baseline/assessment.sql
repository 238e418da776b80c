-- statement assessment.alert.at_risk tenant
SELECT patient, course FROM alert
  WHERE organization_id = $1 AND patient IN ($2, $3) AND create_time <= $5
    AND (resolve_time IS NULL OR resolve_time >= $4 OR create_time >= $4)
  ORDER BY create_time DESC, alert_id DESC LIMIT 1
-- statement assessment.alert.covers tenant
SELECT DISTINCT clinician, covering_clinician FROM care_cover
  WHERE organization_id = $1 AND deleted = 0 AND start_time <= $2 AND end_time > $2
  ORDER BY clinician, covering_clinician
-- statement assessment.alert.get tenant
SELECT document, version FROM alert WHERE organization_id = $1 AND alert_id = $2
-- statement assessment.alert.has_unresolved tenant
SELECT 1 FROM alert WHERE organization_id = $1 AND state < 3 LIMIT 1
-- statement assessment.alert.insert tenant
INSERT INTO alert (organization_id, alert_id, course, patient, kind, source, state, owner,
                     create_time, version, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)
-- statement assessment.alert.insert_escalated tenant
INSERT INTO alert_escalated (organization_id, clinician, alert_id) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, clinician, alert_id) DO NOTHING
-- statement assessment.alert.last_assessed tenant
SELECT max(risk_assessed_time) FROM alert WHERE organization_id = $1 AND patient = $2
-- statement assessment.alert.list tenant
SELECT full_row.document, full_row.version, full_row.create_time,   full_row.alert_id FROM ( SELECT owned.alert_id FROM (  SELECT alert_id FROM alert  WHERE alert.organization_id = $1 AND alert.owner = $2 AND (alert.create_time, alert.alert_id) < ($4, $5) AND ($6 = '' OR alert.course = $6) AND ($7 = '' OR alert.owner = $7) AND ((alert.state = 1 AND $8 = 1) OR (alert.state = 2 AND $9 = 1)   OR (alert.state = 3 AND $10 = 1)) ORDER BY alert.create_time DESC, alert.alert_id DESC LIMIT $11 ) AS owned UNION SELECT told.alert_id FROM (  SELECT alert.alert_id FROM alert_escalated AS mine JOIN alert   ON alert.organization_id = mine.organization_id   AND alert.alert_id = mine.alert_id  WHERE mine.organization_id = $1 AND mine.clinician = $2 AND (alert.create_time, alert.alert_id) < ($4, $5) AND ($6 = '' OR alert.course = $6) AND ($7 = '' OR alert.owner = $7) AND ((alert.state = 1 AND $8 = 1) OR (alert.state = 2 AND $9 = 1)   OR (alert.state = 3 AND $10 = 1)) ORDER BY alert.create_time DESC, alert.alert_id DESC LIMIT $11 ) AS told UNION SELECT treated.alert_id FROM (  SELECT alert.alert_id FROM alert JOIN course_clinician AS mine   ON mine.organization_id = alert.organization_id   AND mine.course = alert.course  WHERE alert.organization_id = $1 AND (mine.clinician = $2   OR mine.clinician IN (SELECT cover.clinician FROM care_cover AS cover    WHERE cover.organization_id = $1     AND cover.covering_clinician = $2 AND cover.deleted = 0     AND cover.start_time <= $3 AND cover.end_time > $3)) AND (alert.create_time, alert.alert_id) < ($4, $5) AND ($6 = '' OR alert.course = $6) AND ($7 = '' OR alert.owner = $7) AND ((alert.state = 1 AND $8 = 1) OR (alert.state = 2 AND $9 = 1)   OR (alert.state = 3 AND $10 = 1)) ORDER BY alert.create_time DESC, alert.alert_id DESC LIMIT $11 ) AS treated) AS visible JOIN alert AS full_row ON full_row.organization_id = $1  AND full_row.alert_id = visible.alert_id ORDER BY full_row.create_time DESC, full_row.alert_id DESC LIMIT $11
-- statement assessment.alert.newest_of_kind tenant
SELECT document, version FROM alert
  WHERE organization_id = $1 AND source = $2 AND kind = $3
  ORDER BY create_time DESC LIMIT 1
-- statement assessment.alert.of_source tenant
SELECT document, version FROM alert WHERE organization_id = $1 AND source = $2
-- statement assessment.alert.told tenant
SELECT alert.document, alert.version, told.position, told.occur_time, mine.clinician
  FROM event AS told JOIN alert
    ON alert.organization_id = told.organization_id
    AND alert.alert_id = substr(told.resource, length(told.resource) - 25)
  LEFT JOIN course_clinician AS mine
    ON mine.organization_id = told.organization_id AND mine.course = alert.course
  WHERE told.organization_id = $1 AND told.position > $2 AND told.position <= $3
    AND told.type = 'rapport.assessment.v1.AlertEvent'
  ORDER BY told.position LIMIT $4
-- statement assessment.alert.unresolved tenant
SELECT document, version FROM alert
  WHERE organization_id = $1 AND state < 3 AND ($2 = '' OR course = $2)
  ORDER BY course, alert_id
-- statement assessment.alert.update tenant
UPDATE alert SET state = $4, owner = $5, resolve_time = $6, risk_assessed_time = $7,
                   version = version + 1, document = $8
  WHERE organization_id = $1 AND alert_id = $2 AND version = $3
-- statement assessment.alert_resolution.get tenant
SELECT alert_id, subject, sealed FROM alert_resolution
  WHERE organization_id = $1 AND alert_id IN (SELECT value FROM json_each($2))
-- statement assessment.alert_resolution.insert tenant
INSERT INTO alert_resolution (organization_id, alert_id, subject, sealed)
  VALUES ($1, $2, $3, $4)
-- statement assessment.assessment.forms tenant
SELECT assessment_id, instrument, patient, answer_time, total, complete, prorated, severity,
         full_syndrome, revision, positive
  FROM assessment WHERE organization_id = $1 AND course = $2 AND void_time IS NULL
  ORDER BY answer_time, assessment_id
-- statement assessment.assessment.get tenant
SELECT document, version, sealed, assessment_id, patient FROM assessment
  WHERE organization_id = $1 AND assessment_id = $2
-- statement assessment.assessment.get_some tenant
SELECT document, version, sealed, assessment_id, patient FROM assessment
  WHERE organization_id = $1
    AND assessment_id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                          $17)
-- statement assessment.assessment.insert tenant
INSERT INTO assessment (organization_id, assessment_id, course, patient, instrument, answer_time,
                          record_time, total, complete, prorated, severity, diagnostic, version,
                          document, sealed, revision, positive, full_syndrome)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 1, $12, $13, $14, $15, $16)
-- statement assessment.assessment.list tenant
SELECT document, version, sealed, assessment_id, patient, answer_time FROM assessment
  WHERE organization_id = $1 AND course = $2 AND (answer_time, assessment_id) > ($3, $4)
    AND ($5 = '' OR instrument = $5) AND ($6 = '' OR patient = $6)
    AND ($7 = 1 OR void_time IS NULL)
  ORDER BY answer_time, assessment_id LIMIT $8
-- statement assessment.assessment.previous tenant
SELECT document, version, sealed, assessment_id, patient FROM assessment
  WHERE organization_id = $1 AND course = $2 AND patient = $3 AND instrument = $4
    AND answer_time < $5 AND void_time IS NULL
  ORDER BY answer_time DESC, assessment_id DESC LIMIT 1
-- statement assessment.assessment.void tenant
UPDATE assessment SET void_time = $4, version = version + 1, document = $5
  WHERE organization_id = $1 AND assessment_id = $2 AND version = $3 AND void_time IS NULL
  RETURNING sealed
-- statement assessment.audited.alert tenant
SELECT version, document FROM alert WHERE organization_id = $1 AND alert_id = $2
-- statement assessment.audited.alert_alone tenant
SELECT 'organizations/' || a.organization_id || '/alerts/' || a.alert_id, a.version
  FROM alert AS a LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = a.version
      AND leaf.resource = 'organizations/' || a.organization_id || '/alerts/' || a.alert_id
  WHERE a.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement assessment.audited.alert_resolution tenant
SELECT 1, sealed FROM alert_resolution WHERE organization_id = $1 AND alert_id = $2
-- statement assessment.audited.alert_resolution_alone tenant
SELECT 'organizations/' || a.organization_id || '/alerts/' || a.alert_id || '/resolutionTexts', 1
  FROM alert_resolution AS a LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = 1
      AND leaf.resource = 'organizations/' || a.organization_id || '/alerts/' || a.alert_id
                          || '/resolutionTexts'
  WHERE a.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement assessment.audited.assessment tenant
SELECT version, document, sealed FROM assessment
  WHERE organization_id = $1 AND assessment_id = $2
-- statement assessment.audited.assessment_alone tenant
SELECT 'organizations/' || a.organization_id || '/assessments/' || a.assessment_id, a.version
  FROM assessment AS a LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = a.version
      AND leaf.resource =
        'organizations/' || a.organization_id || '/assessments/' || a.assessment_id
  WHERE a.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100
-- statement assessment.audited.measure_request tenant
SELECT version, document FROM measure_request
  WHERE organization_id = $1 AND measure_request_id = $2
-- statement assessment.audited.plan tenant
SELECT version, document FROM measurement_plan
  WHERE organization_id = $1 AND course = 'organizations/' || $1 || '/courses/' || $2
-- statement assessment.audited.rhythm_day tenant
SELECT entry, sealed FROM rhythm_day
  WHERE organization_id = $1 AND course = 'organizations/' || $1 || '/courses/' || $2
    AND patient = 'organizations/' || $1 || '/patients/' || $3 AND date = $4 AND entry = $5
-- statement assessment.caseload.appointments tenant
SELECT course, appointment, counts, document FROM care_appointment
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
  ORDER BY course, start_time, appointment
-- statement assessment.caseload.courses tenant
SELECT course, document FROM care_course
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
  ORDER BY course
-- statement assessment.caseload.forms tenant
SELECT course, assessment_id, instrument, patient, answer_time, total, complete, prorated,
         severity, full_syndrome, revision, positive
  FROM assessment
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
    AND void_time IS NULL
  ORDER BY course, answer_time, assessment_id
-- statement assessment.caseload.plans tenant
SELECT course, document FROM measurement_plan
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
-- statement assessment.course_clinician.put tenant
INSERT INTO course_clinician (organization_id, course, version, clinician, counts_days, segment)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician,
      counts_days = excluded.counts_days, segment = excluded.segment
  WHERE course_clinician.version < excluded.version
-- statement assessment.due.day_course tenant
SELECT mine.course, c.document, coalesce( (SELECT min(a.start_time) FROM care_appointment AS a  WHERE a.organization_id = mine.organization_id AND a.course = mine.course   AND a.segment = mine.segment AND a.counts = 1), (SELECT max(a.start_time) FROM care_appointment AS a  WHERE a.organization_id = mine.organization_id AND a.course = mine.course   AND a.counts = 1)) FROM course_clinician AS mine JOIN care_course AS c  ON c.organization_id = mine.organization_id AND c.course = mine.course WHERE mine.organization_id = $1 AND mine.counts_days = 1 AND mine.course = $2
-- statement assessment.due.day_courses_of_clinician tenant
SELECT mine.course, c.document, coalesce( (SELECT min(a.start_time) FROM care_appointment AS a  WHERE a.organization_id = mine.organization_id AND a.course = mine.course   AND a.segment = mine.segment AND a.counts = 1), (SELECT max(a.start_time) FROM care_appointment AS a  WHERE a.organization_id = mine.organization_id AND a.course = mine.course   AND a.counts = 1)) FROM course_clinician AS mine JOIN care_course AS c  ON c.organization_id = mine.organization_id AND c.course = mine.course WHERE mine.organization_id = $1 AND mine.counts_days = 1 AND mine.clinician = $2 ORDER BY mine.course
-- statement assessment.due.forms_of_clinician tenant
SELECT f.course, f.assessment_id, f.instrument, f.answer_time, f.total, f.complete, f.prorated,
         f.patient
  FROM course_clinician AS mine JOIN assessment AS f
    ON f.organization_id = mine.organization_id AND f.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2
    AND f.answer_time >= $3 AND f.answer_time <= $4 AND f.void_time IS NULL
  ORDER BY f.answer_time, f.assessment_id
-- statement assessment.due.forms_of_course tenant
SELECT f.course, f.assessment_id, f.instrument, f.answer_time, f.total, f.complete, f.prorated,
         f.patient
  FROM assessment AS f
  WHERE f.organization_id = $1 AND f.course = $2 AND f.answer_time >= $3 AND f.answer_time <= $4
    AND f.void_time IS NULL
  ORDER BY f.answer_time, f.assessment_id
-- statement assessment.due.newest_of_clinician tenant
SELECT f.course, f.instrument, f.patient, max(f.answer_time) FROM course_clinician AS mine JOIN assessment AS f  ON f.organization_id = mine.organization_id AND f.course = mine.course WHERE mine.organization_id = $1 AND mine.counts_days = 1  AND f.complete = 1 AND f.void_time IS NULL AND mine.clinician = $2 GROUP BY f.course, f.instrument, f.patient
-- statement assessment.due.newest_of_course tenant
SELECT f.course, f.instrument, f.patient, max(f.answer_time) FROM course_clinician AS mine JOIN assessment AS f  ON f.organization_id = mine.organization_id AND f.course = mine.course WHERE mine.organization_id = $1 AND mine.counts_days = 1  AND f.complete = 1 AND f.void_time IS NULL AND mine.course = $2 GROUP BY f.course, f.instrument, f.patient
-- statement assessment.due.requests_of_clinician tenant
SELECT r.appointment, r.instrument, r.patient, r.measure_request_id FROM course_clinician AS mine JOIN measure_request AS r  ON r.organization_id = mine.organization_id AND r.course = mine.course JOIN care_appointment AS a  ON a.organization_id = r.organization_id AND a.appointment = r.appointment WHERE mine.organization_id = $1 AND r.state <> 6  AND a.start_time >= $3 AND a.start_time <= $4 AND mine.clinician = $2 ORDER BY r.create_time, r.measure_request_id
-- statement assessment.due.requests_of_course tenant
SELECT r.appointment, r.instrument, r.patient, r.measure_request_id FROM course_clinician AS mine JOIN measure_request AS r  ON r.organization_id = mine.organization_id AND r.course = mine.course JOIN care_appointment AS a  ON a.organization_id = r.organization_id AND a.appointment = r.appointment WHERE mine.organization_id = $1 AND r.state <> 6  AND a.start_time >= $3 AND a.start_time <= $4 AND mine.course = $2 ORDER BY r.create_time, r.measure_request_id
-- statement assessment.due.sessions_of_clinician tenant
SELECT a.start_time, a.appointment, a.document, c.course, c.document, (  SELECT count(*) FROM care_appointment AS o  WHERE o.organization_id = a.organization_id AND o.course = a.course    AND o.segment = a.segment AND o.counts = 1    AND (o.start_time, o.appointment) <= (a.start_time, a.appointment)) 
  FROM course_clinician AS mine
  JOIN care_appointment AS a
    ON a.organization_id = mine.organization_id AND a.course = mine.course
  JOIN care_course AS c ON c.organization_id = a.organization_id AND c.course = a.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2 AND a.counts = 1
    AND (a.start_time, a.appointment) >= ($3, $4)
  ORDER BY a.start_time, a.appointment LIMIT $5
-- statement assessment.due.sessions_of_course tenant
SELECT a.start_time, a.appointment, a.document, c.course, c.document, (  SELECT count(*) FROM care_appointment AS o  WHERE o.organization_id = a.organization_id AND o.course = a.course    AND o.segment = a.segment AND o.counts = 1    AND (o.start_time, o.appointment) <= (a.start_time, a.appointment)) 
  FROM care_appointment AS a JOIN care_course AS c
    ON c.organization_id = a.organization_id AND c.course = a.course
  WHERE a.organization_id = $1 AND a.course = $2 AND a.counts = 1
    AND (a.start_time, a.appointment) >= ($3, $4)
  ORDER BY a.start_time, a.appointment LIMIT $5
-- statement assessment.erased_patient.get tenant
SELECT erasure FROM erased_patient WHERE organization_id = $1 AND patient = $2
-- statement assessment.erased_patient.insert tenant
INSERT INTO erased_patient (organization_id, patient, erasure, erase_time)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, patient) DO NOTHING
-- statement assessment.erasure.alerts tenant
SELECT document, version FROM alert WHERE organization_id = $1 AND patient = $2
  ORDER BY alert_id
-- statement assessment.erasure.courses tenant
SELECT course FROM assessment WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM rhythm_day WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM measure_request WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM alert WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM outcome_course WHERE organization_id = $1 AND respondent = $2
  ORDER BY 1
-- statement assessment.erasure.delete_days tenant
DELETE FROM rhythm_day WHERE organization_id = $1 AND patient = $2
  RETURNING course, date
-- statement assessment.erasure.delete_forms tenant
DELETE FROM assessment WHERE organization_id = $1 AND patient = $2
  RETURNING assessment_id
-- statement assessment.erasure.delete_requests tenant
DELETE FROM measure_request WHERE organization_id = $1 AND patient = $2
  RETURNING measure_request_id
-- statement assessment.erasure.drop_focus tenant
DELETE FROM outcome_focus WHERE organization_id = $1 AND course = $2
-- statement assessment.erasure.move_course tenant
UPDATE outcome_course
  SET course = $4, respondent = $4, under_way = 0, first_session_time = 0
  WHERE organization_id = $1 AND course = $2 AND respondent = $3
-- statement assessment.erasure.move_scores tenant
UPDATE outcome_score SET course = $4, respondent = $4
  WHERE organization_id = $1 AND course = $2 AND respondent = $3
-- statement assessment.erasure.outcome_courses tenant
SELECT course FROM outcome_course WHERE organization_id = $1 AND respondent = $2
  ORDER BY course
-- statement assessment.erasure.requests tenant
SELECT document, version FROM measure_request WHERE organization_id = $1 AND patient = $2
  ORDER BY measure_request_id
-- statement assessment.erasure.totals tenant
INSERT INTO unlinked_total (organization_id, subject, number, instrument, day, total, complete,
                              prorated, severity)
  SELECT organization_id, $3, row_number() OVER (ORDER BY answer_time, assessment_id), instrument,
         (answer_time - min(answer_time) OVER ()) / 86400000000, total, complete, prorated, severity
  FROM assessment
  WHERE organization_id = $1 AND patient = $2 AND void_time IS NULL
-- statement assessment.erasure.unlink_alert tenant
UPDATE alert SET course = $3, patient = $4, source = $4
  WHERE organization_id = $1 AND alert_id = $2
-- statement assessment.instrument.get tenant
SELECT document FROM instrument
  WHERE organization_id = $1 AND instrument_id = $2 AND revision = $3
-- statement assessment.instrument.insert tenant
INSERT INTO instrument (organization_id, instrument_id, revision, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, instrument_id, revision) DO NOTHING
-- statement assessment.instrument.list tenant
SELECT i.document FROM instrument AS i
  WHERE i.organization_id = $1 AND i.instrument_id > $2
    AND i.revision = (SELECT max(n.revision) FROM instrument AS n
                      WHERE n.organization_id = i.organization_id
                        AND n.instrument_id = i.instrument_id)
  ORDER BY i.instrument_id LIMIT $3
-- statement assessment.instrument.newest tenant
SELECT coalesce(max(revision), 0) FROM instrument
  WHERE organization_id = $1 AND instrument_id = $2
-- statement assessment.instrument_wording.get tenant
SELECT document, version FROM instrument_wording
  WHERE organization_id = $1 AND wording_id = $2
-- statement assessment.instrument_wording.insert tenant
INSERT INTO instrument_wording (organization_id, wording_id, version, document)
  VALUES ($1, $2, 1, $3)
  ON CONFLICT (organization_id, wording_id) DO NOTHING
-- statement assessment.instrument_wording.update tenant
UPDATE instrument_wording SET version = $3, document = $4
  WHERE organization_id = $1 AND wording_id = $2 AND version = $3 - 1
-- statement assessment.measure_request.get tenant
SELECT document, version, save_number, sealed FROM measure_request
  WHERE organization_id = $1 AND measure_request_id = $2
-- statement assessment.measure_request.get_by_link tenant
SELECT document, version, save_number, sealed FROM measure_request
  WHERE organization_id = $1 AND link_hash = $2
-- statement assessment.measure_request.insert tenant
INSERT INTO measure_request (organization_id, measure_request_id, course, patient, instrument,
                               appointment, state, create_time, link_hash, save_number, version,
                               document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, $10)
-- statement assessment.measure_request.list tenant
SELECT document, version, create_time, measure_request_id FROM measure_request
  WHERE organization_id = $1 AND course = $2 AND (create_time, measure_request_id) < ($3, $4)
  ORDER BY create_time DESC, measure_request_id DESC LIMIT $5
-- statement assessment.measure_request.update tenant
UPDATE measure_request
  SET state = $4, save_number = $5, sealed = $6, version = $3 + 1, document = $7
  WHERE organization_id = $1 AND measure_request_id = $2 AND version = $3
-- statement assessment.outcome.count tenant
SELECT c.clinic, c.protocol, c.problem_area, c.month, count(*), count(s.baseline),
         CAST(sum(CASE WHEN s.baseline IS NULL THEN 0 ELSE c.completed END) AS BIGINT)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
  GROUP BY 1, 2, 3, 4
-- statement assessment.outcome.courses tenant
SELECT course FROM care_course WHERE organization_id = $1 AND course > $2
  UNION
  SELECT course FROM outcome_course
  WHERE organization_id = $1 AND course > $2 AND course LIKE '%/courses/%'
  ORDER BY 1 LIMIT $3
-- statement assessment.outcome.sum_0 tenant
SELECT '', '', '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.completed
-- statement assessment.outcome.sum_1 tenant
SELECT c.clinic, '', '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.completed
-- statement assessment.outcome.sum_10 tenant
SELECT '', c.clinician, '', c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.problem_area, c.completed
-- statement assessment.outcome.sum_11 tenant
SELECT c.clinic, c.clinician, '', c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.problem_area, c.completed
-- statement assessment.outcome.sum_12 tenant
SELECT '', '', c.protocol, c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.problem_area, c.completed
-- statement assessment.outcome.sum_13 tenant
SELECT c.clinic, '', c.protocol, c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.problem_area, c.completed
-- statement assessment.outcome.sum_14 tenant
SELECT '', c.clinician, c.protocol, c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.problem_area, c.completed
-- statement assessment.outcome.sum_15 tenant
SELECT c.clinic, c.clinician, c.protocol, c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.problem_area, c.completed
-- statement assessment.outcome.sum_16 tenant
SELECT '', '', '', CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.month / $3, c.completed
-- statement assessment.outcome.sum_17 tenant
SELECT c.clinic, '', '', CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.month / $3, c.completed
-- statement assessment.outcome.sum_18 tenant
SELECT '', c.clinician, '', CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.month / $3, c.completed
-- statement assessment.outcome.sum_19 tenant
SELECT c.clinic, c.clinician, '', CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.month / $3, c.completed
-- statement assessment.outcome.sum_2 tenant
SELECT '', c.clinician, '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.completed
-- statement assessment.outcome.sum_20 tenant
SELECT '', '', c.protocol, CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.month / $3, c.completed
-- statement assessment.outcome.sum_21 tenant
SELECT c.clinic, '', c.protocol, CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.month / $3, c.completed
-- statement assessment.outcome.sum_22 tenant
SELECT '', c.clinician, c.protocol, CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.month / $3, c.completed
-- statement assessment.outcome.sum_23 tenant
SELECT c.clinic, c.clinician, c.protocol, CAST(0 AS BIGINT), c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.month / $3, c.completed
-- statement assessment.outcome.sum_24 tenant
SELECT '', '', '', c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_25 tenant
SELECT c.clinic, '', '', c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_26 tenant
SELECT '', c.clinician, '', c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_27 tenant
SELECT c.clinic, c.clinician, '', c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_28 tenant
SELECT '', '', c.protocol, c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_29 tenant
SELECT c.clinic, '', c.protocol, c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_3 tenant
SELECT c.clinic, c.clinician, '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.completed
-- statement assessment.outcome.sum_30 tenant
SELECT '', c.clinician, c.protocol, c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_31 tenant
SELECT c.clinic, c.clinician, c.protocol, c.problem_area, c.month / $3, CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.problem_area, c.month / $3, c.completed
-- statement assessment.outcome.sum_32 tenant
SELECT '', '', '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_33 tenant
SELECT c.clinic, '', '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_34 tenant
SELECT '', c.clinician, '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_35 tenant
SELECT c.clinic, c.clinician, '', CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_36 tenant
SELECT '', '', c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_37 tenant
SELECT c.clinic, '', c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_38 tenant
SELECT '', c.clinician, c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_39 tenant
SELECT c.clinic, c.clinician, c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_4 tenant
SELECT '', '', c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.completed
-- statement assessment.outcome.sum_40 tenant
SELECT '', '', '', c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_41 tenant
SELECT c.clinic, '', '', c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_42 tenant
SELECT '', c.clinician, '', c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_43 tenant
SELECT c.clinic, c.clinician, '', c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_44 tenant
SELECT '', '', c.protocol, c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_45 tenant
SELECT c.clinic, '', c.protocol, c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_46 tenant
SELECT '', c.clinician, c.protocol, c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_47 tenant
SELECT c.clinic, c.clinician, c.protocol, c.problem_area, CAST(0 AS BIGINT), s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.problem_area, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_48 tenant
SELECT '', '', '', CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_49 tenant
SELECT c.clinic, '', '', CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_5 tenant
SELECT c.clinic, '', c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.completed
-- statement assessment.outcome.sum_50 tenant
SELECT '', c.clinician, '', CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_51 tenant
SELECT c.clinic, c.clinician, '', CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_52 tenant
SELECT '', '', c.protocol, CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_53 tenant
SELECT c.clinic, '', c.protocol, CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_54 tenant
SELECT '', c.clinician, c.protocol, CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_55 tenant
SELECT c.clinic, c.clinician, c.protocol, CAST(0 AS BIGINT), c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_56 tenant
SELECT '', '', '', c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_57 tenant
SELECT c.clinic, '', '', c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_58 tenant
SELECT '', c.clinician, '', c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_59 tenant
SELECT c.clinic, c.clinician, '', c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_6 tenant
SELECT '', c.clinician, c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.completed
-- statement assessment.outcome.sum_60 tenant
SELECT '', '', c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_61 tenant
SELECT c.clinic, '', c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_62 tenant
SELECT '', c.clinician, c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinician, c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_63 tenant
SELECT c.clinic, c.clinician, c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.problem_area, c.month / $3, s.baseline_tenth, c.completed
-- statement assessment.outcome.sum_7 tenant
SELECT c.clinic, c.clinician, c.protocol, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.clinician, c.protocol, c.completed
-- statement assessment.outcome.sum_8 tenant
SELECT '', '', '', c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.problem_area, c.completed
-- statement assessment.outcome.sum_9 tenant
SELECT c.clinic, '', '', c.problem_area, CAST(0 AS BIGINT), CAST(0 AS BIGINT), c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY c.clinic, c.problem_area, c.completed
-- statement assessment.outcome_clinician.get tenant
SELECT clinics FROM outcome_clinician WHERE organization_id = $1 AND clinician = $2
-- statement assessment.outcome_clinician.put tenant
INSERT INTO outcome_clinician (organization_id, clinician, version, clinics)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, clinician) DO UPDATE
  SET version = excluded.version, clinics = excluded.clinics
  WHERE outcome_clinician.version < excluded.version
-- statement assessment.outcome_course.drop tenant
DELETE FROM outcome_course WHERE organization_id = $1 AND course = $2
-- statement assessment.outcome_course.list tenant
SELECT course, respondent, clinic, clinician, protocol, problem_area, first_session_time, month,
         completed, under_way, planned_sessions, held, missed, cancelled_late,
         ended_before_planned, ended_before_half
  FROM outcome_course WHERE organization_id = $1 ORDER BY course, respondent
-- statement assessment.outcome_course.other_zone tenant
SELECT DISTINCT course FROM outcome_course
  WHERE organization_id = $1 AND clinic = $2 AND time_zone <> $3 ORDER BY course
-- statement assessment.outcome_course.put tenant
INSERT INTO outcome_course (organization_id, course, respondent, clinic, clinician, protocol,
                              problem_area, time_zone, first_session_time, month, completed,
                              under_way, planned_sessions, held, missed, cancelled_late,
                              ended_before_planned, ended_before_half)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
-- statement assessment.outcome_focus.get tenant
SELECT problem_area FROM outcome_focus WHERE organization_id = $1 AND course = $2
-- statement assessment.outcome_focus.put tenant
INSERT INTO outcome_focus (organization_id, course, version, problem_area)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, problem_area = excluded.problem_area
  WHERE outcome_focus.version < excluded.version
-- statement assessment.outcome_score.drop tenant
DELETE FROM outcome_score WHERE organization_id = $1 AND course = $2
-- statement assessment.outcome_score.list tenant
SELECT course, respondent, instrument, baseline, last, gain, baseline_tenth, was_case, responded,
         at_remission_level, reliable
  FROM outcome_score WHERE organization_id = $1 ORDER BY instrument
-- statement assessment.outcome_score.put tenant
INSERT INTO outcome_score (organization_id, course, respondent, instrument, baseline, last, gain,
                             baseline_tenth, was_case, responded, at_remission_level, reliable)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
-- statement assessment.plan.get tenant
SELECT document, version FROM measurement_plan
  WHERE organization_id = $1 AND course = $2
-- statement assessment.plan.of_clinician tenant
SELECT p.course, p.document
  FROM course_clinician AS mine JOIN measurement_plan AS p
    ON p.organization_id = mine.organization_id AND p.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2
-- statement assessment.plan.put tenant
INSERT INTO measurement_plan (organization_id, course, version, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE measurement_plan.version = excluded.version - 1
-- statement assessment.rhythm.add tenant
INSERT INTO rhythm_day (organization_id, course, patient, date, entry, record_time, sealed)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
-- statement assessment.rhythm.days_of_clinician tenant
SELECT d.course, d.patient, d.date
  FROM course_clinician AS mine JOIN rhythm_day AS d
    ON d.organization_id = mine.organization_id AND d.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2 AND d.date >= $3 AND d.date <= $4
    AND d.entry = 1
  ORDER BY d.course, d.patient, d.date
-- statement assessment.rhythm.days_of_course tenant
SELECT d.course, d.patient, d.date FROM rhythm_day AS d
  WHERE d.organization_id = $1 AND d.course = $2 AND d.date >= $3 AND d.date <= $4
    AND d.entry = 1
  ORDER BY d.course, d.patient, d.date
-- statement assessment.rhythm.last tenant
SELECT max(entry) FROM rhythm_day
  WHERE organization_id = $1 AND course = $2 AND patient = $3 AND date = $4
-- statement assessment.rhythm.list tenant
SELECT d.date, d.entry, d.record_time, d.sealed FROM rhythm_day AS d
  WHERE d.organization_id = $1 AND d.course = $2 AND d.patient = $3
    AND d.date >= $4 AND d.date <= $5
    AND d.entry = (SELECT max(o.entry) FROM rhythm_day AS o
                   WHERE o.organization_id = d.organization_id AND o.course = d.course
                     AND o.patient = d.patient AND o.date = d.date)
  ORDER BY d.date LIMIT $6
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
