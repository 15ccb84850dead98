"""Clothes, things, hair and poses: what prompts are read as, and which outfit is chosen from them."""

from __future__ import annotations

import random
import re
import sys
import tomllib
from importlib import resources

import pytest

from portrayal import colours
from portrayal.engines.studio.types import Notes
from portrayal.engines.studio.wardrobe import data
from portrayal.engines.studio.wardrobe.choose import below, choose, dyed, hair, table, things, unworn
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit, Thing
from portrayal.prompting import ScenePlan, ids, read
from portrayal.prompting.nearest import nearest
from portrayal.prompting.plan import LOWER, Garment, HairWords
from portrayal.prompting.vocabulary import LANGUAGES, entries, expand, split_mark

SEED = 3


def _piece(garment: Garment) -> str:
    colour = f"{garment.colour}/{garment.second}" if garment.second else garment.colour
    item = garment.item or ""
    return " ".join(
        w for w in (garment.cut, colour, garment.pattern, garment.fabric) if w and w not in item.split()
    ) + (f" {item}" if item else "")


def _said(plan: ScenePlan) -> str:
    """What was read of a person, as one line."""
    parts = [_piece(g).strip() for g in (*plan.outfit, *plan.accessory_details)]
    if plan.hair:
        parts.append(" ".join(w for w in (plan.hair.length, plan.hair.colour, "hair") if w))
    parts += [plan.pose] if plan.pose else []
    parts += [f"no {u.value}" for u in plan.negative]
    parts += [f"? {u}" for u in plan.unknown]
    return ", ".join(parts)


def _chosen(prompt: str, seed: int = SEED) -> tuple[Outfit | None, list[str]]:
    plan, notes = read(prompt), Notes()
    outfit = choose(plan, seed, notes)
    return outfit, [*notes.warnings, *unworn(plan, outfit)]


