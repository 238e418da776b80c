{{/*
Refuses values that fit the schema but not each other: every fault as a sentence that says what is
right.
*/}}
{{- define "rapport.checks" -}}
{{- $v := .Values -}}
{{- $sqlite := eq $v.database.type "sqlite" -}}
{{- $faults := list -}}
{{- $enabled := include "rapport.enabled" . | fromJsonArray -}}
{{- if not $enabled -}}
{{- $faults = append $faults "No service is enabled: set services.scheduling.enabled, services.assessment.enabled or services.notes.enabled." -}}
{{- end -}}

{{- if $v.singlePod -}}
{{- if not $sqlite -}}{{- $faults = append $faults "singlePod is for evaluation on SQLite: set database.type to sqlite, or singlePod to false." -}}{{- end -}}
{{- if ne (len $enabled) 3 -}}{{- $faults = append $faults "singlePod runs all three services: enable each, or set singlePod to false." -}}{{- end -}}
{{- if $v.tls.enabled -}}{{- $faults = append $faults "singlePod speaks no TLS: set tls.enabled to false, or singlePod to false." -}}{{- end -}}
{{- end -}}
{{- if and $v.developmentKeys (not $v.singlePod) -}}
{{- $faults = append $faults "developmentKeys are made on the volume of a single pod: set singlePod to true for an evaluation, or name a Secret in keys.existingSecret." -}}
{{- end -}}
{{- if and $v.developmentKeys (or $v.keys.existingSecret $v.tokens.issuers $v.tokens.jwks.existingSecret $v.tokens.jwks.existingConfigMap) -}}
{{- $faults = append $faults "developmentKeys replace all others: leave keys.existingSecret, tokens.issuers and tokens.jwks empty, or set developmentKeys to false." -}}
{{- end -}}

{{- if not $v.developmentKeys -}}
{{- if not $v.tokens.issuers -}}{{- $faults = append $faults "tokens.issuers is needed: who issues the users' tokens, such as https://login.example.org/." -}}{{- end -}}
{{- if not (or $v.tokens.jwks.existingSecret $v.tokens.jwks.existingConfigMap) -}}
{{- $faults = append $faults "tokens.jwks is needed: name the Secret or the ConfigMap with the key set that tokens are verified with." -}}
{{- end -}}
{{- if and $v.tokens.jwks.existingSecret $v.tokens.jwks.existingConfigMap -}}
{{- $faults = append $faults "tokens.jwks names a Secret and a ConfigMap: keep one of them." -}}
{{- end -}}
{{- end -}}

{{- $budgets := dict -}}
{{- range $name := $enabled -}}
{{- $s := include "rapport.settings" (list $ $name) | fromJson -}}
{{- if not $v.developmentKeys -}}
{{- if not $s.keys.existingSecret -}}
{{- $faults = append $faults (printf "keys.existingSecret is needed for %s: the Secret with integrity.key, audit-jwks.json, service-%s.pem and audit-%s.pem." $name $name $name) -}}
{{- end -}}
{{- if and $s.encrypts (not $s.keys.encryptionSecret) -}}
{{- $faults = append $faults (printf "services.%s.keys.encryptionSecret is needed: the Secret whose entries <id>.key wrap the keys of what patients tell." $name) -}}
{{- end -}}
{{- end -}}

{{- range $peer := $s.peers -}}
{{- $other := index $v.services $peer -}}
{{- if and (not $other.enabled) (not $other.target) -}}
{{- $faults = append $faults (printf "services.%s.enabled is false, and %s asks it: say in services.%s.target where it is." $peer $name $peer) -}}
{{- end -}}
{{- end -}}

{{- if lt (int $s.grace) (int $s.leastGrace) -}}
{{- $faults = append $faults (printf "%s: terminationGracePeriodSeconds %d is too short: %d s before SIGTERM, %d s of lingering, %d s of grace and 5 s to close make %d; give at least that, or leave it empty." $name (int $s.grace) (int $s.drain.preStopSeconds) (int $s.drain.lingerSeconds) (int $s.drain.graceSeconds) (int $s.leastGrace)) -}}
{{- end -}}

