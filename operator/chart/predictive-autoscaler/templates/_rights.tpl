{{/* Rights on what is watched and scaled; docs/install.md says what each is for. */}}
{{- define "autoscaler.rules" -}}
- apiGroups: [predictive-autoscaler.dev]
  resources: [predictiveautoscalers]
  verbs: [list, watch]
- apiGroups: [predictive-autoscaler.dev]
  resources: [predictiveautoscalers/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, patch]
{{- range .Values.scalableResources }}
- apiGroups: [{{ .group | quote }}]
  resources: [{{ printf "%s/scale" .resource }}]
  verbs: [get, patch]
{{- end }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [metrics.k8s.io]
  resources: [pods]
  verbs: [list]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [{{ if .Values.rbac.floor }}get, list, watch, patch{{ else }}list, watch{{ end }}]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [{{ if .Values.rbac.floor }}get, list, watch, patch{{ else }}list, watch{{ end }}]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{- define "autoscaler.subject" -}}
- kind: ServiceAccount
  name: {{ include "autoscaler.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* What the service changes on behalf of a caller who may: the annotation of an override. */}}
{{- define "autoscaler.api.rules" -}}
- apiGroups: [predictive-autoscaler.dev]
  resources: [predictiveautoscalers]
  verbs: [patch]
{{- end -}}

{{- define "autoscaler.api.subject" -}}
- kind: ServiceAccount
  name: {{ include "autoscaler.api.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
