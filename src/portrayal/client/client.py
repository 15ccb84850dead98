"""The client: one method per operation, with the arguments of the package's own functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx2

from portrayal.client.models import Job
from portrayal.client.resources import Characters, Files, Given, Portrayals, Show
from portrayal.client.transport import ServerError, Transport
from portrayal.description.model import Description
from portrayal.errors import ImageReadError, InvalidRequestError, PolicyError, PortrayalError

if TYPE_CHECKING:
    from portrayal.result import Picture, Portrayal

References: TypeAlias = Given | Sequence[Given]
"""Who shall be in the picture: a picture, ``"@name"`` of a character that the server has, or several of these."""
_SAME: Final = ("seed", "width", "height", "identity", "cast", "did", "mask_box", "warnings", "timings", "facts")


class Client:
    """A Portrayal server.

    Args:
        server: its address.
        key: an API key, where one is needed.
        timeout: seconds for one answer; waiting for pictures has no limit of its own.
        http: an `httpx2.Client` to use, e.g. with a proxy or certificates.

    Attributes:
        files, characters, portrayals: what the server keeps.
    """

    def __init__(
        self, server: str, key: str | None = None, *, timeout: float = 60.0, http: httpx2.Client | None = None
    ) -> None:
        self._transport = Transport(server, key, timeout, http)
        self.files = Files(self._transport)
        self.characters = Characters(self._transport, self.files)
        self.portrayals = Portrayals(self._transport)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The operations.

    def generate(
        self,
        reference: References,
        prompt: str,
        *,
        mask: Given | None = None,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """New pictures of a character; see `portrayal.generate`.

        Args:
            reference: who; may be empty when the prompt mentions saved characters.
            options: size or aspect_ratio, and any other field of the operation (see /docs of the server).

        Raises:
            PortrayalError: as the server says. When you stop waiting with Ctrl-C, the portrayal is canceled.
        """
        body = {"prompt": prompt, **self._styles(options), **self._who(reference, mask, "mask")}
        styles = options.get("style_references")
        return self._made("generate", body, output, force, progress, self._paths(reference, mask, styles))

    def edit(
        self,
        image: Given,
        prompt: str = "",
        *,
        reference: References = (),
        reference_mask: Given | None = None,
        mask: Given | None = None,
        save_mask: str | Path | None = None,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """Put the character under the mask of a picture, or fill or change what is there; see `portrayal.edit`."""
        body = {"prompt": prompt, **options, **self._who(reference, reference_mask, "reference_mask")}
        body |= self._pictures(image=image, mask=mask)
        inputs = self._paths(reference, reference_mask, image, mask)
        target = None if save_mask is None else _mask_file(Path(save_mask), output, force, inputs)
        return self._made("edit", body, output, force, progress, inputs, target)

    def remix(
        self,
        image: Given,
        prompt: str = "",
        *,
        reference: References = (),
        reference_mask: Given | None = None,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """A new picture of the character after an inspiration; see `portrayal.remix`."""
        body = {"prompt": prompt, **self._styles(options), **self._who(reference, reference_mask, "reference_mask")}
        body |= self._pictures(image=image)
        inputs = self._paths(reference, reference_mask, image, options.get("style_references"))
        return self._made("remix", body, output, force, progress, inputs)

    def reframe(
        self,
        image: Given,
        *,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """The picture in another size or ratio; see `portrayal.reframe`."""
        body = {**options, **self._pictures(image=image)}
        return self._made("reframe", body, output, force, progress, self._paths(image))

    def replace_background(
        self,
        image: Given,
        prompt: str = "",
        *,
        background: Given | None = None,
        mask: Given | None = None,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """The same people somewhere else; see `portrayal.replace_background`."""
        body = {"prompt": prompt, **options, **self._pictures(image=image, background=background, mask=mask)}
        inputs = self._paths(image, background, mask)
        return self._made("replace-background", body, output, force, progress, inputs)

    def remove_background(
        self,
        image: Given,
        *,
        mask: Given | None = None,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """Cut out the people, or the subject; see `portrayal.remove_background`."""
        body = {**options, **self._pictures(image=image, mask=mask)}
        return self._made("remove-background", body, output, force, progress, self._paths(image, mask))

    def upscale(
        self,
        image: Given,
        factor: int = 2,
        *,
        output: str | Path | None = None,
        force: bool = False,
        progress: Show | None = None,
        **options: Any,
    ) -> Portrayal:
        """Enlarge a picture 2 or 4 times."""
        body = {"factor": factor, **options, **self._pictures(image=image)}
        return self._made("upscale", body, output, force, progress, self._paths(image))

    def describe(self, image: Given) -> Description:
        """A prompt that leads back to such a picture, and the style code nearest to it."""
        body = {"image": self.files.address(image, "image")}
        return Description.model_validate(self._transport.call("POST", "/describe", json=body))

    def result(self, job: Job) -> Portrayal:
        """A finished portrayal with the bytes of its pictures, as the package's own functions give it.

        Raises:
            PortrayalError: it failed or was canceled.
        """
        from portrayal.result import Portrayal

        if job.state != "succeeded":
            raise _failure(job)
        kept = ("version", "engine", "language", "understood", "unknown", "timings")
        return Portrayal(
            operation=job.operation,
            prompt=str(job.order.get("prompt", "")),
            pictures=tuple(self._picture(job, position) for position in range(len(job.pictures))),
            warnings=job.warnings,
            **{name: job.result[name] for name in kept if name in job.result},
        )

    # What there is to choose from.

    def styles(self) -> dict[str, Any]:
        """Style types, presets and palettes."""
        return dict(self._transport.call("GET", "/styles"))

    def templates(self) -> list[dict[str, Any]]:
        """Prompts of pictures that people often want."""
        return list(self._transport.call("GET", "/templates")["templates"])

    def sizes(self) -> dict[str, Any]:
        """Ratios, resolutions and presets."""
        return dict(self._transport.call("GET", "/sizes"))

    def limits(self) -> dict[str, Any]:
        """What the server takes."""
        return dict(self._transport.call("GET", "/limits"))

    def me(self) -> dict[str, Any]:
        """Who calls, and what the key may do."""
        return dict(self._transport.call("GET", "/me"))

    def magic_prompt(self, prompt: str) -> dict[str, Any]:
        """What a prompt is understood as."""
        return dict(self._transport.call("POST", "/magic-prompt", json={"prompt": prompt}))

    # Inside.

    def _made(
        self,
        operation: str,
        body: dict[str, Any],
        output: str | Path | None,
        force: bool,
        progress: Show | None,
        inputs: Sequence[Path],
        mask_file: Path | None = None,
    ) -> Portrayal:
        from portrayal import output as files

        body = {name: value for name, value in body.items() if value is not None}
        if isinstance(body.get("size"), tuple):
            body["size"] = "{}x{}".format(*body["size"])
        target = None
        if output is not None:
            target = files.prepare(Path(output), int(body.get("num_images", 1)), force=force, inputs=inputs)
            body.setdefault("output_format", files.FORMATS.get(target.suffix.lower(), "png"))
        filled = {name: value() if callable(value) else value for name, value in body.items()}
        try:
            job = self.portrayals.submit(operation, filled)
            job = self._awaited(job, progress)
            result = self.result(job)
        except PortrayalError as error:
            error.field = _argument(operation, error.field)
            raise
        if target is not None:
            result = files.save(result, target, force=force, inputs=inputs)
        if mask_file is not None and job.pictures and job.pictures[0].mask:
            mask_file.parent.mkdir(parents=True, exist_ok=True)
            mask_file.write_bytes(self.portrayals.mask(job.id))
        return result

    def _awaited(self, job: Job, progress: Show | None) -> Job:
        try:
            return self.portrayals.wait(job.id, progress=progress)
        except KeyboardInterrupt:
            self.portrayals.cancel(job.id)
            raise

    def _picture(self, job: Job, position: int) -> Picture:
        from portrayal.result import Picture

        kept = job.pictures[position]
        same = {name: getattr(kept, name) for name in _SAME}
        data = self.portrayals.picture(job.id, kept.position)
        return Picture(**same, data=data, format=kept.media_type.removeprefix("image/"))  # type: ignore[arg-type]

    def _pictures(self, **given: Given | None) -> dict[str, Callable[[], str] | None]:
        """Pictures that are uploaded only when all else is known to be good."""
        return {
            name: None if picture is None else (lambda p=picture, n=name: self.files.address(p, n))  # type: ignore[misc]
            for name, picture in given.items()
        }

    def _styles(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of which style references are pictures, and a single code or colour is a list of one."""
        body = dict(options)
        for name in ("style_codes", "palette"):
            if isinstance(body.get(name), str):
                body[name] = [body[name]]
        if body.get("style_references"):
            pictures = _listed(body["style_references"])
            body["style_references"] = lambda: [self.files.address(one, "style_references") for one in pictures]
        return body

    def _who(self, reference: References, mask: Given | None, argument: str) -> dict[str, Any]:
        listed = _listed(reference)
        if mask is not None and not listed:
            raise InvalidRequestError(
                "there is no reference that it is the mask of", field=argument, remedy="Give a reference."
            )

        def characters() -> list[dict[str, str]]:
            out = []
            for i, given in enumerate(listed):
                name = isinstance(given, str) and given.startswith("@")
                who = {"name": str(given)} if name else {"image": self.files.address(given, "reference")}
                if i == 0 and mask is not None:
                    who["mask"] = self.files.address(mask, argument)
                out.append(who)
            return out

        return {"characters": characters} if listed else {}

    def _paths(self, *given: References | None) -> list[Path]:
        """The local files among the inputs: an output never replaces them by accident."""
        every = [one for references in given if references is not None for one in _listed(references)]
        return [Path(one) for one in every if isinstance(one, Path) or (isinstance(one, str) and _local(one))]


