{{/* Training the shared model in the cluster. */}}
{{/* A CronJob's name may have 52 characters. */}}
{{- define "autoscaler.training.fullname" -}}
{{- printf "%s-training" (include "autoscaler.fullname" . | trunc 43 | trimSuffix "-") -}}
{{- end -}}

{{- define "autoscaler.training.selectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-training" (include "autoscaler.name" .) }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "autoscaler.training.labels" -}}
{{- merge (include "autoscaler.training.selectorLabels" . | fromYaml) (include "autoscaler.labels" . | fromYaml) | toYaml -}}
{{- end -}}

{{- define "autoscaler.training.serviceAccountName" -}}
{{- ternary (include "autoscaler.training.fullname" .) (include "autoscaler.serviceAccountName" .) .Values.serviceAccount.create -}}
{{- end -}}

{{- define "autoscaler.training.rules" -}}
- apiGroups: [predictive-autoscaler.dev]
  resources: [predictiveautoscalers]
  verbs: [get, list]
{{- end -}}

{{- define "autoscaler.training.subject" -}}
- kind: ServiceAccount
  name: {{ include "autoscaler.training.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* Where the model is, in the operator's pods and in those that train it. */}}
{{- define "autoscaler.training.folder" -}}
/var/lib/predictive-autoscaler-model
{{- end -}}

{{- define "autoscaler.training.volume" -}}
- name: model
  persistentVolumeClaim: {claimName: {{ default (include "autoscaler.training.fullname" .) .Values.training.existingClaim }}}
{{- end -}}

{{/* Whether one node at a time has the volume, and so all pods have to be there. */}}
{{- define "autoscaler.training.oneNode" -}}
{{- if and .Values.training.enabled (eq .Values.training.accessMode "ReadWriteOnce") }}true{{ end -}}
{{- end -}}
