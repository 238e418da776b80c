{{/* The flags of a service, as environment variables: (list root settings) */}}
{{- define "rapport.flags" -}}
{{- $root := index . 0 -}}
{{- $s := index . 1 -}}
{{- $v := $root.Values -}}
{{- $db := $s.database.postgres -}}
{{- $home := "/var/lib/rapport" -}}
RAPPORT_LISTEN: {{ printf "%s:%d" $v.listenAddress (int $s.port) | quote }}
RAPPORT_HEALTH_LISTEN: {{ printf "%s:%d" $v.listenAddress (int $s.healthPort) | quote }}
RAPPORT_METRICS_LISTEN: {{ printf "%s:%d" $v.listenAddress (int $s.metricsPort) | quote }}
RAPPORT_DATABASE: {{ $v.database.type | quote }}
{{- if eq $v.database.type "sqlite" }}
RAPPORT_DATA_DIR: {{ $home }}/data
{{- else }}
RAPPORT_POSTGRES_HOST: {{ $db.host | quote }}
RAPPORT_POSTGRES_PORT: {{ int $db.port | quote }}
RAPPORT_POSTGRES_NAME: {{ include "rapport.databaseName" $s | quote }}
RAPPORT_POSTGRES_USER: {{ $db.appUser | quote }}
RAPPORT_POSTGRES_PASSWORD_FILE: /etc/rapport/database/app-password
RAPPORT_POSTGRES_FEED_USER: {{ $db.feedUser | quote }}
RAPPORT_POSTGRES_FEED_PASSWORD_FILE: /etc/rapport/database/feed-password
RAPPORT_POSTGRES_CONNECTIONS: {{ int $db.connections | quote }}
RAPPORT_POSTGRES_WARM_CONNECTIONS: {{ int $db.warmConnections | quote }}
RAPPORT_POSTGRES_READ_HOSTS: {{ $db.readHosts | quote }}
RAPPORT_POSTGRES_READ_LAG: {{ $db.readLag | quote }}
RAPPORT_POSTGRES_POOLER: {{ $db.pooler | quote }}
RAPPORT_ALLOW_UNSAFE_DURABILITY: {{ $db.allowUnsafeDurability | quote }}
RAPPORT_REQUIRE_SYNCHRONOUS_STANDBY: {{ $db.requireSynchronousStandby | quote }}
{{- end }}
{{- if $v.developmentKeys }}
RAPPORT_JWKS_FILE: {{ $home }}/keys/jwks.json
RAPPORT_TOKEN_ISSUER: rapport-development
RAPPORT_SERVICE_KEY_FILE: {{ $home }}/keys/service-{{ $s.name }}.pem
RAPPORT_INTEGRITY_KEY_FILE: {{ $home }}/keys/integrity.key
RAPPORT_AUDIT_KEY_FILE: {{ $home }}/keys/audit-{{ $s.name }}.pem
RAPPORT_AUDIT_JWKS_FILE: {{ $home }}/keys/audit-jwks.json
{{- else }}
RAPPORT_JWKS_FILE: /etc/rapport/keys/jwks.json
RAPPORT_TOKEN_ISSUER: {{ join "," $v.tokens.issuers | quote }}
RAPPORT_SERVICE_KEY_FILE: /etc/rapport/keys/service.pem
RAPPORT_INTEGRITY_KEY_FILE: /etc/rapport/keys/integrity.key
RAPPORT_AUDIT_KEY_FILE: /etc/rapport/keys/audit.pem
RAPPORT_AUDIT_JWKS_FILE: /etc/rapport/keys/audit-jwks.json
{{- end }}
{{- if $s.encrypts }}
RAPPORT_KEY_ENCRYPTION_KEY_DIR: {{ ternary (printf "%s/keys/encryption-%s" $home $s.name) "/etc/rapport/encryption" $v.developmentKeys }}
{{- end }}
RAPPORT_TOKEN_AUDIENCE: {{ join "," $v.tokens.audiences | quote }}
RAPPORT_TOKEN_TYPE: {{ join "," $v.tokens.types | quote }}
RAPPORT_TOKEN_ORGANIZATION_CLAIM: {{ $v.tokens.organizationClaim | quote }}
RAPPORT_TOKEN_ROLES_CLAIM: {{ $v.tokens.rolesClaim | quote }}
RAPPORT_AUDIT_ANCHOR_DIR: {{ ternary (printf "%s/anchors" $home) "/var/lib/rapport-anchors" (eq $v.audit.anchors.type "dataVolume") }}
{{- range $peer := $s.peers }}
RAPPORT_{{ upper $peer }}_TARGET: {{ include "rapport.target" (list $root $peer) | quote }}
{{- end }}
RAPPORT_EVENT_RETENTION: {{ $v.events.retention | quote }}
RAPPORT_CONNECTION_AGE: {{ int $s.connectionAgeSeconds }}s
RAPPORT_DRAIN_LINGER: {{ int $s.drain.lingerSeconds }}s
RAPPORT_DRAIN_GRACE: {{ int $s.drain.graceSeconds }}s
RAPPORT_READ_THREADS: {{ int $s.threads.read | quote }}
RAPPORT_WRITE_THREADS: {{ int $s.threads.write | quote }}
RAPPORT_PEER_THREADS: {{ int $s.threads.peer | quote }}
RAPPORT_CACHE_BYTES: {{ $s.cacheBytes | int64 | quote }}
{{- with $v.redis.nodes }}
RAPPORT_REDIS_NODES: {{ join "," . | quote }}
RAPPORT_REDIS_TIMEOUT: {{ $v.redis.timeout | quote }}
RAPPORT_REDIS_CONNECTIONS: {{ int $v.redis.connections | quote }}
{{- end }}
{{- if $v.redis.existingSecret }}
RAPPORT_REDIS_PASSWORD_FILE: /etc/rapport/redis/password
{{- end }}
{{- if $v.tls.enabled }}
RAPPORT_TLS_CERT_FILE: /etc/rapport/tls/tls.crt
RAPPORT_TLS_KEY_FILE: /etc/rapport/tls/tls.key
RAPPORT_TLS_CLIENT_AUTH: {{ $v.tls.clientAuth | quote }}
{{- if ne $v.tls.clientAuth "none" }}
RAPPORT_TLS_CLIENT_CA_FILE: /etc/rapport/tls/ca.crt
{{- end }}
{{- if eq $v.tls.clientAuth "require" }}
RAPPORT_TLS_ALLOWED_CLIENTS: {{ join "," $s.allowed | quote }}
{{- end }}
RAPPORT_PEER_TLS_CA_FILE: /etc/rapport/tls/ca.crt
RAPPORT_PEER_TLS_CERT_FILE: /etc/rapport/tls/tls.crt
RAPPORT_PEER_TLS_KEY_FILE: /etc/rapport/tls/tls.key
{{- end }}
{{- with $v.tracing.otlpTarget }}
RAPPORT_OTLP_TARGET: {{ . | quote }}
RAPPORT_TRACE_SAMPLE_RATIO: {{ $v.tracing.sampleRatio | quote }}
{{- end }}
{{- end }}