# (prompt, what is read: "colour/second pattern fabric item" ..., hair, pose, "no" what, "?" what is not known,
#  the outfit: garment, "part colour pattern fabric" as far as the words decide it; "" = the reference's own clothes)
# fmt: off
TABLE = [
    (
        "wearing a navy pinstripe suit with a red tie, arms crossed",
        "navy pinstripe suit, red tie, arms crossed",
        "suit, main navy pinstripe, tie red",
    ),
    (
        "suit with a white shirt and a burgundy tie",
        "suit, white shirt, burgundy tie",
        "suit, shirt white, tie burgundy",
    ),
    ("a charcoal suit without a tie", "charcoal suit, no tie", "suit, main charcoal, no tie"),
    ("suit, no tie", "suit, no tie", "suit, no tie"),
    ("tie-less in a navy suit", "navy suit, no tie", "suit, main navy, no tie"),
    ("white shirt with an open collar", "white shirt, no tie", "shirt, main white, no tie"),
    ("a tuxedo", "tuxedo", "tuxedo"),
    ("tuxedo with a red bow tie", "tuxedo, red bow tie", "tuxedo, bow tie red"),
    ("black suit with a white bow tie", "black suit, white bow tie", "suit, main black, bow tie white, no tie"),
    ("camel blazer over a black turtleneck", "tan blazer, black turtleneck", "blazer, main tan, shirt black"),
    ("black and white striped shirt", "black/white striped shirt", "shirt, main black striped"),
    ("red and black plaid flannel shirt", "red/black plaid wool shirt", "shirt, main red plaid wool"),
    ("white shirt with red stripes", "white/red striped shirt", "shirt, main white striped"),
    ("a blue dress with white polka dots", "blue/white polka dot dress", "dress, main blue polka dot"),
    ("wearing red and black plaid", "red/black plaid", ""),
    ("leather jacket over a grey T-shirt", "leather jacket, grey t-shirt", "leather jacket, main leather, inner grey"),
    ("brown leather jacket", "brown leather jacket", "leather jacket, main brown leather"),
    ("hoodie under a denim jacket", "hoodie, denim jacket", "denim jacket, main denim"),
    ("grey hoodie", "grey hoodie", "hoodie, main grey"),
    ("green V-neck sweater", "v-neck green sweater", "sweater, main green, neck v"),
    ("a V-neck dress in emerald", "v-neck emerald dress", "dress, main emerald, neck v"),
    ("red off-shoulder gown", "off-shoulder red evening dress", "evening dress, main red, neck off-shoulder"),
    ("cream cable-knit sweater over a blue shirt", "cream knit sweater, blue shirt", "sweater, main cream knit"),
    ("trench coat over a navy suit", "trench coat, navy suit", "trench coat"),
    ("olive parka with a fur hood", "olive parka, ? fur hood", "parka, main olive"),
    ("a doctor in a lab coat", "lab coat", "lab coat"),
    ("wearing teal scrubs", "teal scrubs", "scrubs, main teal"),
    ("as a chef", "chef", "chef"),
    ("an astronaut", "spacesuit", "spacesuit"),
    ("a knight in silver armour", "silver armour", "armour, main silver"),
    ("red silk kimono", "red silk kimono", "kimono, main red silk"),
    ("crimson sari", "crimson sari", "sari, main crimson"),
    ("white toga", "white toga", "toga, main white"),
    ("black velvet evening gown", "black velvet evening dress", "evening dress, main black velvet"),
    ("a superhero with a red cape", "superhero, red cape", "superhero, cape red"),
    ("high-vis vest", "high-visibility vest", "high-visibility vest"),
    ("a police officer", "uniform", "uniform"),
    ("black polo shirt", "black polo", "polo, main black"),
    ("wearing a scarf over a coat", "coat, scarf", "coat, scarf"),
    ("red wool scarf", "red wool scarf", "scarf, main red wool"),
    ("pearl necklace and a black dress", "black dress, pearl necklace", "dress, main black, pearls ivory"),
    ("a red tie", "red tie", "shirt, tie red"),
    ("round gold glasses", "round gold glasses", ""),
    ("black cowboy hat", "cowboy black hat", ""),
    ("red baseball cap", "baseball red cap", ""),
    ("pearl earrings", "pearl earrings", ""),
    ("dressed in white", "white", ""),
    ("a red outfit", "red", ""),
    ("suit, dressed in white", "suit, white", "suit, main white"),
    ("with long red hair", "long red hair", ""),
    ("blonde hair", "blonde hair", ""),
    ("short hair", "short hair", ""),
    ("hair dyed blue", "blue hair", ""),
    ("a blonde woman with short curly hair", "short blonde hair, ? curly hair", ""),
    ("black jeans and white sneakers, full body", "black jeans, white sneakers", ""),
    ("a white T-shirt and blue jeans", "white t-shirt, blue jeans", "t-shirt, main white, trousers denim"),
    ("red skirt and a white blouse", "red skirt, white shirt", "shirt, main white, skirt red"),
    ("boots, gloves and a belt", "boots, gloves, belt", ""),
    ('holding a sign that says "HELLO"', "holding a sign", ""),
    ('holding up "SALE"', "holding a sign", ""),
    ("holding a cup of coffee", "holding a cup", ""),
    ("holding a glass of wine", "holding a cup, ? glass of wine", ""),
    ("sitting in a park", "sitting on a bench", ""),
    ("sitting in a bar", "sitting on a stool", ""),
    ("sitting in an office", "sitting on a chair", ""),
    ("sitting on an old weathered bench", "sitting on a bench", ""),
    ("arms raised in victory", "arms raised", ""),
    ("hands behind her back", "hands behind back", ""),
    ("leaning on one leg, weight on one leg", "contrapposto, ? leaning", ""),
    ("hand on chin", "thinking", ""),
    (
        "dunkelblauer Nadelstreifenanzug mit roter Krawatte, verschränkte Arme",
        "navy pinstripe suit, red tie, arms crossed",
        "suit, main navy pinstripe, tie red",
    ),
    ("Lederjacke über einem grauen T-Shirt", "leather jacket, grey t-shirt", "leather jacket, inner grey"),
    ("schwarz-weiß gestreiftes Hemd", "black/white striped shirt", "shirt, main black striped"),
    ("Frau mit langen roten Haaren in einem blauen Kleid", "blue dress, long red hair", "dress, main blue"),
    ("Anzug ohne Krawatte, Hände in den Taschen", "suit, hands in pockets, no tie", "suit, no tie"),
    ("ein Mann, der ein Schild hält", "holding a sign", ""),
    ("blaue Jeans und weiße Turnschuhe", "blue jeans, white sneakers", ""),
    (
        "hombre con traje azul marino y corbata roja, brazos cruzados",
        "navy suit, red tie, arms crossed",
        "suit, main navy, tie red",
    ),
    ("camisa blanca con rayas rojas", "white/red striped shirt", "shirt, main white striped"),
    ("mujer con el pelo largo y rojo, vestido azul", "blue dress, long red hair", "dress, main blue"),
    ("sosteniendo un cartel", "holding a sign", ""),
    ("sentado en un banco del parque", "sitting on a bench", ""),
    ("vaqueros azules y botas negras", "blue jeans, black boots", ""),
    (
        "costume bleu marine avec une cravate rouge, bras croisés",
        "navy suit, red tie, arms crossed",
        "suit, main navy, tie red",
    ),
    ("chemise à rayures noires et blanches", "black/white striped shirt", "shirt, main black striped"),
    (
        "veste en cuir noir sur un t-shirt gris",
        "black leather jacket, grey t-shirt",
        "leather jacket, main black leather, inner grey",
    ),
    ("femme aux cheveux blonds courts, robe rouge", "red dress, short blonde hair", "dress, main red"),
    ("tenant une pancarte", "holding a sign", ""),
    (
        "femme en robe longue noire à épaules nues",
        "off-shoulder black dress",
        "dress, main black",
    ),
    (
        "hombre con sombrero vaquero negro y camisa de cuadros rojos",
        "red checked shirt, cowboy black hat",
        "shirt, main red checked",
    ),
    ("Frau im schwarzen Abendkleid mit Perlenkette", "black evening dress, pearl necklace", "evening dress, pearls"),
    ("pull à col en V, pantalon gris", "v-neck sweater, grey trousers", "sweater, trousers grey, neck v"),
    (
        "homem de terno azul marinho com gravata vermelha, braços cruzados",
        "navy suit, red tie, arms crossed",
        "suit, main navy, tie red",
    ),
    (
        "mulher de cabelo ruivo comprido, vestido de seda verde",
        "green silk dress, long ginger hair",
        "dress, main green silk",
    ),
    ("camisa xadrez vermelha e preta", "red/black checked shirt", "shirt, main red checked"),
    ("segurando uma placa", "holding a sign", ""),
    ("calça jeans e tênis branco", "jeans, white sneakers", ""),
    (
        "uomo in completo blu con cravatta rossa, braccia conserte",
        "blue suit, red tie, arms crossed",
        "suit, main blue, tie red",
    ),
    ("donna con capelli lunghi rossi e vestito verde", "green dress, long ginger hair", "dress, main green"),
    ("camicia bianca a righe blu", "white/blue striped shirt", "shirt, main white striped"),
    (
        "maglione con scollo a V, jeans e stivali",
        "v-neck sweater, jeans, boots",
        "sweater, trousers denim, shoes leather, neck v",
    ),
    ("seduto su una panchina", "sitting on a bench", ""),
    ("紺のスーツに赤いネクタイ、腕組み", "navy suit, red tie, arms crossed", "suit, main navy, tie red"),
    ("革ジャンとグレーのTシャツ", "leather jacket, grey t-shirt", "leather jacket, main leather, inner grey"),
    ("赤と黒のチェックのシャツ", "red/black checked shirt", "shirt, main red checked"),
    ("長い赤い髪の女性", "long red hair", ""),
    ("ジーンズと白いスニーカー", "jeans, white sneakers", ""),
    ("看板を持っている男性", "holding a sign", ""),
    ("ベンチに座っている", "sitting on a bench", ""),
    ("コーヒーを飲んでいる女性", "holding a cup", ""),
    ("ノーネクタイのスーツ", "suit, no tie", "suit, no tie"),

]
# fmt: on


