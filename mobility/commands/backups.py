"""Commands about what people entered: backup, restore."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import InvalidInput
from mobility.commands.terminal import Json, console, progress_bar
from mobility.settings import Settings

app = typer.Typer()


@app.command()
def backup(
    target: Annotated[
        Path | None, typer.Argument(help="File or folder; the home's backups if absent.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(help="Newest backups that stay in the folder.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Back up what people entered; servers go on. Example: mobility backup /mnt/usb --keep 48"""
    from mobility.actions.back_up import back_up

    with progress_bar(not as_json) as step:
        written = back_up(Settings(), target, keep=keep, now=dt.datetime.now(dt.UTC), on_step=step)
    index = written.index
    if as_json:
        console.print_json(
            data={
                "file": str(written.path),
                "bytes": written.byte_count,
                "seconds": round(written.took_s, 3),
                "territory": index.territory,
                "snapshot": index.snapshot,
                "schema": index.schema,
                "created_at": index.created_at.isoformat(),
                "rows": index.rows,
                "removed": list(written.removed),
            }
        )
        return
    console.print(str(written.path), soft_wrap=True, highlight=False, markup=False)
    console.print(
        f"{sum(index.rows.values()):,} rows of {len(index.rows)} tables, "
        f"{written.byte_count:,} bytes, {written.took_s:.1f} s; verified",
        highlight=False,
    )
    if written.removed:
        console.print(f"Older ones removed: {len(written.removed)}", highlight=False)


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(help="The backup.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Restore into a scratch database and compare, only.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of what is there; that is kept.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Go back to what the last restore replaced.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup; running servers follow. Example: mobility restore FILE --replace"""
    from mobility.actions.restore_backup import check_backup, restore_backup, undo_restore

    if undo == (file is not None) or sum((check, replace, undo)) > 1:
        raise InvalidInput("give a FILE, with --check or --replace if you like, or --undo alone")
    settings, now = Settings(), dt.datetime.now(dt.UTC)
    if (replace or undo) and not yes:
        typer.confirm("This replaces what is served now; it is kept. Go on?", abort=True, err=True)
    if file is None:
        kept = undo_restore(settings, now=now)
        _tell({"kept_as": kept}, "Undone.", as_json)
        return
    with progress_bar(not as_json) as step:
        if check:
            done = check_backup(settings, file, on_step=step)
        else:
            done = restore_backup(settings, file, replace=replace, now=now, on_step=step)
    index = done.index
    _tell(
        {
            "file": str(file),
            "checked_only": check,
            "seconds": round(done.took_s, 3),
            "territory": index.territory,
            "snapshot": index.snapshot,
            "created_at": index.created_at.isoformat(),
            "rows": index.rows,
            "kept_as": done.kept_as,
        },
        f"{'Whole' if check else 'Restored'}: {index.territory} as of {index.created_at}, "
        f"{sum(index.rows.values()):,} rows, {done.took_s:.1f} s",
        as_json,
    )


def _tell(facts: dict[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        console.print_json(data=facts)
        return
    console.print(sentence, highlight=False, soft_wrap=True)
    if facts.get("kept_as") is not None:
        console.print(
            f"What was served before is kept as the database {facts['kept_as']}; "
            "mobility restore --undo goes back.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
