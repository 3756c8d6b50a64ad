"""The estimate of noise per block."""

from __future__ import annotations

import numpy as np

from vigilar_motion.noise import NoiseMap

SHAPE = (9, 12)
NOTHING = np.zeros(SHAPE, np.bool_)


def learn(noise: NoiseMap, deviation: float, seconds: float, moving: object = NOTHING) -> None:
    rng = np.random.default_rng(0)
    for _ in range(int(seconds * 5)):
        sample = np.abs(rng.normal(0, deviation, SHAPE)).astype(np.float32)
        noise.learn(sample, noise.deviation * 5, np.asarray(moving, np.bool_), 0.2)


def test_it_finds_the_deviation() -> None:
    noise = NoiseMap(SHAPE)
    learn(noise, 6.0, 120.0)
    assert abs(float(np.median(noise.deviation)) - 6.0) < 0.8


def test_one_outlier_moves_it_little() -> None:
    noise = NoiseMap(SHAPE)
    learn(noise, 2.0, 60.0)
    before = noise.deviation.copy()
    noise.learn(np.full(SHAPE, 200.0, np.float32), before * 5, NOTHING, 0.2)
    assert float((noise.deviation / before).max()) < 1.25


def test_a_passer_is_not_learnt_but_a_habit_is() -> None:
    passing, swaying = NoiseMap(SHAPE), NoiseMap(SHAPE)
    for noise, seconds in ((passing, 1.0), (swaying, 30.0)):
        learn(noise, 1.0, 60.0)
        learn(noise, 20.0, seconds, moving=~NOTHING)
    assert float(np.median(passing.deviation)) < 1.5
    assert float(np.median(swaying.deviation)) > 4.0


def test_a_young_estimate_is_doubted() -> None:
    noise = NoiseMap(SHAPE)
    doubts = []
    for _ in range(3):
        learn(noise, 2.0, 5.0)
        doubts.append(noise.doubt)
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[-1] < 1.1
    noise.forget()
    assert noise.doubt > 2.0
