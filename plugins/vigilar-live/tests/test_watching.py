from __future__ import annotations

from vigilar_live.watching import WATCH_TTL_S, Mode, Watching, watch_topic


def test_a_mode_counts_until_its_time_is_over() -> None:
    watching = Watching()
    watching.seen(Mode.HLS, now_s=100.0)
    assert watching.modes(100.0 + WATCH_TTL_S - 0.1) == {Mode.HLS}
    assert watching.modes(100.0 + WATCH_TTL_S) == frozenset()


def test_a_repeated_word_prolongs_it() -> None:
    watching = Watching()
    watching.seen(Mode.FRAGMENTS, now_s=100.0)
    watching.seen(Mode.FRAGMENTS, now_s=105.0)
    assert watching.modes(100.0 + WATCH_TTL_S) == {Mode.FRAGMENTS}


def test_the_topic_names_the_camera() -> None:
    assert watch_topic("hall") == "vigilar/camera/hall/live/watch"
