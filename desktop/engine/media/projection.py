"""Pictures and sound on their way into a prompt: counted at once, computed when they are read."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from desktop.common.errors import LoadError, RequestError
from desktop.engine.chat import Media
from desktop.engine.hearing import RATE
from desktop.engine.media.encoder import ChunkEncoding, Encoder, Wanted
from desktop.engine.media.image_header import ImageHead
from desktop.engine.media.media import MediaChunk, MediaTokens, content_ids
from desktop.engine.media.media_limits import MAX_FILE_BYTES, checked_audio, checked_image
from desktop.engine.media.mtmd import Mtmd, Piece, Split
from desktop.engine.media.pictures import Pictures
from desktop.engine.model import Context, Model
from desktop.fit.types import Plan

_LARGE_PICTURE = (4096, 4096)
_LEAST_TOKENS = 64
_MOST_HEARD = 64
_ON_THE_PROCESSOR_TOKENS = 1280
"""A photo of 4,000 tokens keeps a processor busy for minutes, to see it and then to read it; what
Qwen's own documents suggest as a limit for speed."""


class Projector:
    """The eyes and ears of one loaded model; a `MediaReader`.

    `read` runs in callers' threads. To be closed before the model.
    """

    def __init__(self, model: Model, context: Context, path: Path, plan: Plan) -> None:
        """Raises LoadError: projector_failed, device_gone."""
        self._batch_tokens = context.batch_tokens
        self._mtmd = _sized(model, context, path, plan)
        self._pictures = Pictures()
        self._encoder = Encoder(self._mtmd)
        self._heard: OrderedDict[bytes, tuple[Piece, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self.vision, self.audio = self._mtmd.vision, self._mtmd.audio

    def read(self, media: Media) -> MediaTokens:
        if len(media.data) > MAX_FILE_BYTES:
            raise RequestError("media_too_large", size=len(media.data), limit=MAX_FILE_BYTES)
        return self._image(media.data) if media.kind == "image" else self._sound(media.data)

    def blank(self, width: int, height: int) -> MediaTokens:
        """A black picture that needs no decoding: for trying out."""
        pixels = bytes(3 * width * height)
        with self._mtmd.split_image(width, height) as counted:
            pieces = counted.pieces
        key = f"{width}x{height}".encode()
        return self._tokens(key, pieces, partial(self._mtmd.split_image, width, height, pixels))

    def close(self) -> None:
        self._pictures.close()
        self._encoder.close()
        self._mtmd.close()

    def _image(self, data: bytes) -> MediaTokens:
        if not self.vision:
            raise RequestError("no_vision")
        head = checked_image(data)
        with self._mtmd.split_image(head.width, head.height) as counted:
            pieces = counted.pieces
        return self._tokens(data, pieces, partial(self._decoded, data, head))

    def _decoded(self, data: bytes, head: ImageHead) -> Split:
        picture = self._pictures.decode(data)
        if (picture.width, picture.height) != (head.width, head.height):
            raise RequestError("bad_media", detail="other sizes than its header says")
        return self._mtmd.split_image(picture.width, picture.height, picture.pixels)

    def _sound(self, data: bytes) -> MediaTokens:
        if not self.audio:
            raise RequestError("no_audio")
        head = checked_audio(data)
        pieces = self._counted(head.data)
        return self._tokens(data, pieces, partial(self._heard_in_pieces, head.data))

    def _heard_in_pieces(self, data: bytes) -> Split:
        if self._mtmd.sample_rate != RATE:
            return self._mtmd.split_audio(data)  # ears of another kind, which the child has not
        return self._mtmd.split_samples(self._pictures.hear(data))

    def _counted(self, data: bytes) -> tuple[Piece, ...]:
        """What is heard decides how many tokens it takes, which cannot be told without decoding:
        a chat's sounds come again with every turn, so what they are is kept."""
        key = hashlib.sha256(data).digest()
        with self._lock:
            known = self._heard.get(key)
        if known is None:
            with self._heard_in_pieces(data) as split:
                known = split.pieces
        with self._lock:
            self._heard[key] = known
            self._heard.move_to_end(key)
            while len(self._heard) > _MOST_HEARD:
                self._heard.popitem(last=False)
        return known

    def _tokens(
        self, data: bytes, pieces: tuple[Piece, ...], split: Callable[[], Split]
    ) -> MediaTokens:
        key = hashlib.sha256(data).digest()
        wanted = Wanted(key, split, pieces)
        tokens: list[int] = []
        chunks: list[MediaChunk] = []
        for piece in pieces:
            if piece.kind is None:
                tokens += piece.tokens
                continue
            if piece.whole and piece.cells > self._batch_tokens:
                raise RequestError("media_step", cells=piece.cells, limit=self._batch_tokens)
            ids = content_ids(key + piece.number.to_bytes(4, "little"), piece.positions)
            encoding = ChunkEncoding(self._encoder, wanted, piece)
            chunks.append(MediaChunk(piece.kind, ids, piece.cells, encoding, piece.whole))
            tokens += ids
        if not chunks:
            raise RequestError("bad_media", detail="nothing in it")
        return MediaTokens(tuple(tokens), tuple(chunks))


def _sized(model: Model, context: Context, path: Path, plan: Plan) -> Mtmd:
    """With pictures so small that one leaves half of the context free, and fits into a step
    where it must; projectors that know one size alone take no notice."""
    mtmd = Mtmd(model, path, plan)
    if not mtmd.vision:
        return mtmd
    try:
        with mtmd.split_image(*_LARGE_PICTURE) as split:
            chunks = [piece for piece in split.pieces if piece.kind is not None]
    except RequestError as error:
        mtmd.close()
        raise LoadError("projector_failed", path=str(path), detail=error.detail) from error
    most = max(context.sequence_tokens // 2, _LEAST_TOKENS)
    if plan.gpu_layers == 0:
        most = min(most, _ON_THE_PROCESSOR_TOKENS)
    if any(chunk.whole for chunk in chunks):
        most = min(most, context.batch_tokens)
    if max((chunk.cells for chunk in chunks), default=0) <= most:
        return mtmd
    mtmd.close()
    return Mtmd(model, path, plan, most_tokens=most)