{{- define "rapport.databaseName" -}}
{{ default (printf "rapport_%s" .name) .database.postgres.name }}
{{- end }}

{{/* libpq reads these itself. */}}
{{- define "rapport.libpq" -}}
- name: PGSSLMODE
  value: {{ .sslMode }}
{{- if .sslRootCertSecret }}
- name: PGSSLROOTCERT
  value: /etc/rapport/database-ca/ca.crt
{{- end }}
{{- end }}

{{- define "rapport.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "rapport.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every pod of the chart has: (list root account) */}}
{{- define "rapport.podBasics" -}}
{{- $v := (index . 0).Values -}}
serviceAccountName: {{ index . 1 }}
automountServiceAccountToken: false
# Variables such as RAPPORT_POSTGRES_PORT, made for a Service of that name, would be taken for flags.
enableServiceLinks: false
securityContext:
  {{- include "rapport.podSecurity" . | nindent 2 }}
{{- with $v.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The command line of rapportctl migrate and wait-for-schema: (list root settings command user passwordFile) */}}
{{- define "rapport.ctl" -}}
{{- $root := index . 0 -}}
{{- $s := index . 1 -}}
{{- $owner := eq (index . 2) "migrate" -}}
{{- $db := $s.database.postgres -}}
{{- $host := $db.host -}}
{{- $port := $db.port -}}
{{- if $root.Values.migration.host }}{{ $host = $root.Values.migration.host }}{{ end -}}
{{- if $root.Values.migration.port }}{{ $port = $root.Values.migration.port }}{{ end -}}
image: {{ include "rapport.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
command: [rapportctl]
args:
  - {{ index . 2 }}
  - {{ $s.name }}
  - --postgres_host={{ $host }}
  - --postgres_port={{ int $port }}
  - --postgres_name={{ include "rapport.databaseName" $s }}
  - --postgres_user={{ ternary $root.Values.migration.ownerUser $db.appUser $owner }}
  - --postgres_password_file=/etc/rapport/{{ ternary "owner/owner-password" "database/app-password" $owner }}
env:
  {{- include "rapport.libpq" $db | nindent 2 }}
securityContext:
  {{- include "rapport.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml $root.Values.migration.resources | nindent 2 }}
volumeMounts:
  {{- if $owner }}
  - {name: owner, mountPath: /etc/rapport/owner, readOnly: true}
  {{- else }}
  - {name: database-{{ $s.name }}, mountPath: /etc/rapport/database, readOnly: true}
  {{- end }}
  {{- if $db.sslRootCertSecret }}
  - {name: database-ca-{{ $s.name }}, mountPath: /etc/rapport/database-ca, readOnly: true}
  {{- end }}
{{- end }}

{{- define "rapport.ownerVolume" -}}
- name: owner
  secret:
    secretName: {{ .Values.migration.existingSecret }}
    defaultMode: 0440
    items:
      - {key: {{ .Values.migration.passwordKey }}, path: owner-password}
{{- end }}

{{- define "rapport.databaseCa" -}}
{{- with .database.postgres.sslRootCertSecret }}
- name: database-ca-{{ $.name }}
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end }}

{{/* The volumes of one service: (list root settings) */}}
{{- define "rapport.volumes" -}}
{{- $root := index . 0 -}}
{{- $s := index . 1 -}}
{{- $v := $root.Values -}}
{{- if not $v.developmentKeys }}
- name: keys-{{ $s.name }}
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ $s.keys.existingSecret }}
          items:
            - {key: integrity.key, path: integrity.key}
            - {key: audit-jwks.json, path: audit-jwks.json}
            - {key: service-{{ $s.name }}.pem, path: service.pem}
            - {key: audit-{{ $s.name }}.pem, path: audit.pem}
      {{- with $v.tokens.jwks.existingSecret }}
      - secret:
          name: {{ . }}
          items:
            - {key: {{ $v.tokens.jwks.key }}, path: jwks.json}
      {{- end }}
      {{- with $v.tokens.jwks.existingConfigMap }}
      - configMap:
          name: {{ . }}
          items:
            - {key: {{ $v.tokens.jwks.key }}, path: jwks.json}
      {{- end }}
{{- if $s.encrypts }}
- name: encryption-{{ $s.name }}
  secret:
    secretName: {{ $s.keys.encryptionSecret }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- if eq $v.database.type "postgres" }}