@pytest.mark.parametrize(("prompt", "said", "worn"), TABLE, ids=[row[0] for row in TABLE])
def test_what_is_read_and_worn(prompt: str, said: str, worn: str) -> None:
    assert _said(read(prompt)) == said
    outfit, _ = _chosen(prompt)
    if not worn:
        assert outfit is None
        return
    assert outfit is not None
    garment, *pieces = worn.split(", ")
    assert outfit.garment == garment
    cloths = {"main": outfit.main, **outfit.parts}
    roles = sorted(cloths, key=len, reverse=True)
    for piece in pieces:
        if piece.startswith("no "):
            assert piece.removeprefix("no ") in outfit.without
            assert piece.removeprefix("no ") not in outfit.parts
        elif piece.startswith("neck "):
            assert outfit.neck == piece.removeprefix("neck ")
        else:
            role = next(role for role in roles if piece == role or piece.startswith(f"{role} "))
            _is_of(cloths[role], piece.removeprefix(role).strip())


def _is_of(cloth: Cloth, words: str) -> None:
    names = sorted(colours.names(), key=len, reverse=True)
    colour = next((n for n in names if f"{words} ".startswith(f"{n} ")), None)
    if colour:
        assert cloth.colour == colours.hex_of(colour)
        words = words[len(colour) :].strip()
    for known, value in ((ids("pattern"), cloth.pattern), (ids("fabric"), cloth.fabric)):
        for word in known:
            if word in words:
                assert value == word
                words = words.replace(word, "").strip()
    assert words == ""


