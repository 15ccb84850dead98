"""What prompts are read as: the example prompts, sides, negations, lettering, clothes, languages, odd input."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portrayal.prompting import describe, read, sentences
from portrayal.prompting.plan import ScenePlan

PROMPTS = tomllib.loads((Path(__file__).parent.parent / "data" / "prompts.toml").read_text("utf-8"))["prompt"]

# The examples ask in everyday words; these are the ids that answer them.
SAME = {
    "expression:neutral": {"neutral", "serious"},
    "expression:open mouth": {"singing", "surprised"},
    "setting:castle": {"castle", "castle corridor"},
    "setting:beach": {"beach", "tropical beach"},
    "setting:space": {"space", "moon"},
    "time:sunrise": {"dawn"},
    "outfit:knight": {"armour"},
}


def answers(plan: ScenePlan, ask: str) -> bool:
    kind, _, value = ask.partition(":")
    if kind == "warn":
        return value in plan.unknown
    if kind == "lettering":
        return value in plan.lettering
    if kind == "yaw":  # "her left shoulder" is the picture's right
        return (plan.head.yaw or 0) > 0
    if kind == "roll":
        return bool(plan.head.roll)
    if ask == "setting:default studio":
        return plan.setting is None
    wanted = SAME.get(ask, {value})
    if kind == "outfit":
        said = {u.value for u in plan.understood if u.kind == "outfit"}
        return bool(wanted & (said | {g.item for g in plan.outfit}))
    return getattr(plan, kind) in wanted


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda p: p["text"][:40])
def test_example_prompts_give_what_they_ask_for(prompt: dict[str, object]) -> None:
    plan = read(str(prompt["text"]))
    asks = prompt["asks"]
    assert isinstance(asks, list)
    assert [ask for ask in asks if not answers(plan, ask)] == []
    expected = {ask.removeprefix("warn:") for ask in asks if ask.startswith("warn:")}
    extra = {u for u in plan.unknown if not u.startswith("also: ")} - expected
    assert extra <= {"wind in her hair", "東京"}


@pytest.mark.parametrize(
    ("prompt", "yaw", "pitch", "roll"),
    [
        ("looking left", -20, None, None),
        ("turned to the right", 20, None, None),
        ("looking over her left shoulder", 20, None, None),
        ("looking over his right shoulder", -20, None, None),
        ("head turned slightly to her right", -20, None, None),
        ("face turned to her own left", 20, None, None),
        ("three-quarter view", 25, None, None),
        ("three quarter view, looking to the left", -25, None, None),
        ("3/4 view", 25, None, None),
        ("left profile", -30, None, None),
        ("side profile facing right", 30, None, None),
        ("turned 15 degrees left", -15, None, None),
        ("head turned 12° to the right", 12, None, None),
        ("rotated 500 degrees to the left", -90, None, None),
        ("facing the camera", 0, 0, None),
        ("chin up", None, 8, None),
        ("looking down", None, -8, None),
        ("head tilted", None, None, 10),
        ("head tilted to the left", None, None, -10),
        ("head tilted to her left", None, None, 10),
        ("tilted 7 degrees left, looking right", 20, None, -7),
        ("über ihre linke Schulter blickend", 20, None, None),
        ("左を向いた女性", -20, None, None),
        ("left handed", None, None, None),
    ],
)
def test_head(prompt: str, yaw: float | None, pitch: float | None, roll: float | None) -> None:
    head = read(f"portrait, {prompt}").head
    assert (head.yaw, head.pitch, head.roll) == (yaw, pitch, roll)


def test_full_profile_is_noted() -> None:
    assert any("profile" in note for note in read("in profile").unknown)


def test_eyes_into_the_camera_counter_the_turn_of_the_head() -> None:
    gaze = read("turned to the right, looking at the camera").gaze
    assert gaze is not None
    assert gaze.x < -0.4
    straight = read("looking at the camera").gaze
    assert straight is not None
    assert (straight.x, straight.y) == (0, 0)
    down = read("eyes looking down").gaze
    assert down is not None
    assert down.y < -0.4


@pytest.mark.parametrize(
    ("prompt", "value"),
    [
        ("no hat", "hat"),
        ("without glasses", "glasses"),
        ("man without any sunglasses", "sunglasses"),
        ("not wearing a hat", "hat"),
        ("ohne Brille", "glasses"),
        ("mujer sin gafas", "glasses"),
        ("眼鏡なしの女性", "glasses"),
        ("femme sans chapeau", "hat"),
        ("don't show earrings", "earrings"),
    ],
)
def test_negated_accessories(prompt: str, value: str) -> None:
    plan = read(f"{prompt}, beach")
    assert [u.value for u in plan.negative] == [value]
    assert plan.accessories == ()
    assert plan.unknown == ()
    assert plan.setting == "beach"


def test_negation_reaches_over_or_but_ends_with_its_clause() -> None:
    assert {u.value for u in read("no hat or glasses").negative} == {"hat", "glasses"}
    assert {u.value for u in read("without hat and glasses").negative} == {"hat", "glasses"}
    plan = read("no hat, glasses")
    assert plan.accessories == ("glasses",)
    plan = read("no hat and a broad smile")
    assert plan.expression == "broad smile"
    plan = read("no hat but with glasses")
    assert plan.accessories == ("glasses",)


def test_not_smiling_is_a_neutral_face() -> None:
    plan = read("not smiling")
    assert plan.expression == "neutral"
    assert [u.value for u in plan.negative] == ["smile"]
    assert read("not smiling, angry").expression == "angry"


def test_negative_prompt_takes_accessories_away() -> None:
    plan = read("woman in a red hat and glasses", "hat, blurry, extra fingers")
    assert plan.accessories == ("glasses",)
    assert [g.item for g in plan.accessory_details] == ["glasses"]
    assert "hat" in {u.value for u in plan.negative}


@pytest.mark.parametrize(
    ("prompt", "lettering"),
    [
        ('a sign that says "On the BEACH"', ("On the BEACH",)),
        ("poster, “Night Forest”", ("Night Forest",)),
        ("Plakat mit „Guten Morgen“", ("Guten Morgen",)),
        ("affiche « Bonne nuit »", ("Bonne nuit",)),
        ("ポスター「夜の海」と『雪』", ("夜の海", "雪")),
        ("the title 'MOON'", ("MOON",)),
        ("a sign saying ‘rain’", ("rain",)),
        ('"one" and "two"', ("one", "two")),
        ("the girl's hat and the boys' club", ()),
        ('a 6" wide and 5\'10" tall', ()),
        ('an open quote "here', ()),
        ('empty "" quotes', ()),
    ],
)
def test_lettering_is_verbatim_and_means_nothing_else(prompt: str, lettering: tuple[str, ...]) -> None:
    plan = read(prompt)
    assert plan.lettering == lettering
    if lettering:
        assert plan.setting is None
        assert plan.time is None
        assert plan.weather is None


@pytest.mark.parametrize(
    ("prompt", "item", "colour", "pattern", "fabric"),
    [
        ("navy suit", "suit", "navy", None, None),
        ("a dark blue pinstripe suit", "suit", "navy", "pinstripe", None),
        ("red leather jacket", "leather jacket", "red", None, "leather"),
        ("black and white striped shirt", "shirt", "black", "striped", None),
        ("a dress of red silk", "dress", "red", None, "silk"),
        ("dress in emerald green", "dress", "emerald", None, None),
        ("forest green sweater", "sweater", "forest green", None, None),
        ("wearing a plaid flannel shirt", "shirt", None, "plaid", "wool"),
        ("dressed in white", None, "white", None, None),
        ("a bright red outfit", None, "red", None, None),
        ("white lab coat", "lab coat", "white", None, None),
        ("as a superhero", "superhero", None, None, None),
        ("police officer", "uniform", None, None, None),
        ("an astronaut", "spacesuit", None, None, None),
        ("a nurse", "scrubs", None, None, None),
        ("a black chef", "chef", None, None, None),
        ("rotes Kleid", "dress", "red", None, None),
        ("vestido azul de seda", "dress", "blue", None, "silk"),
        ("veste en cuir noir", "leather jacket", "black", None, "leather"),
        ("giacca blu", "blazer", "blue", None, None),
        ("赤いドレス", "dress", "red", None, None),
    ],
)
def test_garment(prompt: str, item: str | None, colour: str | None, pattern: str | None, fabric: str | None) -> None:
    plan = read(prompt)
    (garment,) = plan.outfit
    assert (garment.item, garment.colour, garment.pattern, garment.fabric) == (item, colour, pattern, fabric)
    assert plan.unknown == ()
    assert plan.light is None


def test_several_garments_and_accessories() -> None:
    plan = read("wearing a black coat and a red scarf, round glasses, and a blue silk tie")
    assert [(g.colour, g.item) for g in plan.outfit] == [("black", "coat")]
    assert plan.accessories == ("scarf", "glasses", "tie")
    assert [g.colour for g in plan.accessory_details] == ["red", None, "blue"]


def test_clothes_that_are_named_override_the_profession() -> None:
    assert [g.item for g in read("an astronaut wearing a white t-shirt").outfit] == ["t-shirt"]
    assert [g.item for g in read("medieval knight wearing chainmail").outfit] == ["armour"]


def test_unknown_clothes_are_kept_and_reported() -> None:
    plan = read("wearing a gold fooblarg")
    assert [(g.text, g.item, g.colour) for g in plan.outfit] == [("gold fooblarg", None, "gold")]
    assert plan.unknown == ("gold fooblarg",)


@pytest.mark.parametrize(
    ("prompt", "colour"),
    [
        ("blue background", "blue"),
        ("plain yellow studio backdrop", "yellow"),
        ("yellow studio", "yellow"),
        ("solid dark green background", "forest green"),
        ("background: pale blue", "sky blue"),
        ("isolated on white", "white"),
        ("dark background", "charcoal"),
        ("against a red wall", "red"),
        ("roter Hintergrund", "red"),
        ("fondo azul", "blue"),
        ("青い背景", "blue"),
    ],
)
def test_coloured_backgrounds_are_studio_backdrops(prompt: str, colour: str) -> None:
    plan = read(f"portrait, {prompt}")
    assert (plan.setting, plan.backdrop) == ("studio", colour)
    assert plan.unknown == ()
    assert plan.outfit == ()


def test_other_backgrounds() -> None:
    assert read("blurred office background").setting == "office"
    assert read("blurred background").setting is None
    plain = read("plain background")
    assert (plain.setting, plain.backdrop) == ("studio", None)
    beach = read("on a beach, blue background")
    assert (beach.setting, beach.backdrop, beach.unknown) == ("beach", None, ("also: blue background",))


@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("snow falling in a forest", "snow forest"),
        ("a forest in winter", "snow forest"),
        ("park in autumn", "autumn park"),
        ("autumn", "autumn park"),
        ("city street at night", "night street"),
        ("rain in the city", "rainy street"),
        ("city street, neon lights", "neon street"),
        ("tropical island beach", "tropical beach"),
        ("hotel bar", "bar"),
        ("beach restaurant", "restaurant"),
        ("standing in Paris", "city street"),
    ],
)
def test_settings_combine(prompt: str, setting: str) -> None:
    assert read(prompt).setting == setting


def test_what_a_phrase_says_besides_its_kind_is_not_lost() -> None:
    plan = read("a candlelit castle corridor on a misty morning")
    assert (plan.setting, plan.light, plan.time, plan.weather) == ("castle corridor", "candle", "morning", "fog")
    assert read("snow-capped mountains").weather is None


def test_first_setting_wins_and_the_rest_is_said() -> None:
    plan = read("in a forest, on a beach, in a kitchen")
    assert plan.setting == "forest"
    assert plan.unknown == ("also: beach", "also: kitchen")
    assert read("Paris, in a library").unknown == ("Paris",)


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("riding a dragon over a burning city", ("dragon", "burning city")),
        ("with a bouquet of roses", ("bouquet of roses",)),
        ("holding a kitchen knife", ("kitchen knife",)),
        ("holding a wine glass", ("wine glass",)),
        ("blue eyes and pink hair", ("blue eyes",)),
        ("playing chess with a giant robot", ("chess", "giant robot")),
        ("like a movie star, as if dreamt", ()),
        ("a stunning masterpiece, highly detailed, 8k, 85mm f/1.4, --ar 16:9", ()),
        ("the same young woman, beautiful, high quality photo", ()),
        ("@anna in a <lora:x:1> library https://example.org/a", ()),
    ],
)
def test_what_is_not_portrayed(prompt: str, unknown: tuple[str, ...]) -> None:
    assert read(prompt).unknown == unknown


def test_poses_need_more_than_a_head() -> None:
    assert read("standing on a bridge").framing == "medium"
    assert read("close-up, standing on a bridge").framing == "close-up"
    assert read("three-quarter length, three-quarter view").framing == "three-quarter"


def test_understood_follows_the_prompt() -> None:
    plan = read("Laughing at Night in a Café, wearing a Navy Suit")
    assert [(u.phrase, u.kind, u.value) for u in plan.understood] == [
        ("Laughing", "expression", "laugh"),
        ("Night", "time", "night"),
        ("Café", "setting", "coffee shop"),
        ("Navy Suit", "outfit", "navy suit"),
    ]


@pytest.mark.parametrize(
    ("prompt", "language", "expected"),
    [
        ("Frau im Café am Morgen, Nahaufnahme", "de", "setting:coffee shop, time:morning, framing:close-up"),
        ("Winterwald bei Nacht, Schwarzweiß", "de", "setting:snow forest, time:night, look:black and white"),
        ("auf einer Bruecke, Gegenlicht", "de", "setting:bridge, light:backlit"),
        ("mujer en la playa al atardecer, sonriendo", "es", "setting:beach, time:sunset, expression:smile"),
        ("hombre en una biblioteca, luz de la ventana", "es", "setting:library, light:window"),
        ("femme dans un jardin sous la pluie, en riant", "fr", "setting:garden, weather:rain, expression:laugh"),
        ("portrait au bord de la mer à l'aube, gros plan", "fr", "setting:beach, time:dawn, framing:close-up"),
        ("homem na floresta com neblina, sério", "pt", "setting:forest, weather:fog, expression:serious"),
        ("mulher na praia ao pôr do sol, sorrindo", "pt", "setting:beach, time:sunset, expression:smile"),
        ("donna in cucina al tramonto, sorridente", "it", "setting:kitchen, time:sunset, expression:smile"),
        ("ritratto sulla luna, di notte, primo piano", "it", "setting:moon, time:night, framing:close-up"),
        ("雪の森、笑っている女性、全身", "ja", "setting:snow forest, expression:laugh, framing:full"),
        ("カフェで目を閉じている、窓際", "ja", "setting:coffee shop, expression:eyes closed, light:window"),
        ("портрет женщины", "ru", "setting:"),
        ("해변의 여자", "ko", "setting:beach"),
        ("portrait", "en", "setting:"),
    ],
)  # fmt: skip
def test_languages(prompt: str, language: str, expected: str) -> None:
    plan = read(prompt)
    assert plan.language == language
    for ask in expected.split(", "):
        kind, _, value = ask.partition(":")
        assert (getattr(plan, kind) or "") == value


def test_description_says_what_will_be_seen() -> None:
    plan = read("close-up in a cafe at night, smiling, navy suit, no hat, riding a dragon, looking left")
    text = describe(plan)
    for part in ("close-up", "coffee shop", "at night", "smiling", "navy suit", "20°", "left", "without hat"):
        assert part in text
    assert "dragon" in sentences(plan)[1]
    assert sentences(read("portrait")) == ("A portrait.",)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_gives_a_plan(prompt: str, negative: str) -> None:
    plan = read(prompt, negative)
    assert describe(plan).endswith(".")
    assert read(prompt, negative) == plan


WORDS = st.sampled_from(
    [
        *("no", "or", "not", "and", "a", "in", "with", "of", "the", "like", ",", '"'),
        *("red", "leather", "jacket", "wearing", "hat", "studio", "background", "looking", "15", "degrees", "left"),
        *("burning", "city", "holding", "riding", "forest", "snow", "night", "neon", "beach"),
        *("夜", "の", "ドレス", "なし"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_order_of_known_words_gives_a_plan(prompt: str) -> None:
    assert describe(read(prompt)).endswith(".")


@pytest.mark.parametrize("odd", ["\ud800 beach", "\x00\x07beach", "bea\u200bch", "😀" * 50, "½ ① ﷽ beach", "º ª"])
def test_odd_characters(odd: str) -> None:
    assert read(odd).prompt


@pytest.mark.parametrize(
    "piece", ["red ", "looking the ", '"', "“„«", "riding ", "no or and ", "夜", "burning nice ", "of ", "a\n", "-- "]
)
def test_work_grows_with_length_not_faster(piece: str) -> None:
    """Counted in calls, as clocks lie: ten times the text may cost at most about ten times the work."""

    def calls(length: int) -> int:
        count = 0

        def tick(*_: object) -> None:
            nonlocal count
            count += 1

        text = (piece * length)[:length]
        read(text)
        sys.setprofile(tick)
        try:
            read(text)
        finally:
            sys.setprofile(None)
        return count

    assert calls(4000) <= 15 * calls(400) + 2000


def test_import_loads_no_vocabulary_and_no_pixels() -> None:
    code = (
        "import sys, portrayal.prompting.vocabulary as v, portrayal.prompting;"
        "assert v.load.cache_info().currsize == 0;"
        "assert not {'numpy', 'cv2', 'dlib', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
