"""What every command writes with: the terminal, progress, and the `--json` option."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console()
errors = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Write JSON for scripts.")]


def plain(text: str) -> Text:
    """Text of a feed or a file name as it is: no markup, nothing that steers the terminal."""
    return Text("".join(c if c.isprintable() else "\ufffd" for c in text))


@contextmanager
def progress_bar(shown: bool) -> Iterator[Callable[[str], None]]:
    """Say which step of long work is running, and how long it has taken."""
    if not shown:
        yield lambda _: None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task("…", total=None)

        def step(name: str) -> None:
            nonlocal task
            progress.update(task, total=1, completed=1)
            task = progress.add_task(name, total=None)

        yield step
        progress.update(task, total=1, completed=1)


@contextmanager
def counting_bar(what: str, total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Say how many of so many things are done, and how long the rest will take."""
    if not shown:
        yield lambda _: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=errors) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
