"""Who we are: found where it is, read again when it is exchanged, and never shown."""

from __future__ import annotations

import json
import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kubernetes.client import Configuration
from scripted_api import Answer, Conversation, ScriptedAPI, kubeconfig_text, serving

from autoscaler.controller.cluster import credentials
from autoscaler.controller.cluster.access import Access, read_access
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterConfigError, Unauthorized, Unavailable

Serve = Callable[[Answer], ScriptedAPI]
PATH = "/api/v1/pods"
TLS = Path(__file__).parents[2] / "signals" / "tls"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(credentials, "_PAUSE_S", 0.0)


def only_admits(token: Callable[[], str]) -> Answer:
    def answer(c: Conversation) -> None:
        if c.asked.headers.get("Authorization") == f"Bearer {token()}":
            c.json({"ok": True})
        else:
            c.status(401, "Unauthorized", "Unauthorized")

    return answer


def service_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (folder / "token").write_text("first\n")
    (folder / "ca.crt").write_text((TLS / "ca.pem").read_text())
    (folder / "namespace").write_text("autoscaling\n")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return folder


def test_a_pod_is_who_its_service_account_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = read_access(service_account=service_account(tmp_path, monkeypatch))
    assert access.authorization == "bearer first"
    assert access.namespace == "autoscaling"
    assert access.configuration.host == "https://10.0.0.1:443"
    assert access.good_for_s == 60.0


def test_a_named_kubeconfig_or_context_goes_before_the_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = service_account(tmp_path, monkeypatch)
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig_text("https://there", {"token": "t"}))
    assert read_access(file, service_account=account).namespace == "ours"
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert read_access(None, "here", service_account=account).configuration.host == "https://there"


def test_kubeconfigs_of_the_environment_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "b"
    file.write_text(kubeconfig_text("https://there/k8s/x/", {"username": "u", "password": "p"}))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{file}")
    access = read_access()
    assert access.configuration.host == "https://there/k8s/x"
    assert access.authorization == "Basic dTpw"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "no such file"),
        ("", "is empty"),
        ("a: [", "is not valid YAML"),
        ("users: [{name: u, user: {token: 'sesame}}]", "is not valid YAML"),
        ("[1, 2]", "is not a usable configuration"),
        ("contexts: []", "Expected key current-context"),
        (kubeconfig_text("https://x", {"token": "sesame"}).replace("name: c\n", "name: d\n"), "name c"),
        (kubeconfig_text("https://x", {"tokenFile": "/no/such/file"}), "No such file"),
        (kubeconfig_text("https://x", {"token": "ses\name"}), "no HTTP header"),
        (kubeconfig_text("https://x", {"exec": {"command": "false", "apiVersion": "v1"}}), "gave no cred"),
        (kubeconfig_text("https://x", {"client-certificate": "/no/such"}), "does not exist: /no/such"),
    ],
)
def test_an_unusable_kubeconfig_is_told_in_one_line_without_its_secrets(
    tmp_path: Path, text: str | None, expected: str
) -> None:
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ClusterConfigError) as caught:
        Cluster.connect(file)
    told = str(caught.value)
    assert expected in told
    assert "\n" not in told
    assert "sesame" not in told
    assert caught.value.__cause__ is None


def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig_text("https://x", {"token": "t"}))
    with pytest.raises(ClusterConfigError, match="has no context 'elsewhere'"):
        Cluster.connect(file, "elsewhere")


@pytest.mark.parametrize("write", [False, True])
def test_a_token_exchanged_on_disk_is_taken_up_at_the_first_refusal(
    serve: Serve, tmp_path: Path, write: bool
) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    valid = ["first"]
    api = serve(only_admits(lambda: valid[0]))
    cluster = Cluster.connect(api.kubeconfig({"tokenFile": str(token)}))
    assert cluster.get(PATH) == {"ok": True}
    valid[0] = "second"
    token.write_text("second")
    answer = cluster.patch(PATH, {}) if write else cluster.get(PATH)
    assert answer == {"ok": True}
    assert [asked.headers["Authorization"] for asked in api.asked] == [
        "Bearer first",
        "Bearer first",
        "Bearer second",
    ]


