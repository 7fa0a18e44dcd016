{{/* A claim that stays: (list . "data" "all-in-one" .Values.database.volume). A reinstallation of the release takes it up again. */}}
{{- define "verbatim.claim" -}}
{{- $root := index . 0 }}
{{- $volume := index . 3 }}
{{- if not $volume.existingClaim }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "verbatim.fullname" $root }}-{{ index . 1 }}
  labels:
    {{- include "verbatim.selector" (list $root (index . 2)) | nindent 4 }}
    app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  annotations:
    helm.sh/resource-policy: keep
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
    kustomize.toolkit.fluxcd.io/prune: disabled
spec:
  accessModes: {{ toJson $volume.accessModes }}
  {{- with $volume.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ $volume.size }}
{{- end }}
{{- end }}
