{{/* What a schema cannot say: values that are right alone and wrong together, and texts whose refusal must not repeat
them, since they may hold a secret. */}}
{{- define "autoscaler.refuse" -}}
{{- $several := gt (int .Values.replicaCount) 1 -}}
{{- if and .Values.persistence.enabled $several -}}
{{- fail "persistence.enabled: a volume with a SQLite file serves one pod at a time. Set replicaCount to 1, or leave persistence off and set store.url to a PostgreSQL" -}}
{{- end -}}
{{- if and (not .Values.leaderElection.enabled) $several -}}
{{- fail "leaderElection.enabled: without it every replica would act. Set replicaCount to 1, or leave it on" -}}
{{- end -}}
{{- if and (include "autoscaler.training.oneNode" .) $several -}}
{{- fail "training.accessMode: a ReadWriteOnce volume is on one node at a time, and several pods are not. Set replicaCount to 1, or use a ReadWriteMany volume" -}}
{{- end -}}
{{- if not (regexMatch "^(sqlite|postgresql)([+][a-z0-9]+)?://" .Values.store.url) -}}
{{- fail "store.url: must begin with sqlite:// or postgresql+psycopg://" -}}
{{- end -}}
{{- if regexMatch "^[^@]*://[^/@]*:[^@]*@" .Values.store.url -}}
{{- fail "store.url: holds a password, which anyone who may read ConfigMaps could see. Leave it out and set PGPASSWORD from a Secret by extraEnv" -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.sources -}}
{{- if contains "@" .url -}}
{{- fail (printf "sources: the url of %s holds credentials. Mount a Secret by extraVolumes and name its files by user and passwordFile, or tokenFile" (default "default" .name)) -}}
{{- end -}}
{{- $names = append $names (default "default" .name) -}}
{{- end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- fail "sources: two have the same name. Resources choose a source by its name, so give each its own" -}}
{{- end -}}
{{- end -}}
