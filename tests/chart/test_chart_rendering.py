"""What the chart makes of its values."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from rendering import CHART, NAMESPACE, ROOT, Manifest, helm, of_kind, rendered, the, without_api

from autoscaler.controller.configuration import Configuration, read_configuration

pytestmark = pytest.mark.cluster

_POSTGRES = "postgresql+psycopg://autoscaler@db.data:6432/autoscaler"
_SOURCES = [
    {"name": "main", "url": "http://prometheus.monitoring:9090"},
    {
        "name": "mimir",
        "url": "https://mimir.example.com/prometheus",
        "headers": {"X-Scope-OrgID": "a"},
        "method": "GET",
    },
]
_ON = {"enabled": True}
_CRD = yaml.safe_load(
    (ROOT / "operator" / "crd" / "predictive-autoscaler.dev_predictiveautoscalers.yaml").read_text()
)

# Each choice changes something else; together they must still make valid YAML of unique objects.
_CHOICES: tuple[Manifest, ...] = (
    {"watchNamespaces": ["shop"]},
    {"sources": _SOURCES},
    {"replicaCount": 1, "persistence": _ON},
    {"networkPolicy": _ON, "serviceMonitor": _ON, "prometheusRule": _ON, "dashboards": _ON},
    {"commonLabels": {"team": "platform", "app.kubernetes.io/name": "other"}, "podLabels": {"a": "b"}},
    {"nameOverride": "scaler", "fullnameOverride": "a" * 47},
    {"serviceAccount": {"create": False}, "rbac": {"floor": True}},
    {"crds": {"install": False}, "podDisruptionBudget": {"enabled": False}},
    {
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
        "imagePullSecrets": [{"name": "registry"}],
        "podAnnotations": {"a": "b"},
    },
)


def _config(manifests: list[Manifest]) -> str:
    text: str = the(manifests, "ConfigMap")["data"]["config.yaml"]
    return text


def _read(manifests: list[Manifest], tmp_path: Path) -> Configuration:
    path = tmp_path / "config.yaml"
    path.write_text(_config(manifests))
    return read_configuration(path)


def _pod(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = the(manifests, "Deployment")["spec"]["template"]["spec"]
    return spec


def _container(manifests: list[Manifest]) -> Manifest:
    (container,) = _pod(manifests)["containers"]
    return container


def test_helm_finds_nothing_to_complain_about() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "chosen", [*itertools.combinations(range(len(_CHOICES)), 2), range(len(_CHOICES))], ids=str
)
def test_choices_go_together(chosen: tuple[int, ...]) -> None:
    values: Manifest = {}
    for choice in chosen:
        values |= _CHOICES[choice]
    manifests = without_api(values)
    names = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in manifests]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 for kind, _, name in names if kind != "CustomResourceDefinition")
    deployment = the(manifests, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    service = the(manifests, "Service")["spec"]["selector"]
    assert service.items() <= labels.items()


def test_two_releases_share_no_object() -> None:
    values = {"crds": {"install": False}}
    first, second = (
        {(m["kind"], m["metadata"]["name"]) for m in rendered(values, release=release)}
        for release in ("one", "two")
    )
    assert not first & second


# The CRD


def test_the_crd_is_the_one_of_this_version_and_is_kept_on_removal() -> None:
    crd = the(without_api(), "CustomResourceDefinition")
    assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert crd == _CRD


def test_the_crd_goes_with_the_release_where_asked_to() -> None:
    assert the(without_api({"crds": {"keep": False}}), "CustomResourceDefinition") == _CRD


def test_the_crd_can_be_left_to_somebody_else() -> None:
    assert of_kind(without_api({"crds": {"install": False}}), "CustomResourceDefinition") == []


# The configuration


def test_the_default_configuration_is_one_the_operator_reads(tmp_path: Path) -> None:
    read = _read(without_api(), tmp_path)
    assert [source.name for source in read.sources] == ["default"]
    assert (read.period_s, read.watch_namespaces, read.server.port) == (15, (), 8080)
    assert read.leader_election.enabled
    assert read.leader_election.namespace == NAMESPACE


def test_what_is_set_arrives_in_the_configuration(tmp_path: Path) -> None:
    values = {
        "sources": _SOURCES,
        "watchNamespaces": ["shop"],
        "period": "30s",
        "store": {"url": _POSTGRES},
        "log": {"level": "debug", "format": "console"},
        "leaderElection": {"namespace": "leases", "name": "ours", "leaseDuration": "1m"},
    }
    read = _read(without_api(values), tmp_path)
    assert [(source.name, source.method, source.headers) for source in read.sources] == [
        ("main", "POST", {}),
        ("mimir", "GET", {"X-Scope-OrgID": "a"}),
    ]
    assert (read.watch_namespaces, read.period_s, read.store.url) == (("shop",), 30, _POSTGRES)
    assert (read.log.level, read.log.format) == ("debug", "console")
    election = read.leader_election
    assert (election.namespace, election.name, election.lease_duration_s) == ("leases", "ours", 60)
    assert election.renew_deadline_s == 10


def test_every_setting_of_the_operator_is_in_the_configuration(tmp_path: Path) -> None:
    # A setting that the chart does not know of could not be changed where the chart installs.
    written = yaml.safe_load(_config(without_api()))
    known = {field.alias for field in Configuration.model_fields.values()}
    assert set(written) == known


def test_a_source_of_the_values_may_have_every_setting_of_the_operator_s() -> None:
    import json

    from autoscaler.controller.configuration import Source

    schema = json.loads((CHART / "values.schema.json").read_text())
    known = {field.alias for field in Source.model_fields.values()}
    assert set(schema["properties"]["sources"]["items"]["properties"]) == known


def test_a_change_of_the_configuration_restarts_the_pods() -> None:
    checksums = {
        the(without_api(values), "Deployment")["spec"]["template"]["metadata"]["annotations"][
            "checksum/config"
        ]
        for values in ({}, {"period": "30s"}, {"replicaCount": 1})
    }
    assert len(checksums) == 2


# The pods


def test_the_pods_need_no_privilege_and_a_root_they_cannot_write() -> None:
    pod, container = _pod(without_api()), _container(without_api())
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pods_can_write_where_the_operator_writes(tmp_path: Path) -> None:
    manifests = without_api()
    writable = {
        mount["mountPath"] for mount in _container(manifests)["volumeMounts"] if not mount.get("readOnly")
    }
    assert writable == {"/tmp", "/var/lib/predictive-autoscaler"}
    read = _read(manifests, tmp_path)
    assert read.store.url == "sqlite:////var/lib/predictive-autoscaler/store.db"
    assert read.forecasts.history_folder == Path("/var/lib/predictive-autoscaler/history")


def test_the_pods_are_probed_where_the_operator_answers(tmp_path: Path) -> None:
    manifests = without_api()
    container = _container(manifests)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe, path in (
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ):
        asked = container[probe]["httpGet"]
        assert asked["path"] == path
        assert ports[asked["port"]] == _read(manifests, tmp_path).server.port


def test_the_pods_read_the_configuration_that_is_mounted() -> None:
    manifests = without_api()
    container, (config, *_) = _container(manifests), _pod(manifests)["volumes"]
    assert container["args"] == ["run", "--config", "/etc/predictive-autoscaler/config.yaml"]
    assert config["configMap"]["name"] == the(manifests, "ConfigMap")["metadata"]["name"]
    assert {"name": "config", "mountPath": "/etc/predictive-autoscaler", "readOnly": True} in container[
        "volumeMounts"
    ]


def test_two_pods_on_two_nodes_and_in_two_zones_are_the_default_and_a_drain_takes_one() -> None:
    manifests = without_api()
    deployment = the(manifests, "Deployment")["spec"]
    assert deployment["replicas"] == 2
    spread = _pod(manifests)["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for one in spread:
        assert one["whenUnsatisfiable"] == "ScheduleAnyway"
        assert one["labelSelector"] == deployment["selector"]
    budget = the(manifests, "PodDisruptionBudget")["spec"]
    assert (budget["maxUnavailable"], budget["selector"]) == (1, deployment["selector"])


def test_pods_that_are_not_ready_hold_up_no_drain() -> None:
    # The operator's budget, and with PostgreSQL that of the service.
    manifests = rendered({"store": {"url": "postgresql+psycopg://autoscaler@db.data/autoscaler"}})
    budgets = of_kind(manifests, "PodDisruptionBudget")
    assert [budget["spec"]["unhealthyPodEvictionPolicy"] for budget in budgets] == ["AlwaysAllow"] * 2


def test_credentials_of_a_source_come_from_a_mounted_secret() -> None:
    values = {
        "extraVolumes": [{"name": "token", "secret": {"secretName": "mimir"}}],
        "extraVolumeMounts": [{"name": "token", "mountPath": "/etc/sources/mimir", "readOnly": True}],
        "extraEnv": [
            {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
        ],
    }
    manifests = without_api(values)
    assert values["extraVolumes"][0] in _pod(manifests)["volumes"]
    assert values["extraVolumeMounts"][0] in _container(manifests)["volumeMounts"]
    assert _container(manifests)["env"] == values["extraEnv"]


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ({"repository": "r.example.com/a"}, "r.example.com/a:0.1.0"),
        ({"repository": "r.example.com/a", "tag": "main"}, "r.example.com/a:main"),
        (
            {"repository": "r.example.com/a", "tag": "main", "digest": f"sha256:{'0' * 64}"},
            f"r.example.com/a@sha256:{'0' * 64}",
        ),
    ],
    ids=["version", "tag", "digest"],
)
def test_the_image_is_chosen_by(image: Manifest, wanted: str) -> None:
    assert _container(without_api({"image": image}))["image"] == wanted


def test_a_volume_is_used_by_one_pod_at_a_time_and_outlives_the_release() -> None:
    manifests = without_api({"replicaCount": 1, "persistence": _ON})
    claim = the(manifests, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert the(manifests, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    used = [
        volume["persistentVolumeClaim"] for volume in _pod(manifests)["volumes"] if volume["name"] == "state"
    ]
    assert used == [{"claimName": claim["metadata"]["name"]}]


def test_a_volume_that_exists_is_used_as_it_is() -> None:
    manifests = without_api({"replicaCount": 1, "persistence": {"enabled": True, "existingClaim": "mine"}})
    assert of_kind(manifests, "PersistentVolumeClaim") == []
    assert {"name": "state", "persistentVolumeClaim": {"claimName": "mine"}} in _pod(manifests)["volumes"]


# Network and monitoring


def _egress(values: Manifest) -> list[int]:
    policy = the(without_api({"networkPolicy": _ON} | values), "NetworkPolicy")["spec"]
    return sorted({port["port"] for rule in policy["egress"] for port in rule["ports"]})


@pytest.mark.parametrize(
    ("values", "ports"),
    [
        pytest.param({}, [53, 443, 6443, 9090], id="default"),
        pytest.param({"sources": _SOURCES}, [53, 443, 6443, 9090], id="https without a port"),
        pytest.param({"sources": [{"url": "http://a"}]}, [53, 80, 443, 6443], id="http without a port"),
        pytest.param({"sources": [{"url": "http://[fd00::1]:9999/x"}]}, [53, 443, 6443, 9999], id="IPv6"),
        pytest.param({"store": {"url": _POSTGRES}}, [53, 443, 6432, 6443, 9090], id="PostgreSQL"),
        pytest.param(
            {"store": {"url": "postgresql+psycopg://db/a"}}, [53, 443, 5432, 6443, 9090], id="its own port"
        ),
        pytest.param(
            {"networkPolicy": _ON | {"sourcePorts": [8080]}},
            [53, 443, 6443, 8080],
            id="ports behind a Service",
        ),
        pytest.param(
            {"networkPolicy": _ON | {"apiServerPorts": [8443]}}, [53, 8443, 9090], id="another API server"
        ),
    ],
)
def test_the_network_policy_lets_out_to(values: Manifest, ports: list[int]) -> None:
    assert _egress(values) == ports


def test_the_network_policy_lets_in_to_metrics_alone() -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    policy = the(without_api({"networkPolicy": _ON | {"metricsFrom": peers}}), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": "http"}], "from": peers}]


def test_the_service_monitor_finds_the_service() -> None:
    manifests = without_api(
        {"serviceMonitor": _ON | {"interval": "30s", "labels": {"release": "prometheus"}}}
    )
    monitor, service = the(manifests, "ServiceMonitor"), the(manifests, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint == {"port": "http", "path": "/metrics", "honorLabels": True, "interval": "30s"}
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


def test_rules_and_dashboards_beside_the_chart_are_installed_as_they_are(tmp_path: Path) -> None:
    chart = tmp_path / CHART.name
    shutil.copytree(CHART, chart)
    rules = {
        "groups": [
            {"name": "a", "rules": [{"alert": "A", "expr": "up == 0", "annotations": {"b": "{{ $value }}"}}]}
        ]
    }
    (chart / "files" / "rules").mkdir(exist_ok=True)
    (chart / "files" / "rules" / "probe.yaml").write_text(yaml.safe_dump(rules))
    (chart / "files" / "dashboards").mkdir(exist_ok=True)
    (chart / "files" / "dashboards" / "probe.json").write_text('{"legendFormat": "{{pod}}"}')
    manifests = rendered({"prometheusRule": _ON, "dashboards": _ON} | {"api": {"enabled": False}}, chart)
    specs = {m["metadata"]["name"]: m["spec"] for m in of_kind(manifests, "PrometheusRule")}
    assert specs["predictive-autoscaler-probe"] == rules
    dashboards = [m for m in of_kind(manifests, "ConfigMap") if m["metadata"]["name"].endswith("-dashboards")]
    assert dashboards[0]["data"]["probe.json"] == '{"legendFormat": "{{pod}}"}'
    assert dashboards[0]["metadata"]["labels"]["grafana_dashboard"] == "1"


# What a person reads, and the plain manifest


def test_the_notes_lead_to_a_first_resource_that_the_operator_accepts() -> None:
    from autoscaler.spec.resource import PredictiveAutoscaler

    notes = helm("install", "a", str(CHART), "--dry-run=client", "--namespace", NAMESPACE).stdout.split(
        "NOTES:"
    )[1]
    manifest = yaml.safe_load(notes.split("<<'YAML'\n")[1].split("\nYAML\n")[0])
    assert PredictiveAutoscaler.model_validate(manifest).spec.mode == "Recommend"
    assert "start anew" in notes


def test_the_plain_manifest_is_the_chart_s_default(tmp_path: Path) -> None:
    fresh = tmp_path / "install.yaml"
    environment = os.environ | {
        "OUT": str(fresh),
        "HELM_CACHE_HOME": str(tmp_path),
        "HELM_CONFIG_HOME": str(tmp_path),
    }
    subprocess.run(["sh", str(ROOT / "scripts" / "render.sh")], check=True, env=environment)
    written = (ROOT / "operator" / "install.yaml").read_text()
    assert fresh.read_text() == written, "sh scripts/render.sh renews it"


def test_the_plain_manifest_belongs_to_no_release() -> None:
    text = (ROOT / "operator" / "install.yaml").read_text()
    manifests = [manifest for manifest in yaml.safe_load_all(text) if manifest]
    assert manifests[0]["kind"] == "Namespace"
    assert "helm" not in text.replace("Helm chart", "").lower()
    rendered_kinds = sorted(m["kind"] for m in rendered({"crds": {"keep": False}}))
    assert sorted(m["kind"] for m in manifests[1:]) == rendered_kinds


def test_an_old_cluster_is_refused() -> None:
    done = helm("template", "a", str(CHART), "--kube-version", "1.28.0")
    assert done.returncode != 0
    assert "1.29" in done.stderr
