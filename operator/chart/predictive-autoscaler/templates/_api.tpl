{{/* The service: its container is the same beside the operator and in pods of its own. */}}

{{/* Whether it runs in the operator's pods: a SQLite file can be read nowhere else. */}}
{{- define "autoscaler.api.beside" -}}
{{- if and .Values.api.enabled (hasPrefix "sqlite" .Values.store.url) }}true{{ end -}}
{{- end -}}

{{/* Whether the Service has to be led to the one of several pods that acts. */}}
{{- define "autoscaler.api.followsLeader" -}}
{{- if and (include "autoscaler.api.beside" .) .Values.leaderElection.enabled (gt (int .Values.replicaCount) 1) }}true{{ end -}}
{{- end -}}

{{- define "autoscaler.api.fullname" -}}
{{- printf "%s-api" (include "autoscaler.fullname" .) -}}
{{- end -}}

{{- define "autoscaler.api.selectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-api" (include "autoscaler.name" .) }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "autoscaler.api.labels" -}}
{{- merge (include "autoscaler.api.selectorLabels" . | fromYaml) (include "autoscaler.labels" . | fromYaml) | toYaml -}}
{{- end -}}

{{- define "autoscaler.api.serviceAccountName" -}}
{{- if include "autoscaler.api.beside" . -}}
{{- include "autoscaler.serviceAccountName" . -}}
{{- else -}}
{{- ternary (include "autoscaler.api.fullname" .) (include "autoscaler.serviceAccountName" .) .Values.serviceAccount.create -}}
{{- end -}}
{{- end -}}

{{- define "autoscaler.api.container" -}}
name: api
image: {{ include "autoscaler.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --config, /etc/predictive-autoscaler/serve.yaml]
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - {name: api, containerPort: 8443}
startupProbe:
  httpGet: {path: /healthz, port: api{{ if .Values.api.tlsSecret }}, scheme: HTTPS{{ end }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: api{{ if .Values.api.tlsSecret }}, scheme: HTTPS{{ end }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- if not (include "autoscaler.api.beside" .) }}
readinessProbe:
  httpGet: {path: /readyz, port: api{{ if .Values.api.tlsSecret }}, scheme: HTTPS{{ end }}}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.api.resources | nindent 2 }}
volumeMounts:
  - {name: config, mountPath: /etc/predictive-autoscaler, readOnly: true}
  {{- if include "autoscaler.api.beside" . }}
  - {name: state, mountPath: /var/lib/predictive-autoscaler}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
  {{- if .Values.api.tlsSecret }}
  - {name: api-tls, mountPath: /etc/predictive-autoscaler-tls, readOnly: true}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "autoscaler.api.tlsVolume" -}}
- name: api-tls
  secret: {secretName: {{ .Values.api.tlsSecret }}}
{{- end -}}

{{- define "autoscaler.api.ingress" -}}
- ports:
    - {protocol: TCP, port: api}
  {{- with .Values.networkPolicy.apiFrom }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