def test_a_second_colour_is_that_of_the_pattern() -> None:
    for prompt, pattern, first, second in [
        ("a black and white striped shirt", "striped", "black", "white"),
        ("a blue dress with white polka dots", "polka dot", "blue", "white"),
        ("a red and green plaid shirt", "plaid", "red", "green"),
        ("a red and blue t-shirt", "striped", "red", "blue"),
        ("navy and cream argyle sweater", "argyle", "navy", "cream"),
    ]:
        outfit, _ = _chosen(prompt)
        assert outfit is not None
        main = outfit.main
        assert (main.pattern, main.colour, main.second) == (pattern, colours.hex_of(first), colours.hex_of(second))


@pytest.mark.parametrize(
    ("prompt", "garment", "warning"),
    [
        ("a suit, a kimono and armour", "suit", "not portrayed: kimono; the suit is worn, and only one outer garment"),
        ("a kimono over armour", "kimono", "not portrayed: armour; the kimono is worn, and only one outer garment"),
        ("wearing a T-shirt and a spacesuit", "spacesuit", "not portrayed: T-shirt; the spacesuit covers it"),
        ("a coat and a parka", "coat", "not portrayed: parka; the coat is worn, and only one outer garment"),
        ("a red suit and later a blue suit", "suit", "not portrayed: also: blue suit"),
        ("a red blue suit", "suit", "not portrayed: also: blue"),
        ("navy suit, dressed in white", "suit", "not portrayed: white; the suit is navy"),
        ("a tie and a T-shirt", "t-shirt", "not portrayed: tie; the T-shirt has no place for it"),
        ("off-shoulder suit", "suit", "not portrayed: off-shoulder; the suit has its own neck"),
        ("suit, turtleneck", "suit", "not portrayed: turtleneck; what shows under the suit is of its cloth"),
        ("a suit and blue jeans", "suit", "not portrayed: blue jeans; the picture does not reach there"),
    ],
)  # fmt: skip
def test_of_what_contradicts_one_is_chosen_and_said(prompt: str, garment: str, warning: str) -> None:
    outfit, warnings = _chosen(prompt)
    assert outfit is not None
    assert outfit.garment == garment
    assert warning in warnings


