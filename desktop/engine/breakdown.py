"""llama_get_memory_breakdown: the exact bytes by buffer type, where they can be read.

The function returns a C++ std::map by value. ctypes can receive it as libstdc++ lays it out:
an object of 48 bytes, returned through memory on x86-64 and AArch64 alike, whose nodes are
walked by their pointers. Other C++ libraries differ, so this is for Linux; the nodes are never
freed, so it is for a process that ends soon.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from desktop.engine.llama import Llama
from desktop.engine.model import Context

_SYMBOL = "_Z26llama_get_memory_breakdownPK13llama_context"
_MOST_ENTRIES = 256


@dataclass(frozen=True, slots=True)
class Sizes:
    weights_bytes: int
    context_bytes: int
    compute_bytes: int


class StdMap(ctypes.Structure):
    """A std::map as libstdc++ lays it out."""

    _fields_ = (
        ("compare", ctypes.c_void_p),
        ("color", ctypes.c_size_t),
        ("root", ctypes.c_void_p),
        ("leftmost", ctypes.c_void_p),
        ("rightmost", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
    )


class Links(ctypes.Structure):
    """The start of every node; what it holds follows."""

    _fields_ = (
        ("color", ctypes.c_size_t),
        ("parent", ctypes.c_void_p),
        ("left", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
    )


class _Node(ctypes.Structure):
    _fields_ = (
        ("links", Links),
        ("buffer_type", ctypes.c_void_p),
        ("weights", ctypes.c_size_t),
        ("context", ctypes.c_size_t),
        ("compute", ctypes.c_size_t),
    )


def memory_breakdown(engine: Llama, context: Context) -> dict[str, Sizes] | None:
    """Sizes by the buffer type's name, or None where this build does not tell."""
    if sys.platform != "linux":
        return None
    try:
        function = engine.lib._lib[_SYMBOL]
    except AttributeError:
        return None
    function.argtypes, function.restype = [ctypes.c_void_p], StdMap
    found: StdMap = function(context.handle)
    if not 0 < found.count <= _MOST_ENTRIES:
        return None
    sizes: dict[str, Sizes] = {}
    for address in node_addresses(found.root):
        node = _Node.from_address(address)
        name = engine.buffer_type_name(node.buffer_type)
        sizes[name] = Sizes(node.weights, node.context, node.compute)
    return sizes


def node_addresses(root: int | None) -> Iterator[int]:
    """The nodes of the red-black tree, in no order that matters."""
    waiting = [root]
    while waiting:
        address = waiting.pop()
        if address:
            yield address
            links = Links.from_address(address)
            waiting += [links.left, links.right]
