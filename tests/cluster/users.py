"""Who may talk to the test control plane, and the files that say so."""

from __future__ import annotations

import secrets
from pathlib import Path

import yaml

# Name and group. nobody may do nothing but look at what kinds there are.
_USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", "parts"),
    "scheduler": ("system:kube-scheduler", "parts"),
    "kubelet": ("kwok", "system:masters"),
    "nobody": ("nobody", "nobodies"),
}


def write_tokens(path: Path) -> dict[str, str]:
    """Make up a token for each user, write them as the API server's --token-auth-file, and return them."""
    tokens = {user: secrets.token_hex(16) for user in _USERS}
    rows = (f"{tokens[user]},{name},{user},{group}\n" for user, (name, group) in _USERS.items())
    path.write_text("".join(rows))
    return tokens


def write_kubeconfig(path: Path, url: str, ca_file: Path, token: str, namespace: str = "default") -> Path:
    """A kubeconfig with one context, in `namespace`; returns `path`."""
    server = {"server": url, "certificate-authority": str(ca_file)}
    context = {"cluster": "test", "user": "test", "namespace": namespace}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": context}],
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "test", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path
