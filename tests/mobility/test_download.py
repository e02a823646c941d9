"""Downloads: whole, resumed, checked, or refused with a clear word and nothing half there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mobility.download import DownloadFailed, Wanted, download

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = "https://example.org/feed.zip"


class Server:
    """Serves `CONTENT`; each entry of `cuts` breaks one answer after that many bytes."""

    def __init__(self, *cuts: int, etag: str | None = '"v1"', content: bytes = CONTENT) -> None:
        self.cuts = list(cuts)
        self.etag = etag
        self.content = content
        self.ranges: list[str | None] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        condition = request.headers.get("If-Range", self.etag)
        start = int(asked[6:-1]) if asked and condition == self.etag else 0
        if asked and start >= len(self.content):
            return httpx.Response(416)
        headers = {"Content-Length": str(len(self.content) - start)}
        if self.etag:
            headers["ETag"] = self.etag
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/*"
        body = self.content[start:]
        return httpx.Response(
            206 if start else 200, headers=headers, stream=Broken(body, self.cuts)
        )

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer))


class Broken(httpx.SyncByteStream):
    """A body that ends early, as when a cable is pulled."""

    def __init__(self, body: bytes, cuts: list[int]) -> None:
        self.body, self.cuts = body, cuts

    def __iter__(self) -> Iterator[bytes]:
        if not self.cuts:
            yield self.body
            return
        yield self.body[: self.cuts.pop(0)]
        raise httpx.ReadError("connection lost")


def test_file_arrives_whole_with_its_hash_and_progress(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "feed.zip"
    found = download(
        URL, target, client=Server().client(), on_bytes=lambda *told: seen.append(told)
    )
    assert found == SHA256
    assert target.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in target.parent.iterdir()] == ["feed.zip"]


def test_lost_connection_is_picked_up_where_it_broke(tmp_path: Path) -> None:
    server = Server(100_000, 50_000)
    assert download(URL, tmp_path / "f", client=server.client()) == SHA256
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_next_call_goes_on_and_the_name_appears_only_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "feed.zip"
    with pytest.raises(DownloadFailed, match=r"100,000 bytes are kept: run the same command again"):
        download(URL, target, client=Server(100_000, 0, 0).client())
    assert not target.exists()
    later = Server()
    assert download(URL, target, client=later.client()) == SHA256
    assert later.ranges == ["bytes=100000-"]


def test_halves_of_two_versions_are_never_joined(tmp_path: Path) -> None:
    target = tmp_path / "feed.zip"
    with pytest.raises(DownloadFailed):
        download(URL, target, client=Server(100_000, 0, 0).client())
    changed = Server(etag='"v2"', content=CONTENT[::-1])
    download(URL, target, client=changed.client())
    assert target.read_bytes() == CONTENT[::-1]


def test_without_hash_and_tag_it_starts_again(tmp_path: Path) -> None:
    server = Server(100_000, etag=None)
    assert download(URL, tmp_path / "f", client=server.client()) == SHA256
    assert server.ranges == [None, None]


def test_part_that_is_complete_already_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT)
    found = download(URL, tmp_path / "f", wanted=Wanted(SHA256), client=Server().client())
    assert found == SHA256
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_part_that_is_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT + b"more")
    assert download(URL, tmp_path / "f", wanted=Wanted(SHA256), client=Server().client()) == SHA256


def test_wrong_hash_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("what was there before")
    with pytest.raises(DownloadFailed, match="not the file that was wanted"):
        download(URL, tmp_path / "f", wanted=Wanted("0" * 64), client=Server().client())
    assert (tmp_path / "f").read_text() == "what was there before"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_file_beyond_the_limit_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    wanted = Wanted(byte_limit=len(CONTENT) - 1)
    with pytest.raises(DownloadFailed, match="larger than 255,999 bytes"):
        download(URL, tmp_path / "f", wanted=wanted, client=Server().client())
    assert list(tmp_path.iterdir()) == []


def test_absent_file_is_named_with_the_answer(tmp_path: Path) -> None:
    absent = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(404)))
    with pytest.raises(DownloadFailed, match="404 Not Found"):
        download(URL, tmp_path / "f", client=absent)


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="begins with http"):
        download("file:///etc/passwd", tmp_path / "f")
