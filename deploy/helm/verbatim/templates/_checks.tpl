{{/* What a schema cannot say. validate.yaml includes this before anything else is rendered. */}}
{{- define "verbatim.checks" -}}
{{- include "verbatim.checkRenamed" . }}
{{- $embedded := eq .Values.database.type "embedded" }}
{{- $secrets := dict "masterKey" .Values.masterKey "masterKeyBefore" .Values.masterKeyBefore "keyServer.token" .Values.keyServer.token "administrator.password" .Values.administrator.password "database.url" .Values.database.url "database.directUrl" .Values.database.directUrl "database.readUrl" .Values.database.readUrl "eventStore.url" .Values.eventStore.url "oidc.clientSecret" .Values.oidc.clientSecret "telemetry.headers" .Values.telemetry.headers "backup.s3.accessKeyId" .Values.backup.s3.accessKeyId "backup.s3.secretAccessKey" .Values.backup.s3.secretAccessKey }}
{{- range $path, $secret := $secrets }}
{{- if and $secret.value $secret.existingSecret }}
{{- fail (printf "Set %s.value or %s.existingSecret, not both." $path $path) }}
{{- end }}
{{- end }}
{{- if not $embedded }}
{{- if not (or .Values.keyServer.url (include "verbatim.given" .Values.masterKey)) }}
{{- fail "Set masterKey.existingSecret: all replicas need the same master key. To make one: kubectl create secret generic verbatim-master-key --from-literal=MASTER_KEY=\"$(openssl rand -base64 32)\", then --set masterKey.existingSecret=verbatim-master-key. Keep a copy of it: without it no stored text can be read again." }}
{{- end }}
{{- end }}
{{- with .Values.keyServer }}
{{- if and .url (include "verbatim.given" $.Values.masterKey) }}
{{- fail "Set masterKey or keyServer.url, not both. To move from one to the other, set masterKeyBefore to the old one." }}
{{- end }}
{{- if and .url (not (or .tokenFile (include "verbatim.given" .token))) }}
{{- fail "Set keyServer.token.existingSecret or keyServer.tokenFile: the service needs a token that may use the key." }}
{{- end }}
{{- end }}
{{- if .Values.masterKey.value }}
{{- if not (regexMatch "^[A-Za-z0-9+/]{43}=$" .Values.masterKey.value) }}
{{- fail "masterKey.value must be 32 bytes in base64, such as `openssl rand -base64 32` prints." }}
{{- end }}
{{- end }}
{{- if and (eq .Values.database.type "external") (not (include "verbatim.given" .Values.database.url)) }}
{{- fail "Set database.url.existingSecret, or database.url.value: database.type is external." }}
{{- end }}
{{- if and (ne .Values.database.type "external") (include "verbatim.given" .Values.database.url) }}
{{- fail "Set database.type=external, or remove database.url: it has no effect with this type." }}
{{- end }}
{{- if and (eq .Values.eventStore.type "external") (not (include "verbatim.given" .Values.eventStore.url)) }}
{{- fail "Set eventStore.url.existingSecret, or eventStore.url.value: eventStore.type is external." }}
{{- end }}
{{- if and (ne .Values.eventStore.type "external") (include "verbatim.given" .Values.eventStore.url) }}
{{- fail "Set eventStore.type=external, or remove eventStore.url: it has no effect with this type." }}
{{- end }}
{{- if and $embedded .Values.autoscaling.enabled }}
{{- fail "autoscaling needs a database that replicas share: set database.type to external or cloudNativePg." }}
{{- end }}
{{- if .Values.backup.enabled }}
{{- if $embedded }}
{{- fail "backup needs a database that other pods can reach: set database.type to external or cloudNativePg." }}
{{- end }}
{{- if eq (empty .Values.backup.recipients) (not .Values.backup.plain) }}
{{- fail "Set backup.recipients to those who can open the backup (age-keygen prints one), or backup.plain=true, not both." }}
{{- end }}
{{- with .Values.backup.s3 }}
{{- if ne (include "verbatim.given" .accessKeyId) (include "verbatim.given" .secretAccessKey) }}
{{- fail "Set both of backup.s3.accessKeyId and backup.s3.secretAccessKey, or none to use the role of the ServiceAccount." }}
{{- end }}
{{- if and .endpoint (not .url) }}
{{- fail "Set backup.s3.url to the place of the backup, such as s3://bucket/chat." }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $embedded (kindIs "invalid" .Values.podSecurity.runAsUser) }}
{{- fail "podSecurity.runAsUser must be 10001 with database.type=embedded: PostgreSQL needs a user that the image knows." }}
{{- end }}
{{- if .Values.oidc.issuer }}
{{- if not (and .Values.oidc.clientId .Values.oidc.redirectUri (include "verbatim.given" .Values.oidc.clientSecret)) }}
{{- fail "Set oidc.clientId, oidc.clientSecret and oidc.redirectUri beside oidc.issuer." }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hostnames) }}
{{- fail "Set ingress.hostnames." }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "Set httpRoute.parentRefs to the Gateway that the route attaches to." }}
{{- end }}
{{- if .Values.doors.mqtt.hostnames }}
{{- fail "doors.mqtt has no host names: MQTT over TCP is not HTTP. Use doors.mqtt.service.type=LoadBalancer, or doors.mqttWs." }}
{{- end }}
{{- $ports := list (int .Values.settings.port) (int .Values.settings.metricsPort) }}
{{- if eq (int .Values.settings.port) (int .Values.settings.metricsPort) }}
{{- fail "settings.metricsPort must be another port than settings.port. Set it to 0 to have metrics there." }}
{{- end }}
{{- range (include "verbatim.openDoors" . | fromYamlArray) }}
{{- if has (int .port) $ports }}
{{- fail (printf "Two doors share port %d." (int .port)) }}
{{- end }}
{{- $ports = append $ports (int .port) }}
{{- end }}
{{- end }}

{{/* Values that have another name now, or another name here than in most charts. */}}
{{- define "verbatim.checkRenamed" -}}
{{- $renamed := dict "replicaCount" "replicas" "postgresql" "database" "persistence" "database.volume" "extraEnvVars" "extraEnv" }}
{{- range $old, $new := $renamed }}
{{- if hasKey $.Values $old }}
{{- fail (printf "The value %s is called %s." $old $new) }}
{{- end }}
{{- end }}
{{- end }}
