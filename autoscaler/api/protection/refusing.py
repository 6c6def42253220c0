"""Answering with a problem from outside of any route."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from autoscaler.api.problems import Problem, problem_response
from autoscaler.api.protection.request_state import request_id


async def refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the request of `scope` with `problem`."""
    await problem_response(problem, request_id(scope))(scope, receive, send)
