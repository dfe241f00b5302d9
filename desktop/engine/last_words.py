"""What a process that died said last, and what that means for the person in front of it."""

from __future__ import annotations

import sys
from typing import Literal

from desktop.engine.process import ChildDiedError

Cause = Literal["", "memory", "driver", "pool"]

_SIGKILL = 9
_NO_MEMORY = ("out of memory", "failed to allocate", "unable to allocate", "outofdevicememory")
_NO_MEMORY_EXACTLY = ("bad_alloc", "MemoryError")
_POOL = ("Remote RPC server", "ggml-rpc.cpp")
_DRIVER = (
    "CUDA error",
    "ROCm error",
    "HIP error",
    "vk::",
    "ggml-vulkan",
    "ggml_metal",
    "ggml-metal",
)


def is_out_of_memory(words: str) -> bool:
    """Whether llama.cpp, a driver or Python says so."""
    lower = words.lower()
    return any(sign in lower for sign in _NO_MEMORY) or any(
        sign in words for sign in _NO_MEMORY_EXACTLY
    )


def cause_of_death(death: ChildDiedError) -> Cause:
    """What ended it, as far as that can be known; "" for everything else.

    Nobody but the system's out-of-memory killer sends a child SIGKILL that it did not expect.
    """
    words = death.last_words
    if any(sign in words for sign in _POOL):
        return "pool"
    if is_out_of_memory(words) or (sys.platform != "win32" and death.code == -_SIGKILL):
        return "memory"
    return "driver" if any(sign in words for sign in _DRIVER) else ""
