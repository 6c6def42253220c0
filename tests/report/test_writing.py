"""Files appear whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from autoscaler.backtest.report.writing import atomic, check_writable, together, write_bytes
from autoscaler.signals.errors import InputError


class Interrupted(BaseException):
    """Stands for Ctrl-C, which pytest itself would obey."""


def test_content_arrives_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.json", b"{}")
    assert (tmp_path / "a.json").read_bytes() == b"{}"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("failure", [ValueError, Interrupted])
def test_a_failure_midway_leaves_the_old_file_and_nothing_partial(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    target = tmp_path / "report.html"
    target.write_bytes(b"old")

    def fail_midway() -> None:
        with atomic(target) as file:
            file.write(b"new but unfinished")
            file.flush()
            raise failure

    with pytest.raises(failure):
        fail_midway()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_target_is_untouched_until_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")
    with atomic(target) as file:
        file.write(b"new")
        file.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


def olds_and_new(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two files that exist, and a third that does not."""
    paths = (tmp_path / "a.csv", tmp_path / "b.json", tmp_path / "c.html")
    for path in paths[:2]:
        path.write_bytes(b"old")
    return paths


def test_files_written_together_are_all_untouched_until_all_are_complete(tmp_path: Path) -> None:
    paths = olds_and_new(tmp_path)
    with together() as opening:
        for path in paths:
            write_bytes(path, b"new", opening)
        assert [path.read_bytes() for path in paths[:2]] == [b"old", b"old"]
        assert not paths[2].exists()
    assert [path.read_bytes() for path in paths] == [b"new"] * 3
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("failure", [ValueError, Interrupted])
@pytest.mark.parametrize("complete", [0, 1, 2])
def test_a_failure_between_files_written_together_replaces_none(
    tmp_path: Path, complete: int, failure: type[BaseException]
) -> None:
    paths = olds_and_new(tmp_path)

    def fail_midway() -> None:
        with together() as opening:
            for path in paths[:complete]:
                write_bytes(path, b"new", opening)
            with opening(paths[complete]) as file:
                file.write(b"unfinished")
                raise failure

    with pytest.raises(failure):
        fail_midway()
    assert sorted(tmp_path.iterdir()) == sorted(paths[:2])
    assert [path.read_bytes() for path in paths[:2]] == [b"old", b"old"]


def test_an_interrupt_between_two_renames_waits_until_both_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    paths = olds_and_new(tmp_path)
    handler = signal.getsignal(signal.SIGINT)
    with together() as opening:
        for path in paths:
            write_bytes(path, b"new", opening)
    assert [path.read_bytes() for path in paths] == [b"new"] * 3
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_full_disk_is_one_clear_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(InputError, match=r"^cannot write /dev/full: No space left on device$"):
        write_bytes(Path("/dev/full"), b"x" * 100_000)


@pytest.mark.parametrize("name", ["", "missing/report.html", "file.txt/report.html"])
def test_what_cannot_be_written_is_said_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(InputError, match=r"^cannot write ") as caught:
        check_writable(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError):
        write_bytes(tmp_path / name, b"x")


def test_a_directory_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked of the system, not tried: root may write everywhere, and tests may run as root.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="is not writable"):
        check_writable(tmp_path / "a")


def test_the_file_has_the_mode_any_other_file_would_have(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_bytes(tmp_path / "ours", b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")}
    assert len(modes) == 1


def test_a_replaced_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("old")
    real.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(real)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_pipe_is_written_directly() -> None:
    read_end, write_end = os.pipe()
    path = Path(f"/dev/fd/{write_end}")
    if not path.exists():
        pytest.skip("this system has no /dev/fd")
    write_bytes(path, b"hello")
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.read() == b"hello"
