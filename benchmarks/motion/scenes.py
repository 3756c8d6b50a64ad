"""Scenes with known truth: what moves, when, and what only looks like it.

Every scene begins with ten idle seconds and has long idle parts; most nuisances come with a person
as well, so that a detector cannot win by looking away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.motion.scenery import (
    HEIGHT,
    WIDTH,
    Car,
    Picture,
    Rain,
    Snow,
    Tree,
    Walker,
    as_picture,
    cloud,
    headlights,
    insect,
    room,
    yard,
)

FPS = 15
LENGTH_S = 80.0
#: This much of a figure must be in the picture for it to have to be found.
_VISIBLE = 0.3
Effect = Callable[[Picture, float], None]
Path = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene before noise and coding.

    :param name: unique
    :param night: less light, more noise
    :param kilobit_s: bit rate of its encoding; low ones flicker at key frames
    :param held_out: no threshold was chosen by it
    :param frames: makes the pictures, and says of each how much moves that counts: from 1.0 on it
        must be found, in between it may be, at 0.0 finding it is an error
    :param expected: kinds of scene change that must be reported
    """

    name: str
    night: bool
    kilobit_s: int
    held_out: bool
    frames: Callable[[np.random.Generator], Iterator[tuple[Picture, float]]]
    expected: tuple[str, ...] = ()


@dataclass
class _Plan:
    """A drawn scene: background, things that count, effects behind and before them."""

    background: Callable[[np.random.Generator], Picture] = yard
    actors: tuple[Walker | Car, ...] = ()
    behind: Callable[[np.random.Generator], Effect] | None = None
    before: Callable[[np.random.Generator], Effect] | None = None
    whole: Callable[[np.random.Generator], Callable[[Picture, float], Picture]] | None = None
    still: tuple[tuple[float, float], ...] = field(default=())

    def frames(self, rng: np.random.Generator) -> Iterator[tuple[Picture, float]]:
        background = self.background(rng)
        behind = self.behind(rng) if self.behind else None
        before = self.before(rng) if self.before else None
        whole = self.whole(rng) if self.whole else None
        for number in range(int(LENGTH_S * FPS)):
            time_s = number / FPS
            picture = background.copy()
            if behind:
                behind(picture, time_s)
            seen = max((actor.draw(picture, time_s) for actor in self.actors), default=0.0)
            amount = seen / _VISIBLE
            if any(start <= time_s < end for start, end in self.still):
                amount = min(amount, 0.5)
            if before:
                before(picture, time_s)
            yield (whole(picture, time_s) if whole else picture), amount


def _across(start_s: float, seconds: float, y: float, back: bool = False) -> Path:
    ends = (WIDTH + 40.0, -40.0) if back else (-40.0, WIDTH + 40.0)
    return ((start_s, ends[0], y), (start_s + seconds, ends[1], y))


def _person(start_s: float = 50.0, contrast: float = -55.0, height_px: float = 90.0) -> Walker:
    return Walker(height_px, contrast, _across(start_s, 9.0, 300.0))


def _walks() -> _Plan:
    return _Plan(
        actors=(
            Walker(150, -60, _across(14, 7, 345)),
            Walker(90, 45, _across(40, 8, 300, back=True)),
            Walker(60, -40, _across(65, 9, 250)),
        )
    )


def _far() -> _Plan:
    return _Plan(
        actors=(
            Walker(26, -60, ((15, 312, 160), (27, 330, 185))),
            Walker(30, 55, ((42, 60, 190), (54, 240, 190))),
            Walker(24, -70, ((66, 420, 170), (76, 330, 170))),
        )
    )


def _faint() -> _Plan:
    return _Plan(
        background=room,
        actors=(
            Walker(110, -16, _across(15, 8, 330)),
            Walker(110, 16, _across(40, 8, 320, back=True)),
        ),
    )


def _fast() -> _Plan:
    return _Plan(
        actors=(
            Walker(110, -60, _across(18, 2.2, 320)),
            Walker(80, 50, _across(45, 2.5, 290, back=True)),
        )
    )


def _stand() -> _Plan:
    path = ((14, -30, 320), (19, 300, 320), (41, 300, 320), (46, WIDTH + 40, 320))
    return _Plan(actors=(Walker(120, -60, path),), still=((19.5, 41),))


def _park() -> _Plan:
    path = ((16, -120, 330), (22, 330, 330), (LENGTH_S + 1, 330, 330))
    return _Plan(actors=(Car(190, 210, path),), still=((22.3, LENGTH_S + 1),))


def _crawl() -> _Plan:
    return _Plan(actors=(Walker(60, -35, ((18, 200, 300), (40, 330, 300))),))


def _rain() -> _Plan:
    def effect(rng: np.random.Generator) -> Effect:
        rain = Rain(rng, 260)
        return lambda picture, _: rain.draw(picture)

    return _Plan(actors=(_person(),), before=effect)


def _snow() -> _Plan:
    def effect(rng: np.random.Generator) -> Effect:
        return Snow(rng, 130).draw

    return _Plan(actors=(_person(contrast=-70),), before=effect)


def _tree() -> _Plan:
    def effect(rng: np.random.Generator) -> Effect:
        return Tree(rng).draw

    return _Plan(actors=(_person(),), behind=effect)


def _clouds() -> _Plan:
    def effect(rng: np.random.Generator) -> Effect:
        def draw(picture: Picture, time_s: float) -> None:
            for start_s in (18, 31, 66):
                cloud(picture, time_s, start_s)

        return draw

    return _Plan(actors=(_person(),), before=effect)


