"""How much may be locked in memory."""

from __future__ import annotations

import sys

import pytest

from desktop.hardware.memlock import lockable_bytes

if sys.platform != "win32":
    import resource

    @pytest.mark.parametrize(("soft", "told"), [(65_536, 65_536), (resource.RLIM_INFINITY, None)])
    def test_the_limit(soft: int, told: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _what: (soft, soft))
        assert lockable_bytes() == told
