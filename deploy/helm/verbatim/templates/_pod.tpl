{{/* What leads to the data, but does not open it. */}}
{{- define "verbatim.storesEnv" -}}
{{- if eq .Values.database.type "cloudNativePg" }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "verbatim.fullname" . }}-postgres-app
      key: uri
{{- else }}
{{- include "verbatim.secretVariable" (list . "DATABASE_URL" .Values.database.url) }}
{{- end }}
{{- include "verbatim.secretVariable" (list . "DATABASE_DIRECT_URL" .Values.database.directUrl) }}
{{- if eq .Values.eventStore.type "kurrentdb" }}
- name: EVENT_STORE_URL
  value: kurrentdb://{{ include "verbatim.fullname" . }}-kurrentdb:2113?tls=false
{{- else }}
{{- include "verbatim.secretVariable" (list . "EVENT_STORE_URL" .Values.eventStore.url) }}
{{- end }}
- name: VERBATIM_DATA
  value: /var/lib/verbatim/data
- name: LOG_LEVEL
  value: {{ .Values.settings.logLevel }}
- name: NODE_OPTIONS
  value: {{ include "verbatim.nodeOptions" . }}
{{- end }}

{{/* Where S3 is, and with which credentials: the variables of AWS's tools. */}}
{{- define "verbatim.s3Env" -}}
{{- with .Values.backup.s3 }}
- name: AWS_REGION
  value: {{ .region | quote }}
{{- if .endpoint }}
- name: AWS_ENDPOINT_URL_S3
  value: {{ .endpoint | quote }}
{{- end }}
{{- include "verbatim.secretVariable" (list $ "AWS_ACCESS_KEY_ID" .accessKeyId) }}
{{- include "verbatim.secretVariable" (list $ "AWS_SECRET_ACCESS_KEY" .secretAccessKey) }}
{{- end }}
{{- end }}

{{/* Environment of the service, and of the migration. */}}
{{- define "verbatim.databaseEnv" -}}
{{- include "verbatim.storesEnv" . }}
{{- include "verbatim.keysEnv" . }}
{{- end }}

{{/* Where the master key is. */}}
{{- define "verbatim.keysEnv" -}}
{{- include "verbatim.secretVariable" (list . "MASTER_KEY" .Values.masterKey) }}
{{- include "verbatim.secretVariable" (list . "MASTER_KEY_BEFORE" .Values.masterKeyBefore) }}
{{- with .Values.keyServer }}
{{- if .url }}
- name: MASTER_KEY
  value: {{ .url | quote }}
{{- end }}
{{- include "verbatim.secretVariable" (list $ "KMS_TOKEN" .token) }}
{{- if .tokenFile }}
- name: KMS_TOKEN_FILE
  value: {{ .tokenFile | quote }}
{{- end }}
{{- if .namespace }}
- name: KMS_NAMESPACE
  value: {{ .namespace | quote }}
{{- end }}
{{- if .caFile }}
- name: KMS_CA_FILE
  value: {{ .caFile | quote }}
{{- end }}
{{- if .url }}
- name: KMS_HOLD_MINUTES
  value: {{ .holdMinutes | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "verbatim.env" -}}
{{- $settings := .Values.settings }}
- name: HOST
  value: {{ $settings.listenAddress | quote }}
- name: PORT
  value: {{ $settings.port | quote }}
{{- if $settings.metricsPort }}
- name: METRICS_PORT
  value: {{ $settings.metricsPort | quote }}
{{- end }}
{{- include "verbatim.databaseEnv" . }}
{{- include "verbatim.secretVariable" (list . "DATABASE_READ_URL" .Values.database.readUrl) }}
- name: ADMIN_USERNAME
  value: {{ .Values.administrator.username }}
{{- include "verbatim.secretVariable" (list . "ADMIN_PASSWORD" .Values.administrator.password) }}
- name: REGISTRATION
  value: {{ $settings.registration }}
- name: RATE_LIMITS
  value: {{ ternary "on" "off" $settings.rateLimits | quote }}
- name: READ_MODELS_TEXTS
  value: {{ $settings.readModelsTexts | quote }}
- name: WEBHOOK_ALLOW_PRIVATE
  value: {{ ternary "on" "off" $settings.webhookAllowPrivate | quote }}
{{- $proxied := or .Values.ingress.enabled .Values.httpRoute.enabled }}
{{- with $settings.trustProxy | toString | default (ternary "1" "" $proxied) }}
- name: TRUST_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with $settings.allowedOrigins }}
- name: ALLOWED_ORIGINS
  value: {{ join "," . | quote }}
{{- end }}
{{- with $settings.requireMfa }}
- name: REQUIRE_MFA
  value: {{ join "," . | quote }}
{{- end }}
{{- range $name, $limit := $settings.limits }}
- name: {{ $name }}
  value: {{ $limit | toString | quote }}
{{- end }}
{{- with .Values.oidc }}
{{- if .issuer }}
{{- $variables := dict "OIDC_ISSUER" .issuer "OIDC_CLIENT_ID" .clientId "OIDC_REDIRECT_URI" .redirectUri "OIDC_SCOPES" .scopes "OIDC_ROLE_CLAIM" .roleClaim "OIDC_ADMIN_VALUE" .adminValue "OIDC_AUDITOR_VALUE" .auditorValue "OIDC_LABEL" .label "OIDC_RETURN_URL" .returnUrl }}
{{- range $name, $value := $variables }}
{{- with $value }}
- name: {{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- include "verbatim.secretVariable" (list $ "OIDC_CLIENT_SECRET" .clientSecret) }}
{{- end }}
{{- end }}
{{- range (include "verbatim.openDoors" . | fromYamlArray) }}
- name: {{ .variable }}
  value: {{ .port | quote }}
{{- end }}
{{- include "verbatim.telemetryEnv" . }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where traces and metrics are sent. */}}
{{- define "verbatim.telemetryEnv" -}}
{{- with .Values.telemetry }}
{{- if .endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_TRACES_EXPORTER
  value: {{ ternary "otlp" "none" .traces }}
- name: OTEL_METRICS_EXPORTER
  value: {{ ternary "otlp" "none" .metrics }}
- name: OTEL_TRACES_SAMPLER
  value: traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .traceShare | toString | quote }}
