"""The model, its versions, the account and the webhooks' secret, as Replicate shows them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from portrayal.api.dialects.replicate import listing as lists
from portrayal.api.dialects.replicate.errors import encode
from portrayal.api.dialects.replicate.schema import (
    COG,
    CREATED,
    LATEST,
    MODEL,
    NAME,
    OWNER,
    VERSIONS,
    openapi_schema,
)
from portrayal.api.doors import TheCaller, TheService, base_of, may, speaking
from portrayal.errors import NotFoundError
from portrayal.service.keys import Caller
from portrayal.service.service import Service

router = APIRouter(route_class=speaking(encode))
listing = APIRouter(route_class=speaking(encode))
"""`GET /models`. At `/v1/models` OpenAI has a list of its own; `portrayal.api.shared_paths` answers for both there."""


def known(owner: str, name: str) -> None:
    """Refuse every model but the one.

    Raises:
        NotFoundError: it is another.
    """
    if (owner, name) != (OWNER, NAME):
        raise NotFoundError("there is no such model", field="model", remedy=f"Use {MODEL}.")


def _version(version: str) -> dict[str, Any]:
    return {"id": version, "created_at": CREATED, "cog_version": COG, "openapi_schema": openapi_schema(version)}


async def _model(request: Request, service: Service, caller: Caller) -> dict[str, Any]:
    return {
        "url": f"{base_of(request)}/v1/models/{MODEL}",
        "owner": OWNER,
        "name": NAME,
        "description": "One picture of a person and a prompt; the same person in a new picture.",
        "visibility": "public",
        "is_official": True,
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": await asyncio.to_thread(lists.count, service, caller.library),
        "cover_image_url": None,
        "default_example": None,
        "latest_version": _version(LATEST),
    }


async def models_page(request: Request, service: Service, caller: Caller) -> dict[str, Any]:
    """All models: the one."""
    may(caller, "read")
    return {"next": None, "previous": None, "results": [await _model(request, service, caller)]}


@listing.get("/models")
async def models(request: Request, service: TheService, caller: TheCaller) -> dict[str, Any]:
    """All models."""
    return await models_page(request, service, caller)


@router.get("/models/{owner}/{name}")
async def model(owner: str, name: str, request: Request, service: TheService, caller: TheCaller) -> dict[str, Any]:
    """The model, with the schema of its input."""
    known(owner, name)
    may(caller, "read")
    return await _model(request, service, caller)


@router.get("/models/{owner}/{name}/versions")
async def versions(owner: str, name: str, caller: TheCaller) -> dict[str, Any]:
    """Its versions, the newest first."""
    known(owner, name)
    may(caller, "read")
    return {"next": None, "previous": None, "results": [_version(version) for version in VERSIONS]}


@router.get("/models/{owner}/{name}/versions/{version_id}")
async def version(owner: str, name: str, version_id: str, caller: TheCaller) -> dict[str, Any]:
    """One version."""
    known(owner, name)
    may(caller, "read")
    if version_id not in VERSIONS:
        raise NotFoundError("there is no such version", field="version")
    return _version(version_id)


@router.get("/deployments/{owner}/{name}")
async def deployment(owner: str, name: str, caller: TheCaller) -> dict[str, Any]:
    """A deployment; every name stands for the one model."""
    may(caller, "read")
    who = {"type": "user", "username": caller.library, "name": caller.name or caller.library, "github_url": None}
    release = {
        "number": 1,
        "model": MODEL,
        "version": LATEST,
        "created_at": CREATED,
        "created_by": who,
        "configuration": {"hardware": "own", "min_instances": 1, "max_instances": 1},
    }
    return {"owner": owner, "name": name, "current_release": release}


@router.get("/account")
async def account(caller: TheCaller) -> dict[str, Any]:
    """Whose key it is."""
    return {"type": "user", "username": caller.library, "name": caller.name or caller.library, "github_url": None}


@router.get("/webhooks/default/secret")
async def secret(service: TheService, caller: TheCaller) -> dict[str, str]:
    """The secret that webhooks, and downloads of files, are signed with."""
    may(caller, "create")
    return {"key": service.secrets.of(caller.library).webhook_secret}
