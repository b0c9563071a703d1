"""What a transfer's key promises: the same input has one hash, any other input another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.product.ledger import Transfer

BASE = Transfer(
    id=1,
    source="fund:county",
    destination="household:7",
    amount=1_560,
    unit="fen",
    key="film:1:county",
    reason="film_county",
    ref="ticket:1",
    policy_version=3,
    at_ms=1_800_000_000_000,
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "change",
    [
        {"source": "fund:township"},
        {"destination": "household:8"},
        {"amount": 1_561},
        {"unit": "points"},
        {"reason": "film_points"},
        {"ref": "ticket:2"},
        {"policy_version": 4},
    ],
)
def test_another_input_is_another_promise(change: dict[str, Any]) -> None:
    assert replace(BASE, **change).input_hash != BASE.input_hash


@pytest.mark.parametrize("change", [{"id": 2}, {"at_ms": 1_900_000_000_000}, {"created_by": 5}, {"note": "again"}])
def test_when_and_by_whom_a_request_is_repeated_does_not_matter(change: dict[str, Any]) -> None:
    assert replace(BASE, **change).input_hash == BASE.input_hash


@given(WORDS, WORDS, WORDS, WORDS)
def test_parts_never_run_into_each_other(source: str, destination: str, other: str, another: str) -> None:
    assume((source, destination) != (other, another))
    one, two = replace(BASE, source=source, destination=destination), replace(BASE, source=other, destination=another)
    assert one.input_hash != two.input_hash
