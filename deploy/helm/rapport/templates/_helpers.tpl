{{/* Names */}}
{{- define "rapport.chart" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "rapport.fullname" -}}
{{- $chart := include "rapport.chart" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $chart .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $chart | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* What selects the pods of a component: (list root component) */}}
{{- define "rapport.selector" -}}
app.kubernetes.io/name: {{ include "rapport.chart" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of an object: (list root component) */}}
{{- define "rapport.labels" -}}
{{- $root := index . 0 -}}
{{ include "rapport.selector" . }}
app.kubernetes.io/part-of: rapport
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* name, namespace, labels, annotations: (list root component name annotations) */}}
{{- define "rapport.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "rapport.labels" (list $root (index . 1)) | nindent 2 }}
{{- $annotations := deepCopy $root.Values.commonAnnotations -}}
{{- if gt (len .) 3 }}{{ $annotations = merge (deepCopy (index . 3)) $annotations }}{{ end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "rapport.image" -}}
{{- $image := .Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end -}}
{{- end }}

{{/* What the services are. */}}
{{- define "rapport.facts" -}}
scheduling: {port: 7401, healthPort: 7411, metricsPort: 7421, peers: [notes], encrypts: false}
assessment: {port: 7402, healthPort: 7412, metricsPort: 7422, peers: [scheduling, notes], encrypts: true}
notes: {port: 7403, healthPort: 7413, metricsPort: 7423, peers: [scheduling, assessment], encrypts: true}
{{- end }}

{{/* Lays a map over another, in place, also where a value is false or empty. */}}
{{- define "rapport.overlay" -}}
{{- $base := .base -}}
{{- range $key, $value := .over -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $base $key)) -}}
{{- include "rapport.overlay" (dict "base" (get $base $key) "over" $value) -}}
{{- else -}}
{{- $_ := set $base $key $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A number, or a percentage of another, rounded up: (list value total) */}}
{{- define "rapport.share" -}}
{{- $value := index . 0 -}}
{{- if and (kindIs "string" $value) (hasSuffix "%" $value) -}}
{{- div (add (mul (int (trimSuffix "%" $value)) (int (index . 1))) 99) 100 -}}
{{- else -}}
{{- int $value -}}
{{- end -}}
{{- end }}

{{/*
The settings of a service, with what follows from them, as JSON: (list root name). Of the single pod
itself, where the name is "suite".
*/}}
{{- define "rapport.settings" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $values := $root.Values -}}
{{- $all := deepCopy $values.defaults -}}
{{- $_ := set $all "database" (deepCopy $values.database) -}}
{{- $_ := set $all "keys" (deepCopy $values.keys) -}}
{{- $_ := set $all "name" $name -}}
{{- $_ := set $all "fullname" (printf "%s-%s" (include "rapport.fullname" $root) $name) -}}
{{- if ne $name "suite" -}}
{{- include "rapport.overlay" (dict "base" $all "over" (deepCopy (index $values.services $name))) -}}
{{- include "rapport.overlay" (dict "base" $all "over" (index (include "rapport.facts" $root | fromYaml) $name)) -}}
{{- end -}}
{{- $sqlite := eq $values.database.type "sqlite" -}}
{{- $scaled := or $all.autoscaling.enabled $all.autoscaling.external -}}
{{- $alone := or $sqlite (and (eq $values.audit.anchors.type "claim") (not (has "ReadWriteMany" $values.audit.anchors.accessModes))) -}}
{{- $replicas := ternary 1 2 $sqlite -}}
{{- if not (kindIs "invalid" $all.replicas) -}}{{- $replicas = int $all.replicas -}}{{- end -}}
{{- $most := ternary (int $all.autoscaling.maxReplicas) $replicas $scaled -}}
{{- $drain := $all.drain -}}
{{- $least := add (int $drain.preStopSeconds) (int $drain.lingerSeconds) (int $drain.graceSeconds) 5 | int -}}
{{- $grace := $least -}}
{{- if not (kindIs "invalid" $drain.terminationGracePeriodSeconds) -}}{{- $grace = int $drain.terminationGracePeriodSeconds -}}{{- end -}}
{{- $ready := $grace -}}
{{- if not (kindIs "invalid" $all.rollout.minReadySeconds) -}}{{- $ready = int $all.rollout.minReadySeconds -}}{{- end -}}
{{- $surge := ternary 0 (include "rapport.share" (list $all.rollout.maxSurge $most) | int) $alone -}}
{{- $wave := max $surge (include "rapport.share" (list $all.rollout.maxUnavailable $most) | int) 1 -}}
{{- $waves := div (add $grace (max $ready 1) -1) (max $ready 1) | int -}}
{{- $terminating := ternary 0 (min $most (mul $wave $waves)) $alone | int -}}
{{- $_ := set $all "scaled" $scaled -}}
{{- $_ := set $all "alone" $alone -}}
{{- $_ := set $all "count" $replicas -}}
{{- $_ := set $all "leastGrace" $least -}}
{{- $_ := set $all "grace" $grace -}}
{{- $_ := set $all "minReady" (ternary 0 $ready $alone) -}}
{{- $_ := set $all "pods" (dict "most" $most "surge" $surge "terminating" $terminating "all" (add $most $surge $terminating)) -}}
{{- $_ := set $all "connectionsOfPod" (add (int $all.database.postgres.connections) 3 (ternary 1 0 (ne $all.database.postgres.readHosts ""))) -}}
{{- $_ := set $all "account" (ternary (default $all.fullname $all.serviceAccount.name) (default "default" $all.serviceAccount.name) $all.serviceAccount.create) -}}
{{- $_ := set $all "component" (ternary "suite" $name $values.singlePod) -}}
{{- $_ := set $all "allowed" (include "rapport.allowed" (list $root $all) | fromJsonArray) -}}
{{- toJson $all -}}
{{- end }}