def _listed(reference: References) -> list[Given]:
    return list(reference) if isinstance(reference, list | tuple) else [reference]  # type: ignore[list-item]


def _local(text: str) -> bool:
    return not text.startswith("@") and not text[:8].lower().startswith(("http://", "https://", "data:"))


def _argument(operation: str, field: str) -> str:
    """The argument of a method that a field of the API comes from."""
    first, _, rest = field.partition(".")
    if first == "characters":
        mask = "mask" if operation == "generate" else "reference_mask"
        return mask if rest.endswith("mask") else "reference"
    if first == "reference_mask" and operation == "generate":
        return "mask"
    return {"output_format": "output"}.get(field, field)


def _mask_file(path: Path, output: str | Path | None, force: bool, inputs: Sequence[Path]) -> Path:
    from portrayal import output as files

    if path.suffix.lower() != ".png":
        raise InvalidRequestError("masks are written as PNG", field="save_mask", remedy="Name a .png file.")
    if output is not None and path.absolute() == Path(output).absolute():
        raise InvalidRequestError("is the output itself", field="save_mask", remedy="Name another file.")
    return files.prepare(path, 1, force=force, inputs=inputs)


def _failure(job: Job) -> PortrayalError:
    """Why there is no result, as the package's own functions would raise it."""
    error = job.error
    if error is None:
        return PortrayalError(f"the portrayal is {job.state}", field="", remedy="Order it again.")
    if error.type == "content_policy":
        return PolicyError(error.message, category="", field=error.field or "prompt", remedy=error.remedy)
    if error.type == "image":
        return ImageReadError(error.message, field=error.field, remedy=error.remedy)
    if error.type == "invalid_request":
        return InvalidRequestError(error.message, field=error.field, remedy=error.remedy)
    return ServerError(error.message, remedy=error.remedy)