- name: database-{{ $s.name }}
  secret:
    secretName: {{ $s.database.postgres.existingSecret }}
    defaultMode: 0440
    items:
      - {key: {{ $s.database.postgres.appPasswordKey }}, path: app-password}
      - {key: {{ $s.database.postgres.feedPasswordKey }}, path: feed-password}
{{- include "rapport.databaseCa" $s }}
{{- end }}
{{- with $v.redis.existingSecret }}
- name: redis-{{ $s.name }}
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - {key: {{ $v.redis.passwordKey }}, path: password}
{{- end }}
{{- if $v.tls.enabled }}
- name: tls-{{ $s.name }}
  secret:
    secretName: {{ include "rapport.tlsSecret" (list $root $s.name) }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* The container of one service: (list root settings) */}}
{{- define "rapport.container" -}}
{{- $root := index . 0 -}}
{{- $s := index . 1 -}}
{{- $v := $root.Values -}}
- name: {{ $s.name }}
  image: {{ include "rapport.image" $root | quote }}
  imagePullPolicy: {{ $v.image.pullPolicy }}
  command: [rapport-{{ $s.name }}]
  envFrom:
    - configMapRef:
        name: {{ $s.fullname }}
    {{- with $s.extraEnvFrom }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or (eq $v.database.type "postgres") $s.extraEnv }}
  env:
    {{- if eq $v.database.type "postgres" }}
    {{- include "rapport.libpq" $s.database.postgres | nindent 4 }}
    {{- end }}
    {{- with $s.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  ports:
    {{- if $v.singlePod }}
    - {containerPort: {{ int $s.port }}, protocol: TCP}
    - {containerPort: {{ int $s.healthPort }}, protocol: TCP}
    - {containerPort: {{ int $s.metricsPort }}, protocol: TCP}
    {{- else }}
    - {name: grpc, containerPort: {{ int $s.port }}, protocol: TCP}
    - {name: health, containerPort: {{ int $s.healthPort }}, protocol: TCP}
    - {name: metrics, containerPort: {{ int $s.metricsPort }}, protocol: TCP}
    {{- end }}
  # "" is the process; the service's own name also says whether the database answers and its schema suits.
  startupProbe:
    grpc: {port: {{ int $s.healthPort }}, service: ""}
    {{- toYaml $s.startupProbe | nindent 4 }}
  livenessProbe:
    grpc: {port: {{ int $s.healthPort }}, service: ""}
    {{- toYaml $s.livenessProbe | nindent 4 }}
  readinessProbe:
    grpc: {port: {{ int $s.healthPort }}, service: {{ $s.name }}}
    {{- toYaml $s.readinessProbe | nindent 4 }}
  lifecycle:
    preStop:
      sleep:
        seconds: {{ int $s.drain.preStopSeconds }}
  resources:
    {{- toYaml $s.resources | nindent 4 }}
  securityContext:
    {{- include "rapport.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- if not $v.developmentKeys }}
    - {name: keys-{{ $s.name }}, mountPath: /etc/rapport/keys, readOnly: true}
    {{- if $s.encrypts }}
    - {name: encryption-{{ $s.name }}, mountPath: /etc/rapport/encryption, readOnly: true}
    {{- end }}
    {{- end }}
    {{- if eq $v.database.type "postgres" }}
    - {name: database-{{ $s.name }}, mountPath: /etc/rapport/database, readOnly: true}
    {{- if $s.database.postgres.sslRootCertSecret }}
    - {name: database-ca-{{ $s.name }}, mountPath: /etc/rapport/database-ca, readOnly: true}
    {{- end }}
    {{- else }}
    - {name: data, mountPath: /var/lib/rapport}
    {{- end }}
    {{- if ne $v.audit.anchors.type "dataVolume" }}
    - {name: anchors, mountPath: /var/lib/rapport-anchors}
    {{- end }}
    {{- if $v.redis.existingSecret }}
    - {name: redis-{{ $s.name }}, mountPath: /etc/rapport/redis, readOnly: true}
    {{- end }}
    {{- if $v.tls.enabled }}
    - {name: tls-{{ $s.name }}, mountPath: /etc/rapport/tls, readOnly: true}
    {{- end }}
    {{- with $s.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* One constraint: (list root component topologyKey whenUnsatisfiable) */}}
{{- define "rapport.spread" -}}
- maxSkew: 1
  topologyKey: {{ index . 2 }}
  whenUnsatisfiable: {{ index . 3 }}
  labelSelector:
    matchLabels:
      {{- include "rapport.selector" . | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
