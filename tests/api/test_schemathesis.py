"""Whatever fits (or does not fit) the description of the native API: no fault of the server, no undescribed answer.

Only the native API is asked: the hosts' doors have formats of their own, and golden tests for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 2
PATIENCE = 300  # seconds; the first look at a picture compiles kernels
# Fields that may only hold what goes with others; golden tests have them.
DOUBTFUL = (
    "characters", "mask", "mask_mode", "reference_mask", "aspect_ratio", "size", "style_preset", "style_codes",
    "style_references", "palette", "webhook", "use", "num_images", "name", "tags", "notes",
)  # fmt: skip
ENDLESS = "/api/v1/events"  # the stream has no end


@pytest.fixture(scope="module")
def described(client: TestClient) -> Any:
    """The description, as the started application gives it."""

    async def started(scope: Any, receive: Any, send: Any) -> None:
        """The application without its start and end, which are the fixture's."""
        if scope["type"] != "lifespan":
            await client.app(scope, receive, send)
            return
        for part in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{part}.complete"})

    return schemathesis.openapi.from_asgi("/openapi.json", started)


@pytest.fixture(scope="module")
def real(client: TestClient, sample: bytes) -> dict[str, str]:
    """Ids of things that are there."""
    file = client.post("/api/v1/files", files={"files": ("a.png", sample)}).json()["files"][0]["id"]
    body = {"prompt": "in a park", "reference": file, "wait": 30}
    job = client.post("/api/v1/portrayals/generate", json=body).json()["id"]
    assert client.post("/api/v1/characters", json={"name": "ada", "image": file}).status_code == 201
    return {"files": file, "portrayals": job, "characters": "ada"}


def test_the_description_holds(described: Any, real: dict[str, str]) -> None:
    wanted = described.include(path_regex="^/api/v1/").exclude(path=ENDLESS).exclude(tag="Kie.ai")
    failures = []
    reached: set[str] = set()
    for found in wanted.get_all_operations():
        operation = found.ok()
        failures += _failures(operation, GenerationMode.POSITIVE, real, reached)
        failures += _failures(operation, GenerationMode.NEGATIVE, {}, reached)
    assert not failures, "\n\n".join(failures)
    assert len(reached) >= 30, sorted(reached)


def _grounded(case: Any, real: dict[str, str]) -> None:
    """A call that fits, about things that are there: most answers are then no refusals."""
    kind = case.operation.path.split("/")[3]
    for name in ("id", "job_id", "name"):
        if name in (case.path_parameters or {}) and kind in real:
            case.path_parameters[name] = real[kind]
    if "position" in (case.path_parameters or {}):
        case.path_parameters["position"] = 0
    for name in ("cursor", "from", "until"):
        (case.query or {}).pop(name, None)
    if case.headers is not None:
        case.headers.pop("Idempotency-Key", None)
    if not isinstance(case.body, dict):
        return
    for name in DOUBTFUL:
        case.body.pop(name, None)
    for name in ("image", "reference", "background"):
        if name in case.operation.body[0].definition["schema"].get("properties", {}) or name in case.body:
            case.body[name] = real["files"]
    if "wait" in case.body:
        case.body["wait"] = 5
    if kind == "portrayals" and case.operation.path.endswith(("reframe", "generate")):
        case.body["size"] = "512x512"
    if kind == "characters" and case.operation.path.endswith("characters"):
        case.body |= {"name": "ada", "replace": True}


def _failures(operation: Any, mode: GenerationMode, real: dict[str, str], reached: set[str]) -> list[str]:
    """What is wrong with the answers to calls that fit the description, or do not fit it.

    With `real` things each call is made once more about those.
    """

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=PATIENCE)
        if real and operation.method != "delete":
            _grounded(case, real)
            if case.call_and_validate(checks=CHECKS, timeout=PATIENCE).status_code < 300:
                reached.add(operation.label)

    try:
        hold()
    except Unsatisfiable:  # whatever is sent fits
        return []
    except (Exception, BaseExceptionGroup) as error:
        return [f"{operation.label}: {error}"]
    return []
