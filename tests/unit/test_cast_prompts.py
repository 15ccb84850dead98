"""Prompts for several characters: what is said of whom."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portrayal.prompting import ScenePlan, read
from portrayal.prompting.cast import MemberPlan, read_cast

PROMPTS = Path(__file__).parents[1] / "data" / "prompts.toml"
AB = ("ada", "bob")
ABC = ("ada", "bob", "cy")
TWO = ("", "")


def _own(member: MemberPlan) -> str:
    """What was understood of one member, as one line."""
    plan = member.plan
    said = [member.place or "", plan.expression or "", plan.pose or ""]
    said += [" ".join(w for w in (g.colour, g.item) if w) for g in plan.outfit]
    said += plan.accessories
    said += [f"yaw {plan.head.yaw:g}"] if plan.head.yaw is not None else []
    said += [f"no {u.value}" for u in plan.negative]
    return ", ".join(s for s in said if s)


def _scene(plan: ScenePlan) -> str:
    said = (plan.setting, plan.time, plan.weather, plan.light, plan.look, plan.framing, plan.camera, plan.backdrop)
    return ", ".join(s for s in said if s)


# (prompt, names, the scene, what is said of each)
TABLE: list[tuple[str, tuple[str, ...], str, tuple[str, ...]]] = [
    (
        "@ada on the left laughing, @bob on the right in a navy jacket, in a cafe",
        AB,
        "coffee shop",
        ("left, laugh", "right, navy blazer"),
    ),
    ("@ada and @bob smiling on a beach at sunset", AB, "beach, sunset", ("smile", "smile")),
    ("a laughing @ada and a serious @bob in a forest", AB, "forest", ("laugh", "serious")),
    ("smiling @ada and @bob at the beach", AB, "beach", ("smile", "smile")),
    ("@ada in a red dress next to a laughing @bob in a tuxedo", AB, "", ("red dress", "laugh, tuxedo")),
    ("@ada with @bob in a cafe, close-up, black and white", AB, "coffee shop, black and white, close-up", ("", "")),
    (
        "@ada on the left. She is laughing and wearing a hat. @bob on the right is serious.",
        AB,
        "",
        ("left, laugh, hat", "right, serious"),
    ),
    (
        "@ada, laughing, red dress. @bob, serious, navy jacket. In a cafe, golden hour, cinematic",
        AB,
        "coffee shop, golden hour, cinematic",
        ("laugh, red dress", "serious, navy blazer"),
    ),
    (
        "@ada on the left laughing, @bob in a navy jacket, in a cafe, smiling at the camera",
        AB,
        "coffee shop",
        ("left, laugh", "smile, navy blazer"),
    ),
    ("@ada (left, laughing) and @bob (right, serious) in a park", AB, "park", ("left, laugh", "right, serious")),
    (
        "Left: laughing in a red dress\nRight: serious with glasses\nSetting: a park in autumn",
        TWO,
        "autumn park",
        ("left, laugh, red dress", "right, serious, glasses"),
    ),
    (
        "@ada wearing a red dress and a hat, and @bob in a suit with sunglasses, both laughing",
        AB,
        "",
        ("laugh, red dress, hat", "laugh, suit, sunglasses"),
    ),
    ("@ada and @bob in a cafe. They are both laughing.", AB, "coffee shop", ("laugh", "laugh")),
    ("@ada and @bob on a bridge, @ada smiling", AB, "bridge", ("smile", "")),
    ("a selfie of @ada and @bob, @bob sad, wearing a scarf", AB, "close-up", ("", "sad, scarf")),
    ("Portrait of @ada with a hat and @bob with glasses under neon light", AB, "neon", ("hat", "glasses")),
    ("@ada not smiling, @bob smiling", AB, "", ("neutral, no smile", "smile")),
    ("@ada with glasses, @bob without glasses", AB, "", ("glasses", "no glasses")),
    ("no glasses, @ada laughing, @bob with sunglasses", AB, "", ("laugh, no glasses", "sunglasses, no glasses")),
    ("no hats, @ada laughing, @bob with a hat", AB, "", ("laugh, no hat", "hat")),
    ("@ada looking left, @bob looking to the right, studio", AB, "studio", ("yaw -20", "yaw 20")),
    ("@ada turned 15 degrees left, @bob facing the camera", AB, "", ("yaw -15", "yaw 0")),
    ("@ada and @bob looking at each other in a cafe", AB, "coffee shop", ("yaw 20", "yaw -20")),
    ("@ada smiling at @bob in a cafe", AB, "coffee shop", ("smile, yaw 20", "")),
    (
        "@bob on the left in a red dress looking at @ada, @ada wearing glasses",
        AB,
        "",
        ("glasses", "left, red dress, yaw 20"),
    ),
    (
        "@ada on the right facing @bob, both serious, low key light",
        AB,
        "low key",
        ("right, serious, yaw -20", "serious"),
    ),
    (
        "@ada standing with arms crossed, @bob sitting, in an office",
        AB,
        "office, three-quarter",
        ("arms crossed", "sitting on a chair"),
    ),
    ("@ada riding a dragon, @bob laughing in a castle", AB, "castle", ("", "laugh")),
    ("@ada in a suit, 85mm photo, soft light, @bob in a red dress", AB, "softbox", ("suit", "red dress")),
    (
        "@ada on the right and @bob on the left, both wearing hats, @bob also wearing glasses",
        AB,
        "",
        ("right, hat", "left, hat, glasses"),
    ),
    (
        "On the left @bob smiling, on the right @ada serious, in a library",
        AB,
        "library",
        ("right, serious", "left, smile"),
    ),
    (
        "both smiling, the first in a red dress, the second wearing glasses, in a park",
        TWO,
        "park",
        ("smile, red dress", "smile, glasses"),
    ),
    ("the first one laughing, the second one sad", TWO, "", ("laugh", "sad")),
    ("person 1 with a hat, person 2 with a crown, in a castle", TWO, "castle", ("hat", "crown")),
    (
        "the woman on the left is laughing, the man on the right is serious in a suit",
        TWO,
        "",
        ("left, laugh", "right, serious, suit"),
    ),
    (
        "on the left laughing, on the right in a navy jacket; golden hour",
        TWO,
        "golden hour",
        ("left, laugh", "right, navy blazer"),
    ),
    (
        "one laughing in a red dress, the other serious in a suit, in a library",
        TWO,
        "library",
        ("laugh, red dress", "serious, suit"),
    ),
    ("two women in red dresses laughing in a garden", TWO, "garden", ("laugh, red dress", "laugh, red dress")),
    ("two friends in a cafe", TWO, "coffee shop", ("", "")),
    (
        "@ada, @bob and @cy in a city street at night, all wearing leather jackets, @cy laughing",
        ABC,
        "night street, night",
        ("leather jacket", "leather jacket", "laugh, leather jacket"),
    ),
    (
        "@ada and @bob in suits, @cy in a red dress, all smiling",
        ABC,
        "",
        ("smile, suit", "smile, suit", "smile, red dress"),
    ),
    ("@ada and @bob looking at each other, @cy laughing", ABC, "", ("yaw 20", "yaw -20", "laugh")),
    ("@ada laughing, f/1.8, in a red dress, @bob serious", AB, "", ("laugh, red dress", "serious")),
    ("@ada between @bob and @cy on stage", ABC, "stage", ("centre", "", "")),
    ("@ada links lachend, @bob rechts mit Hut, am Strand", AB, "beach", ("left, laugh", "right, hat")),
    (
        "beide lächelnd, @ada in einem roten Kleid, @bob im Anzug, im Wald",
        AB,
        "forest",
        ("smile, red dress", "smile, suit"),
    ),
    ("der erste lachend, der zweite mit Hut, am Strand", TWO, "beach", ("laugh", "hat")),
    ("links lachend, rechts ernst, im Café", TWO, "coffee shop", ("left, laugh", "right, serious")),
    ("@ada nach links blickend, @bob rechts lachend", AB, "", ("yaw -20", "right, laugh")),
    (
        "@ada a la izquierda riendo, @bob a la derecha con sombrero, en la playa",
        AB,
        "beach",
        ("left, laugh", "right, hat"),
    ),
    ("ambos sonriendo, @ada con sombrero, en la playa", AB, "beach", ("smile, hat", "smile")),
    ("@ada à gauche souriante, @bob à droite avec un chapeau, à la plage", AB, "beach", ("left, smile", "right, hat")),
    ("les deux souriants, @ada avec un chapeau, à la plage", AB, "beach", ("smile, hat", "smile")),
    ("@ada a sinistra sorridente, @bob a destra con cappello, in spiaggia", AB, "beach", ("left, smile", "right, hat")),
    ("entrambi sorridenti, il primo con cappello, in spiaggia", TWO, "beach", ("smile, hat", "smile")),
    ("@ada à esquerda sorrindo, @bob à direita com chapéu, na praia", AB, "beach", ("left, smile", "right, hat")),
    ("ambos sorrindo na praia, o primeiro com chapéu", TWO, "beach", ("smile, hat", "smile")),
    (
        "左の@さくらは笑顔、右の@太郎は眼鏡をかけている、カフェで",
        ("さくら", "太郎"),
        "coffee shop",
        ("left, smile", "right, glasses"),
    ),
    ("@さくらと@太郎が海辺で笑っている", ("さくら", "太郎"), "beach", ("laugh", "laugh")),
    ("二人とも笑顔、海辺で", TWO, "beach", ("smile", "smile")),
    ("左は笑顔、右は真剣な表情、カフェで", TWO, "coffee shop", ("left, smile", "right, serious")),
]


@pytest.mark.parametrize(("prompt", "names", "scene", "own"), TABLE, ids=[row[0] for row in TABLE])
def test_what_is_said_of_whom(prompt: str, names: tuple[str, ...], scene: str, own: tuple[str, ...]) -> None:
    cast = read_cast(prompt, names)
    assert _scene(cast.shared) == scene
    assert tuple(_own(member) for member in cast.members) == own
    assert {_scene(member.plan) for member in cast.members} == {scene}
    assert tuple(member.name for member in cast.members) == names
    assert cast.unknown == (("dragon",) if "dragon" in prompt else ())


ORDERS: list[tuple[str, tuple[str, ...], tuple[int, ...]]] = [
    ("@ada and @bob", AB, (0, 1)),
    ("@bob and @ada in the snow", AB, (1, 0)),
    ("in the snow", AB, (0, 1)),
    ("@ada on the right, @bob", AB, (1, 0)),
    ("@ada, @bob on the left", AB, (1, 0)),
    ("@ada and @bob on the right, @cy", ABC, (1, 2, 0)),
    ("@ada and @bob, one on the left and one on the right", AB, (0, 1)),
    ("@ada to the right of @bob in a garden", AB, (1, 0)),
    ("@ada to the left of @bob in a garden", AB, (0, 1)),
    ("@ada rechts von @bob am Strand", AB, (1, 0)),
    ("@ada on the left, @bob on the left", AB, (0, 1)),
    ("@ada in the middle, @bob on the right, @cy on the left", ABC, (1, 2, 0)),
    ("@ada between @bob and @cy", ABC, (1, 0, 2)),
    ("@ada, @bob and @cy, @cy on the far left", ABC, (1, 2, 0)),
    ("@ada, @bob, @cy and @dee, @dee on the left, @ada on the right", (*ABC, "dee"), (3, 1, 2, 0)),
]


@pytest.mark.parametrize(("prompt", "names", "order"), ORDERS)
def test_who_stands_where(prompt: str, names: tuple[str, ...], order: tuple[int, ...]) -> None:
    assert tuple(member.order for member in read_cast(prompt, names).members) == order


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("three friends in a cafe", ("three friends",)),
        ("two friends in a cafe", ()),
        ("@ada with a crowd of people, @bob", ("crowd of people",)),
        ("@ada smiling, laughing, @bob", ("also: laughing",)),
        ("@ada smiling, @bob laughing", ()),
        ("@ada on the beach, @bob in a forest", ("also: forest",)),
        ("@ada in the first snow, @bob on the second floor", ("first", "second floor")),
    ],
)
def test_what_is_not_portrayed_is_told(prompt: str, unknown: tuple[str, ...]) -> None:
    assert read_cast(prompt, AB).unknown == unknown


def _prompts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [prompt for item in items for prompt in _prompts(item)]


@pytest.mark.parametrize("prompt", [p for p in _prompts(tomllib.loads(PROMPTS.read_text("utf-8"))) if " " in p])
def test_a_cast_of_one_is_read_as_ever(prompt: str) -> None:
    assert read_cast(prompt, [""]).members[0].plan == read(prompt)


def test_lettering_and_the_negative_prompt_are_of_all() -> None:
    cast = read_cast('@ada laughing with "HELLO @bob", @bob', AB, "hat")
    assert all(member.plan.lettering == ("HELLO @bob",) for member in cast.members)
    assert all([u.value for u in member.plan.negative] == ["hat"] for member in cast.members)
    assert cast.members[1].plan.expression is None


def test_nobody_is_no_cast() -> None:
    with pytest.raises(ValueError, match="members"):
        read_cast("a cafe", [])


_WORDS = """@ada|@bob|and|,|.|on the left|on the right|laughing|in a red dress|both|the first|the other|she|next to|in a
cafe|looking at|each other|(|)|left|links|左の|two friends|'|\ue000|@|without|between|of|with|one"""
_PIECES = st.sampled_from(_WORDS.replace("\n", " ").split("|"))


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=14).map(" ".join), st.integers(1, 4))
def test_any_words_make_a_cast(prompt: str, count: int) -> None:
    names = ["ada", "bob", "", ""][:count]
    cast = read_cast(prompt, names)
    assert sorted(member.order for member in cast.members) == list(range(count))
    assert cast == read_cast(prompt, names)
