"""Who may ask: host names, tokens, sessions, pages of other sites; and the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fercli.errors import ConfigError, InputError
from fercli.serve.guard import Guard
from fercli.serve.settings import Settings, is_loopback, read_token
from tests.failing import fails
from tests.serve.test_jobs import problem
from tests.serve.world import MP4, World, world

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A service with a token."""
    with world(tmp_path, monkeypatch, token=TOKEN, host="0.0.0.0") as made:
        yield made


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org", ""])
def test_a_host_that_others_reach_needs_a_token(tmp_path: Path, host: str) -> None:
    with fails(ConfigError, "token-missing"):
        Settings(tmp_path, host=host)
    assert Settings(tmp_path, host=host, token=TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_alone_needs_none(host: str) -> None:
    assert is_loopback(host)


def test_the_token_is_in_no_text_of_the_settings(tmp_path: Path) -> None:
    assert TOKEN not in repr(Settings(tmp_path, token=TOKEN))
    with fails(ConfigError, "token-unusable"):
        Settings(tmp_path, token="short")


def test_a_token_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    made = read_token(tmp_path / "token")
    assert len(made) >= 40 and read_token(tmp_path / "token") == made
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0
    (tmp_path / "token").chmod(0o644)
    with fails(InputError, "token-unusable"):
        read_token(tmp_path / "token")


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/version", "/metrics", "/openapi.json", "/v1/events", "/nothing"])
def test_everything_but_the_empty_page_needs_the_token(locked: World, path: str) -> None:
    answer = locked.client.get(path)
    assert problem(answer) == (401, "token-missing") and answer.headers["www-authenticate"].startswith("Bearer")
    assert problem(locked.client.get(path, headers={"authorization": "Bearer wrong"})) == (401, "token-wrong")
    assert problem(locked.client.get(path, params={"token": TOKEN})) == (401, "token-missing")
    if path != "/v1/events":
        assert locked.client.get(path, headers={"authorization": f"Bearer {TOKEN}"}).status_code in (200, 404)


def test_the_page_itself_and_health_are_open(locked: World) -> None:
    assert locked.client.get("/v1/health").json() == {"status": "ok"}
    assert locked.client.get("/").status_code == 200


def test_a_browser_gets_a_session_for_the_token(locked: World) -> None:
    assert problem(locked.client.post("/v1/session", json={"token": "wrong"})) == (401, "token-wrong")
    answer = locked.client.post("/v1/session", json={"token": TOKEN})
    assert answer.status_code == 204 and TOKEN not in str(answer.headers)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert locked.client.get("/v1/jobs").status_code == 200
    locked.client.cookies.clear()
    for forged in ("9999999999.00", "9999999999.", ".", "9" * 5000, "a.b"):
        headers = {"cookie": f"fercli_session={forged}"}
        assert problem(locked.client.get("/v1/jobs", headers=headers)) == (401, "token-missing")


def test_a_session_ends(tmp_path: Path) -> None:
    now = [1000.0]
    guard = Guard(None, Settings(tmp_path, token=TOKEN), lambda: now[0])
    value = f"fercli_session={guard.session()}"
    assert guard._has_session(value)
    now[0] += 8 * 86400
    assert not guard._has_session(value)


def test_wrong_tokens_are_counted_for_each_address(tmp_path: Path) -> None:
    now = [1000.0]
    guard = Guard(None, Settings(tmp_path, token=TOKEN), lambda: now[0])
    assert [guard.accepts("wrong", "10.0.0.1") for _ in range(10)] == [False] * 10
    assert guard.accepts(TOKEN, "10.0.0.1") is None, "not even looked at"
    assert guard.accepts(TOKEN, "10.0.0.2") is True
    now[0] += 61
    assert guard.accepts(TOKEN, "10.0.0.1") is True


def test_after_ten_wrong_tokens_the_answer_says_to_wait(locked: World) -> None:
    for _ in range(10):
        locked.client.get("/v1/jobs", headers={"authorization": "Bearer wrong"})
    answer = locked.client.get("/v1/jobs", headers={"authorization": f"Bearer {TOKEN}"})
    assert problem(answer) == (429, "too-many-tokens") and answer.headers["retry-after"] == "60"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "[", "169.254.1.1"]
)
def test_without_a_token_only_local_names_are_answered(here: World, host: str) -> None:
    assert problem(here.client.get("/v1/jobs", headers={"host": host})) == (421, "host-refused")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_local_names_are_answered(here: World, host: str) -> None:
    assert here.client.get("/v1/jobs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://localhost", "sec-fetch-site": "cross-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(here: World, headers: dict[str, str]) -> None:
    (here.root / "a.mp4").write_bytes(MP4)
    answers = [
        here.client.post("/v1/jobs", files={"file": ("a.mp4", MP4)}, headers=headers),
        here.client.post("/v1/jobs", json={"path": "a.mp4"}, headers=headers),
        here.client.delete("/v1/jobs/0123456789abcdef", headers=headers),
    ]
    assert [problem(answer) for answer in answers] == [(403, "origin-refused")] * 3
    assert here.client.get("/v1/jobs").json()["jobs"] == []


def test_the_own_page_may_post(here: World) -> None:
    (here.root / "a.mp4").write_bytes(MP4)
    headers = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    assert here.client.post("/v1/jobs", json={"path": "a.mp4"}, headers=headers).status_code == 201


@pytest.mark.parametrize("path", ["/", "/v1/jobs", "/v1/jobs/nothing", "/page/none.js", "/metrics", "/openapi.json"])
def test_every_answer_has_the_headers(here: World, path: str) -> None:
    headers = here.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["cross-origin-resource-policy"] == "same-origin" and headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers and "server" not in headers
