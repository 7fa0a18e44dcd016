{{/* Not empty if a secret value was given in either way. */}}
{{- define "verbatim.given" -}}
{{- if or .existingSecret .value }}yes{{ end }}
{{- end }}

{{- define "verbatim.secretName" -}}
{{- printf "%s-settings" (include "verbatim.fullname" .) }}
{{- end }}

{{/* An environment variable from a secret value, if it was given: (list . "MASTER_KEY" .Values.masterKey). */}}
{{- define "verbatim.secretVariable" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $secret := index . 2 }}
{{- if $secret.existingSecret }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.existingSecret }}
      key: {{ $secret.existingSecretKey }}
{{- else if $secret.value }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "verbatim.secretName" $root }}
      key: {{ $name }}
{{- end }}
{{- end }}

{{/* What the Secret of the chart holds: the values that were given themselves. Nothing is generated. */}}
{{- define "verbatim.secretData" -}}
{{- $secrets := dict "MASTER_KEY" .Values.masterKey "MASTER_KEY_BEFORE" .Values.masterKeyBefore "KMS_TOKEN" .Values.keyServer.token "ADMIN_PASSWORD" .Values.administrator.password "DATABASE_URL" .Values.database.url "DATABASE_DIRECT_URL" .Values.database.directUrl "DATABASE_READ_URL" .Values.database.readUrl "EVENT_STORE_URL" .Values.eventStore.url "OIDC_CLIENT_SECRET" .Values.oidc.clientSecret "OTEL_EXPORTER_OTLP_HEADERS" .Values.telemetry.headers "AWS_ACCESS_KEY_ID" .Values.backup.s3.accessKeyId "AWS_SECRET_ACCESS_KEY" .Values.backup.s3.secretAccessKey }}
{{- range $name, $secret := $secrets }}
{{- with $secret.value }}
{{ $name }}: {{ . | b64enc }}
{{- end }}
{{- end }}
{{- end }}
