"""The inbox: readable while something waits, bounded, the oldest dropped."""

from __future__ import annotations

import select

from vigilar_core.bus.inbox import Inbox


def is_readable(inbox: Inbox) -> bool:
    return bool(select.select([inbox.fileno()], [], [], 0)[0])


def test_the_descriptor_is_readable_while_messages_wait() -> None:
    inbox = Inbox()
    assert not is_readable(inbox)
    inbox.put("a", b"1")
    inbox.put("b", b"2")
    assert inbox.get() == ("a", b"1")
    inbox.settle(more=False)
    assert is_readable(inbox)
    assert inbox.get() == ("b", b"2")
    inbox.settle(more=True)
    assert is_readable(inbox)
    inbox.settle(more=False)
    assert not is_readable(inbox)
    assert inbox.get() is None
    inbox.close()


def test_a_kick_wakes_without_a_message() -> None:
    inbox = Inbox()
    inbox.kick()
    assert is_readable(inbox)
    assert inbox.get() is None
    inbox.close()


def test_beyond_the_limits_the_oldest_go() -> None:
    inbox = Inbox(limit=3, limit_bytes=100)
    for number in range(5):
        inbox.put(str(number), b"x")
    assert (inbox.dropped, inbox.get()) == (2, ("2", b"x"))
    inbox.put("long", b"x" * 99)
    assert inbox.get() == ("4", b"x")
    assert inbox.get() == ("long", b"x" * 99)
    inbox.close()
