{{- define "mad.name" -}}
{{- if contains "mad" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-mad" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "mad.selector" -}}
app.kubernetes.io/name: mad
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mad.labels" -}}
{{ include "mad.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* image: what, of the values; version: of the chart */}}
{{- define "mad.image" -}}
{{- if .image.digest }}{{ .image.repository }}@{{ .image.digest }}{{ else }}{{ .image.repository }}:{{ .image.tag | default .version }}{{ end }}
{{- end }}

{{- define "mad.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "mad.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* A variable's value. Numbers of a file of values have a point: as text, a million of them is 1e+06, which nobody reads. */}}
{{- define "mad.text" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ . | toJson | quote }}{{ end }}
{{- end }}

{{/* What the service and `mad` read alike. */}}
{{- define "mad.env" -}}
{{- range .Values.secret.keys }}
- name: {{ . }}_FILE
  value: /run/secrets/mad/{{ . }}
{{- end }}
- name: DB_ORG_ROLES
  value: {{ include "mad.text" .Values.databases.orgRoles }}
- name: DB_CONNECTION_BUDGET
  value: {{ include "mad.text" .Values.databases.connectionBudget }}
- name: DB_ORG_POOL_SIZE
  value: {{ include "mad.text" .Values.databases.orgPoolSize }}
- name: TRUSTED_PROXIES
  value: {{ include "mad.text" .Values.trustedProxies }}
- name: SHUTDOWN_TIMEOUT_MS
  value: {{ include "mad.text" .Values.shutdown.timeoutMs }}
- name: SHUTDOWN_DELAY_MS
  value: {{ include "mad.text" .Values.shutdown.delayMs }}
{{- with .Values.files.url }}
- name: FILES_URL
  value: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ include "mad.text" $value }}
{{- end }}
{{- end }}

{{- define "mad.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: secrets, mountPath: /run/secrets/mad, readOnly: true }
{{- if .Values.files.existingClaim }}
- { name: files, mountPath: /var/lib/mad/files }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "mad.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
- name: secrets
  secret:
    secretName: {{ .Values.secret.name }}
    defaultMode: 0440
    items:
      {{- range .Values.secret.keys }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- with .Values.files.existingClaim }}
- name: files
  persistentVolumeClaim: { claimName: {{ . }} }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What holds for all pods of the chart. */}}
{{- define "mad.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "mad.podSecurity" . | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
A schema cannot multiply. Each process gets its part of the budget, and wants two organizations' pools in it; a rollout
has one process more than there are replicas.
*/}}
{{- define "mad.checkBudget" -}}
{{- $most := .Values.replicas | int }}
{{- if .Values.autoscaling.enabled }}{{ $most = .Values.autoscaling.maxReplicas | int }}{{ end }}
{{- $needed := mul (add $most 1) 2 (.Values.databases.orgPoolSize | int) }}
{{- if gt $needed (.Values.databases.connectionBudget | int64) }}
{{- fail (printf "%d replicas, and one more during a rollout, with two pools of databases.orgPoolSize %d each want %d connections; databases.connectionBudget has %d" $most (.Values.databases.orgPoolSize | int) $needed (.Values.databases.connectionBudget | int)) }}
{{- end }}
{{- end }}
