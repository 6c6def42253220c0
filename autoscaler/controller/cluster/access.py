"""Where the API server is and who we are: read from a service account or from a kubeconfig.

Reading is the official client's; here its many kinds of failure become one line each, which never
repeats what the files hold.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from autoscaler.controller.cluster.errors import ClusterConfigError

# The client's loaders are not typed.
_ServiceAccountLoader: Any = InClusterConfigLoader
_KubeconfigLoader: Any = KubeConfigLoader
_KubeconfigMerger: Any = KubeConfigMerger

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, its namespace and the authority of the API server."""

_REREAD_S = 60.0
"""Files are read again this often: the kubelet exchanges a token long before it expires."""

_EARLY_S = 60.0
"""A token from a plugin is replaced this long before it expires."""


@dataclass(frozen=True, slots=True)
class Access:
    """One reading of the credentials.

    authorization: the header's value, empty where a client certificate says who we are.
    namespace: our own. good_for_s: after how many seconds to read again; may be infinite.
    """

    configuration: Configuration = field(repr=False)
    authorization: str = field(repr=False)
    namespace: str
    good_for_s: float


def read_access(
    kubeconfig: Path | None = None, context: str = "", service_account: Path = SERVICE_ACCOUNT
) -> Access:
    """The service account where nothing else is named and there is one; else a kubeconfig.

    Raises ClusterConfigError, one line.
    """
    if kubeconfig is None and not context and _inside(service_account):
        return _of_service_account(service_account)
    files = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG") or "~/.kube/config"
    try:
        return _of_kubeconfig(files, context)
    except yaml.YAMLError:
        # Neither its text nor its trace: both quote the file, tokens included.
        raise ClusterConfigError(f"kubeconfig {files}: is not valid YAML") from None
    except (ConfigException, KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        if isinstance(error, ClusterConfigError):
            raise
        raise ClusterConfigError(f"kubeconfig {files}: {_in_words(error)}") from None


def _inside(service_account: Path) -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (service_account / "token").is_file()


def _of_service_account(folder: Path) -> Access:
    configuration = Configuration()
    loader = _ServiceAccountLoader(
        token_filename=str(folder / "token"), cert_filename=str(folder / "ca.crt"), try_refresh_token=False
    )
    try:
        loader.load_and_set(configuration)
        named = folder / "namespace"
        namespace = named.read_text(encoding="utf-8").strip() if named.is_file() else ""
    except (ConfigException, OSError, ValueError) as error:
        raise ClusterConfigError(f"service account {folder}: {_in_words(error)}") from None
    return Access(configuration, _authorization(configuration), namespace or "default", _REREAD_S)


def _of_kubeconfig(files: str, context: str) -> Access:
    merged = _KubeconfigMerger(files).config
    if merged is None:
        raise ClusterConfigError(
            f"kubeconfig {files}: no such file, and this is no pod with a service account; "
            "name one with --kubeconfig or $KUBECONFIG"
        )
    if context and context not in {entry["name"] for entry in merged.value["contexts"]}:
        raise ClusterConfigError(f"kubeconfig {files}: has no context {context!r}")
    loader = _KubeconfigLoader(config_dict=merged, active_context=context or None, config_base_path=None)
    configuration = Configuration()
    loader.load_and_set(configuration)
    chosen = loader.current_context["context"]
    authorization = _authorization(configuration)
    by_plugin = _uses_plugin(merged, chosen)
    if by_plugin and not authorization and not configuration.cert_file:
        raise ClusterConfigError(
            f"kubeconfig {files}: the plugin of user {chosen.get('user')!r} gave no credentials"
        )
    good_for_s = _left_s(getattr(loader, "expiry", None)) if by_plugin else _REREAD_S
    return Access(configuration, authorization, chosen.get("namespace") or "default", good_for_s)


def _uses_plugin(merged: object, chosen: dict[str, str]) -> bool:
    """Whether a program gives the credentials, which is not to be started every minute."""
    users = getattr(merged, "value", {}).get("users") or []
    named = [entry["user"] for entry in users if entry["name"] == chosen.get("user")]
    return any("exec" in user or "auth-provider" in user for user in named if user)


def _left_s(expiry: datetime | None) -> float:
    if expiry is None:
        return math.inf
    return max(_EARLY_S, (expiry - datetime.now(UTC)).total_seconds() - _EARLY_S)


def _authorization(configuration: Configuration) -> str:
    value = str(configuration.api_key.get("BearerToken", "")).strip()
    if not (value.isascii() and value.isprintable()):
        # Refused here, since the HTTP library would quote the value when it refuses it.
        raise ClusterConfigError("the token holds characters that no HTTP header may hold")
    return value


def _in_words(error: Exception) -> str:
    """What went wrong, without what the library quotes of the entries that hold the secrets."""
    if isinstance(error, OSError):
        return (
            f"{error.strerror or 'cannot be read'} ({error.filename})" if error.filename else "cannot be read"
        )
    if isinstance(error, ConfigException):
        return str(error).split("{")[0].splitlines()[0].strip()
    return "is not a usable configuration"
