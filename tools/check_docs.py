"""
Docs that lie are bugs: links resolve, named files exist, commands are real, the API is recorded.

    python tools/check_docs.py            # exits 1 and says what is wrong
    python tools/check_docs.py --write    # records docs/openapi.json anew
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from typer.main import get_command

from mobility.app import create_app
from mobility.cli import app as cli
from mobility.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("routing/**/*.md")]
OPENAPI = ROOT / "docs" / "openapi.json"
CODE_FOLDERS = ("core", "gtfs_data", "routing", "carpool", "payments", "mobility", "tests", "tools")


def api_document() -> str:
    """OpenAPI document of the application, as it is recorded."""
    document = create_app(Settings(web=Path("absent"))).openapi()
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def commands() -> set[str]:
    """All commands and subcommands: 'build', 'offers add' …"""
    found = set()
    for name, command in get_command(cli).commands.items():
        found.add(name)
        found |= {f"{name} {sub}" for sub in getattr(command, "commands", {})}
    return found


def wrong_in(page: Path, known: set[str], targets: set[str]) -> list[str]:
    """What a page says that is not so."""
    text = page.read_text(encoding="utf-8")
    where = page.relative_to(ROOT)
    wrong = [
        f"{where}: link to {target}, which is absent"
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text)
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    for path in re.findall(rf"`((?:{'|'.join(CODE_FOLDERS)})/[\w/.]+\.\w+)`", text):
        if not (ROOT / path).exists():
            wrong.append(f"{where}: names {path}, which is absent")
    for words in re.findall(r"\bmobility ((?:[a-z-]+ ?){1,2})", "\n".join(_code(text))):
        parts = words.split()
        if parts[0] not in known:
            wrong.append(f"{where}: mobility {parts[0]} is no command")
    for target in re.findall(r"\bmake ([a-z]+)", "\n".join(_code(text))):
        if target not in targets:
            wrong.append(f"{where}: make {target} is no target")
    return wrong


def _code(text: str) -> list[str]:
    blocks = re.findall(r"```.*?\n(.*?)```", text, flags=re.DOTALL)
    prompts = [line[2:] for block in blocks for line in block.splitlines() if line[:2] == "$ "]
    return [*prompts, *re.findall(r"`([^`\n]+)`", text)]


def main() -> int:
    """Check every page; returns the exit code."""
    if "--write" in sys.argv:
        OPENAPI.write_text(api_document())
        return 0
    known = commands()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    wrong = [line for page in PAGES for line in wrong_in(page, known, targets)]
    if not OPENAPI.is_file() or OPENAPI.read_text() != api_document():
        wrong.append("docs/openapi.json is not the API's: run python tools/check_docs.py --write")
    readme = (ROOT / "README.md").read_text(encoding="utf-8") + (
        ROOT / "docs" / "commands.md"
    ).read_text(encoding="utf-8")
    wrong += [
        f"mobility {name} is documented nowhere"
        for name in sorted(known - {"offers", "db"})
        if f"mobility {name}" not in readme
    ]
    print("\n".join(wrong) or f"docs: {len(PAGES)} pages hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
