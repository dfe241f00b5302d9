"""A look at what answers in the Hub's place, where the connection itself is not trusted.

Nothing is told but that somebody looks: no token, no path, no question.
"""

from __future__ import annotations

import ssl

import httpx2

from desktop.common.errors import NetworkError
from desktop.hub.answer import Shown
from desktop.hub.http import USER_AGENT, network_error
from desktop.hub.policy import Origin


def look_at(origin: Origin, timeout_s: float) -> Shown:
    """What the host at `origin` shows. Raises NetworkError (hub.http's kinds)."""
    url = f"{origin.scheme}://{origin.shown}/"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # who it is, is what shall be found out
    try:
        with (
            httpx2.Client(verify=context, headers={"User-Agent": USER_AGENT}) as client,
            client.stream("HEAD", url, timeout=timeout_s) as found,
        ):
            line = found.extensions["network_stream"].get_extra_info("ssl_object")
            shown = None if line is None else line.getpeercert(True)  # noqa: FBT003  (DER)
            return Shown(shown or b"", found.headers.get("date", ""))
    except httpx2.HTTPError as error:
        raise network_error(error, url, timeout_s) from error
    except (httpx2.InvalidURL, ImportError, ValueError, OSError) as error:
        raise NetworkError("connection_failed", host=origin.shown, detail=str(error)) from error
