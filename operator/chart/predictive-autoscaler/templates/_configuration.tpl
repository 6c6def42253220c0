{{/* The operator's own configuration file. */}}
{{- define "autoscaler.configuration" -}}
{{- $election := merge (dict "namespace" (include "autoscaler.leaseNamespace" .)) .Values.leaderElection -}}
{{- dict
      "sources" .Values.sources
      "watchNamespaces" .Values.watchNamespaces
      "period" .Values.period
      "leaderElection" $election
      "store" .Values.store
      "forecasts" (dict "historyFolder" "/var/lib/predictive-autoscaler/history")
      "server" (dict "address" "0.0.0.0" "port" 8080)
      "log" .Values.log
    | toYaml -}}
{{- end -}}
