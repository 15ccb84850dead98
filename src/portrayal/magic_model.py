"""Magic prompt by a language model at any server that speaks OpenAI's chat format; without one, the built-in writer.

The model sees the prompt and the negative prompt and nothing else. What it answers is checked before it is used: it may
add, but not change or take away. Whatever goes wrong, the built-in writer (`portrayal.prompting.magic`) takes its place
and a warning says why. The key goes into one header and nowhere else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from portrayal.errors import PolicyError
from portrayal.prompting import text as texts
from portrayal.prompting.magic import MAX_PROMPT, MENTION, RICH, Magic, Mode, check_mode, enrich, leaves_open
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.reader import read
from portrayal.settings import Settings

if TYPE_CHECKING:
    import httpx2

_MOST_BYTES: Final = 262_144
_TOKENS: Final = 500
_RULES: Final = (
    "You make short prompts for pictures of one person richer. Answer with the new prompt alone, one paragraph of at "
    "most 80 words, in the language of the prompt. Keep everything that the prompt says: the person, the clothes, the "
    "pose, the place, the style. Keep words in quotation marks verbatim, with their quotation marks, and put no others "
    "into quotation marks. Keep names that begin with @ as they are. Add what is left open: place, time of day, light, "
    "weather, expression, camera. Name no real people and no artists. Say what is to be seen, never what is not."
)
# What the user says of these stays as it is read.
_KEPT: Final = ("setting", "pose", "framing", "look", "hair")


class _BadAnswer(Exception):  # noqa: N818 - never leaves this module
    """Why an answer cannot be used."""


def rewrite(
    prompt: str,
    mode: str,
    seed: int,
    negative: str = "",
    settings: Settings | None = None,
    given: Collection[str] = (),
    judge: Callable[[str], None] | None = None,
) -> Magic:
    """A richer prompt, by the language model of the settings or by the built-in writer.

    Args:
        prompt, negative: of the request.
        mode: "auto", "on" or "off"; see `enrich`.
        seed: of the first picture. It is passed to the model; whether that heeds it is its own business.
        settings: of this installation; `magic_prompt_url` names the server.
        given: kinds of which the built-in writer adds nothing, see `enrich`.
        judge: called with what the model wrote; a `PolicyError` keeps it from being used.

    Raises:
        InvalidRequestError: `mode` is none.
    """
    settings = settings or Settings()
    known: Mode = check_mode(mode)
    if known == "off" or not prompt.strip() or len(prompt) > RICH or not settings.magic_prompt_url:
        return enrich(prompt, mode=known, seed=seed, negative=negative, given=given)
    before = read(prompt, negative)
    if known == "auto" and not leaves_open(before):
        return Magic(prompt)
    try:
        answer = _checked(_asked(prompt, negative, seed, settings), prompt, negative, before)
        _judged(answer, judge)
    except _BadAnswer as why:
        built_in = enrich(prompt, mode=known, seed=seed, negative=negative, given=given)
        warning = f"magic prompt: the language model {why}; the built-in one was used"
        return Magic(built_in.prompt, built_in.added, built_in.by, (warning,))
    return Magic(answer, by=settings.magic_prompt_model or "language model")


def _judged(answer: str, judge: Callable[[str], None] | None) -> None:
    try:
        if judge is not None:
            judge(answer)
    except PolicyError:
        raise _BadAnswer("wrote what the policy refuses") from None


def _asked(prompt: str, negative: str, seed: int, settings: Settings) -> str:
    """What the model answers. Redirects are not followed: the key is for one server."""
    import httpx2  # only who uses a language model waits for it

    address = settings.magic_prompt_url.rstrip("/")
    address = address if address.endswith("/chat/completions") else f"{address}/chat/completions"
    asked = prompt if not negative.strip() else f"{prompt}\n\nNot in the picture: {negative}"
    body = {
        "model": settings.magic_prompt_model,
        "messages": [{"role": "system", "content": _RULES}, {"role": "user", "content": asked}],
        "seed": seed,
        "max_tokens": _TOKENS,
        "stream": False,
    }
    key = settings.magic_prompt_key.get_secret_value() if settings.magic_prompt_key else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    seconds = settings.magic_prompt_timeout
    late = _BadAnswer(f"did not answer within {seconds:g} seconds")
    until = time.monotonic() + seconds
    try:
        with (
            httpx2.Client(timeout=seconds, follow_redirects=False) as client,
            client.stream("POST", address, json=body, headers=headers) as response,
        ):
            if response.status_code != 200:
                raise _BadAnswer(f"answered with status {response.status_code}")
            data = _received(response, until, late)
    except httpx2.TimeoutException:
        raise late from None
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ValueError):
        raise _BadAnswer("could not be reached") from None  # what the library says may hold the address
    return _content(data)


def _received(response: httpx2.Response, until: float, late: _BadAnswer) -> bytes:
    """The body, while it is small and comes in time."""
    data = b""
    for piece in response.iter_bytes():
        data += piece
        if len(data) > _MOST_BYTES:
            raise _BadAnswer("answered with too much")
        if time.monotonic() > until:
            raise late
    return data


def _content(data: bytes) -> str:
    try:
        found: Any = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise _BadAnswer("answered with something else than a chat message") from None
    if not isinstance(found, str):
        raise _BadAnswer("answered with something else than a chat message")
    return found


def _checked(answer: str, prompt: str, negative: str, before: ScenePlan) -> str:
    """An answer as a prompt, if it keeps to the rules."""
    answer = texts.clean(" ".join(answer.replace("\x00", " ").split()))
    if not answer:
        raise _BadAnswer("answered with nothing")
    if len(answer) > MAX_PROMPT:
        raise _BadAnswer(f"answered with more than {MAX_PROMPT} characters")
    lettering = texts.take_lettering(prompt)[1]
    if texts.take_lettering(answer)[1] == (answer.strip("\"'“”„«»"),) and not lettering:
        answer = answer.strip("\"'“”„«»")  # the whole answer in quotation marks is no lettering
    if sorted(texts.take_lettering(answer)[1]) != sorted(lettering):
        raise _BadAnswer("changed the words in quotation marks")
    if set(MENTION.findall(answer)) != set(MENTION.findall(prompt)):
        raise _BadAnswer("changed the names of characters")
    after = read(answer, negative)
    if any(note.endswith("(also excluded)") for note in set(after.unknown) - set(before.unknown)):
        raise _BadAnswer("put in what the negative prompt excludes")
    if {(u.kind, u.value) for u in after.negative} - {(u.kind, u.value) for u in before.negative}:
        raise _BadAnswer("said what shall not be in the picture")
    if _changed(before, after):
        raise _BadAnswer("changed what the prompt says")
    return answer


def _changed(before: ScenePlan, after: ScenePlan) -> bool:
    """Whether something that was said is another thing now, or gone."""
    if any(getattr(before, name) not in (None, getattr(after, name)) for name in _KEPT):
        return True
    worn = [{(g.item, g.colour) for g in plan.outfit if g.item} for plan in (before, after)]
    return bool(
        worn[0] - worn[1]
        or (worn[0] and len(worn[1]) > len(worn[0]))
        or set(before.accessories) - set(after.accessories)
    )