{{/* The identity of a service: (list root name) */}}
{{- define "rapport.identity" -}}
{{- $root := index . 0 -}}
{{- $account := deepCopy $root.Values.defaults.serviceAccount -}}
{{- include "rapport.overlay" (dict "base" $account "over" (default dict (index $root.Values.services (index . 1)).serviceAccount)) -}}
{{- $full := printf "%s-%s" (include "rapport.fullname" $root) (index . 1) -}}
spiffe://{{ $root.Values.tls.trustDomain }}/ns/{{ $root.Release.Namespace }}/sa/{{ ternary (default $full $account.name) (default "default" $account.name) $account.create }}
{{- end }}

{{/* Which identities may speak for the services that ask one, and for users: (list root settings) */}}
{{- define "rapport.allowed" -}}
{{- $root := index . 0 -}}
{{- $settings := index . 1 -}}
{{- $allowed := list -}}
{{- range $name, $facts := include "rapport.facts" $root | fromYaml -}}
{{- if has $settings.name $facts.peers -}}
{{- $allowed = append $allowed (printf "%s=%s" $name (include "rapport.identity" (list $root $name))) -}}
{{- end -}}
{{- end -}}
{{- range $settings.allowedClients -}}
{{- $allowed = append $allowed (printf "users=%s" .) -}}
{{- end -}}
{{- toJson $allowed -}}
{{- end }}

{{/* Names of the services that this release runs, as JSON. */}}
{{- define "rapport.enabled" -}}
{{- $names := list -}}
{{- range $name := list "scheduling" "assessment" "notes" -}}
{{- if (index $.Values.services $name).enabled }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}

{{/*
What becomes a Deployment, as JSON: name, component, settings, and the settings of the services that
run in it; one for each service, or one in all with singlePod.
*/}}
{{- define "rapport.workloads" -}}
{{- $workloads := list -}}
{{- $services := list -}}
{{- range $name := include "rapport.enabled" . | fromJsonArray -}}
{{- $settings := include "rapport.settings" (list $ $name) | fromJson -}}
{{- $services = append $services $settings -}}
{{- $workloads = append $workloads (dict "name" $settings.fullname "component" $name "settings" $settings "services" (list $settings)) -}}
{{- end -}}
{{- if .Values.singlePod -}}
{{- $settings := include "rapport.settings" (list . "suite") | fromJson -}}
{{- $workloads = list (dict "name" (include "rapport.fullname" .) "component" "suite" "settings" $settings "services" $services) -}}
{{- end -}}
{{- toJson $workloads -}}
{{- end }}

{{/* Where a service is found by its peers and by tests: (list root name) */}}
{{- define "rapport.target" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := index $root.Values.services $name -}}
{{- $port := (index (include "rapport.facts" $root | fromYaml) $name).port -}}
{{- if not $service.enabled -}}
{{ $service.target }}
{{- else if $root.Values.singlePod -}}
127.0.0.1:{{ $port }}
{{- else -}}
dns:///{{ include "rapport.fullname" $root }}-{{ $name }}-headless.{{ $root.Release.Namespace }}.svc.{{ $root.Values.clusterDomain }}:{{ $port }}
{{- end -}}
{{- end }}

{{/* "true" where a kind is wanted: (list root true|false|auto group/version) */}}
{{- define "rapport.wanted" -}}
{{- $wanted := index . 1 -}}
{{- if or (eq (toString $wanted) "true") (and (eq (toString $wanted) "auto") ((index . 0).Capabilities.APIVersions.Has (index . 2))) -}}true{{- end -}}
{{- end }}

{{/* Name of the Secret with a service's certificate: (list root name) */}}
{{- define "rapport.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.tls.certManager.enabled -}}
{{ include "rapport.fullname" $root }}-{{ index . 1 }}-tls
{{- else -}}
{{ get $root.Values.tls.existingSecrets (index . 1) }}
{{- end -}}
{{- end }}

{{/* Bytes of a quantity such as 512Mi. */}}
{{- define "rapport.bytes" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9]+" $text | int64 -}}
{{- $unit := regexFind "[A-Za-z]+$" $text -}}
{{- $factor := get (dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824) $unit -}}
{{- mul $number (default 0 $factor) -}}
{{- end }}
