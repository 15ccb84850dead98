"""Characters, automatic masks and descriptions through the native API."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.api.conftest import mask, picture, uri

V1 = "/api/v1"


@pytest.fixture(scope="module")
def file(client: TestClient, sample: bytes) -> str:
    return str(client.post(f"{V1}/files", files={"files": ("a.png", sample)}).json()["files"][0]["id"])


@pytest.fixture(scope="module")
def ada(client: TestClient, file: str) -> dict[str, Any]:
    """A saved character, used by all tests of the module; none of them changes it."""
    answer = client.post(f"{V1}/characters", json={"name": "Ada", "image": file, "notes": "n", "tags": ["t"]})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{V1}/characters/Ada"
    found: dict[str, Any] = answer.json()
    return found


def chosen(client: TestClient, file: str, **body: Any) -> np.ndarray:
    answer = client.post(f"{V1}/files/{file}/mask", json=body)
    assert answer.status_code == 201, answer.text
    with Image.open(io.BytesIO(client.get(answer.json()["url"]).content)) as image:
        assert image.size == (512, 512)
        return np.asarray(image)


def test_a_character_and_its_pictures(client: TestClient, ada: dict[str, Any], sample: bytes) -> None:
    found = client.get(f"{V1}/characters/ada").json()
    assert {**found, "image": 0, "thumbnail_url": 0} == {**ada, "image": 0, "thumbnail_url": 0}
    assert datetime.fromisoformat(found["updated_at"]) >= datetime.fromisoformat(found["created"])
    assert (found["kind"], found["notes"], found["tags"], found["masks"]) == ("person", "n", ["t"], [])
    with Image.open(io.BytesIO(client.get(found["thumbnail_url"]).content)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))
    assert client.get(f"{V1}/characters/ada/thumbnail").content == client.get(found["thumbnail_url"]).content
    assert client.get(f"{V1}/characters/@ADA/image").content == client.get(found["image"]["url"]).content
    assert client.get(f"{V1}/characters/{found['id']}").json()["name"] == "Ada"


def test_a_mention_makes_pictures_with_lineage(client: TestClient, ada: dict[str, Any]) -> None:
    ways = ({"prompt": "@ada in a park"}, {"reference": "@ada"}, {"characters": [{"name": "ada"}]})
    for way in ways:
        body: dict[str, Any] = {"prompt": "a", **way}
        job = client.post(f"{V1}/portrayals/generate", json={**body, "wait": 30}).json()
        assert job["state"] == "succeeded", job
        who = {"image": ada["image"]["sha256"], "mask": None, "name": "Ada"}
        assert job["order"]["characters"] == [who]
        source = {"role": "reference", "sha256": who["image"], "picture": "", "character": ada["id"]}
        assert job["sources"] == [source]


def test_versions_of_masks_changes_and_the_end(client: TestClient, file: str) -> None:
    body = {"name": "Bob", "image": file, "mask": uri(mask(512, 512, inside=255, outside=0))}
    made = client.post(f"{V1}/characters", json=body).json()
    assert [m["version"] for m in made["masks"]] == [1]
    assert client.get(made["masks"][0]["url"]).headers["content-type"] == "image/png"
    wide = {"mask": uri(mask(512, 512, inside=0, outside=255)), "note": "wide"}
    assert client.post(f"{V1}/characters/bob/masks", json=wide).json()["mask_used"] == 2
    assert client.post(f"{V1}/characters/bob/masks", json={"use": 1}).json()["mask_used"] == 1
    assert client.post(f"{V1}/characters/bob/masks", json={"use": 9}).status_code == 422
    assert client.post(f"{V1}/characters/bob/masks", json={}).json()["field"] == "mask"
    changed = client.patch(f"{V1}/characters/bob", json={"name": "Cy", "star": True, "tags": ["a", "a"]}).json()
    assert (changed["name"], changed["star"], changed["tags"], len(changed["masks"])) == ("Cy", True, ["a"], 2)
    assert client.delete(f"{V1}/characters/cy").status_code == 204
    assert client.get(f"{V1}/characters/cy").status_code == 404


def test_names_are_taken_and_checked(client: TestClient, ada: dict[str, Any], file: str) -> None:
    taken = client.post(f"{V1}/characters", json={"name": "ADA", "image": file})
    assert (taken.status_code, taken.json()["error"]) == (409, "ConflictError")
    for name in ("a b", "", "x" * 41, "../x"):
        bad = client.post(f"{V1}/characters", json={"name": name, "image": file})
        assert (bad.status_code, bad.json()["field"]) == (422, "name"), name
    plain = client.post(f"{V1}/characters", json={"name": "plain", "image": uri(picture())})
    assert (plain.status_code, plain.json()["error"]) == (422, "NoSubjectError")
    for path in ("nobody", "%00", "%FF", "a%2Fb", "x" * 80):
        assert client.get(f"{V1}/characters/{path}").status_code == 404, path


def test_paging(client: TestClient, ada: dict[str, Any]) -> None:
    page = client.get(f"{V1}/characters", params={"limit": 1}).json()
    assert [c["name"] for c in page["characters"]] == ["Ada"]
    assert page["next"] is None
    assert client.get(f"{V1}/characters", params={"q": "zz"}).json() == {"characters": [], "next": None}
    assert client.get(f"{V1}/characters", params={"cursor": "%%"}).json()["field"] == "cursor"


def test_archives(client: TestClient, ada: dict[str, Any]) -> None:
    answer = client.get(f"{V1}/characters/ada/export")
    assert answer.headers["content-disposition"].startswith('attachment; filename="Ada.zip"')
    assert set(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == {
        "portrayal-character.json", "reference.png", "thumbnail.webp",
    }  # fmt: skip
    parts = {"file": ("a.zip", answer.content, "application/zip")}
    assert client.post(f"{V1}/characters/import", files=parts).status_code == 409
    made = client.post(f"{V1}/characters/import", files=parts, data={"name": "さくら"})
    assert (made.status_code, made.json()["notes"]) == (201, "n")
    assert client.get(f"{V1}/characters/さくら/export").status_code == 200
    bad = client.post(f"{V1}/characters/import", files={"file": ("a.zip", answer.content[:-50])})
    assert (bad.status_code, bad.json()["error"]) == (422, "ArchiveError")
    assert client.delete(f"{V1}/characters/さくら").status_code == 204


def test_masks_of_what_is_in_a_picture(client: TestClient, file: str) -> None:
    whats = ("face", "hair", "head", "person", "clothing", "background")
    found = {what: chosen(client, file, what=what) > 127 for what in whats}
    assert not (found["person"] & found["background"]).any()
    assert (found["person"] | found["background"]).all()
    for part in ("face", "hair", "head", "clothing"):
        assert found[part].any()
        assert (found[part] & ~found["person"]).mean() < 0.01, part
    assert not (found["face"] & (found["hair"] | found["clothing"])).any()
    assert (found["face"] & ~found["head"]).mean() < 0.002
    grown, shrunk = chosen(client, file, what="face", grow=8) > 127, chosen(client, file, what="face", grow=-8) > 127
    assert shrunk.sum() < found["face"].sum() < grown.sum()
    assert (grown & found["face"]).sum() == found["face"].sum()
    soft = chosen(client, file, what="face", feather=20)
    assert ((soft > 10) & (soft < 245)).mean() > 0.02
    assert set(np.unique(chosen(client, file, what="face"))) == {0, 255}


def test_a_mask_can_be_used_for_an_edit(client: TestClient, file: str) -> None:
    made = client.post(f"{V1}/files/{file}/mask", json={"what": "clothing"}).json()
    body = {"image": file, "mask": made["id"], "prompt": "a navy jacket", "wait": 30}
    job = client.post(f"{V1}/portrayals/edit", json=body).json()
    assert (job["state"], job["order"]["edit_mask"]) == ("succeeded", made["sha256"])
    kept = client.get(f"{V1}/portrayals/{job['id']}/pictures/0/mask")
    assert kept.content == client.get(made["url"]).content
    assert job["pictures"][0]["mask_url"].endswith(f"/portrayals/{job['id']}/pictures/0/mask")


def test_what_is_not_there_has_no_mask(client: TestClient) -> None:
    flat = client.post(f"{V1}/files", files={"files": ("a.png", picture())}).json()["files"][0]["id"]
    answer = client.post(f"{V1}/files/{flat}/mask", json={"what": "face"})
    assert (answer.status_code, answer.json()["error"]) == (422, "NoSubjectError")
    for body in ({"what": "teeth"}, {"what": "face", "grow": 999}, {}):
        assert client.post(f"{V1}/files/{flat}/mask", json=body).status_code == 422


def test_a_picture_is_described(client: TestClient, file: str) -> None:
    told = client.post(f"{V1}/describe", json={"image": file}).json()
    assert told["prompt"]
    assert len(told["style_code"]) == 8
    assert told["own"] is False
