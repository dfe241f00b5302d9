"""The one door to llama.cpp: its bindings, backends, log and devices."""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from desktop.engine.log_tail import LogTail
from desktop.hardware.machine import Device, DeviceType

_DEVICE_TYPES: tuple[DeviceType, ...] = ("cpu", "gpu", "igpu", "accel")


class Llama:
    """llama.cpp in this process: `lib` are the bindings of llama.h, `log` its last words.

    One object a process (`llama()`), because the library itself holds process-wide state:
    registered backends and the log callback.
    """

    def __init__(self) -> None:
        # An abort would otherwise start a debugger on this very process.
        os.environ["GGML_NO_BACKTRACE"] = "1"
        # How long a thread of GCC's OpenMP spins before it sleeps. By default so long that two
        # threads on two busy cores wrote 2 tokens a second; so, 24, and on idle cores the same
        # 67 as before. (No spinning at all: 45 in both cases.)
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
        self.lib: Any = _bindings()
        self.log = LogTail()
        self.log_callback = self.lib.llama_log_callback(self.log.receive)
        self.lib.llama_log_set(self.log_callback, ctypes.c_void_p(0))
        self.lib.llama_backend_init()
        self._devices = self.ggml("ggml", "ggml_backend_dev_count", ctypes.c_size_t)
        if self._devices() == 0:
            # Built with loadable backends: none is there until its file has been opened.
            load = self.ggml("ggml", "ggml_backend_load_all_from_path", None, ctypes.c_char_p)
            load(os.fsencode(_library_folder(self.lib)))

    @functools.cached_property
    def version(self) -> str:
        # Imported here because it takes as long as everything else of a child's start.
        from importlib.metadata import version

        return version("llama-cpp-python")

    def keeping_the_lock(self, name: str) -> Any:
        """A function of llama.h that keeps Python's lock while it runs: for the short ones.

        Every other call gives the lock away and waits to get it back, up to 5 ms beside a thread
        that is busy in Python. So a step should do that once, around llama_decode.
        """
        library = self.lib._lib
        function = ctypes.PyDLL(library._name, handle=library._handle)[name]
        bound = getattr(self.lib, name)
        function.argtypes, function.restype = bound.argtypes, bound.restype
        return function

    def backends(self) -> tuple[str, ...]:
        """Names of the registered backends, such as CPU, CUDA, RPC."""
        count = self.ggml("ggml", "ggml_backend_reg_count", ctypes.c_size_t)
        get = self.ggml("ggml", "ggml_backend_reg_get", ctypes.c_void_p, ctypes.c_size_t)
        name = self.ggml("ggml-base", "ggml_backend_reg_name", ctypes.c_char_p, ctypes.c_void_p)
        return tuple(_text(name(get(place))) for place in range(count()))

    def devices(self) -> tuple[Device, ...]:
        """What the backends found; memory in bytes as the driver reports it."""
        return tuple(self._describe(self._device(place)) for place in range(self._devices()))

    def find_device(self, name: str) -> int | None:
        """The handle of the device that llama.cpp calls `name`."""
        get_name = self.ggml("ggml-base", "ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
        for place in range(self._devices()):
            device = self._device(place)
            if _text(get_name(device)) == name:
                return device
        return None

    def cpu_buffer_type(self) -> int:
        """The buffer type of main memory, for tensors that must stay off the GPU."""
        get = self.ggml("ggml-base", "ggml_backend_cpu_buffer_type", ctypes.c_void_p)
        handle: int = get()
        return handle

    def buffer_type_name(self, handle: int) -> str:
        name = self.ggml("ggml-base", "ggml_backend_buft_name", ctypes.c_char_p, ctypes.c_void_p)
        return _text(name(handle))

    def _device(self, place: int) -> int:
        get = self.ggml("ggml", "ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
        handle: int = get(place)
        return handle

    def _describe(self, device: int) -> Device:
        pointer = ctypes.c_void_p
        name = self.ggml("ggml-base", "ggml_backend_dev_name", ctypes.c_char_p, pointer)
        described = self.ggml("ggml-base", "ggml_backend_dev_description", ctypes.c_char_p, pointer)
        kind = self.ggml("ggml-base", "ggml_backend_dev_type", ctypes.c_int, pointer)(device)
        memory = self.ggml("ggml-base", "ggml_backend_dev_memory", None, pointer, pointer, pointer)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        memory(device, ctypes.byref(free), ctypes.byref(total))
        return Device(
            name=_text(name(device)),
            description=_text(described(device)),
            type=_DEVICE_TYPES[kind] if 0 <= kind < len(_DEVICE_TYPES) else "accel",
            total_bytes=total.value,
            free_bytes=free.value,
        )

    def ggml(self, library: str, name: str, result: Any, *arguments: Any) -> Any:
        """A function of ggml that the bindings leave out; AttributeError where it is missing.

        A lookup in libllama finds the libraries that it stands on, in the copy that is loaded.
        Windows does not look further than one library, but knows loaded ones by name.
        """
        owner = ctypes.CDLL(f"{library}.dll") if sys.platform == "win32" else self.lib._lib
        function = owner[name]
        function.restype, function.argtypes = result, list(arguments)
        return function


@functools.cache
def llama() -> Llama:
    """llama.cpp, loaded at the first call (about 30 ms): a window without a model needs none."""
    return Llama()


def mtmd_bindings() -> Any:
    """The bindings of libmtmd, for pictures and sound; loaded when they are first wanted."""
    return _bindings("mtmd_cpp")


def _bindings(module: str = "llama_cpp") -> ModuleType:
    """Low-level bindings alone: the package's own __init__ takes four times as long."""
    if "llama_cpp" in sys.modules:
        return importlib.import_module(f"llama_cpp.{module}")
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None:
        raise ModuleNotFoundError("llama_cpp is not installed", name="llama_cpp")
    sys.modules["llama_cpp"] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"llama_cpp.{module}")
    finally:
        # Whoever imports the whole package later gets it, around the same bindings.
        del sys.modules["llama_cpp"]


def _library_folder(bindings: Any) -> Path:
    return Path(bindings._base_path)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
