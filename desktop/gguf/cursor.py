"""Reads a header's numbers and strings one after the other, through a window of bounded size."""

from __future__ import annotations

import struct

from desktop.common.errors import ModelFileError
from desktop.gguf.header import ByteOrder
from desktop.gguf.shown import printable
from desktop.gguf.source import RangeReader
from desktop.gguf.string_runs import RUN, run_pattern
from desktop.gguf.values import SCALAR_FORMATS, Scalar, ValueType

WINDOW_BYTES = 1 << 20
MAX_HEADER_BYTES = 512 << 20
"""No real header comes near it (a 262k vocabulary takes 12 MB); more is a file that lies."""


class Cursor:
    """A position in one file; every method raises ModelFileError rather than run past the end."""

    def __init__(
        self,
        reader: RangeReader,
        name: str,
        byte_order: ByteOrder = "little",
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        """`window_bytes`: how far to read ahead; less where every byte comes over a network."""
        self._reader = reader
        self._window_bytes = window_bytes
        self._name = name
        self._size_bytes = reader.size_bytes
        self._window = b""
        self._start = 0  # where in the file the window begins
        self._at = 0  # the position inside the window
        self.set_byte_order(byte_order)

    def set_byte_order(self, byte_order: ByteOrder) -> None:
        sign = "<" if byte_order == "little" else ">"
        self._u32 = struct.Struct(sign + "I")
        self._u64 = struct.Struct(sign + "Q")
        self._sign = sign
        self._byte_order: ByteOrder = byte_order
        self._scalars = {code: struct.Struct(sign + f) for code, f in SCALAR_FORMATS.items()}

    @property
    def position(self) -> int:
        return self._start + self._at

    @property
    def remaining_bytes(self) -> int:
        return self._size_bytes - self.position

    def malformed(self, problem: str, where: str = "") -> ModelFileError:
        """The error to raise; `where` names the key or tensor."""
        return ModelFileError(
            "malformed_gguf",
            path=self._name,
            problem=f"{problem}: {printable(where)}" if where else problem,
            detail=f"near byte {self.position}",
        )

    def truncated(self) -> ModelFileError:
        """The error to raise where the file ends inside its header."""
        return ModelFileError(
            "truncated_gguf", path=self._name, detail=f"ends at byte {self._size_bytes}"
        )

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        if self._at + n > len(self._window):
            self._fill(n)
        piece = self._window[self._at : self._at + n]
        self._at += n
        return piece

    def skip(self, n: int) -> None:
        """Go `n` bytes on without reading them."""
        if n > self.remaining_bytes:
            raise self.truncated()
        if self._at + n <= len(self._window):
            self._at += n
        else:
            self._move(self.position + n)

    def u32(self) -> int:
        value: int = self._u32.unpack(self.take(4))[0]
        return value

    def u64(self) -> int:
        value: int = self._u64.unpack(self.take(8))[0]
        return value

    def scalar_bytes(self, value_type: int) -> int:
        return self._scalars[value_type].size

    def scalar(self, value_type: int, where: str) -> Scalar:
        """A number or truth value of a type of fixed size."""
        packed = self._scalars[value_type]
        value: Scalar = packed.unpack(self.take(packed.size))[0]
        if value_type == ValueType.BOOL:
            return self._truth(int(value), where)
        return value

    def scalars(self, value_type: int, count: int, where: str) -> tuple[Scalar, ...]:
        """`count` numbers; the caller has made sure that they are few."""
        packed = struct.Struct(f"{self._sign}{count}{SCALAR_FORMATS[value_type]}")
        values: tuple[Scalar, ...] = packed.unpack(self.take(packed.size))
        if value_type == ValueType.BOOL:
            return tuple(self._truth(int(value), where) for value in values)
        return values

    def _truth(self, value: int, where: str) -> bool:
        if value > 1:
            raise self.malformed("a truth value is neither 0 nor 1", where)
        return value == 1

    def string_length(self) -> int:
        """The length that stands before a string, checked against the rest of the file."""
        length = self.u64()
        if length > self.remaining_bytes:
            raise self.truncated()
        return length

    def skip_strings(self, count: int) -> None:
        """Go past `count` strings, looking at nothing but their lengths."""
        while count > 0:
            count -= self._skip_runs(count)
            count -= self._skip_by_length(min(count, RUN))

    def _skip_runs(self, count: int) -> int:
        """Go past runs of short strings inside the window; how many strings that were."""
        if count < RUN:
            return 0
        match = run_pattern(self._byte_order).match
        left = count
        while left >= RUN and (found := match(self._window, self._at)) is not None:
            self._at = found.end()
            left -= RUN
        return count - left

    def _skip_by_length(self, count: int) -> int:
        """Go past up to `count` strings length by length; how many that were, 0 for a refill."""
        unpack_from = self._u64.unpack_from
        window, at = self._window, self._at
        done = 0
        try:
            # The bounds are left to unpack_from: asking first would take three times as long.
            while done < count:
                at += 8 + unpack_from(window, at)[0]
                done += 1
        except (struct.error, OverflowError):
            # The next length is not wholly inside the window.
            self._go(at)
            self._fill(8)
            return done
        self._go(at)
        return done

    def _go(self, at: int) -> None:
        """To a place counted from the window's start, which may lie behind its end."""
        if at > len(self._window):
            self._move(self._start + at)
        else:
            self._at = at

    def _move(self, position: int) -> None:
        """Start a new window at `position`."""
        if position > self._size_bytes:
            raise self.truncated()
        if position > MAX_HEADER_BYTES:
            raise self.malformed("the header is larger than any real one")
        self._start, self._at, self._window = position, 0, b""

    def _fill(self, n: int) -> None:
        """Make `n` bytes from the position on available in the window."""
        position = self.position
        if n > self._size_bytes - position:
            raise self.truncated()
        if position + n > MAX_HEADER_BYTES:
            raise self.malformed("the header is larger than any real one")
        self._window = self._reader.read(position, max(n, self._window_bytes))
        self._start, self._at = position, 0
        if len(self._window) < n:  # the file shrank while it was read
            raise self.truncated()
