"""llama.cpp's functions for layers that predict ahead ("nextn"), which its C header leaves out.

They are C++ functions with plain arguments, so they can be called by their mangled names: the
Itanium ABI's on Linux and macOS, Microsoft's on Windows.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

from desktop.engine.llama import Llama

_ITANIUM = {
    "switch": "_Z26llama_set_embeddings_nextnP13llama_contextbb",
    "rows": "_Z26llama_get_embeddings_nextnP13llama_context",
    "row": "_Z30llama_get_embeddings_nextn_ithP13llama_contexti",
    "layer": "_Z28llama_set_nextn_layer_offsetP13llama_contexti",
}
_MICROSOFT = {
    "switch": "?llama_set_embeddings_nextn@@YAXPEAUllama_context@@_N1@Z",
    "rows": "?llama_get_embeddings_nextn@@YAPEAMPEAUllama_context@@@Z",
    "row": "?llama_get_embeddings_nextn_ith@@YAPEAMPEAUllama_context@@H@Z",
    "layer": "?llama_set_nextn_layer_offset@@YAXPEAUllama_context@@H@Z",
}


@dataclass(frozen=True, slots=True)
class NextN:
    """`switch(context, on, masked)`: keep each token's last hidden values (masked: only where
    logits are asked for). `rows(context)`: those of the last step, in the batch's order.
    `row(context, place)`: one token's. `layer(context, n)`: which of several layers predicts.
    """

    switch: Any
    rows: Any
    row: Any
    layer: Any


def nextn(engine: Llama) -> NextN | None:
    """None where this build does not have them."""
    names = _MICROSOFT if sys.platform == "win32" else _ITANIUM
    pointer, address = ctypes.c_void_p, ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "switch": (None, [pointer, ctypes.c_bool, ctypes.c_bool]),
        "rows": (address, [pointer]),
        "row": (address, [pointer, ctypes.c_int32]),
        "layer": (None, [pointer, ctypes.c_int32]),
    }
    found: dict[str, Any] = {}
    for key, (result, arguments) in signatures.items():
        try:
            function = engine.lib._lib[names[key]]
        except AttributeError:
            return None
        function.restype, function.argtypes = result, arguments
        found[key] = function
    return NextN(**found)