def test_a_watch_takes_up_a_new_token_as_well(serve: Serve, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")

    def answer(c: Conversation) -> None:
        if c.asked.headers["Authorization"] != "Bearer second":
            c.status(401, "Unauthorized", "Unauthorized")
            return
        c.stream()
        c.event("BOOKMARK", {"metadata": {"resourceVersion": "5"}})
        c.end_stream()

    cluster = Cluster.connect(serve(answer).kubeconfig({"tokenFile": str(token)}))
    token.write_text("second")
    assert [event.type for event in cluster.watch(PATH, "1")] == ["BOOKMARK"]


def test_a_second_refusal_is_final(serve: Serve) -> None:
    api = serve(only_admits(lambda: "another"))
    with pytest.raises(Unauthorized, match="Unauthorized"):
        api.cluster().get(PATH)
    assert len(api.asked) == 2


def test_credentials_that_cannot_be_read_again_are_told(serve: Serve, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    cluster = Cluster.connect(serve(only_admits(lambda: "another")).kubeconfig({"tokenFile": str(token)}))
    token.unlink()
    with pytest.raises(Unauthorized, match=r"No such file or directory \(.*token\)"):
        cluster.get(PATH)


class Readings:
    """Counts how often the credentials are read, and may be slow."""

    def __init__(self, url: str, good_for_s: float = 1e9) -> None:
        self.url = url
        self.count = 0
        self.good_for_s = good_for_s
        self.proceed = threading.Event()
        self.proceed.set()
        self.broken = False

    def __call__(self) -> Access:
        self.proceed.wait(10)
        if self.broken:
            raise ClusterConfigError("broken")
        self.count += 1
        return Access(Configuration(host=self.url), f"Bearer {self.count}", "ours", self.good_for_s)


def test_of_many_threads_refused_at_once_one_reads_again(serve: Serve) -> None:
    together = threading.Barrier(8)

    def answer(c: Conversation) -> None:
        if c.asked.headers["Authorization"] == "Bearer 1":
            together.wait(5)
            c.status(401, "Unauthorized", "Unauthorized")
        else:
            c.json({})

    api = serve(answer)
    readings = Readings(api.url)
    cluster = Cluster(readings)
    threads = [threading.Thread(target=cluster.get, args=(PATH,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert readings.count == 2
    assert len(api.asked) == 16


def test_a_plugin_that_hangs_holds_nobody_beyond_the_deadline(serve: Serve) -> None:
    readings = Readings(serve(only_admits(lambda: "2")).url)
    cluster = Cluster(readings)
    readings.proceed.clear()
    began = time.monotonic()
    with pytest.raises(Unauthorized, match="takes too long"):
        cluster.get(PATH, timeout_s=0.3)
    assert time.monotonic() - began < 5.0
    readings.proceed.set()


def test_refusals_in_quick_succession_do_not_start_a_plugin_each(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_PAUSE_S", 60.0)
    readings = Readings(serve(only_admits(lambda: "another")).url)
    cluster = Cluster(readings)
    for _ in range(5):
        with pytest.raises(Unauthorized):
            cluster.get(PATH)
    assert readings.count == 1


def test_credentials_that_are_due_are_read_before_they_are_refused(serve: Serve) -> None:
    api = serve(lambda c: c.json({}))
    readings = Readings(api.url, good_for_s=0.0)
    cluster = Cluster(readings)
    cluster.get(PATH)
    cluster.get(PATH)
    assert [asked.headers["Authorization"] for asked in api.asked] == ["Bearer 2", "Bearer 3"]
    assert api.connections == 1, "connections stay where only the token changed"


def test_a_reading_that_is_only_due_and_fails_changes_nothing(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    api = serve(lambda c: c.json({}))
    readings = Readings(api.url, good_for_s=0.0)
    cluster = Cluster(readings)
    readings.broken = True
    with caplog.at_level(logging.WARNING):
        cluster.get(PATH)
        cluster.get(PATH)
    assert [asked.headers["Authorization"] for asked in api.asked] == ["Bearer 1", "Bearer 1"]
    assert [record.getMessage() for record in caplog.records] == [
        "credentials could not be read again: broken"
    ]


def test_a_credential_plugin_is_asked_again_after_a_refusal(serve: Serve, tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = (
        "import json,pathlib;"
        f"p=pathlib.Path({str(count)!r});n=int(p.read_text())+1 if p.exists() else 1;p.write_text(str(n));"
        "print(json.dumps({'apiVersion':'client.authentication.k8s.io/v1','kind':'ExecCredential',"
        "'status':{'token':f't{n}'}}))"
    )
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", program],
    }
    api = serve(only_admits(lambda: "t2"))
    cluster = Cluster.connect(api.kubeconfig({"exec": plugin}))
    assert cluster.get(PATH) == {"ok": True}
    assert cluster.get(PATH) == {"ok": True}
    assert count.read_text() == "2"


def secured(*, client_certificates: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    if client_certificates:
        context.load_verify_locations(TLS / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_a_client_certificate_says_who_we_are(tmp_path: Path) -> None:
    user = {"client-certificate": str(TLS / "client.pem"), "client-key": str(TLS / "client.key")}
    with serving(lambda c: c.json({}), tmp_path, secured(client_certificates=True)) as api:
        cluster = Cluster.connect(api.kubeconfig(user, **{"certificate-authority": str(TLS / "ca.pem")}))
        assert cluster.get(PATH) == {}
        assert "Authorization" not in api.asked[0].headers


@pytest.mark.parametrize(
    ("authority", "server_name"), [("other-ca.pem", None), ("ca.pem", "elsewhere.example")]
)
def test_only_the_stated_authority_and_name_are_trusted(
    tmp_path: Path, authority: str, server_name: str | None
) -> None:
    server = {"certificate-authority": str(TLS / authority)}
    if server_name:
        server["tls-server-name"] = server_name
    with serving(lambda c: c.json({}), tmp_path, secured(client_certificates=False)) as api:
        cluster = Cluster.connect(api.kubeconfig(**server))
        with pytest.raises(Unavailable, match="no TLS connection that can be trusted") as caught:
            cluster.patch(PATH, {})
        assert not caught.value.outcome_unknown
        assert api.asked == []


def test_the_deadline_holds_through_tls(tmp_path: Path) -> None:
    def drip(c: Conversation) -> None:
        c.begin(Content_Length=str(10_000))
        c.drip()

    with serving(drip, tmp_path, secured(client_certificates=False)) as api:
        cluster = Cluster.connect(api.kubeconfig(**{"certificate-authority": str(TLS / "ca.pem")}))
        began = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            cluster.get(PATH, timeout_s=0.4)
        assert time.monotonic() - began < 5.0


def test_no_log_line_shows_a_token(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    api = serve(lambda c: c.json({}))
    with caplog.at_level(logging.DEBUG):
        api.cluster().get(PATH)
    assert "sesame" not in caplog.text
    assert "sesame" not in json.dumps([record.__dict__ for record in caplog.records], default=repr)
