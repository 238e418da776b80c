#ifndef RAPPORT_COMMON_TELEMETRY_METRIC_NAMES_H_
#define RAPPORT_COMMON_TELEMETRY_METRIC_NAMES_H_

// Every metric that a Rapport process may serve. Dashboards and alerts use these names and no
// others; a test pins them. Base units: seconds, bytes. Labels stand beside each name.
namespace rapport::telemetry::metric {

// Calls, by common/rpc.
inline constexpr char kRpcCalls[] = "rapport_rpc_calls_total";            // method, code
inline constexpr char kRpcDuration[] = "rapport_rpc_duration_seconds";    // method
inline constexpr char kRpcInFlight[] = "rapport_rpc_in_flight";           // -
inline constexpr char kRpcRefused[] = "rapport_rpc_refused_total";        // executor
inline constexpr char kExecutorQueued[] = "rapport_executor_queued";      // executor
inline constexpr char kExecutorRunning[] = "rapport_executor_running";    // executor
inline constexpr char kExecutorThreads[] = "rapport_executor_threads";    // executor
inline constexpr char kStreamsOpen[] = "rapport_streams_open";            // -
inline constexpr char kPeerCalls[] = "rapport_peer_calls_total";          // peer, code
inline constexpr char kPeerDuration[] = "rapport_peer_duration_seconds";  // peer

// Tokens, by common/auth.
inline constexpr char kTokenFaults[] = "rapport_token_faults_total";      // fault
inline constexpr char kTokenCacheSize[] = "rapport_token_cache_entries";  // -

// The database, by common/sql. operation: read, write; reach: tenant, feed.
inline constexpr char kDatabaseTransactions[] =
    "rapport_database_transactions_total";  // operation, reach, code
inline constexpr char kDatabaseDuration[] =
    "rapport_database_transaction_seconds";                                      // operation, reach
inline constexpr char kDatabaseConnections[] = "rapport_database_connections";   // -
inline constexpr char kDatabaseInUse[] = "rapport_database_connections_in_use";  // -
inline constexpr char kDatabaseLimit[] = "rapport_database_connections_limit";   // -
inline constexpr char kDatabaseWaiting[] = "rapport_database_waiting";           // -
// Standbys. answered_by: standby, or why the primary did: trailing, own_write (of this process),
// failed.
inline constexpr char kStandbyReads[] = "rapport_database_standby_reads_total";  // answered_by
inline constexpr char kStandbyLag[] = "rapport_database_standby_lag_seconds";    // host
inline constexpr char kDataKeysToRewrap[] = "rapport_data_keys_to_rewrap";       // -

// Events and audit.
inline constexpr char kUnsequencedAge[] = "rapport_events_unsequenced_age_seconds";      // -
inline constexpr char kConsumerLag[] = "rapport_events_consumer_lag_seconds";            // feed
inline constexpr char kConsumerParked[] = "rapport_events_consumer_parked";              // feed
inline constexpr char kAuditUnsequencedAge[] = "rapport_audit_unsequenced_age_seconds";  // -
inline constexpr char kAuditTreeSize[] = "rapport_audit_tree_size";                      // -
inline constexpr char kAuditAnchorFailed[] = "rapport_audit_anchor_failed_total";        // reason

// What a service does by itself, by common/work.
inline constexpr char kWorkDone[] = "rapport_work_done_total";      // kind
inline constexpr char kWorkFailed[] = "rapport_work_failed_total";  // kind
inline constexpr char kWorkAge[] = "rapport_work_due_age_seconds";  // -
inline constexpr char kWorkDue[] = "rapport_work_due_items";        // -
// table: event (positions gone over), idempotency (rows).
inline constexpr char kRetentionDropped[] = "rapport_retention_dropped_total";  // table

// The index of free time, by scheduling.
inline constexpr char kIndexLag[] = "rapport_openings_index_lag_seconds";  // -

// What care waits for, over all organisations, in domain time; by each service's survey.
inline constexpr char kAlerts[] = "rapport_alerts_unresolved";               // severity, state
inline constexpr char kAlertsAge[] = "rapport_alerts_oldest_age_seconds";    // severity, state
inline constexpr char kAlertsLate[] = "rapport_alerts_unacknowledged_late";  // severity
inline constexpr char kNotesDue[] = "rapport_notes_due";                     // kind
inline constexpr char kNotesOverdue[] = "rapport_notes_overdue";             // kind
inline constexpr char kNotesOverdueAge[] = "rapport_notes_oldest_overdue_seconds";  // kind
inline constexpr char kWaitlist[] = "rapport_waitlist_waiting";                     // urgency
inline constexpr char kWaitlistAge[] = "rapport_waitlist_oldest_age_seconds";       // urgency
inline constexpr char kSurveyAge[] = "rapport_survey_age_seconds";                  // -
// outcome: found, none.
inline constexpr char kOpeningsSearches[] = "rapport_openings_searches_total";  // outcome
inline constexpr char kOpeningsLead[] = "rapport_openings_lead_time_seconds";   // -

// Traces. outcome: exported, dropped (the queue was full), failed, rejected (by the collector).
inline constexpr char kTraceSpans[] = "rapport_trace_spans_total";  // outcome

// The cache, by common/cache. kind: as "course"; from: memory, flight (another call's load), redis,
// store, bypass (the log is not followed closely enough); why: stale, forged.
inline constexpr char kCacheReads[] = "rapport_cache_reads_total";    // kind, from
inline constexpr char kCacheStale[] = "rapport_cache_refused_total";  // kind, why
inline constexpr char kCacheBytes[] = "rapport_cache_bytes";          // -
inline constexpr char kCacheEntries[] = "rapport_cache_entries";      // -
inline constexpr char kCacheLag[] = "rapport_cache_log_lag_seconds";  // -
// state: 0 asked, 1 being probed, 2 left alone.
inline constexpr char kRedisBreaker[] = "rapport_redis_breaker_state";  // node
// fault: timeout, connection, connect, password, reply, full, queue, busy, open.
inline constexpr char kRedisFaults[] = "rapport_redis_faults_total";          // fault
inline constexpr char kRedisDuration[] = "rapport_redis_round_trip_seconds";  // -

// Certificates. side: server (what is served with), client (what is shown to other services).
inline constexpr char kTlsNotAfter[] =
    "rapport_tls_certificate_not_after_timestamp_seconds";  // side

// The process.
inline constexpr char kReady[] = "rapport_ready";                          // -
inline constexpr char kBuildInfo[] = "rapport_build_info";                 // version
inline constexpr char kLogDropped[] = "rapport_log_dropped_lines_total";   // -
inline constexpr char kProcessStart[] = "process_start_time_seconds";      // -
inline constexpr char kProcessMemory[] = "process_resident_memory_bytes";  // -
inline constexpr char kProcessFiles[] = "process_open_fds";                // -
inline constexpr char kProcessMostFiles[] = "process_max_fds";             // -
inline constexpr char kProcessCpu[] = "process_cpu_seconds_total";         // -

}  // namespace rapport::telemetry::metric

#endif  // RAPPORT_COMMON_TELEMETRY_METRIC_NAMES_H_