- name: OTEL_METRIC_EXPORT_INTERVAL
  value: {{ mul (int .metricSeconds) 1000 | toString | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ .serviceName | quote }}
{{- with .attributes }}
{{- $pairs := list }}
{{- range $name, $value := . }}
{{- $pairs = append $pairs (printf "%s=%s" $name $value) }}
{{- end }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ join "," $pairs | quote }}
{{- end }}
{{- include "verbatim.secretVariable" (list $ "OTEL_EXPORTER_OTLP_HEADERS" .headers) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The heap in proportion to the memory limit; without a limit Node decides. */}}
{{- define "verbatim.nodeOptions" -}}
{{- $options := "--max-semi-space-size=32" }}
{{- with .Values.resources.limits }}
{{- with .memory }}
{{- $mib := include "verbatim.mebibytes" (toString .) | int }}
{{- $options = printf "%s --max-old-space-size=%d" $options (div (mul $mib $.Values.heapPercent) 100) }}
{{- end }}
{{- end }}
{{- $options }}
{{- end }}

{{- define "verbatim.mebibytes" -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+)?Gi$" . }}{{ mulf (trimSuffix "Gi" . | float64) 1024 | int }}
{{- else if regexMatch "^[0-9]+Mi$" . }}{{ trimSuffix "Mi" . }}
{{- else if regexMatch "^[0-9]+(\\.[0-9]+)?G$" . }}{{ divf (mulf (trimSuffix "G" . | float64) 1000000000) 1048576 | int }}
{{- else if regexMatch "^[0-9]+M$" . }}{{ div (mul (trimSuffix "M" . | int64) 1000000) 1048576 }}
{{- else }}{{ fail (printf "resources.limits.memory must end with Mi, Gi, M or G, not be %s." .) }}
{{- end }}
{{- end }}

{{/* Pod Security "restricted". (list . user group) */}}
{{- define "verbatim.podSecurityContext" -}}
runAsNonRoot: true
{{- with index . 0 }}
runAsUser: {{ . }}
runAsGroup: {{ . }}
{{- end }}
{{- with index . 1 }}
fsGroup: {{ . }}
# PostgreSQL refuses a folder whose modes were changed, so a volume that is right is left alone.
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "verbatim.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The pod template of Deployment and StatefulSet. */}}
{{- define "verbatim.podTemplate" -}}
{{- $component := include "verbatim.component" . }}
{{- $embedded := eq .Values.database.type "embedded" }}
metadata:
  labels:
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- include "verbatim.labels" (list . $component) | nindent 4 }}
  annotations:
    kubectl.kubernetes.io/default-container: verbatim
    {{- with include "verbatim.secretData" . }}
    checksum/settings: {{ . | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "verbatim.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- include "verbatim.podSecurityContext" (list .Values.podSecurity.runAsUser .Values.podSecurity.fsGroup) | nindent 4 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and .Values.topologySpread.enabled (not $embedded) }}
  topologySpreadConstraints:
    {{- range (list "kubernetes.io/hostname" "topology.kubernetes.io/zone") }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "verbatim.selector" (list $ $component) | nindent 10 }}
      # Only pods of the same version count, or a rolling upgrade ends up uneven.
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  containers:
    - name: verbatim
      image: {{ include "verbatim.image" (list .Values.image .Chart.AppVersion) }}
      {{- with .Values.image.pullPolicy }}
      imagePullPolicy: {{ . }}
      {{- end }}
      securityContext:
        {{- include "verbatim.containerSecurityContext" . | nindent 8 }}
      env:
        {{- include "verbatim.env" . | trim | nindent 8 }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ .Values.settings.port }}
        {{- if .Values.settings.metricsPort }}
        - name: metrics
          containerPort: {{ .Values.settings.metricsPort }}
        {{- end }}
        {{- range (include "verbatim.openDoors" . | fromYamlArray) }}
        - name: {{ .name }}
          containerPort: {{ .port }}
        {{- end }}
      startupProbe:
        httpGet:
          path: /health/live
          port: http
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: {{ div .Values.startupSeconds 2 }}
      readinessProbe:
        httpGet:
          path: /health/ready
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      livenessProbe:
        httpGet:
          path: /health/live
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      {{- if .Values.preStopSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ .Values.preStopSeconds }}
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /var/lib/verbatim
        - name: tmp
          mountPath: /tmp
        {{- if $embedded }}
        - name: shared-memory
          mountPath: /dev/shm
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: data
      {{- if $embedded }}
      persistentVolumeClaim:
        claimName: {{ .Values.database.volume.existingClaim | default (printf "%s-data" (include "verbatim.fullname" .)) }}
      {{- else }}
      emptyDir:
        sizeLimit: 64Mi
      {{- end }}
    - name: tmp
      emptyDir:
        sizeLimit: 256Mi
    {{- if $embedded }}
    - name: shared-memory
      emptyDir:
        medium: Memory
        sizeLimit: 256Mi
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
