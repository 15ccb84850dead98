"""The native API: every operation, its fields, its errors, waiting, repeating, cancelling."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from portrayal.prompting import read
from portrayal.prompting.templates import SLOT, templates
from portrayal.service.service import Service
from portrayal.sizes import check_size
from portrayal.styles.catalogue import STYLE_PRESETS
from tests.api.conftest import mask, picture, uri

V1 = "/api/v1"
Answer = dict[str, Any]


@pytest.fixture(scope="module")
def reference(client: TestClient) -> str:
    """Id of an uploaded reference of 256x256."""
    return upload(client, picture())


def upload(client: TestClient, data: bytes, name: str = "a.png") -> str:
    answer = client.post(f"{V1}/files", files={"files": (name, data, "image/png")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["files"][0]["id"])


def made(client: TestClient, operation: str, **body: Any) -> Answer:
    answer = client.post(f"{V1}/portrayals/{operation}", json={"wait": 30, **body})
    assert answer.status_code == 201, answer.text
    job: Answer = answer.json()
    assert job["state"] == "succeeded", job
    return job


def refused(client: TestClient, operation: str, status: int = 422, **body: Any) -> Answer:
    answer = client.post(f"{V1}/portrayals/{operation}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Answer = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    return problem


OPERATIONS: tuple[tuple[str, Answer, tuple[int, int]], ...] = (
    ("generate", {"prompt": "in a park", "reference": "$", "aspect_ratio": "16:9"}, (1312, 736)),
    ("edit", {"image": "$", "reference": "$", "mask": "$mask"}, (256, 256)),
    ("remix", {"image": "$", "reference": "$", "strength": 0.7, "size": "768x1088"}, (768, 1088)),
    ("reframe", {"image": "$", "size": "square"}, (512, 512)),
    ("replace-background", {"image": "$", "prompt": "a beach"}, (256, 256)),
    ("remove-background", {"image": "$", "output_format": "webp"}, (256, 256)),
    ("upscale", {"image": "$", "factor": 4}, (256, 256)),
)


@pytest.mark.parametrize(("operation", "body", "size"), OPERATIONS, ids=[o[0] for o in OPERATIONS])
def test_every_operation(
    client: TestClient, reference: str, operation: str, body: Answer, size: tuple[int, int]
) -> None:
    white = upload(client, mask(inside=255, outside=0))
    body = {k: {"$": reference, "$mask": white}.get(v, v) if isinstance(v, str) else v for k, v in body.items()}
    job = made(client, operation, **body, seed=7)
    assert job["operation"] == operation
    assert job["order"]["seed"] == 7
    shown = job["pictures"][0]
    assert (shown["width"], shown["height"]) == size
    assert (shown["identity"] is not None) == ("reference" in body)
    with Image.open(io.BytesIO(client.get(shown["url"]).content)) as image:
        assert image.size == size
    again = client.get(f"{V1}/portrayals/{job['id']}/pictures/0")
    assert again.content == client.get(shown["url"]).content
    assert again.headers["x-portrayal-id"] == job["id"]


def test_the_answer_says_where_and_proves_who(client: TestClient, reference: str) -> None:
    answer = client.post(f"{V1}/portrayals/generate", json={"prompt": "a", "reference": reference, "wait": 30})
    job = answer.json()
    assert answer.headers["location"] == f"{V1}/portrayals/{job['id']}"
    assert answer.headers["x-portrayal-identity-score"] == "0.8600"
    assert job["proof"]["same_person"] is True
    assert client.get(answer.headers["location"]).json()["pictures"][0]["id"] == job["pictures"][0]["id"]
    assert not {"wire", "key_id", "library"} & job.keys()


def test_without_wait_the_answer_comes_at_once_and_prefer_waits(client: TestClient, reference: str) -> None:
    body = {"prompt": "a WAIT", "reference": reference}
    assert client.post(f"{V1}/portrayals/generate", json=body).json()["state"] in ("starting", "processing")
    waited = client.post(f"{V1}/portrayals/generate", json=body, headers={"Prefer": "respond-async, wait=30"})
    assert waited.json()["state"] == "succeeded"


def test_cancel(client: TestClient, reference: str) -> None:
    job = client.post(f"{V1}/portrayals/generate", json={"prompt": "SLOW", "reference": reference}).json()
    assert client.post(f"{V1}/portrayals/{job['id']}/cancel").status_code == 200
    end = time.monotonic() + 20
    while (now := client.get(f"{V1}/portrayals/{job['id']}").json())["state"] not in ("canceled", "succeeded"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert now["state"] == "canceled"
    assert client.post(f"{V1}/portrayals/{job['id']}/cancel").json()["state"] == "canceled"


def test_again_is_the_same_order_with_another_seed(client: TestClient, reference: str) -> None:
    job = made(client, "generate", prompt="in a park", reference=reference, seed=7)
    again = client.post(f"{V1}/portrayals/{job['id']}/again", json={"wait": 30}).json()
    assert again["state"] == "succeeded"
    assert again["id"] != job["id"]
    assert again["order"]["seed"] != 7
    assert {**again["order"], "seed": 7} == job["order"]
    assert again["sources"] == job["sources"]
    same = client.post(f"{V1}/portrayals/{job['id']}/again", json={"wait": 30, "seed": 7}).json()
    assert same["pictures"][0]["sha256"] == job["pictures"][0]["sha256"]


def test_again_needs_no_body(client: TestClient, reference: str) -> None:
    job = made(client, "generate", prompt="a", reference=reference)
    again = client.post(f"{V1}/portrayals/{job['id']}/again")
    assert again.status_code == 201, again.text
    assert again.json()["order"]["prompt"] == "a"


def test_one_idempotency_key_is_one_portrayal(client: TestClient, reference: str) -> None:
    body = {"prompt": "once", "reference": reference}
    keys = {"Idempotency-Key": "order-1"}
    first = client.post(f"{V1}/portrayals/generate", json=body, headers=keys).json()
    assert client.post(f"{V1}/portrayals/generate", json={**body, "wait": 30}, headers=keys).json()["id"] == first["id"]
    other = client.post(f"{V1}/portrayals/generate", json={**body, "prompt": "twice"}, headers=keys)
    assert other.status_code == 409
    wrong = client.post(f"{V1}/portrayals/generate", json=body, headers={"Idempotency-Key": "x" * 256})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "Idempotency-Key")


def test_pictures_by_id_address_and_data_uri(client: TestClient, reference: str) -> None:
    address = client.get(f"{V1}/files/{reference}").json()["url"]
    jobs = [made(client, "generate", prompt="a", seed=1, reference=r) for r in (reference, address, uri(picture()))]
    assert len({job["order"]["characters"][0]["image"] for job in jobs}) == 1
    result = jobs[0]["pictures"][0]
    child = made(client, "upscale", image=result["id"])
    assert child["sources"] == [{"role": "image", "sha256": result["sha256"], "picture": result["id"], "character": ""}]


def test_several_pictures_formats_and_style(client: TestClient, reference: str) -> None:
    job = made(
        client, "generate", prompt="a", characters=[{"image": reference}, {"image": uri(picture(colour="red"))}],
        num_images=3, seed=2_147_483_646, output_format="jpeg", style_preset="art deco",
        style_codes=["AABBCCDD"], palette=["#FF0000:0.5"], magic_prompt="on", priority="high",
    )  # fmt: skip
    assert [p["seed"] for p in job["pictures"]] == [2_147_483_646, 2_147_483_647, 0]
    assert {p["media_type"] for p in job["pictures"]} == {"image/jpeg"}
    assert job["order"]["style_preset"] == "ART_DECO"
    assert job["priority"] == 0
    assert (job["order"]["style_codes"], job["order"]["palette"]) == (["aabbccdd"], ["#ff0000:0.5"])
    assert not any("style" in warning or "palette" in warning for warning in job["warnings"])


def test_a_black_character_mask_is_turned_round(client: TestClient, reference: str) -> None:
    white, black = uri(mask(inside=255, outside=0)), uri(mask())
    one = made(client, "generate", prompt="a", reference=reference, reference_mask=black, character_mask_mode="black")
    digest = one["order"]["characters"][0]["mask"]
    two = made(client, "generate", prompt="a", characters=[{"image": reference, "mask": white}])
    assert digest != two["order"]["characters"][0]["mask"]
    assert [s["role"] for s in one["sources"]] == ["reference", "reference-mask"]


BAD: tuple[tuple[str, str, Answer], ...] = (
    ("generate", "prompt", {"reference": "$"}),
    ("generate", "reference", {"prompt": "a"}),
    ("generate", "prompt", {"prompt": "x" * 10_001, "reference": "$"}),
    ("generate", "prompt", {"prompt": "a\x00", "reference": "$"}),
    ("generate", "num_images", {"prompt": "a", "reference": "$", "num_images": 0}),
    ("generate", "num_images", {"prompt": "a", "reference": "$", "num_images": 9}),
    ("generate", "seed", {"prompt": "a", "reference": "$", "seed": 2_147_483_648}),
    ("generate", "seed", {"prompt": "a", "reference": "$", "seed": -1}),
    ("generate", "speed", {"prompt": "a", "reference": "$", "speed": "fast"}),
    ("generate", "size", {"prompt": "a", "reference": "$", "size": "1000x1000"}),
    ("generate", "size", {"prompt": "a", "reference": "$", "size": "1024x1024", "aspect_ratio": "1:1"}),
    ("generate", "aspect_ratio", {"prompt": "a", "reference": "$", "aspect_ratio": "7:5"}),
    ("generate", "style_preset", {"prompt": "a", "reference": "$", "style_preset": "NOSUCH"}),
    ("generate", "style_codes", {"prompt": "a", "reference": "$", "style_codes": ["0" * 8], "style_references": ["$"]}),
    ("generate", "palette", {"prompt": "a", "reference": "$", "palette": ["#ff0000", "ember"]}),
    ("generate", "reference", {"prompt": "a", "reference": "$", "characters": [{"image": "$"}]}),
    ("generate", "reference_mask", {"prompt": "a", "reference_mask": "$"}),
    ("generate", "reference_mask", {"prompt": "a", "reference": "$", "reference_mask": "$small"}),
    ("generate", "characters.0", {"prompt": "a", "characters": [{"mask": "$"}]}),
    ("generate", "characters", {"prompt": "a", "characters": [{"image": "$"}] * 5}),
    ("generate", "reference", {"prompt": "a", "reference": "@nobody"}),
    ("generate", "prompt", {"prompt": "@nobody at sea"}),
    ("generate", "reference", {"prompt": "a", "reference": "00000000000000000000000000"}),
    ("generate", "reference", {"prompt": "a", "reference": "data:text/plain;base64,aGVsbG8="}),
    ("generate", "reference", {"prompt": "a", "reference": "http://127.0.0.1:1/a.png"}),
    ("generate", "reference", {"prompt": "a", "reference": "file:///etc/passwd"}),
    ("generate", "wait", {"prompt": "a", "reference": "$", "wait": 601}),
    ("generate", "webhook", {"prompt": "a", "reference": "$", "webhook": {"url": "http://127.0.0.1/hook"}}),
    ("generate", "colour", {"prompt": "a", "reference": "$", "colour": "red"}),
    ("edit", "prompt", {"image": "$"}),
    ("edit", "image", {"prompt": "a"}),
    ("edit", "mask", {"image": "$", "prompt": "a", "mask": "$small"}),
    ("edit", "mask", {"image": "$", "prompt": "a", "mask": "$black"}),
    ("edit", "mask", {"image": "$", "prompt": "a", "mask_mode": "alpha"}),
    ("edit", "mask_mode", {"image": "$", "prompt": "a", "mask_mode": "black"}),
    ("edit", "reference", {"image": "$", "characters": [{"image": "$"}, {"image": "$"}]}),
    ("remix", "reference", {"image": "$"}),
    ("remix", "strength", {"image": "$", "reference": "$", "strength": 1.1}),
    ("reframe", "size", {"image": "$"}),
    ("reframe", "prompt", {"image": "$", "size": "square", "prompt": "a"}),
    ("replace-background", "prompt", {"image": "$"}),
    ("remove-background", "output_format", {"image": "$", "output_format": "jpeg"}),
    ("upscale", "factor", {"image": "$", "factor": 3}),
)  # fmt: skip


@pytest.mark.parametrize(("operation", "field", "body"), BAD)
def test_bad_input_names_its_field(
    client: TestClient, reference: str, operation: str, field: str, body: Answer
) -> None:
    known = {"$": reference, "$small": upload(client, mask(64, 64)), "$black": upload(client, picture(colour="black"))}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        if isinstance(value, list):
            return [filled(v) for v in value]
        return known.get(value, value) if isinstance(value, str) else value

    problem = refused(client, operation, **filled(body))
    assert problem["field"] == field or problem["field"].startswith(f"{field}."), problem


def test_what_is_no_json_is_told(client: TestClient) -> None:
    for body in (b"{", b"\xff\xfe", b'"a"', b""):
        answer = client.post(f"{V1}/portrayals/generate", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_portrayals_are_404(client: TestClient) -> None:
    nowhere = "0" * 26
    for path in (nowhere, f"{nowhere}/pictures/0"):
        assert client.get(f"{V1}/portrayals/{path}").status_code == 404
    assert client.post(f"{V1}/portrayals/{nowhere}/cancel").status_code == 404


def test_a_failed_portrayal_says_why(client: TestClient, reference: str) -> None:
    job = client.post(f"{V1}/portrayals/generate", json={"prompt": "FAIL", "reference": reference, "wait": 30}).json()
    assert job["state"] == "failed"
    assert job["error"]["field"] == "prompt"


def test_webhooks_are_worded_and_signed(client: TestClient, service: Service, reference: str) -> None:
    from portrayal.api.native import NOTIFIER
    from portrayal.service.webhooks import Webhook

    job = made(client, "generate", prompt="a", reference=reference)
    kept = service.job(job["id"])

    def link(file_id: str, media_type: str) -> str:
        return f"http://testserver/files/{file_id}"

    assert NOTIFIER.messages(kept, "processing", Webhook(url="https://a.example"), link) == []
    message = NOTIFIER.messages(kept, "succeeded", Webhook(url="https://a.example"), link)[0]
    assert b'"type": "portrayal.succeeded"' in message.body
    assert job["pictures"][0]["id"].encode() in message.body
    headers = NOTIFIER.headers(kept, "msg", 1, message.body, service.secrets)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}


# Files.


def test_files_come_and_go(client: TestClient) -> None:
    parts = [("files", (f"{n}.png", picture(colour=n), "image/png")) for n in ("red", "blue")]
    files = client.post(f"{V1}/files", files=parts).json()["files"]
    assert [f["name"] for f in files] == ["red.png", "blue.png"]
    one = files[0]
    assert client.get(f"{V1}/files/{one['id']}").json()["sha256"] == one["sha256"]
    assert client.get(f"{V1}/files/{one['id']}/content").content == client.get(one["url"]).content
    assert client.delete(f"{V1}/files/{one['id']}").status_code == 204
    assert client.get(f"{V1}/files/{one['id']}").status_code == 404
    assert client.get(one["url"]).status_code == 404


def test_a_deleted_upload_leaves_no_bytes_unless_it_is_used(client: TestClient, service: Service) -> None:
    loose, used = upload(client, picture(colour="#123456")), upload(client, picture(colour="#654321"))
    digests = [client.get(f"{V1}/files/{i}").json()["sha256"] for i in (loose, used)]
    made(client, "upscale", image=used)
    for file in (loose, used):
        assert client.delete(f"{V1}/files/{file}").status_code == 204
    assert [service.blobs.has(digest) for digest in digests] == [False, True]


def test_results_are_not_deleted_as_files(client: TestClient, reference: str) -> None:
    result = made(client, "upscale", image=reference)["pictures"][0]
    assert client.delete(f"{V1}/files/{result['id']}").status_code == 409


@pytest.mark.parametrize("data", [b"hello", b"", picture()[:-40], picture(kind="GIF")])
def test_what_is_no_picture_is_refused(client: TestClient, data: bytes) -> None:
    answer = client.post(f"{V1}/files", files={"files": ("a.png", data, "image/png")})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == "files"


# The catalogue.


def test_every_template_is_understood() -> None:
    names = [t.name for t in templates()]
    assert 44 <= len(names) == len(set(names)) <= 60
    for template in templates():
        texts = dict.fromkeys(template.required, "Hello there")
        plan = read(template.filled(slots=texts))
        assert plan.unknown == (), template.name
        assert len(plan.understood) >= (2 if template.operation == "generate" else 1), template.name
        assert (SLOT in template.prompt) == (template.operation == "generate")
        assert "@ada" in template.filled("@ada", texts) or SLOT not in template.prompt
        if template.operation != "generate":  # nobody is dressed or posed there
            assert not {one.kind for one in plan.understood} & {"outfit", "accessory", "pose"}, template.name
        if template.size is not None:
            width, height = template.size.split("x")
            check_size(int(width), int(height))


def test_what_there_is_to_choose_from(client: TestClient) -> None:
    styles = client.get(f"{V1}/styles").json()
    assert [p["name"] for p in styles["presets"]] == list(STYLE_PRESETS)
    assert len(STYLE_PRESETS) == 62
    assert {t["name"]: t["portrayed"] for t in styles["types"]}["design"] is True
    assert {t["name"]: t["portrayed"] for t in styles["types"]}["realistic"] is True
    sizes = client.get(f"{V1}/sizes").json()
    assert (len(sizes["ratios"]), len(sizes["resolutions"]), len(sizes["presets"])) == (15, 69, 6)
    assert client.get(f"{V1}/templates").json()["templates"][0]["name"] == templates()[0].name
    assert client.get(f"{V1}/limits").json()["max_images"] == 8
    assert client.get(f"{V1}/me").json()["library"] == "main"


def test_the_preview_of_a_prompt_is_honest(client: TestClient) -> None:
    told = client.post(f"{V1}/magic-prompt", json={"prompt": "@ada on a beach with a dragon"}).json()
    assert told["changed"] is True
    assert told["prompt"].startswith("@ada on a beach with a dragon, ")
    assert told["characters"] == ["ada"]
    assert ("beach", "setting") in {(u["phrase"], u["kind"]) for u in told["understood"]}
    assert told["unknown"] == ["dragon"]
    again = client.post(f"{V1}/magic-prompt", json={"prompt": "@ada on a beach with a dragon", "seed": 0}).json()
    assert again == told
    quoted = client.post(f"{V1}/magic-prompt", json={"prompt": 'a sign "Ouvert à 9 h"', "seed": 5}).json()
    assert '"Ouvert à 9 h"' in quoted["prompt"]


# The description.


def test_every_answer_of_the_description_is_documented(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert "Problem" in schema["components"]["schemas"]
    paths = {path: ways for path, ways in schema["paths"].items() if path.startswith(V1)}
    kies = {path for path, ways in paths.items() if any("Kie.ai" in way["tags"] for way in ways.values())}
    native = {path: ways for path, ways in paths.items() if path not in kies}
    assert len(native) > 20
    for path, ways in native.items():
        for way, operation in ways.items():
            where = f"{way} {path}"
            assert operation.get("summary"), where
            assert operation.get("description"), where
            assert operation["tags"], where
            assert {"401", "422", "500"} <= operation["responses"].keys(), where
            assert "application/json" not in operation["responses"]["422"]["content"], where
