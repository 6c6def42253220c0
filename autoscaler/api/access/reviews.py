"""What is asked of Kubernetes' TokenReview and SubjectAccessReview, and what their answers mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb
from autoscaler.spec.resource import GROUP

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

Review = dict[str, Any]

_RESOURCE = {"group": GROUP, "resource": "predictiveautoscalers"}
_KUBERNETES_VERB = {Verb.READ: "get", Verb.WRITE: "update"}


def token_review(token: str, audiences: Sequence[str]) -> Review:
    """Whose token is this? audiences: one of which it has to be made for; empty: the API server's own."""
    spec: Review = {"token": token}
    if audiences:
        spec["audiences"] = list(audiences)
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}


def reviewed_caller(answer: Review, audiences: Sequence[str]) -> Caller | None:
    """Whom the answer names, if it accepts the token for one of the `audiences` that were asked for."""
    status = answer.get("status") or {}
    if status.get("authenticated") is not True:
        return None
    # An authenticator that knows nothing of audiences accepts the token for itself and says so by silence.
    if audiences and not set(audiences) & set(status.get("audiences") or ()):
        return None
    user = status.get("user") or {}
    if not user.get("username"):
        return None
    extra = user.get("extra") or {}
    return Caller(
        name=user["username"],
        groups=tuple(user.get("groups") or ()),
        uid=user.get("uid") or "",
        extra=tuple(sorted((key, tuple(values or ())) for key, values in extra.items())),
    )


def access_review(caller: Caller, verb: Verb, namespace: str) -> Review:
    """May `caller`? namespace: empty for all of them. The metrics of a service are no resource."""
    spec: Review = {
        "user": caller.name,
        "groups": list(caller.groups),
        "uid": caller.uid,
        "extra": {key: list(values) for key, values in caller.extra},
    }
    if verb is Verb.METRICS:
        spec["nonResourceAttributes"] = {"path": "/metrics", "verb": "get"}
    else:
        spec["resourceAttributes"] = {
            **_RESOURCE,
            "verb": _KUBERNETES_VERB[verb],
            "namespace": namespace,
        }
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def is_allowed(answer: Review) -> bool:
    """What the answer says; an authorizer that denies outranks one that allows."""
    status = answer.get("status") or {}
    return status.get("allowed") is True and status.get("denied") is not True