def _insects() -> _Plan:
    def effect(rng: np.random.Generator) -> Effect:
        visits = [(start, float(rng.uniform(60, 300))) for start in (14, 22, 29, 37, 68, 75)]

        def draw(picture: Picture, time_s: float) -> None:
            for start_s, row in visits:
                insect(picture, time_s, start_s, row)

        return draw

    return _Plan(actors=(_person(),), before=effect)


def _headlights() -> _Plan:
    def effect(rng: np.random.Generator) -> Effect:
        def draw(picture: Picture, time_s: float) -> None:
            for start_s in (17, 30, 68):
                headlights(picture, time_s, start_s)

        return draw

    return _Plan(actors=(_person(contrast=60),), before=effect)


def _lamp() -> _Plan:
    """A lamp that lights one side of a room more than the other, twice, and exposure after it."""
    gain = 0.6 + 0.9 * np.exp(-(((np.arange(WIDTH) - 150) / 260.0) ** 2)).astype(np.float32)

    def whole(_: np.random.Generator) -> Callable[[Picture, float], Picture]:
        def apply(picture: Picture, time_s: float) -> Picture:
            for on_s, off_s in ((20, 34), (64, 99)):
                if on_s <= time_s < off_s:
                    exposed = 0.8 + 0.2 * np.exp(-(time_s - on_s) / 0.6)
                    return np.clip(picture * gain * np.float32(exposed), 0, 255)
            return picture * np.float32(0.7)

        return apply

    return _Plan(background=room, actors=(_person(contrast=-70),), whole=whole)


def _infrared() -> _Plan:
    """The cut filter moves out at 25 s: dark, then another tone for every material."""

    def whole(rng: np.random.Generator) -> Callable[[Picture, float], Picture]:
        coarse = rng.uniform(0.6, 1.4, (9, 16)).astype(np.float32)
        tone = as_picture(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))

        def apply(picture: Picture, time_s: float) -> Picture:
            if time_s < 25:
                return picture
            rise = np.float32(1 - 0.7 * np.exp(-(time_s - 25) / 0.7))
            return as_picture(np.clip(picture * tone * rise, 0, 255))

        return apply

    return _Plan(actors=(_person(),), whole=whole)


def _exposure() -> _Plan:
    """Somebody bright and near; the camera darkens the whole picture by a fifth."""

    def whole(_: np.random.Generator) -> Callable[[Picture, float], Picture]:
        def apply(picture: Picture, time_s: float) -> Picture:
            part = np.clip(min(time_s - 17, 25 - time_s) / 1.5, 0, 1)
            return picture * np.float32(1 - 0.2 * part)

        return apply

    return _Plan(actors=(Walker(300, 90, _across(16, 8, 400)), _person()), whole=whole)


def _shake() -> _Plan:
    """A mast in the wind: the whole picture moves by up to a pixel."""

    def whole(rng: np.random.Generator) -> Callable[[Picture, float], Picture]:
        def apply(picture: Picture, time_s: float) -> Picture:
            x = np.sin(2 * np.pi * 1.7 * time_s) * 0.8 + rng.normal(0, 0.2)
            y = np.sin(2 * np.pi * 2.3 * time_s) * 0.5
            shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
            size = (WIDTH, HEIGHT)
            return as_picture(cv2.warpAffine(picture, shift, size, borderMode=cv2.BORDER_REFLECT))

        return apply

    return _Plan(actors=(_person(),), whole=whole)


def _tamper() -> _Plan:
    """The view is turned at 25 s, the lens covered from 45 to 60 s."""

    def whole(rng: np.random.Generator) -> Callable[[Picture, float], Picture]:
        other = yard(rng)

        def apply(picture: Picture, time_s: float) -> Picture:
            if 25 <= time_s < 27:
                return np.roll(picture, int((time_s - 25) * 150), axis=1)
            if 45 <= time_s < 60:
                return np.full_like(picture, 35.0)
            return other if time_s >= 27 else picture

        return apply

    return _Plan(whole=whole)


def _idle() -> _Plan:
    return _Plan()


def drawn_scenes() -> list[Scene]:
    """All scenes that need no footage."""

    def scene(
        name: str,
        plan: _Plan,
        night: bool = False,
        kilobit_s: int = 512,
        held_out: bool = False,
        expected: tuple[str, ...] = (),
    ) -> Scene:
        return Scene(name, night, kilobit_s, held_out, plan.frames, expected)

    return [
        scene("walk day", _walks()),
        scene("walk night", _walks(), night=True, kilobit_s=256),
        scene("far day", _far()),
        scene("far night", _far(), night=True),
        scene("faint day", _faint()),
        scene("faint night", _faint(), night=True, kilobit_s=256, held_out=True),
        scene("fast day", _fast()),
        scene("fast night", _fast(), night=True, kilobit_s=256, held_out=True),
        scene("stand and leave", _stand()),
        scene("park", _park(), kilobit_s=256),
        scene("crawl", _crawl(), held_out=True),
        scene("rain day", _rain()),
        scene("rain night", _rain(), night=True, kilobit_s=256, held_out=True),
        scene("snow", _snow()),
        scene("tree", _tree()),
        scene("clouds", _clouds()),
        scene("insects night", _insects(), night=True),
        scene("headlights night", _headlights(), night=True, held_out=True),
        scene("lamp", _lamp(), expected=("light_change",)),
        scene("infrared", _infrared(), expected=("light_change",)),
        scene("exposure", _exposure()),
        scene("shake", _shake(), held_out=True),
        scene("tamper", _tamper(), expected=("view_changed", "camera_covered")),
        scene("idle night 96k", _idle(), night=True, kilobit_s=96),
        scene("idle day 96k", _idle(), kilobit_s=96, held_out=True),
    ]
