"""What people hold at the lower border of a picture and a matte of people leaves out: a helmet, a bag, a chair."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import uniform_filter

from portrayal.imaging import U8, Bool

_SIDE = 320  # longer side of the look
_FROM = 0.78  # row, as a share of the height, below which things are looked for
_LARGEST = 0.07  # share of the picture; what is larger is a part of the place
_BESIDE = 0.06  # share of the height that may touch a side of the picture
_BINS = (26, 13, 13)  # Lab codes that are one colour
_RARE = 0.004  # share of the place's pixels that have about a colour, under which it is foreign there


def held(image: U8, people: Bool) -> Bool:
    """Things (h, w) that touch both the people and the lower border, in colours that the place beside does not have."""
    h, w = people.shape
    scale = min(1.0, _SIDE / max(h, w))
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    small = np.asarray(cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB), np.uint8)
    body = cv2.resize(people.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    near = cv2.dilate(body.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    for end in (0.93, _FROM):  # what rises high would be taken for a part of the place beside it
        found = _things(small, body, near, round(end * size[1]))
        if found.any():
            break
    wide = cv2.dilate(found, np.ones((9, 9), np.uint8))
    return np.asarray(cv2.resize(wide, (w, h), interpolation=cv2.INTER_NEAREST) > 0)


def _things(small: U8, body: Bool, near: Bool, end: int) -> U8:
    """1 where a thing is in a reduced picture (Lab); `end` is the row down to which the place is looked at."""
    rows = body.shape[0]
    low = round(_FROM * rows)
    place = ~near
    place[: round(0.6 * rows)] = place[end:] = False
    found = np.zeros(body.shape, np.uint8)
    if not body[-2:].any() or place.sum() < 100:
        return found
    index = (small // np.array(_BINS, np.uint8)).astype(np.intp) @ np.array([400, 20, 1])
    counts = np.bincount(index[place], minlength=4000).reshape(10, 20, 20) / float(place.sum())
    # Neighbouring colours count as well.
    foreign = 27 * uniform_filter(counts, 3, mode="constant").ravel()[index] < _RARE
    foreign[:low] = False
    joined = ((foreign & ~body) * np.uint8(255)).astype(np.uint8)
    joined = np.asarray(cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    count, labels = cv2.connectedComponents(joined)
    for i in range(1, count):
        one = labels == i
        sides = max(one[:, 0].sum(), one[:, -1].sum())
        if one[-1].any() and (one & near).any() and one.mean() < _LARGEST and sides < _BESIDE * rows:
            found[one] = 1
    return found
