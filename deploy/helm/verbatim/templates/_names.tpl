{{/*
Names, labels and selectors. Kubernetes refuses to change selectors, and volumes are found by name: do not change these.
immutable.spec.ts pins them.
*/}}
{{- define "verbatim.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 characters, so that every suffix fits into the 63 of a DNS label. */}}
{{- define "verbatim.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := include "verbatim.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes the context and a component: (list . "server"). */}}
{{- define "verbatim.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "verbatim.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "verbatim.labels" -}}
{{- $root := index . 0 -}}
{{ include "verbatim.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: verbatim
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The component that serves: one pod with its own database, or replicas. Each has a selector of its own. */}}
{{- define "verbatim.component" -}}
{{- if eq .Values.database.type "embedded" }}all-in-one{{ else }}server{{ end }}
{{- end }}

{{- define "verbatim.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "verbatim.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{/* Takes an image and the tag to use where it has none: (list .Values.image .Chart.AppVersion). A digest decides over a tag. */}}
{{- define "verbatim.image" -}}
{{- $image := index . 0 }}
{{- $name := $image.repository }}
{{- if $image.registry }}{{ $name = printf "%s/%s" $image.registry $name }}{{ end }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name ($image.tag | default (index . 1)) }}
{{- end }}
{{- end }}

{{/* The doors that are open, as a YAML list of {name, port, hostnames, service}. Names are fit for ports and DNS. */}}
{{- define "verbatim.openDoors" -}}
{{- range $name, $door := .Values.doors }}
{{- if $door.enabled }}
- {{ merge (dict "name" ($name | kebabcase) "variable" (printf "%s_PORT" ($name | snakecase | upper))) $door | toJson }}
{{- end }}
{{- end }}
{{- end }}
