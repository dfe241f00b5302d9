"""ggml's own graphs, the few calls that measuring a device needs: for a child process.

A graph is a list of operations over tensors; a wrong shape aborts the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from desktop.common.errors import EngineError
from desktop.engine.llama import Llama

F32, F16, I32 = 0, 1, 26
"""Of enum ggml_type."""

_POINTER = ctypes.c_void_p
_INT64 = ctypes.c_int64
_CONTEXT_BYTES = 8 << 20  # of descriptions, not of data
_MOST_NODES = 4096
_BUFFER_OFFSET = 8  # of `buffer` in ggml_tensor, behind `type`
_ROPE_NEOX = 2
_NO = ctypes.c_bool(False)  # noqa: FBT003


class _InitParameters(ctypes.Structure):
    _fields_ = (
        ("mem_size", ctypes.c_size_t),
        ("mem_buffer", _POINTER),
        ("no_alloc", ctypes.c_bool),
    )


class Backend:
    """One device of this machine, ready to compute. Raises EngineError("no_device")."""

    def __init__(self, engine: Llama, name: str, threads: int) -> None:
        self._engine = engine
        device = engine.find_device(name)
        opened = device and self.call("ggml_backend_dev_init", _POINTER, device, None)
        if not device or not opened:
            raise EngineError("no_device", device=name)
        self.name = name
        self.device: int = device
        self.handle: int = opened
        self.is_cpu = self.call("ggml_backend_dev_type", ctypes.c_int, device) == 0
        self.set_threads(threads)

    def set_threads(self, threads: int) -> None:
        """For the processor; graphics have their own."""
        set_threads = self._own("ggml_backend_set_n_threads", None, ctypes.c_int)
        if self.is_cpu and set_threads is not None:
            set_threads(self.handle, threads)

    def close(self) -> None:
        self.call("ggml_backend_free", None, self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """A function of ggml-base; whole numbers are handed over as int64, others as typed."""
        kinds = tuple(_kind_of(argument) for argument in arguments)
        return self._function(name, result, kinds)(*arguments)

    def compute(self, graph: int) -> None:
        """Raises EngineError("device_failed")."""
        code = self.call("ggml_backend_graph_compute", ctypes.c_int, self.handle, graph)
        if code != 0:
            raise EngineError("device_failed", device=self.name, code=code)

    def supports(self, node: int) -> bool:
        """Whether the device can compute this operation itself."""
        return bool(
            self.call("ggml_backend_dev_supports_op", ctypes.c_bool, self.device, node),
        )

    @functools.cached_property
    def rearranging(self) -> tuple[int, ...]:
        """Buffer types that hold weights in another order, the ones llama.cpp prefers first."""
        found = self._own("ggml_backend_dev_get_extra_bufts", ctypes.POINTER(_POINTER))
        types = found(self.device) if found is not None else None
        if not types:
            return ()
        listed: list[int] = []
        while types[len(listed)]:
            listed.append(types[len(listed)])
        return tuple(listed)

    @functools.cache  # noqa: B019  (a backend lives as long as its child process)
    def _function(self, name: str, result: Any, kinds: tuple[Any, ...]) -> Any:
        return self._engine.ggml("ggml-base", name, result, *kinds)

    def _own(self, name: str, result: Any, *more: Any) -> Any:
        """A function that only this device's backend has; None where it does not."""
        registry = self.call("ggml_backend_dev_backend_reg", _POINTER, self.device)
        address = self.call(
            "ggml_backend_reg_get_proc_address", _POINTER, registry, name.encode("ascii")
        )
        return ctypes.CFUNCTYPE(result, _POINTER, *more)(address) if address else None


