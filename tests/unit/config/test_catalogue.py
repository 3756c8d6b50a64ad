"""The list of owners is unambiguous."""

from __future__ import annotations

from collections import Counter

import pytest

from vigilar_core.config.catalogue import OWNERS, WHOLE, keys_of, owner_of, plugin_name


def test_no_key_has_two_owners() -> None:
    claims = Counter(
        (path, key)
        for sections in OWNERS.values()
        for path, keys in sections.items()
        for key in keys
    )
    assert [claim for claim, count in claims.items() if count > 1] == []


def test_no_whole_section_holds_a_key_of_somebody_else() -> None:
    whole = {
        path for sections in OWNERS.values() for path, keys in sections.items() if keys == WHOLE
    }
    parts = [
        path for sections in OWNERS.values() for path, keys in sections.items() if keys != WHOLE
    ]
    assert not [path for path in parts if path in whole]


@pytest.mark.parametrize(
    ("path", "key", "owner"),
    [
        ("", "ups", "vigilar-ups-nut"),
        ("ups", "nut_host", "vigilar-ups-nut"),
        ("presence.members", "ip", "vigilar-presence"),
        ("alerts", "email", "vigilar-email"),
        ("alerts.email", "smtp_host", "vigilar-email"),
        ("storage", "max_disk_usage_gb", "vigilar-prune"),
        ("storage", "encrypt_recordings", "vigilar-recorder"),
        ("health", "auto_prune", "vigilar-prune"),
        ("health", "disk_warn_pct", "vigilar-health"),
        ("", "alerts", None),
        ("cameras", "unheard_of", None),
        ("upsx", "a", None),
    ],
)
def test_owners_are_found_by_section_and_by_key(path: str, key: str, owner: str | None) -> None:
    assert owner_of(path, key) == owner


def test_names_of_a_level_help_to_guess() -> None:
    assert {"ups", "alerts", "cameras"} <= keys_of("")
    assert {"email", "webhook"} <= keys_of("alerts")
    assert {"rtsp_url", "retention_days"} <= keys_of("cameras")


def test_a_plugin_is_called_after_its_distribution() -> None:
    assert plugin_name("vigilar-ups-nut") == "ups-nut"
