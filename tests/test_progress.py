"""The reporter for those who do not listen."""

from __future__ import annotations

from fercli.progress import Reporter, Silent


def test_silent_keeps_warnings_and_swallows_the_rest(capfd) -> None:  # type: ignore[no-untyped-def]
    silent = Silent()
    reporter: Reporter = silent
    with reporter.task("work", None, "frame") as task:
        task.advance(3, loss="0.1")
    reporter.note("something")
    reporter.warn("first")
    reporter.warn("second")
    assert silent.warnings == ["first", "second"]
    assert capfd.readouterr() == ("", "")


def test_two_silent_reporters_share_nothing() -> None:
    first, second = Silent(), Silent()
    first.warn("mine")
    assert second.warnings == []
