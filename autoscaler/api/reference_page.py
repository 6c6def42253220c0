"""The reference of the API as a page: Swagger UI, from an installed package, on our own OpenAPI."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources

from fastapi import APIRouter, Request
from starlette.responses import Response

_SCRIPT = b"""\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  // Nothing is sent to anybody else to be checked.
  validatorUrl: null,
  // A request tried out from here goes by the cookie of whoever is logged in.
  withCredentials: true,
  persistAuthorization: false,
});
"""
_PAGE = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reference of the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")


def reference_routes() -> APIRouter:
    """`/docs` and what it loads."""
    router = APIRouter(include_in_schema=False)

    async def page() -> Response:
        return Response(_PAGE, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})

    async def file(request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        body, etag = _file(name)
        headers = {"Cache-Control": "private, max-age=3600", "ETag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=_MEDIA_TYPES[name[name.rindex(".") :]], headers=headers)

    router.add_api_route("/docs", page, methods=["GET"])
    for name in (*_FILES, "start.js"):
        router.add_api_route(f"/docs/{name}", file, methods=["GET"])
    return router


@functools.cache
def _file(name: str) -> tuple[bytes, str]:
    """A file's content and its ETag."""
    if name == "start.js":
        body = _SCRIPT
    else:
        body = resources.files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'
