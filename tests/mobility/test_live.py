"""Rate limits without Valkey."""

from __future__ import annotations

import pytest

from core.errors import TooOften
from mobility.live import RateLimits

NOWHERE = "redis://127.0.0.1:1/0"


def test_without_valkey_each_process_counts_for_itself() -> None:
    limits = RateLimits(NOWHERE)
    for _ in range(3):
        limits.count("try:a", most=3, per_s=60)
    with pytest.raises(TooOften) as refused:
        limits.count("try:a", most=3, per_s=60)
    assert 0 < refused.value.retry_after_s <= 60
    limits.count("try:b", most=3, per_s=60)  # others are not concerned
    limits.forget("try:a")
    limits.count("try:a", most=1, per_s=60)
