"""Downloads come over https, stop at their limit, have the right hash, and stay within the cache folder."""

from __future__ import annotations

import hashlib
import io
import urllib.request
import urllib.response
from email.message import Message
from pathlib import Path
from urllib.error import URLError

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS, DataSet, Recording, Source
from tuneshift.human.download import fetched

BODY = b"numbers\n" * 1000
URL = "https://example.org/numbers.txt"
HASH = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


class Site(urllib.request.HTTPSHandler):
    """An https server in memory: address -> (status, headers, body); counts what it was asked for."""

    def __init__(self, pages: dict[str, tuple[int, dict[str, str], bytes]]) -> None:
        super().__init__()
        self.pages, self.asked = pages, []

    def https_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:  # type: ignore[override]
        self.asked.append(request.full_url)
        status, headers, body = self.pages[request.full_url]
        message = Message()
        for name, value in headers.items():
            message[name] = value
        response = urllib.response.addinfourl(io.BytesIO(body), message, request.full_url, status)
        response.msg = str(status)
        return response


def serving(body: bytes = BODY, **headers: str) -> Site:
    return Site({URL: (200, {name.replace("_", "-"): value for name, value in headers.items()}, body)})


def test_a_download_is_kept_and_not_repeated(tmp_path: Path) -> None:
    site = serving()
    for _ in range(2):
        path = fetched(URL, HASH, tmp_path, "numbers.txt", len(BODY), [site])
        assert path == tmp_path / "numbers.txt"
        assert path.read_bytes() == BODY
    assert site.asked == [URL]


@pytest.mark.parametrize("headers", [{}, {"Content_Length": str(len(BODY))}], ids=["unsaid", "said"])
def test_a_download_beyond_its_limit_is_stopped_and_leaves_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    with pytest.raises(URLError, match="allowed"):
        fetched(URL, HASH, tmp_path, "numbers.txt", len(BODY) - 1, [serving(**headers)])
    assert not list(tmp_path.iterdir())


def test_another_hash_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hash"):
        fetched(URL, "sha256:" + "0" * 64, tmp_path, "numbers.txt", 10**6, [serving()])
    assert not list(tmp_path.iterdir())


def test_a_redirection_is_followed_over_https_only(tmp_path: Path) -> None:
    away = Site({URL: (302, {"Location": "http://example.org/plain.txt"}, b"")})
    with pytest.raises(URLError, match="which is not https"):
        fetched(URL, HASH, tmp_path, "numbers.txt", 10**6, [away])
    there = Site({URL: (302, {"Location": "https://example.org/new"}, b""), "https://example.org/new": (200, {}, BODY)})
    assert fetched(URL, HASH, tmp_path, "numbers.txt", 10**6, [there]).read_bytes() == BODY
    for other in ("http://example.org/n", "ftp://example.org/n", "file:///etc/hostname"):
        with pytest.raises(BadInput, match="must begin with https://"):
            fetched(other, HASH, tmp_path, "other.txt", 10**6)


names = st.text(max_size=12) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "a", "C:", "~", "\0", "%2e", "//", "$HOME", "con "]), max_size=6
).map("".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=names, name=names, cache=names)
def test_no_name_leaves_the_cache_folder(
    tmp_path: Path, path: str, name: str, cache: str, monkeypatch_cache: Path
) -> None:
    try:
        source = Source(path, URL, HASH)
        data_set = DataSet(name, "brain", "", "", (source,), _nothing, cache=cache)
    except BadInput:
        return
    folder = monkeypatch_cache / "data"
    place = data_set._folder() / source.path.replace("/", "__")
    assert place.resolve().is_relative_to(folder.resolve())
    assert place.resolve().parent.parent == folder.resolve()
    assert (tmp_path / source.path).resolve().is_relative_to(tmp_path.resolve())


@pytest.fixture
def monkeypatch_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tuneshift"


def _nothing(file: object) -> Recording:
    raise AssertionError("never read")


def test_every_known_source_comes_over_https_with_a_hash_or_says_why_not() -> None:
    for data_set in DATA_SETS.values():
        for source in data_set.sources:
            assert source.url.startswith("https://")
            assert source.known_hash or "no checksum" in data_set.notes
            assert source.most_bytes <= 2 << 30


@pytest.mark.parametrize(
    ("path", "url", "known_hash", "sentence"),
    [
        ("../out.txt", URL, HASH, "is no plain name"),
        ("/etc/passwd", URL, HASH, "is no plain name|must be relative"),
        ("a//b", URL, HASH, "must be relative"),
        ("", URL, HASH, "must be relative"),
        (".hidden", URL, HASH, "is no plain name"),
        ("a.txt", "http://example.org/a", HASH, "must begin with https://"),
        ("a.txt", URL, "md5:abc", "must be 'sha1:' or 'sha256:'"),
    ],
)
def test_a_source_that_could_do_harm_cannot_be_made(path: str, url: str, known_hash: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        Source(path, url, known_hash)


def test_a_file_without_a_published_hash_must_stay_what_it_first_was(
    monkeypatch_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNESHIFT_DATA", raising=False)
    site = serving()
    monkeypatch.setattr(
        "tuneshift.human.dataset.fetched", lambda url, known, folder, name, most: fetched(
            url, known, folder, name, most, [site]
        )
    )  # fmt: skip
    data_set = DataSet("mine", "brain", "", "", (Source("numbers.txt", URL, ""),), _nothing)
    before = data_set.checksum()
    path = data_set.file("numbers.txt")
    assert data_set.file("numbers.txt") == path
    assert data_set.checksum() != before
    path.write_bytes(BODY + b"changed")
    with pytest.raises(BadInput, match=r"the file is damaged or another release; delete .*numbers\.txt"):
        data_set.file("numbers.txt")
    assert site.asked == [URL]


def test_a_file_that_is_nowhere_is_said_with_what_to_do(
    monkeypatch_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNESHIFT_DATA", raising=False)

    def no_network(*_: object) -> Path:
        raise URLError("no route to host")

    monkeypatch.setattr("tuneshift.human.dataset.fetched", no_network)
    with pytest.raises(BadInput, match=r"could not be downloaded from https://.*set TUNESHIFT_DATA to a folder"):
        DATA_SETS["tuckute2024"].load()


def test_nothing_that_is_downloaded_is_unpacked() -> None:
    """No archive can place a file anywhere: the package opens none."""
    sources = Path(__file__).resolve().parents[2] / "src"
    for path in sources.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found = [name for name in ("tarfile", "unpack_archive", "extractall", "pooch.Un") if name in text]
        assert not found, f"{path}: {found}"
