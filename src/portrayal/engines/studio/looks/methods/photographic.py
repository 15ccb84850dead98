"""Methods of the photographic looks: film, prints, glow, what is behind, glass."""

from __future__ import annotations

from typing import Final

from portrayal.engines.studio.looks.canvas import Method
from portrayal.engines.studio.looks.methods import behind, film, glass, glow, prints

METHODS: Final[dict[str, Method]] = {
    "grade": film.grade,
    "monochrome": film.monochrome,
    "grain": film.grain,
    "bloom": film.bloom,
    "vignette": film.vignette,
    "leaks": film.leaks,
    "mottle": film.mottle,
    "flash": film.flash,
    "frame": prints.frame,
    "bars": prints.bars,
    "dust": prints.dust,
    "date": prints.date,
    "page": prints.page,
    "washi": prints.washi,
    "aura": glow.aura,
    "rim": glow.rim,
    "flare": glow.flare,
    "shafts": glow.shafts,
    "bokeh": glow.bokeh,
    "stars": glow.stars,
    "neon": glow.neon,
    "leaves": glow.leaves,
    "backdrop": behind.backdrop,
    "motion": behind.motion,
    "zoom": behind.zoom,
    "trails": behind.trails,
    "lasers": behind.lasers,
    "double": behind.double,
    "room": behind.room,
    "prism": glass.prism,
}
