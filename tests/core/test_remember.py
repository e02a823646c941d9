"""Remembered values against making every one anew."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.remember import Remembered

pytestmark = pytest.mark.unit


@given(st.integers(1, 4), st.lists(st.integers(0, 6)))
def test_every_value_is_right_and_the_last_made_are_kept(count: int, asked: list[int]) -> None:
    made: list[int] = []

    def make(key: int) -> int:
        made.append(key)
        return key * key

    squares = Remembered(make, count)
    for key in asked:
        known = key in squares.keys
        before = len(made)
        assert squares(key) == key * key
        assert len(made) - before == (0 if known else 1)
        assert list(squares.keys) == made[-count:]


def test_many_threads_make_a_value_once() -> None:
    made: list[str] = []
    ready = threading.Barrier(8)

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    upper = Remembered(make, 2)

    def ask() -> None:
        ready.wait()
        assert upper("a") == "A"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["a"]


def test_failure_is_not_remembered() -> None:
    answers = iter([None, 5])

    def make(_key: str) -> int:
        answer = next(answers)
        if answer is None:
            raise ValueError("not yet")
        return answer

    later = Remembered(make, 1)
    with pytest.raises(ValueError, match="not yet"):
        later("a")
    assert later("a") == 5