{{- if and $s.autoscaling.enabled $s.autoscaling.external -}}
{{- $faults = append $faults (printf "%s: autoscaling.enabled and autoscaling.external are both true: one of them sets the number of pods." $name) -}}
{{- end -}}
{{- if and $s.scaled (not (kindIs "invalid" $s.replicas)) -}}
{{- $faults = append $faults (printf "%s: replicas is %d while autoscaling sets the number of pods: leave replicas empty." $name (int $s.replicas)) -}}
{{- end -}}
{{- if and $s.scaled (gt (int $s.autoscaling.minReplicas) (int $s.autoscaling.maxReplicas)) -}}
{{- $faults = append $faults (printf "%s: autoscaling.minReplicas %d is more than maxReplicas %d: raise maxReplicas." $name (int $s.autoscaling.minReplicas) (int $s.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and $s.autoscaling.enabled (eq (int $s.autoscaling.targetCPUUtilizationPercentage) 0) (not $s.autoscaling.metrics) -}}
{{- $faults = append $faults (printf "%s: autoscaling has nothing to go by: give targetCPUUtilizationPercentage or metrics." $name) -}}
{{- end -}}
{{- if and $s.autoscaling.enabled (gt (int $s.autoscaling.targetCPUUtilizationPercentage) 0) (not (dig "requests" "cpu" "" $s.resources)) -}}
{{- $faults = append $faults (printf "%s: autoscaling goes by a share of the CPU request, and there is none: give resources.requests.cpu." $name) -}}
{{- end -}}

{{- if $sqlite -}}
{{- if or $s.scaled (gt (int $s.count) 1) -}}
{{- $faults = append $faults (printf "%s: SQLite serves one pod: set replicas to 1 without autoscaling, or database.type to postgres." $name) -}}
{{- end -}}
{{- else -}}
{{- if and (eq $v.audit.anchors.type "claim") (not (has "ReadWriteMany" $v.audit.anchors.accessModes)) (or $s.scaled (gt (int $s.count) 1)) -}}
{{- $faults = append $faults (printf "%s: several pods can't share an audit anchor of %s: give audit.anchors.accessModes ReadWriteMany with a storageClass that has it, or set replicas to 1." $name (join ", " $v.audit.anchors.accessModes)) -}}
{{- end -}}
{{- end -}}
{{- if and (not $s.alone) (eq (include "rapport.share" (list $s.rollout.maxSurge $s.pods.most)) "0") (eq (include "rapport.share" (list $s.rollout.maxUnavailable $s.pods.most)) "0") -}}
{{- $faults = append $faults (printf "%s: rollout.maxSurge and rollout.maxUnavailable are both 0, so that no rollout can move: set maxSurge to 1." $name) -}}
{{- end -}}
{{- if eq (toString $s.podDisruptionBudget.maxUnavailable) "0" "0%" -}}
{{- $faults = append $faults (printf "%s: podDisruptionBudget.maxUnavailable 0 lets no node be drained: set it to 1." $name) -}}
{{- end -}}

{{- with dig "limits" "memory" "" $s.resources -}}
{{- $bytes := include "rapport.bytes" . | int64 -}}
{{- if and (gt $bytes 0) (gt (mul 2 ($s.cacheBytes | int64)) $bytes) -}}
{{- $faults = append $faults (printf "%s: cacheBytes %d is more than half of the memory limit %s: lower it, or raise resources.limits.memory." $name ($s.cacheBytes | int64) .) -}}
{{- end -}}
{{- end -}}

{{- if not $sqlite -}}
{{- $db := $s.database.postgres -}}
{{- if not $db.host -}}
{{- $faults = append $faults (printf "%s: database.postgres.host is needed: the PostgreSQL server; or set database.type to sqlite for a small installation." $name) -}}
{{- end -}}
{{- if not $db.existingSecret -}}
{{- $faults = append $faults (printf "%s: database.postgres.existingSecret is needed: the Secret with %s and %s." $name $db.appPasswordKey $db.feedPasswordKey) -}}
{{- end -}}
{{- if and (has $db.sslMode (list "verify-ca" "verify-full")) (not $db.sslRootCertSecret) -}}
{{- $faults = append $faults (printf "%s: database.postgres.sslMode %s checks the server's certificate: name the Secret with its ca.crt in database.postgres.sslRootCertSecret." $name $db.sslMode) -}}
{{- end -}}
{{- if and $db.allowUnsafeDurability $db.requireSynchronousStandby -}}
{{- $faults = append $faults (printf "%s: database.postgres.allowUnsafeDurability and requireSynchronousStandby contradict each other: keep the second." $name) -}}
{{- end -}}
{{- if and $db.readHosts $db.allowUnsafeDurability -}}
{{- $faults = append $faults (printf "%s: database.postgres.readHosts relies on a primary that keeps what it has confirmed: leave out allowUnsafeDurability, or readHosts." $name) -}}
{{- end -}}
{{- if and (eq $db.pooler "transaction") (not $v.migration.host) (not (has $v.migration.mode (list "none"))) -}}
{{- $faults = append $faults (printf "%s: migrations can't pass PgBouncer in transaction mode: give the server itself in migration.host and migration.port." $name) -}}
{{- end -}}
{{- if kindIs "invalid" $db.connectionLimit -}}
{{- $faults = append $faults (printf "%s: database.postgres.connectionLimit is needed: how many connections the server has for this suite (max_connections less what is reserved and what others use); this service may open %d." $name (mul $s.pods.all $s.connectionsOfPod)) -}}
{{- else -}}
{{- $server := printf "%s:%d" $db.host (int $db.port) -}}
{{- $budget := default (dict "limit" (int $db.connectionLimit) "sum" 0 "terms" list) (get $budgets $server) -}}
{{- $mine := mul (int $s.pods.all) (int $s.connectionsOfPod) -}}
{{- $migration := ternary 1 0 (and (has $v.migration.mode (list "hook" "job" "argocd")) (not $v.migration.host)) -}}
{{- $_ := set $budget "limit" (min (int $db.connectionLimit) (int $budget.limit)) -}}
{{- $_ := set $budget "sum" (add $budget.sum $mine $migration) -}}
{{- $_ := set $budget "terms" (append $budget.terms (printf "%s (%d pods + %d of surge + %d that drain) × %d%s" $name (int $s.pods.most) (int $s.pods.surge) (int $s.pods.terminating) (int $s.connectionsOfPod) (ternary " + 1 to migrate" "" (eq $migration 1)))) -}}
{{- $_ := set $budgets $server $budget -}}
{{- end -}}
{{- end -}}

{{- if and $v.tls.enabled (not $v.tls.certManager.enabled) (not (get $v.tls.existingSecrets $name)) -}}
{{- $faults = append $faults (printf "tls.enabled wants a certificate for %s: name the Secret with tls.crt, tls.key and ca.crt in tls.existingSecrets.%s, or set tls.certManager.enabled." $name $name) -}}
{{- end -}}
{{- if and $s.allowedClients (not (and $v.tls.enabled (eq $v.tls.clientAuth "require"))) -}}
{{- $faults = append $faults (printf "%s: allowedClients are known by their certificates: set tls.enabled to true and tls.clientAuth to require." $name) -}}
{{- end -}}
{{- if and $v.gatewayApi.enabled (not (or $s.route.hostnames $v.gatewayApi.hostnames)) -}}
{{- $faults = append $faults (printf "gatewayApi.enabled wants to know where %s answers: give gatewayApi.hostnames or services.%s.route.hostnames." $name $name) -}}
{{- end -}}
{{- end -}}

{{- range $server, $budget := $budgets -}}
{{- if gt (int $budget.sum) (int $budget.limit) -}}
{{- $faults = append $faults (printf "The services may open %d connections to %s, which has %d: %s. Lower database.postgres.connections, replicas or maxReplicas, put PgBouncer in between (pooler: transaction), or raise max_connections and connectionLimit." (int $budget.sum) $server (int $budget.limit) (join ", " $budget.terms)) -}}
{{- end -}}
{{- end -}}

{{- if not $sqlite -}}
{{- if and (ne $v.migration.mode "none") (not $v.migration.existingSecret) -}}
{{- $faults = append $faults (printf "migration.mode %s needs the schema's owner: name the Secret with %s in migration.existingSecret, or set mode to none and run rapportctl migrate yourself." $v.migration.mode $v.migration.passwordKey) -}}
{{- end -}}
{{- end -}}

{{- $anchors := $v.audit.anchors -}}
{{- if and (eq $anchors.type "existingClaim") (not $anchors.existingClaim) -}}
{{- $faults = append $faults "audit.anchors.type existingClaim needs its name in audit.anchors.existingClaim." -}}
{{- end -}}
{{- if and (eq $anchors.type "csi") (not $anchors.csi.driver) -}}
{{- $faults = append $faults "audit.anchors.type csi needs audit.anchors.csi.driver." -}}
{{- end -}}
{{- if and (eq $anchors.type "dataVolume") (not $v.singlePod) -}}
{{- $faults = append $faults "audit.anchors.type dataVolume keeps the heads beside the data that they vouch for: it is for singlePod; use claim, existingClaim or csi." -}}
{{- end -}}

{{- if and $v.database.persistence.existingClaim (not $v.singlePod) -}}
{{- $faults = append $faults "database.persistence.existingClaim holds the data of a single pod: leave it empty, so that each service has a claim of its own." -}}
{{- end -}}

{{- if and $v.redis.existingSecret (not $v.redis.nodes) -}}
{{- $faults = append $faults "redis.existingSecret is given without a Redis: give redis.nodes." -}}
{{- end -}}

{{- if $v.tls.enabled -}}
{{- if and $v.tls.certManager.enabled (not $v.tls.certManager.issuerRef.name) -}}
{{- $faults = append $faults "tls.certManager.issuerRef.name is needed: the Issuer that signs the services' certificates." -}}
{{- end -}}
{{- else if $v.tls.certManager.enabled -}}
{{- $faults = append $faults "tls.certManager.enabled makes certificates that nothing uses: set tls.enabled to true." -}}
{{- end -}}

{{- if $v.gatewayApi.enabled -}}
{{- if not $v.gatewayApi.parentRefs -}}{{- $faults = append $faults "gatewayApi.parentRefs is needed: the Gateways that the routes attach to." -}}{{- end -}}
{{- if and $v.tls.enabled (not $v.gatewayApi.backendTLSPolicy.enabled) -}}
{{- $faults = append $faults "The gateway would speak plaintext to services that serve TLS: set gatewayApi.backendTLSPolicy.enabled and its caConfigMap." -}}
{{- end -}}
{{- end -}}
{{- if and $v.gatewayApi.enabled $v.networkPolicy.enabled (not $v.networkPolicy.clients) -}}
{{- $faults = append $faults "The gateway's calls would stop at the NetworkPolicy: list its pods in networkPolicy.clients, such as a namespaceSelector." -}}
{{- end -}}
{{- if $v.gatewayApi.backendTLSPolicy.enabled -}}
{{- if not $v.tls.enabled -}}{{- $faults = append $faults "gatewayApi.backendTLSPolicy.enabled needs services that serve TLS: set tls.enabled to true." -}}{{- end -}}
{{- if not $v.gatewayApi.backendTLSPolicy.caConfigMap -}}{{- $faults = append $faults "gatewayApi.backendTLSPolicy.caConfigMap is needed: the ConfigMap with the CA of the services' certificates." -}}{{- end -}}
{{- end -}}

{{- if eq $v.image.tag "latest" -}}
{{- $faults = append $faults "image.tag latest can't be rolled back to: give a version or a digest." -}}
{{- end -}}

{{- if $faults -}}
{{- fail (printf "\n\nThese values do not go together:\n  * %s\n" (join "\n  * " $faults)) -}}
{{- end -}}
{{- end }}
