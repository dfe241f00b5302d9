"""The window's logger."""

from __future__ import annotations

import logging

# As common.logs.get_logger names it, which brings the handlers along: not before the first paint.
log = logging.getLogger("hausgeist.ui")
