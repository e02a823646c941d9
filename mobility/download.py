"""
Downloads one file at a time: resumed after an interruption, checked, and named only when complete.

What has arrived lies in `<name>.part`. The next call goes on from there when it can be sure that
both halves are of one file: the hash is known in advance, or the server vouches for it (`ETag` or
`Last-Modified`, kept in `<name>.part.tag`). Otherwise it starts again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.errors import Unavailable
from gtfs_data.store import file_sha256

BYTE_LIMIT = 4_000_000_000
"""No feed and no regional extract is larger; a wrong address must not fill the disk."""
ATTEMPT_COUNT = 3
"""Lost connections are picked up this often before the caller hears of them."""
TIMEOUT_S = 30.0
PARTIAL, RANGE_UNSATISFIABLE = 206, 416

OnBytes = Callable[[int, int | None], None]
"""Told how many bytes are there, and how many there will be where that is known."""


class DownloadFailed(Unavailable):
    """A file cannot be fetched, or is not the one that was wanted."""

    code = "download_failed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the file must be; `sha256` is None where nobody published it."""

    sha256: str | None = None
    byte_limit: int = BYTE_LIMIT


@dataclass(frozen=True, slots=True)
class _Draft:
    """The unfinished file and what the server said of it."""

    path: Path
    tag: Path

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)

    def headers(self, *, is_vouched: bool) -> dict[str, str]:
        """Ask for the rest, or for everything when the halves might be of two files."""
        plain = {"Accept-Encoding": "identity"}  # packed bytes would not be those of the file
        size = self.path.stat().st_size if self.path.exists() else 0
        tag = self.tag.read_text(encoding="utf-8") if self.tag.exists() else ""
        if size == 0 or not (is_vouched or tag):
            return plain
        condition = {} if is_vouched else {"If-Range": tag}
        return {**plain, "Range": f"bytes={size}-", **condition}


def download(
    url: str,
    target: Path,
    *,
    wanted: Wanted | None = None,
    on_bytes: OnBytes = lambda *_: None,
    client: httpx.Client | None = None,
) -> str:
    """
    Fetch a file over HTTP, replacing what stands at `target` once all of it is there.

    Returns
    -------
    sha256
        Hash of the file.

    Raises
    ------
    DownloadFailed
        The server refuses or goes away, the file is too large, or its hash is another. What has
        arrived stays for the next call, unless it is wrong.
    """
    wanted = wanted or Wanted()
    if not url.startswith(("http://", "https://")):
        raise DownloadFailed(f"{url} is not an address that begins with http:// or https://")
    draft = _Draft(
        target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.tag")
    )
    own = client or httpx.Client(follow_redirects=True, timeout=TIMEOUT_S)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(own, url, draft, wanted, on_bytes)
        found = file_sha256(draft.path)
        if wanted.sha256 is not None and found != wanted.sha256:
            draft.drop()
            raise DownloadFailed(
                f"{url} is not the file that was wanted: its sha256 is {found}, not "
                f"{wanted.sha256}. Nothing was kept."
            )
        draft.path.replace(target)
    except OSError as error:
        raise DownloadFailed(f"{target} cannot be written: {error}") from error
    finally:
        if client is None:
            own.close()
    draft.tag.unlink(missing_ok=True)
    return found


def _fetch(
    client: httpx.Client, url: str, draft: _Draft, wanted: Wanted, on_bytes: OnBytes
) -> None:
    """Fill the draft; a lost connection is picked up a few times."""
    for attempt in range(ATTEMPT_COUNT):
        headers = draft.headers(is_vouched=wanted.sha256 is not None)
        try:
            with client.stream("GET", url, headers=headers) as response:
                if response.status_code == RANGE_UNSATISFIABLE:
                    # What we hold is the whole file or not of it: the hash decides, or start anew.
                    if wanted.sha256 is not None and file_sha256(draft.path) == wanted.sha256:
                        return
                    draft.drop()
                    continue
                _check_answer(response, url)
                _write(response, draft, wanted, on_bytes)
        except httpx.TransportError as error:
            if attempt + 1 < ATTEMPT_COUNT:
                continue
            kept = draft.path.stat().st_size if draft.path.exists() else 0
            raise DownloadFailed(
                f"{url}: the connection failed ({error}). {kept:,} bytes are kept: run the same "
                "command again to go on."
            ) from error
        except httpx.HTTPError as error:
            raise DownloadFailed(f"{url} cannot be fetched: {error}") from error
        except httpx.InvalidURL as error:
            raise DownloadFailed(f"{url} is not an address: {error}") from error
        else:
            return
    raise DownloadFailed(f"{url}: the server gives no part that fits what has arrived before")


def _check_answer(response: httpx.Response, url: str) -> None:
    if response.is_success:
        return
    raise DownloadFailed(
        f"{url} cannot be fetched: the server answers {response.status_code} "
        f"{response.reason_phrase}"
    )


def _write(response: httpx.Response, draft: _Draft, wanted: Wanted, on_bytes: OnBytes) -> None:
    """Append the answer to the draft, or begin a new one when the server sends everything."""
    resumed = response.status_code == PARTIAL
    size = draft.path.stat().st_size if resumed else 0
    if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {size}-"):
        draft.drop()
        raise DownloadFailed(f"{response.url}: the server sent another part than was asked for")
    length = response.headers.get("Content-Length")
    total = size + int(length) if length is not None and length.isdigit() else None
    _check_size(total or 0, response, draft, wanted)
    tag = response.headers.get("ETag", "")
    if not tag or tag.startswith("W/"):  # a weak tag does not promise the same bytes
        tag = response.headers.get("Last-Modified", "")
    draft.tag.write_text(tag, encoding="utf-8")
    on_bytes(size, total)
    with draft.path.open("ab" if resumed else "wb") as file:
        for chunk in response.iter_raw():
            size += len(chunk)
            _check_size(size, response, draft, wanted)
            file.write(chunk)
            on_bytes(size, total)


def _check_size(size: int, response: httpx.Response, draft: _Draft, wanted: Wanted) -> None:
    if size > wanted.byte_limit:
        draft.drop()
        raise DownloadFailed(
            f"{response.url} is larger than {wanted.byte_limit:,} bytes, which is the limit"
        )
