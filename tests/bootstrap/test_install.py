"""The set-up's steps: marks, reasons of failures, what the engine is built for."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest
from bootstrap_steps import commands, install, llama, locks, missing, progress, words


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set-up of its own, in English."""
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "MARKS", tmp_path / "marks.json")
    monkeypatch.setattr(install, "LOG", tmp_path / "log.txt")
    monkeypatch.setenv("LC_ALL", "C")
    return tmp_path


def test_a_mark_is_kept_and_a_broken_file_means_nothing_is_done(venv: Path) -> None:
    assert install.marks() == {}
    install.mark("run", "abc")
    install.mark("test", "def")
    assert install.marks() == {"run": "abc", "test": "def"}
    (venv / "marks.json").write_text("{half", encoding="utf-8")
    assert install.marks() == {}


def test_packages_are_installed_once(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(install, "pip", lambda _label, arguments, *_: calls.append(arguments))
    install.packages("run", "step_packages")
    install.packages("run", "step_packages")
    assert len(calls) == 1
    assert "--require-hashes" in calls[0]
    wheels = Path(calls[0][-1]).read_text(encoding="utf-8")
    assert "pyside6-essentials==" in wheels
    assert "llama-cpp-python" not in wheels


def test_an_interrupted_step_is_done_again(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object) -> None:
        raise words.Stop("no network")

    monkeypatch.setattr(install, "pip", fails)
    with pytest.raises(words.Stop):
        install.packages("run", "step_packages")
    assert install.marks() == {}


def test_a_failed_gpu_build_falls_back_to_the_processor(
    venv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[tuple[str, ...]] = []

    def build(_entry: str, how: llama.Offer) -> None:
        built.append(how.backends)
        if "CUDA" in how.backends:
            raise words.Stop("nvcc said no")

    offer = llama.Offer(("CPU", "CUDA"), ("-DGGML_RPC=ON", "-DGGML_CUDA=ON"))
    monkeypatch.setattr(llama, "offer", lambda _environ: offer)
    monkeypatch.setattr(install, "build", build)
    monkeypatch.setattr(install, "packages", lambda *_: None)
    install.engine()
    assert built == [("CPU", "CUDA"), ("CPU",)]
    assert "CUDA failed" in capsys.readouterr().err
    install.engine()  # done; what failed once is neither tried nor offered at every start
    assert len(built) == 2
    assert capsys.readouterr().err == ""


def test_a_backend_that_came_later_is_offered_not_built(
    venv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = locks.only((locks.LOCKS / "run.lock").read_text(encoding="utf-8"), install.ENGINE)
    install.mark("engine", entry + "CPU")
    install.mark("engine_tried", "CPU")
    offer = llama.Offer(("CPU", "Vulkan"), ())
    monkeypatch.setattr(llama, "offer", lambda _environ: offer)
    install.engine()
    assert "Vulkan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "lock file"),
        ("Failed to establish: NewConnectionError", "network"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "memory"),
        ("CMake Error: CMAKE_CXX_COMPILER not set", "compiler"),
        ("something error: odd happened", "odd happened"),
    ],
)
def test_reasons_in_words(printed: str, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert word in install.reason(["before", printed, "after"])


def test_nothing_but_the_processor_is_offered_on_a_bare_linux(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(llama, "vulkan_header", lambda _environ: None)
    assert llama.offer({"PATH": str(tmp_path)}) == llama.PROCESSOR


def test_vulkan_is_offered_with_the_missing_declaration_for_old_headers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    header = tmp_path / "vulkan" / "vulkan_core.h"
    header.parent.mkdir()
    (tmp_path / "spirv" / "unified1").mkdir(parents=True)
    (tmp_path / "spirv" / "unified1" / "spirv.hpp").touch()
    header.write_text("#define VK_HEADER_VERSION 239\n", encoding="utf-8")
    assert llama.vulkan_header({}, [tmp_path]) == header
    old = llama.vulkan_options(header)
    flags = shlex.split(shlex.join(old))[1].split("=", 1)[1]
    assert shlex.split(flags) == ["-include", str(llama.COMPAT_HEADER)]
    assert llama.COMPAT_HEADER.exists()
    header.write_text("#define VK_HEADER_VERSION 300\n", encoding="utf-8")
    assert llama.vulkan_options(header) == ["-DGGML_VULKAN=ON"]


def test_cuda_needs_both_compiler_and_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nvcc = tmp_path / "nvcc"
    nvcc.write_text("#!/bin/sh\n")
    nvcc.chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(llama, "vulkan_header", lambda _environ: None)
    monkeypatch.setattr(llama, "nvidia_gpu_there", lambda: False)
    assert "CUDA" not in llama.offer({"PATH": str(tmp_path)}).backends
    monkeypatch.setattr(llama, "nvidia_gpu_there", lambda: True)
    assert "-DGGML_CUDA=ON" in llama.offer({"PATH": str(tmp_path)}).options


def test_a_mac_gets_metal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert llama.offer({}).backends == ("CPU", "Metal")


def test_compilers_at_once_fit_into_memory() -> None:
    assert llama.build_jobs(16, 8_000_000_000) == 5
    assert llama.build_jobs(2, 24_000_000_000) == 2
    assert llama.build_jobs(8, 1_000_000_000) == 1


def test_progress_reads_the_builders_lines(tmp_path: Path) -> None:
    assert progress.share_done("  [145/290] Building CXX object x.o") == (
        "[###############...............] 50 %"
    )
    assert progress.share_done("Collecting numpy==2.4.6") == "numpy"
    assert progress.share_done("noise") == ""
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    result = progress.run("step", [sys.executable, "-c", script], tmp_path / "log", {})
    assert result.code == 3
    assert {"out", "err"} <= set(result.tail)
    assert "err" in (tmp_path / "log").read_text(encoding="utf-8")


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main([], (3, 11), (3, 14)) == 2
    assert commands.main(["fly"], (3, 11), (3, 14)) == 2
    assert "bootstrap.py" in capsys.readouterr().err


def test_a_python_that_does_not_fit_is_told_with_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(install, "ready", lambda: False)
    monkeypatch.setattr(missing, "this_distribution", lambda: "debian")
    monkeypatch.setattr(sys, "platform", "linux")
    assert commands.main(["run"], (4, 0), (4, 2)) == 1
    said = capsys.readouterr().err
    assert "4.0" in said
    assert "sudo apt-get install -y python3 python3-venv" in said


def test_a_stand_in_for_python_is_passed_over(tmp_path: Path) -> None:
    """A version manager's shim exists on the path and only prints an error."""
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert not commands.works(str(shim))
    assert commands.works(sys.executable)


def test_the_environment_stays_with_the_python_it_was_made_with(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "PYTHON", Path(sys.executable))
    assert not install.ready()
    install.mark("venv", str(install.ROOT))
    assert install.ready()
    monkeypatch.setattr(install, "PYTHON", venv / "gone")
    assert not install.ready()
    install.mark("venv", "another place")
    monkeypatch.setattr(install, "PYTHON", Path(sys.executable))
    assert not install.ready()
