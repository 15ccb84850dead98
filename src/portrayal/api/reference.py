"""The page `/docs`: Swagger UI over `/openapi.json`, from files of this installation; nothing comes from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, HTTPException
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import RedirectResponse, Response

router = APIRouter(include_in_schema=False)

_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}
# Whatever the page tried to load from another place, the browser would refuse.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; frame-ancestors 'none'"
)


@router.get("/")
async def root() -> Response:
    """Who opens the server in a browser lands at the page."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def page() -> Response:
    """Every call with its fields, to read and to try out."""
    answer = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Portrayal",
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon-32x32.png",
        # Without null it asks a server of Swagger's whether the description is valid.
        swagger_ui_parameters={"validatorUrl": None, "docExpansion": "none", "filter": True},
    )
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@router.get("/docs/{name}")
def part(name: str) -> Response:
    """A file of Swagger UI (Apache-2.0), as the package `fastapi-swagger` carries it; nothing else of it is used."""
    if name not in _TYPES:
        raise HTTPException(404)
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(content, media_type=_TYPES[name], headers={"Cache-Control": "max-age=86400"})
