{{/* The port in a URL, or `otherwise` where it names none. */}}
{{- define "autoscaler.portOf" -}}
{{- $host := (urlParse .url).host -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- default .otherwise $port -}}
{{- end -}}
