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
inline constexpr char kStreamsOpen[] = "rapport_streams_open";            // -
inline constexpr char kPeerCalls[] = "rapport_peer_calls_total";          // peer, code
inline constexpr char kPeerDuration[] = "rapport_peer_duration_seconds";  // peer

// Tokens, by common/auth.
inline constexpr char kTokenFaults[] = "rapport_token_faults_total";      // fault
inline constexpr char kTokenCacheSize[] = "rapport_token_cache_entries";  // -

// The database, by common/sql.
inline constexpr char kDatabaseConnections[] = "rapport_database_connections";   // -
inline constexpr char kDatabaseInUse[] = "rapport_database_connections_in_use";  // -
inline constexpr char kDatabaseWaiting[] = "rapport_database_waiting";           // -
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

// The index of free time, by scheduling.
inline constexpr char kIndexLag[] = "rapport_openings_index_lag_seconds";  // -

// The process.
inline constexpr char kLogDropped[] = "rapport_log_dropped_lines";  // -

}  // namespace rapport::telemetry::metric

#endif  // RAPPORT_COMMON_TELEMETRY_METRIC_NAMES_H_
