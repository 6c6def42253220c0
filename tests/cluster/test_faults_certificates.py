"""A Prometheus that lets in only whom its authority signed, while the operator's certificate is exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import crd
import pytest
from audit import Audit
from certificates import Authority
from control_plane import ControlPlane, wait_until
from http_proxy import HttpProxy
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A Prometheus behind client certificates, and the files that the operator shows and trusts."""

    proxy: HttpProxy
    authority: Authority
    ca: Path
    certificate: Path
    key: Path

    def give(self, name: str, authority: Authority | None = None) -> None:
        """Exchange the operator's certificate and key."""
        (authority or self.authority).sign_client(name, self.certificate, self.key)

    def last_client(self) -> str:
        """Whose certificate came with the last question."""
        return self.proxy.answered("POST", "/query")[-1].asked.client


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path / "prometheus") as server:
        yield server


@pytest.fixture
def guarded(prometheus: LivePrometheus, tmp_path: Path) -> Iterator[Guarded]:
    names = ("ca.crt", "server.crt", "server.key", "client.crt", "client.key")
    ca, shown, shown_key, certificate, key = (tmp_path / name for name in names)
    authority = Authority()
    authority.write(ca)
    authority.sign_server(shown, shown_key)
    authority.sign_client("first", certificate, key)
    with HttpProxy(prometheus.url, serving=(shown, shown_key), clients=ca) as proxy:
        yield Guarded(proxy, authority, ca, certificate, key)


@pytest.fixture
def operator(
    control_plane: ControlPlane, prometheus: LivePrometheus, guarded: Guarded, tmp_path: Path
) -> Iterator[OperatorProcess]:
    crd.install(control_plane)
    files = {
        "caFile": str(guarded.ca),
        "certFile": str(guarded.certificate),
        "keyFile": str(guarded.key),
    }
    sources = [
        {"name": "default", "url": prometheus.url, "timeout": "2s"},
        {"name": "guarded", "url": guarded.proxy.url, "timeout": "2s", **files},
    ]
    folder = tmp_path / "operator"
    with OperatorProcess(folder, control_plane.kubeconfig(), prometheus.url, sources=sources) as process:
        yield process


def test_a_client_certificate_is_exchanged_broken_refused_and_mended_while_running(
    control_plane: ControlPlane,
    namespace: str,
    prometheus: LivePrometheus,
    guarded: Guarded,
    operator: OperatorProcess,
) -> None:
    resources = Resources(control_plane, namespace)
    for name in ("behind", "beside"):
        control_plane.deployment(name, namespace, 1, start_up="1s")

    def scaled(name: str, count: int, how: str) -> None:
        wait_until(lambda: control_plane.replicas(name, namespace) == count, 20, f"{count} {how}")

    with (
        SteadyLoad(prometheus, {"load_behind": 25.0, "load_beside": 15.0}) as load,
        Audit(control_plane, namespace) as audit,
    ):
        query = {"query": "load_behind", "source": "guarded", "perReplica": 10, "maxAge": "5s"}
        resources.create("behind", load=query)
        resources.create("beside")
        scaled("behind", 3, "with the first certificate")

        guarded.give("second")
        load.values["load_behind"] = 45.0
        scaled("behind", 5, "with the second certificate")
        assert guarded.last_client() == "second"

        guarded.certificate.write_text("no certificate")
        guarded.proxy.break_connections()
        load.values["load_behind"] = 65.0
        scaled("behind", 7, "while the third cannot be used")
        assert guarded.last_client() == "second"
        wait_until(lambda: len(_warnings(operator, guarded)) == 1, 5, "the log to name the certificate")

        guarded.give("stranger", Authority())
        load.values.update(load_behind=5.0, load_beside=35.0)
        resources.wait_for("behind", "SignalsHealthy", "False", "Failed")
        # The words of a condition may wait; which they are depends on whether the server's alert arrives.
        wait_until(
            lambda: (
                "check the client certificate" in resources.condition("behind", "SignalsHealthy")["message"]
            ),
            90,
            "the condition to say what to look at",
        )
        scaled("beside", 4, "by the other source")
        assert resources.condition("beside", "SignalsHealthy")["status"] == "True"

        guarded.give("fourth")
        load.values["load_behind"] = 85.0
        scaled("behind", 9, "with the fourth certificate")
        assert guarded.last_client() == "fourth"
        assert not audit.lowered("behind")
    assert len(_warnings(operator, guarded)) == 1


def _warnings(operator: OperatorProcess, guarded: Guarded) -> list[str]:
    lines = operator.process.log.read_text().splitlines()
    return [one for one in lines if "stay in use" in one and str(guarded.certificate) in one]
