"""Windows' own word on what the network costs: INetworkCostManager::GetCost."""

from __future__ import annotations

import ctypes
import sys
import uuid

from desktop.common.logs import get_logger

_LIST_MANAGER = uuid.UUID("dcb00c01-570f-4a9b-8d69-199fdba5723b")
_COST_MANAGER = uuid.UUID("dcb00008-570f-4a9b-8d69-199fdba5723b")
_ANY_CONTEXT = 0x17
_GET_COST, _RELEASE = 3, 2  # places in the interface's table, behind IUnknown's three
# NLM_CONNECTION_COST: fixed, variable, over the data limit, roaming.
_PAID = 0x2 | 0x4 | 0x10000 | 0x40000

_log = get_logger("hub")


def is_metered() -> bool | None:
    """None where Windows does not say, and on other systems."""
    if sys.platform == "win32":
        return _ask()
    else:  # noqa: RET505  (mypy knows one system at a time)
        return None


if sys.platform == "win32":

    def _ask() -> bool | None:
        try:
            ole = ctypes.OleDLL("ole32")
            ole.CoInitializeEx(None, 0)
        except OSError as error:  # another kind of thread already: then it is ready as well
            _log.info("COM: %s", error)
            ole = ctypes.OleDLL("ole32")
        manager = ctypes.c_void_p()
        try:
            ole.CoCreateInstance(
                _LIST_MANAGER.bytes_le,
                None,
                _ANY_CONTEXT,
                _COST_MANAGER.bytes_le,
                ctypes.byref(manager),
            )
            table = ctypes.cast(
                ctypes.cast(manager, ctypes.POINTER(ctypes.c_void_p))[0],
                ctypes.POINTER(ctypes.c_void_p),
            )
            cost = ctypes.c_uint32()
            get_cost = ctypes.WINFUNCTYPE(
                ctypes.HRESULT, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
            )(table[_GET_COST])
            get_cost(manager, ctypes.byref(cost), None)
            release = ctypes.WINFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)(table[_RELEASE])
            release(manager)
        except OSError as error:
            _log.info("metered or not: %s", error)
            return None
        return bool(cost.value & _PAID) if cost.value else None
