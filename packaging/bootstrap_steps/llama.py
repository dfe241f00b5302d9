"""How llama-cpp-python is built here: what the machine offers, as CMake options."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

COMPAT_HEADER = Path(__file__).resolve().parent.parent / "vulkan_compat.hpp"
# VK_EXT_layer_settings came with header version 272; ggml-vulkan names it once.
FIRST_COMPLETE_VULKAN = 272


class Offer(NamedTuple):
    """One way to build: the names people know, and the options that make it."""

    backends: tuple[str, ...]
    options: tuple[str, ...]


def nvidia_gpu_there() -> bool:
    """Whether an NVIDIA driver runs here (its own files, no tool is started)."""
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32/nvcuda.dll").exists()
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def vulkan_header(environ: Mapping[str, str], roots: list[Path] | None = None) -> Path | None:
    """vulkan_core.h where it can be built against, else None."""
    places = roots if roots is not None else [Path("/usr/include"), Path("/usr/local/include")]
    if environ.get("VULKAN_SDK"):
        sdk = Path(environ["VULKAN_SDK"])
        places = [sdk / "include", sdk / "Include", *places]
    for place in places:
        header = place / "vulkan" / "vulkan_core.h"
        spirv = place / "spirv" / "unified1" / "spirv.hpp"
        if header.exists() and (spirv.exists() or (place / "spirv-headers").exists()):
            return header
    return None


def vulkan_options(header: Path) -> list[str]:
    """The options for Vulkan, with the missing declaration where the headers are too old."""
    found = re.search(r"#define VK_HEADER_VERSION (\d+)", header.read_text(encoding="utf-8"))
    options = ["-DGGML_VULKAN=ON"]
    if found and int(found.group(1)) < FIRST_COMPLETE_VULKAN:
        options.append(f'-DCMAKE_CXX_FLAGS=-include "{COMPAT_HEADER}"')
    return options


def offer(environ: Mapping[str, str]) -> Offer:
    """What this machine offers now. Cheap enough for every start: looks at files only."""
    backends, options = ["CPU"], ["-DGGML_RPC=ON"]
    if sys.platform == "darwin":
        return Offer(("CPU", "Metal"), ("-DGGML_RPC=ON", "-DGGML_METAL=ON"))
    if shutil.which("nvcc", path=environ.get("PATH")) and nvidia_gpu_there():
        backends.append("CUDA")
        options.append("-DGGML_CUDA=ON")
    header = vulkan_header(environ)
    if header and shutil.which("glslc", path=environ.get("PATH")):
        backends.append("Vulkan")
        options.extend(vulkan_options(header))
    return Offer(tuple(backends), tuple(options))


PROCESSOR = Offer(("CPU",), ("-DGGML_RPC=ON",))


def build_jobs(cores: int, memory_bytes: int) -> int:
    """How many compilers at once: one a core, but 1.5 GB each (the largest unit needs about 1)."""
    return max(1, min(cores, int(memory_bytes // 1_500_000_000)))


def memory_bytes() -> int:
    """This machine's RAM, or enough for two compilers where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4_000_000_000
