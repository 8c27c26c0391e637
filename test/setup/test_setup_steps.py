"""The parts of `make setup` that decide something."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import venv
from pathlib import Path

import checks
import develop
import messages
import patch_wheels
import progress
import pytest
import setup_venv
from stamps import Stamps, digest

ROOT = Path(__file__).resolve().parents[2]
GIB = checks.GIB


# -- what the machine lacks --------------------


def test_another_processor_is_sent_to_apt_and_colcon() -> None:
    (missing,) = checks.check_platform("Linux", "aarch64", ("glibc", "2.35"))
    assert "aarch64" in missing.what and "docs/install.md" in missing.command


@pytest.mark.parametrize(
    ("libc", "fine"), [(("glibc", "2.28"), True), (("glibc", "2.27"), False), (("", ""), False)]
)
def test_an_old_or_foreign_libc_is_named(libc: tuple[str, str], fine: bool) -> None:
    assert (list(checks.check_platform("Linux", "x86_64", libc)) == []) is fine


def test_every_missing_tool_comes_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    missing = list(checks.check_tools(which=lambda name: None))
    assert [item.what for item in missing] == ["a C compiler", "a C++ compiler", "make", "cmake"]
    assert all("sudo apt install " in item.command for item in missing)
    assert "a C++ compiler\n    install it: sudo apt install build-essential" in [
        str(item) for item in missing
    ]


@pytest.mark.parametrize(
    ("line", "fine"),
    [
        ("cmake version 3.20.0", True),
        ("cmake version 4.1.2", True),
        ("cmake version 3.16.3", False),
        ("", False),
    ],
)
def test_an_old_cmake_is_refused(line: str, fine: bool) -> None:
    assert (list(checks.check_cmake_version(line)) == []) is fine


def test_a_full_disk_is_refused_and_a_small_one_warned_about(tmp_path: Path) -> None:
    (missing,) = checks.check_disk(tmp_path, free=2 * GIB)
    assert "2.0 GiB are free" in missing.what
    assert list(checks.check_disk(tmp_path, free=5 * GIB)) == []
    assert "CPU build" in checks.disk_hint(tmp_path, free=5 * GIB)
    assert checks.disk_hint(tmp_path, free=50 * GIB) == ""


def test_everything_missing_is_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gaps = [
        checks.Missing("a C++ compiler", "sudo apt install build-essential"),
        checks.Missing("cmake", "x"),
    ]
    monkeypatch.setattr(checks, "all_missing", lambda folder: gaps)
    with pytest.raises(progress.StepFailed) as failure:
        setup_venv.refuse_missing(setup_venv.Layout(tmp_path, tmp_path / ".venv"), ["venv"])
    assert "C++ compiler" in str(failure.value) and "cmake" in str(failure.value)


# -- what is already done --------------------


def test_a_step_is_done_only_for_the_inputs_it_was_done_for(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    stamps.finish("packages", "key 1")
    assert stamps.is_done("packages", "key 1")
    assert not stamps.is_done("packages", "key 2")
    stamps.begin("packages")
    assert not stamps.is_done("packages", "key 1")


def test_a_digest_follows_contents_and_names_of_files(tmp_path: Path) -> None:
    file, other = tmp_path / "a.msg", tmp_path / "b.msg"
    file.write_text("int32 x")
    first = digest(["p"], [file])
    assert digest(["p"], [file]) == first
    assert digest(["q"], [file]) != first
    assert digest(["p"], [other]) != first
    file.write_text("int32 y")
    assert digest(["p"], [file]) != first


@pytest.fixture
def copy(tmp_path: Path) -> setup_venv.Layout:
    """A checkout with the files that the set-up reads."""
    checkout = tmp_path / "check out"
    for name in ("msg", "msg_standins", "scripts"):
        shutil.copytree(ROOT / name, checkout / name)
    requirements = (*setup_venv.REQUIREMENTS, *setup_venv.WITHOUT_DEPENDENCIES)
    for name in (*requirements, "CMakeLists.txt", "package.xml", "textdifuse_ros/__init__.py"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    return setup_venv.Layout(checkout, checkout / ".venv")


@pytest.mark.parametrize(
    ("file", "repeated"),
    [
        ("msg/FusionStatus.msg", {"messages"}),
        ("msg_standins/vision_msgs/msg/Detection2D.msg", {"messages"}),
        ("requirements-words.txt", {"packages", "messages", "connection"}),
        ("requirements-detector.txt", {"packages", "messages", "connection"}),
        ("scripts/fusion_node", {"connection"}),
        ("requirements.txt", {"packages", "messages", "connection"}),
    ],
)
def test_a_change_repeats_the_steps_that_depend_on_it(
    copy: setup_venv.Layout, file: str, repeated: set[str]
) -> None:
    before = setup_venv.keys(copy)
    with (copy.checkout / file).open("a") as stream:
        stream.write("\n# changed\n")
    after = setup_venv.keys(copy)
    assert {name for name in before if before[name] != after[name]} == repeated


def test_an_interrupted_step_runs_again_and_the_finished_ones_do_not(
    copy: setup_venv.Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    broken = {"messages"}

    def step(name: str):  # type: ignore[no-untyped-def]
        def action(layout: setup_venv.Layout, reporter: progress.Reporter) -> None:
            ran.append(name)
            layout.python.parent.mkdir(parents=True, exist_ok=True)
            layout.python.touch()
            if name in broken:
                raise progress.StepFailed("the compiler was interrupted")

        return action

    monkeypatch.setattr(
        setup_venv, "STEPS", tuple((name, name, step(name)) for name in setup_venv.keys(copy))
    )
    monkeypatch.setattr(checks, "all_missing", lambda folder: [])
    with pytest.raises(progress.StepFailed):
        setup_venv.set_up(copy)
    broken.clear()
    assert setup_venv.set_up(copy) is True
    assert ran == ["venv", "packages", "messages", "messages", "connection"]
    assert setup_venv.set_up(copy) is False


# -- the steps --------------------


def test_the_wheels_cmake_files_are_patched_once(tmp_path: Path) -> None:
    file = tmp_path / "share" / "std_msgs" / "cmake" / "export.cmake"
    file.parent.mkdir(parents=True)
    file.write_text(
        "/opt/python/cp312-cp312/include/python3.12;/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy"
    )
    assert patch_wheels.patch_prefix(tmp_path, r"/usr/include\1", "/site packages") == 1
    assert file.read_text() == r"/usr/include\1;/site packages/numpy"
    assert patch_wheels.patch_prefix(tmp_path, "/usr/include", "/x") == 0


def test_bindings_of_removed_messages_are_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "python3.12" / "site-packages" / "textdifuse_ros" / "msg"
    folder.mkdir(parents=True)
    kept, stale = folder / "_status.py", folder / "_gone.py"
    for file in (kept, stale):
        file.touch()
    manifest = tmp_path / "install_manifest.txt"
    manifest.write_text(f"{kept}\n")
    assert messages.remove_stale(manifest, tmp_path) == [stale]
    assert kept.exists() and not stale.exists()


def test_a_package_of_messages_is_stood_in_for_only_where_the_real_one_is_not(tmp_path: Path) -> None:
    needed = [ROOT / "msg_standins" / "vision_msgs"]
    share = tmp_path / "share" / "vision_msgs"
    assert messages.stand_ins(ROOT, tmp_path) == needed
    share.mkdir(parents=True)
    (share / "package.xml").touch()
    assert messages.stand_ins(ROOT, tmp_path) == []
    (share / messages.MARK).touch()  # an earlier set-up put it there
    assert messages.stand_ins(ROOT, tmp_path) == needed


def test_executables_run_from_a_folder_with_a_space(tmp_path: Path) -> None:
    python = tmp_path / "a folder" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    source, target = tmp_path / "tool", tmp_path / "bin dir" / "tool"
    source.write_text("#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:])\n")
    develop.write_executable(source, target, python)
    assert target.stat().st_mode & stat.S_IXUSR
    result = subprocess.run([str(target), "two words"], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['two words']"


def test_the_environment_finds_the_checkout_from_anywhere_behind_pythonpath(tmp_path: Path) -> None:
    checkout, prefix = tmp_path / "check'out 1", tmp_path / "env"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    for name in ("pkg", "launch", "config"):
        (checkout / name).mkdir()
    (checkout / "pkg" / "__init__.py").touch()
    venv.create(prefix, with_pip=False)
    packages = next(prefix.glob("lib/python3.*/site-packages"))
    develop.connect(checkout, prefix, packages, prefix / "bin" / "python")
    develop.connect(checkout, prefix, packages, prefix / "bin" / "python")  # again: nothing in its way

    code = "import os, pkg; print(pkg.__file__, os.environ['AMENT_PREFIX_PATH'], sep='\\n')"
    command = [str(prefix / "bin" / "python"), "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env={})
    assert result.stdout.splitlines() == [str(checkout / "pkg" / "__init__.py"), str(prefix)]

    overlay = tmp_path / "overlay"
    (overlay / "pkg").mkdir(parents=True)
    (overlay / "pkg" / "__init__.py").touch()
    env = {"PYTHONPATH": str(overlay), "AMENT_PREFIX_PATH": "/opt/ros"}
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env=env)
    assert result.stdout.splitlines() == [str(overlay / "pkg" / "__init__.py"), f"/opt/ros:{prefix}"]
    assert (prefix / "share" / "textdifuse_ros" / "launch").resolve() == (checkout / "launch").resolve()


# -- what is shown --------------------


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  Downloading https://host/torch-2.13.0-cp312.whl (526.5 MB)", "torch-2.13.0-cp312.whl (526.5 MB)"),
        ("[ 68%] Building C object x.o", "[ 68%] Building C object x.o"),
        ("WARNING: Location 'x' is ignored: it is neither a file nor a directory", ""),
        ("Requirement already satisfied: numpy", ""),
    ],
)
def test_progress_shows_what_is_going_on_and_no_noise(line: str, shown: str) -> None:
    assert progress.telling(line) == shown


def test_a_failing_tool_is_reported_with_its_errors_and_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = tmp_path / "tool.py"
    tool.write_text(
        "print('Requirement already satisfied: x'); print('ERROR: no matching version'); raise SystemExit(3)"
    )
    with pytest.raises(progress.StepFailed) as failure:
        progress.run_logged(
            [sys.executable, str(tool)], tmp_path / "pip.log", progress.Reporter(1), {}, "Check the network."
        )
    said = str(failure.value)
    assert (
        "tool.py" in said
        and "exit 3" in said
        and "ERROR: no matching version" in said
        and "Check the network." in said
    )
    assert str(tmp_path / "pip.log") in said and "already satisfied" not in said
    assert "already satisfied" in (tmp_path / "pip.log").read_text()


def _find_python(root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    script = root / "scripts" / "setup" / "find_python.sh"
    return subprocess.run([str(script)], capture_output=True, text=True, check=False, env=variables)


def test_the_interpreter_that_was_asked_for_is_taken() -> None:
    result = _find_python(ROOT, PYTHON=sys.executable, PATH="/usr/bin:/bin")
    assert (result.returncode, result.stdout.strip()) == (0, sys.executable)


def test_an_unfit_interpreter_is_refused_by_name(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *platform*) echo "Python 3.8.18";; *) exit 1;; esac\n')
    old.chmod(0o755)
    result = _find_python(ROOT, PYTHON=str(old), PATH="/usr/bin:/bin")
    assert result.returncode == 1 and "Python 3.8.18" in result.stderr and "3.10 to 3.13" in result.stderr


def test_without_a_fit_interpreter_the_install_command_is_named(
    copy: setup_venv.Layout, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("env", "bash", "dirname", "cat"):
        (tools / name).symlink_to(str(shutil.which(name)))
    result = _find_python(copy.checkout, PATH=str(tools))
    assert result.returncode == 1 and "sudo apt install python3.12 python3.12-venv" in result.stderr


def test_the_interpreter_of_the_existing_environment_is_kept(copy: setup_venv.Layout) -> None:
    copy.state.mkdir(parents=True)
    (copy.state / "python").write_text(sys.executable + "\n")
    result = _find_python(copy.checkout, PATH="/usr/bin:/bin")
    assert (result.returncode, result.stdout.strip()) == (0, sys.executable)
