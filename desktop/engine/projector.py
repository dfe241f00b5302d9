"""mtmd_get_memory_usage: what a vision or audio part would take, where it can be asked (Linux).

As llama_get_memory_breakdown a C++ function that returns a std::map by value; see breakdown.py.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

from desktop.common.errors import LoadError
from desktop.engine.breakdown import Links, StdMap, node_addresses
from desktop.engine.llama import Llama

_SYMBOL = "_Z21mtmd_get_memory_usagePKc19mtmd_context_params"
_LIBRARY = "libmtmd.so"
_MOST_ENTRIES = 64


class _Entry(ctypes.Structure):
    _fields_ = (("links", Links), ("device", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Parameters(ctypes.Structure):
    """mtmd_context_params."""

    _fields_ = (
        ("use_gpu", ctypes.c_bool),
        ("device", ctypes.c_void_p),
        ("print_timings", ctypes.c_bool),
        ("n_threads", ctypes.c_int),
        ("image_marker", ctypes.c_char_p),
        ("media_marker", ctypes.c_char_p),
        ("flash_attn_type", ctypes.c_int),
        ("warmup", ctypes.c_bool),
        ("image_min_tokens", ctypes.c_int),
        ("image_max_tokens", ctypes.c_int),
        ("cb_eval", ctypes.c_void_p),
        ("cb_eval_user_data", ctypes.c_void_p),
        ("batch_max_tokens", ctypes.c_int32),
        ("progress_callback", ctypes.c_void_p),
        ("progress_callback_user_data", ctypes.c_void_p),
    )


def projector_sizes(engine: Llama, path: Path, device: str) -> dict[str, int] | None:
    """Bytes by device's name (weights and compute together), None where this build does not tell.

    Raises LoadError("load_failed") for a file that is refused, "device_gone".
    """
    if sys.platform != "linux":
        return None
    functions = _functions(engine)
    if functions is None:
        return None
    defaults, measure = functions
    parameters = defaults()
    parameters.use_gpu = bool(device)
    parameters.warmup = True
    if device:
        handle = engine.find_device(device)
        if handle is None:
            raise LoadError("device_gone", device=device)
        parameters.device = handle
    found: StdMap = measure(os.fsencode(path), parameters)
    if not 0 < found.count <= _MOST_ENTRIES:
        raise LoadError("load_failed", path=str(path), detail="libmtmd refuses the file")
    get_name = engine.ggml("ggml-base", "ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
    sizes: dict[str, int] = {}
    for address in node_addresses(found.root):
        entry = _Entry.from_address(address)
        name = (get_name(entry.device) or b"").decode("utf-8", "replace")
        sizes[name] = sizes.get(name, 0) + entry.size
    return sizes


def _functions(engine: Llama) -> tuple[Any, Any] | None:
    """Of libmtmd, which stands beside libllama; None where it is missing or another version."""
    path = Path(engine.lib._base_path) / _LIBRARY
    try:
        library = ctypes.CDLL(str(path))
        defaults, measure = library["mtmd_context_params_default"], library[_SYMBOL]
    except (OSError, AttributeError):
        return None
    defaults.argtypes, defaults.restype = [], _Parameters
    measure.argtypes, measure.restype = [ctypes.c_char_p, _Parameters], StdMap
    return defaults, measure