@pytest.mark.parametrize(
    "prompt",
    [
        "a leather jacket over a grey T-shirt", "a trench coat and a scarf", "a suit with a white shirt and a red tie",
        "a T-shirt under a denim jacket", "a blazer with a shirt", "a lab coat over a blue shirt",
        "a red dress, pearl necklace", "no tie, navy suit", "tuxedo without a bow tie",
    ],
)  # fmt: skip
def test_layers_are_no_contradiction(prompt: str) -> None:
    outfit, warnings = _chosen(prompt)
    assert outfit is not None
    assert warnings == []


def test_five_hundred_words_of_outfits_give_one_outfit_and_a_list_that_can_be_read() -> None:
    rng = random.Random(5)
    words = [
        words
        for kind in ("garment", "accessory", "lower", "colour", "pattern", "fabric", "hair", "pose")
        for listed in entries("en")[kind].values()
        for entry in listed
        for words in expand(split_mark(entry)[0])[:2]
        if words
    ]
    for join in (" ", ", ", " and "):
        prompt = "wearing " + join.join(rng.choice(words) for _ in range(500))
        plan, notes = read(prompt), Notes()
        outfit = choose(plan, SEED, notes)
        assert outfit is not None
        assert outfit.garment in data.garments()
        assert len(unworn(plan, outfit)) < 80
        assert len(notes.warnings) < 80
    sentences = unworn(read(", ".join(f"fooblarg{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(200))), None)
    assert len(sentences) == 31
    assert sentences[-1] == "not portrayed: 170 more words that stand for nothing here"


@pytest.mark.parametrize(
    ("phrase", "near"),
    [
        ("sombrero", "a hat"),
        ("a big black sombrero", "a hat"),
        ("monocle", "glasses"),
        ("bikini", "a T-shirt"),
        ("poncho", "a coat"),
        ("kneeling", "sitting on a chair"),
        ("lying", "sitting on a chair"),
        ("torch", "holding a cup"),
        ("kitchen knife", "holding a sign"),
        ("bouquet of roses", "holding a cup"),
        ("thumbs up", "waving"),
        ("sweter", "a sweater"),
        ("kimno", "a kimono"),
        ("ponytail", "long hair"),
        ("dragon", None),
        ("burning city", None),
        ("also: beach", None),
        ("", None),
        ("x" * 500, None),
    ],
)
def test_the_nearest_thing_that_is_offered(phrase: str, near: str | None) -> None:
    assert nearest(phrase) == near


@pytest.mark.parametrize(
    ("prompt", "warning"),
    [
        ("a black sombrero", "not portrayed: black sombrero; the nearest is a hat"),
        ("kneeling in a church", "not portrayed: kneeling; the nearest is sitting on a chair"),
        ("holding a torch", "not portrayed: torch; the nearest is holding a cup"),
        ("riding a dragon", "not portrayed: dragon"),
        ("wearing a bikini", "not portrayed: bikini; the nearest is a T-shirt"),
        ("sitting on the floor", "not portrayed: sitting on the floor; the nearest is sitting on a chair"),
    ],
)
def test_what_is_not_offered_is_said_with_the_nearest(prompt: str, warning: str) -> None:
    assert warning in _chosen(prompt)[1]


def test_nothing_is_put_on_by_colour_alone() -> None:
    for prompt in (
        "portrait",
        "dressed in white",
        "a red outfit",
        "red and black plaid clothes",
        "blue jeans",
        "a hat",
    ):
        assert _chosen(prompt)[0] is None


def test_the_seed_chooses_what_the_words_leave_open_and_nothing_else() -> None:
    chosen = {seed: _chosen("a suit with a red tie", seed)[0] for seed in range(12)}
    assert chosen[0] == _chosen("a suit with a red tie", 0)[0]
    outfits = [outfit for outfit in chosen.values() if outfit]
    assert len({outfit.main.colour for outfit in outfits}) > 1
    assert {outfit.parts["tie"].colour for outfit in outfits} == {colours.hex_of("red")}
    assert [outfit.seed for outfit in outfits] == list(range(12))
    with_more = [_chosen("a suit with a red tie, black shoes and a belt", seed)[0] for seed in range(12)]
    assert [o.main for o in with_more if o] == [o.main for o in outfits]


def test_things_and_hair() -> None:
    plan = read("round gold glasses, a black cowboy hat, pearl earrings, a red tie and a scarf")
    assert things(plan) == (
        Thing("glasses", colours.hex_of("gold"), cut="round"),
        Thing("hat", colours.hex_of("black"), cut="cowboy"),
        Thing("earrings", colours.hex_of("ivory"), fabric="pearl"),
    )
    assert read("long red hair").hair == HairWords(colour="red", length="long")
    for prompt, colour, length in [
        ("long red hair", table()["hair"]["red"], "long"),
        ("hair dyed red", colours.hex_of("scarlet"), None),
        ("pink hair", colours.hex_of("pink"), None),
        ("short hair", None, "short"),
    ]:
        found = hair(read(prompt))
        assert found is not None
        assert (found.colour, found.length) == (colour, length)
    assert hair(read("beautiful hair, a hat")) is None


def test_a_whole_body_shows_what_is_worn_below() -> None:
    plan = read("black jeans, white sneakers and a brown belt, walking")
    parts = below(plan, SEED)
    assert parts["trousers"] == parts["jeans"] == Cloth(colours.hex_of("black"), "denim")
    assert parts["shoes"].colour == colours.hex_of("white")
    assert parts["belt"].colour == colours.hex_of("brown")
    assert unworn(plan, None, figure=True) == []
    own = Outfit("sweater", Cloth("#808080", "knit"))
    assert dyed(plan, own, SEED).parts["shoes"] == parts["shoes"]
    assert dyed(read("dressed in red"), own, SEED).main == Cloth(colours.hex_of("red"), "knit")
    assert unworn(read("wearing shorts"), None, figure=True) == [
        "not portrayed: shorts; trousers of that cloth are worn"
    ]


@pytest.mark.parametrize("kind", ["garment", "accessory", "lower", "pose", "pattern", "fabric", "colour", "cut"])
def test_every_entry_is_reached_by_its_name_and_its_first_synonym(kind: str) -> None:
    wrong = []
    for id_, listed in entries("en")[kind].items():
        if not id_:
            continue
        synonyms = [words for entry in listed for words in expand(split_mark(entry)[0]) if words and words != id_]
        for words in (id_, *synonyms[:1]):
            shown = {"pattern": f"a {words} shirt", "fabric": f"a {words} shirt", "colour": f"a {words} shirt"}
            nouns = ("dress", "hat", "glasses", "earrings") if kind == "cut" else ("",)
            plans = [read(shown.get(kind, f"{words} {noun}".strip())) for noun in nouns]
            worn = [g for plan in plans for g in (*plan.outfit, *plan.accessory_details)]
            found = [g.item for g in worn] if kind in ("garment", "lower", "accessory") else []
            found += [plan.pose for plan in plans] if kind == "pose" else []
            found += [getattr(g, kind) for g in worn] if kind in ("pattern", "fabric", "colour", "cut") else []
            if id_ not in found:
                wrong.append((id_, words, found))
    assert wrong == []


@pytest.mark.parametrize("item", [*ids("garment")])
def test_every_garment_can_be_chosen_plain_coloured_and_patterned(item: str) -> None:
    assert item in table()["garments"]
    for words in (item, f"red {item}", f"red striped {item}", f"{item} with a red scarf and blue jeans"):
        outfit, _ = _chosen(words)
        assert outfit is not None
        assert outfit.garment == item
        if words.startswith("red "):
            assert outfit.main.colour == colours.hex_of("red")
        assert data.build(data.completed(outfit))


def test_the_table_names_what_there_is() -> None:
    fabrics = set(tomllib.loads(resources.files("portrayal.engines.studio.cloth").joinpath("fabrics.toml").read_text()))
    names, known = set(colours.names()), table()
    assert set(known["garments"]) == {*ids("garment"), "scarf"}
    assert set(known["lower"]) == set(ids("lower")) == LOWER
    assert set(known["necks"]) | set(known["looks"]) | set(known["under"])
    assert set(known["necks"]) <= set(ids("cut"))
    assert {*known["under"], *(item for listed in known["looks"].values() for item in listed)} <= set(ids("garment"))
    assert set(ids("fabric")) <= fabrics | set(known["materials"])
    for entry in (*known["parts"].values(), *known["lower"].values(), *known["materials"].values()):
        assert entry["fabric"] in fabrics
    for entry in known["garments"].values():
        listed = [*entry.get("colours", ()), *(c for part in entry.get("parts", {}).values() for c in part)]
        assert {c for c in listed if not re.fullmatch("#[0-9a-f]{6}", c)} <= names
    assert set(ids("shade")) <= set(known["hair"])
    for usual in known["parts"].values():
        assert usual["with"] in known["garments"]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_clothes_things_hair_and_poses(language: str) -> None:
    table_ = entries(language)
    for kind, missing in [
        ("garment", {"toga", "polo", "sari", "superhero", "high-visibility vest"}),
        ("accessory", set()),
        ("lower", set()),
        ("pose", set()),
        ("shade", {"platinum", "auburn", "dark", "black", "white", "brown"}),
        ("length", set()),
    ]:
        assert set(ids(kind)) - set(table_[kind]) <= missing, kind


@pytest.mark.parametrize(
    "piece", ["holding a ", "long red hair ", "sitting on a ", "red and ", "V-neck ", "持って看板"]
)
def test_work_grows_with_length_not_faster(piece: str) -> None:
    def calls(length: int) -> int:
        count = 0

        def tick(*_: object) -> None:
            nonlocal count
            count += 1

        text = (piece * length)[:length]
        read(text)
        sys.setprofile(tick)
        try:
            plan = read(text)
            unworn(plan, choose(plan, SEED, Notes()))
        finally:
            sys.setprofile(None)
        return count

    assert calls(4000) <= 15 * calls(400) + 2000


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("an oversized coat", ("oversized",)),
        ("a double-breasted navy suit", ("double-breasted",)),
        ("a ripped denim jacket", ("ripped",)),
        ("a belted trench coat and a hooded parka", ()),
        ("no oversized coat", ()),
        ("a frilly red dress", ("frilly",)),
        ("a suit, no suit", ("suit (also excluded)",)),
        ("a hat, no hat", ("hat (also excluded)",)),
        ("jumping, not jumping", ("jumping (also excluded)",)),
    ],
)
def test_shapes_and_contradictions_are_told(prompt: str, unknown: tuple[str, ...]) -> None:
    assert read(prompt).unknown == unknown


@pytest.mark.parametrize("adjective", ["tight", "loose", "frilly"])
def test_an_adjective_takes_no_colour_away(adjective: str) -> None:
    (garment,) = read(f"a {adjective} red linen dress").outfit
    assert (garment.item, garment.colour, garment.fabric) == ("dress", "red", "linen")
