"""The tree of errors that a caller can cause."""

from __future__ import annotations

import inspect
import re

import pytest

from core import errors
from core.errors import MobilityError

pytestmark = pytest.mark.unit


def drawn_parents() -> dict[str, str | None]:
    """Class → parent, read from the drawing in the module's docstring."""
    parents: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in inspect.getdoc(errors).splitlines():
        match = re.match(r"^(\s+[│├└─\s]*)([A-Z]\w+)(\s|$)", line)
        if match is None:
            continue
        indent, name = len(match[1]), match[2]
        while above and above[-1][0] >= indent:
            above.pop()
        parents[name] = above[-1][1] if above else None
        above.append((indent, name))
    return parents


def classes() -> dict[str, type[MobilityError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, MobilityError)
    }


def test_tree_drawn_in_the_docstring_is_the_tree_of_classes() -> None:
    root = "MobilityError"
    real = {n: None if n == root else c.__bases__[0].__name__ for n, c in classes().items()}
    assert drawn_parents() == real


def test_every_family_has_a_stable_code_of_its_own() -> None:
    codes = [cls.__dict__["code"] for cls in classes().values()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_drawn_status_codes_are_those_of_the_house_style() -> None:
    drawn = dict(re.findall(r"([A-Z]\w+) .*\((\d{3})\)", inspect.getdoc(errors)))
    assert drawn == {
        "InvalidInput": "422",
        "NotSupported": "400",
        "NotSignedIn": "401",
        "NotAllowed": "403",
        "NotFound": "404",
        "Conflict": "409",
        "TooOften": "429",
        "Unavailable": "503",
    }