class Graph:
    """Tensors and operations on one backend, freed together: weights, inputs, then `run`.

    `weight` tensors lie where llama.cpp would put a matrix of that kind, everything else in the
    backend's plain memory. Shapes are ggml's: columns first.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._call = backend.call
        self._freed = contextlib.ExitStack()
        self._weights, self._rest = self._context(), self._context()
        self._graph = self._call("ggml_new_graph_custom", _POINTER, self._rest, _MOST_NODES, _NO)
        self._last = 0  # the node that is computed last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._freed.close()

    def weight(self, kind: int, *dims: int) -> int:
        return self._tensor(self._weights, kind, dims)

    def input(self, kind: int, *dims: int) -> int:
        return self._tensor(self._rest, kind, dims)

    def product(self, weight: int, rows: int) -> int:
        return self._node("ggml_mul_mat", weight, rows)

    def expert_product(self, experts: int, rows: int, chosen: int) -> int:
        return self._node("ggml_mul_mat_id", experts, rows, chosen)

    def attention(self, queries: int, keys: int, values: int, mask: int, scale: float) -> int:
        """Queries are (head, rows, heads); keys and values (head, cells, kv heads)."""
        numbers = [ctypes.c_float(number) for number in (scale, 0.0, 0.0)]
        return self._node("ggml_flash_attn_ext", queries, keys, values, mask, *numbers)

    def swapped(self, tensor: int) -> int:
        """The second and third dimension exchanged, without moving anything."""
        order = [ctypes.c_int(axis) for axis in (0, 2, 1, 3)]
        return self._node("ggml_permute", tensor, *order)

    def norm(self, rows: int) -> int:
        return self._node("ggml_rms_norm", rows, ctypes.c_float(1e-6))

    def times(self, one: int, other: int) -> int:
        return self._node("ggml_mul", one, other)

    def plus(self, one: int, other: int) -> int:
        return self._node("ggml_add", one, other)

    def gated(self, gate: int, up: int) -> int:
        return self._node("ggml_swiglu_split", gate, up)

    def rotated(self, heads: int, positions: int, size: int) -> int:
        whole = [ctypes.c_int(number) for number in (size, _ROPE_NEOX, 0)]
        numbers = [ctypes.c_float(number) for number in (1e4, 1.0, 0.0, 1.0, 32.0, 1.0)]
        return self._node("ggml_rope_ext", heads, positions, None, *whole, *numbers)

    def supported(self, node: int) -> bool:
        return self._backend.supports(node)

    def keep(self, node: int) -> None:
        """Compute `node`, and what it stands on, when run."""
        self._call("ggml_build_forward_expand", None, self._graph, node)
        self._last = node

    def place(self, probe: int | None = None) -> None:
        """Give every tensor its memory. `probe`: an operation with a weight, which decides where.

        Raises EngineError("no_device_memory").
        """
        home = None if probe is None else self._preferred(probe)
        for context, special in ((self._weights, home), (self._rest, None)):
            if not self._call("ggml_get_first_tensor", _POINTER, context):
                continue
            if special is None:
                name, owner = "ggml_backend_alloc_ctx_tensors", self._backend.handle
            else:
                name, owner = "ggml_backend_alloc_ctx_tensors_from_buft", special
            buffer = self._call(name, _POINTER, context, owner)
            if not buffer:
                raise EngineError("no_device_memory", device=self._backend.name)
            self._freed.callback(self._call, "ggml_backend_buffer_free", None, buffer)

    def nbytes(self, tensor: int) -> int:
        return int(self._call("ggml_nbytes", ctypes.c_size_t, tensor))

    def fill(self, tensor: int, data: bytes) -> None:
        """The tensor's bytes are `data`, as often as it takes."""
        size = self.nbytes(tensor)
        whole = (data * -(-size // len(data)))[:size] if len(data) != size else data
        self._call("ggml_backend_tensor_set", None, tensor, whole, 0, size)

    def run(self) -> None:
        """Compute all that is kept. Raises EngineError("device_failed")."""
        self._backend.compute(self._graph)
        if not self._backend.is_cpu:
            # Some backends (RPC) answer before they are through; a value is there only then.
            value = (ctypes.c_float * 1)()
            self._call("ggml_backend_tensor_get", None, self._last, value, 0, 4)

    def _preferred(self, probe: int) -> int | None:
        """The buffer type that llama.cpp would load the probe's weight into."""
        weight = self._call("ggml_get_first_tensor", _POINTER, self._weights)
        place = ctypes.cast(weight + _BUFFER_OFFSET, ctypes.POINTER(_POINTER))
        for home in self._backend.rearranging:
            empty = self._call("ggml_backend_buft_alloc_buffer", _POINTER, home, 0)
            if not empty:
                continue
            place[0] = empty
            fits = self.supported(probe)
            place[0] = None
            self._call("ggml_backend_buffer_free", None, empty)
            if fits:
                return home
        return None

    def _context(self) -> int:
        context: int = self._call(
            "ggml_init", _POINTER, _InitParameters(_CONTEXT_BYTES, None, no_alloc=True)
        )
        self._freed.callback(self._call, "ggml_free", None, context)
        return context

    def _tensor(self, context: int, kind: int, dims: Sequence[int]) -> int:
        sizes = (*dims, 1, 1, 1, 1)[:4]
        tensor: int = self._call(
            "ggml_new_tensor_4d", _POINTER, context, ctypes.c_int(kind), *sizes
        )
        return tensor

    def _node(self, name: str, *arguments: Any) -> int:
        node: int = self._call(name, _POINTER, self._rest, *arguments)
        return node


def _kind_of(argument: Any) -> Any:
    """How ctypes has to pass it: handles are as large as an int64 on every platform of ours."""
    if isinstance(argument, int):
        return _INT64
    if argument is None:
        return _POINTER
    if isinstance(argument, bytes):
        return ctypes.c_char_p
    if isinstance(argument, ctypes.Array):
        return _POINTER
    return type(argument)
