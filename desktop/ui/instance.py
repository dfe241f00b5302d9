"""One window a user and home: a second start raises the first one's window and goes away."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QDir, QElapsedTimer, QLockFile, QObject, QThread, Signal

# Of the first start, still on its way to its window; and of one that hangs.
ANSWER_MS = 5000
_MAX_BYTES = 65536


class Instance(QObject):
    """Owns the lock that says who is first; the socket follows after the first paint.

    QtNetwork is imported where it is needed: the first start needs it late, the second at once.
    """

    called = Signal(list, str)

    def __init__(self, data_dir: Path, env: Mapping[str, str]) -> None:
        super().__init__()
        self._env = env
        who = os.fsencode(f"{getpass.getuser()}\n{data_dir}")
        self.key = "hausgeist-" + hashlib.sha256(who).hexdigest()[:16]
        self._lock = QLockFile(str(Path(QDir.tempPath()) / f"{self.key}.lock"))
        # Only the death of its process makes a lock stale, never its age.
        self._lock.setStaleLockTime(0)
        self._server: QObject | None = None

    def is_first(self) -> bool:
        """Take the lock; a dead process's lock is taken over."""
        return self._lock.tryLock(0) or self._lock.error() == QLockFile.LockError.PermissionError

    def call_first(self, files: list[Path], answer_ms: int = ANSWER_MS) -> bool:
        """Hand `files` to the first start and have it raise its window; False: it is mute."""
        from PySide6.QtNetwork import QLocalSocket

        message = {
            "files": [str(path) for path in files],
            "token": self._env.get("XDG_ACTIVATION_TOKEN", ""),
        }
        clock = QElapsedTimer()
        clock.start()
        while clock.elapsed() < answer_ms:
            socket = QLocalSocket()
            socket.connectToServer(self.key)
            if socket.waitForConnected(200):
                socket.write(json.dumps(message).encode() + b"\n")
                socket.flush()
                left = max(1, answer_ms - int(clock.elapsed()))
                if socket.waitForReadyRead(left):
                    return True
            else:
                QThread.msleep(50)
        return False

    def listen(self) -> bool:
        """Hear later starts from now on; a socket that a crash has left behind is replaced."""
        from PySide6.QtNetwork import QLocalServer

        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self.key)
        server.newConnection.connect(self._answer)
        self._server = server
        return server.listen(self.key)

    def close(self) -> None:
        """Let another start be the first."""
        from PySide6.QtNetwork import QLocalServer

        if isinstance(self._server, QLocalServer):
            self._server.close()
        self._lock.unlock()

    def _answer(self) -> None:
        from PySide6.QtNetwork import QLocalServer

        if not isinstance(self._server, QLocalServer):
            return
        socket = self._server.nextPendingConnection()
        heard = bytearray()

        def read() -> None:
            heard.extend(bytes(socket.readAll().data()))
            if b"\n" in heard or len(heard) > _MAX_BYTES:
                socket.write(b"ok\n")
                socket.flush()
                socket.disconnectFromServer()
                self._hear(bytes(heard[:_MAX_BYTES]))

        socket.readyRead.connect(read)
        socket.disconnected.connect(socket.deleteLater)
        if socket.bytesAvailable():
            read()

    def _hear(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            files = [Path(str(name)) for name in message["files"]]
            token = str(message.get("token", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            files, token = [], ""
        self.called.emit(files, token)
