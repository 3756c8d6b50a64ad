from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.runtime import states
from vigilar_core.runtime.states import Happening, Phase, WorkerState

exit_codes = st.one_of(st.none(), st.integers(-64, 255))


def failed(times: int, exit_code: int | None = 1) -> WorkerState:
    """A worker that failed so often in a row, each time right after it ran."""
    state, now_s = WorkerState(), 0.0
    for _ in range(times):
        state = states.run(states.start(state, now_s), now_s)
        state = states.end(state, now_s, exit_code, "", 0.0)
        now_s = state.due_s or now_s
    return state


def test_a_new_worker_is_due_at_once() -> None:
    assert WorkerState().is_due(0.0)


def test_a_failure_is_followed_by_a_wait_with_its_reason() -> None:
    state = failed(1)
    assert (state.phase, state.reason, state.due_s) == (
        Phase.BACKING_OFF, "ended with exit code 1", 1.0,
    )  # fmt: skip


def test_the_fifth_failure_in_a_row_is_degraded_and_still_tried_again() -> None:
    assert failed(4).phase is Phase.BACKING_OFF
    assert failed(5).phase is Phase.DEGRADED
    assert failed(50).due_s is not None


@given(st.integers(0, 60), exit_codes.filter(lambda code: code != 78))
def test_nobody_is_given_up_whatever_the_exit_code(times: int, exit_code: int | None) -> None:
    state = states.start(failed(times), 1e4)
    ended = states.end(state, 1e4, exit_code, "", 0.5)
    assert ended.due_s is not None
    assert 1e4 < ended.due_s <= 1e4 + 300


def test_only_exit_code_78_waits_for_a_changed_configuration() -> None:
    state = failed(1, 78)
    assert (state.phase, state.due_s) == (Phase.DEGRADED, None)
    again = states.reload(state, 5.0)
    assert again.is_due(5.0)


def test_a_clean_exit_that_nobody_asked_for_is_a_failure() -> None:
    state = failed(1, 0)
    assert (state.phase, state.reason) == (Phase.BACKING_OFF, "ended although nobody asked it to")


@given(exit_codes)
def test_an_end_that_was_asked_for_is_never_a_failure(exit_code: int | None) -> None:
    state = states.stop(states.run(states.start(WorkerState(), 0), 1), 2)
    ended = states.end(state, 3, exit_code, "", 0.0)
    assert (ended.phase, ended.failures, ended.due_s) == (Phase.STOPPED, 0, None)


def test_the_workers_own_last_words_are_the_reason() -> None:
    state = states.start(WorkerState(), 0)
    assert states.end(state, 1, 75, "the camera's key is missing", 0.0).reason == (
        "the camera's key is missing"
    )


def test_ten_healthy_minutes_start_the_back_off_anew() -> None:
    state = states.run(states.start(failed(4), 100), 100)
    assert states.end(state, 699, 1, "", 0.0).failures == 5
    assert states.end(state, 701, 1, "", 0.0).failures == 1


def test_time_spent_starting_is_not_health() -> None:
    state = states.start(failed(4), 100)
    assert states.end(state, 5000, 1, "", 0.0).failures == 5


def test_a_degraded_worker_recovers_after_half_a_minute_of_running() -> None:
    state = states.run(states.start(failed(5), 100), 100)
    assert states.settle(state, 129).troubled
    assert not states.settle(state, 131).troubled


def test_restarts_count_starts_after_the_first() -> None:
    assert states.start(WorkerState(), 0).restarts == 0
    assert states.start(failed(3), 50).restarts == 3


def test_a_reload_forgets_failures_and_remembers_trouble() -> None:
    state = states.reload(failed(7), 9.0)
    assert (state.failures, state.troubled, state.is_due(9.0)) == (0, True, True)


steps = st.lists(
    st.tuples(
        st.sampled_from(["start", "run", "end", "settle", "reload"]), exit_codes, st.floats(0, 2000)
    ),
    max_size=60,
)


@given(steps)
def test_trouble_and_recovery_are_told_in_turns(
    course: list[tuple[str, int | None, float]],
) -> None:
    state, now_s, told = WorkerState(), 0.0, []
    for step, exit_code, passed_s in course:
        now_s += passed_s
        before = state
        if step == "start" and state.is_due(now_s):
            state = states.start(state, now_s)
        elif step == "run" and state.phase is Phase.STARTING:
            state = states.run(state, now_s)
        elif step == "end" and state.has_process:
            state = states.end(state, now_s, exit_code, "", 0.5)
        elif step == "settle":
            state = states.settle(state, now_s)
        elif step == "reload" and not state.has_process:
            state = states.reload(state, now_s)
        told += [
            each
            for each in states.happenings(before, state)
            if each in (Happening.DEGRADED, Happening.RECOVERED)
        ]
    assert told == [Happening.DEGRADED, Happening.RECOVERED] * (len(told) // 2) + [
        Happening.DEGRADED
    ] * (len(told) % 2)
    assert state.troubled == (len(told) % 2 == 1)


def test_a_crash_is_told_as_a_failure_and_its_return_as_a_start() -> None:
    starting = states.start(failed(1), 5)
    running = states.run(starting, 6)
    ended = states.end(running, 7, -11, "", 0.0)
    assert states.happenings(starting, running) == [Happening.STARTED]
    assert states.happenings(running, ended) == [Happening.FAILED]


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (-signal.SIGKILL, "killed by SIGKILL: out of memory?"),
        (-signal.SIGABRT, "its loop had stopped"),
        (-signal.SIGSEGV, "native library"),
        (-63, "signal 63"),
        (75, "not there yet"),
        (78, "the configuration must change"),
        (3, "exit code 3"),
        (None, "the process that started it"),
    ],
)
def test_an_exit_is_explained_in_words(exit_code: int | None, words: str) -> None:
    assert words in states.explain(exit_code)
