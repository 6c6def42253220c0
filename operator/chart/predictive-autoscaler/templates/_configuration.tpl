{{/* The operator's own configuration file. */}}
{{- define "autoscaler.configuration" -}}
{{- $follows := eq (include "autoscaler.api.followsLeader" .) "true" -}}
{{- $election := merge (dict "namespace" (include "autoscaler.leaseNamespace" .) "labelPod" $follows) .Values.leaderElection -}}
{{- $forecasts := dict "historyFolder" "/var/lib/predictive-autoscaler/history" -}}
{{- if .Values.training.enabled -}}
{{- $forecasts = set $forecasts "modelFolder" (include "autoscaler.training.folder" .) -}}
{{- end -}}
{{- dict
      "sources" .Values.sources
      "watchNamespaces" .Values.watchNamespaces
      "period" .Values.period
      "leaderElection" $election
      "store" .Values.store
      "forecasts" $forecasts
      "server" (dict "address" "0.0.0.0" "port" 8080)
      "log" .Values.log
    | toYaml -}}
{{- end -}}

{{/* The service's. */}}
{{- define "autoscaler.api.configuration" -}}
{{- $listen := dict "address" "0.0.0.0" "port" 8443 "trustedProxies" .Values.api.trustedProxies -}}
{{- if .Values.api.tlsSecret -}}
{{- $listen = merge $listen (dict "certFile" "/etc/predictive-autoscaler-tls/tls.crt" "keyFile" "/etc/predictive-autoscaler-tls/tls.key") -}}
{{- end -}}
{{- dict
      "store" .Values.store
      "listen" $listen
      "authentication" (dict "kind" "cluster" "audiences" .Values.api.audiences)
      "whatIf" (dict "enabled" .Values.api.whatIf)
      "log" .Values.log
    | toYaml -}}
{{- end -}}
