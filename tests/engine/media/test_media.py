"""Pictures and sound in a prompt, with tiny random projectors."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.common.errors import LoadError, RequestError
from desktop.engine.chat import Media
from desktop.engine.events import Event, Failed, Finished
from desktop.engine.extras import Extras
from desktop.engine.loaded import Loaded
from desktop.engine.media.media import (
    MediaChunk,
    MediaTokens,
    cells,
    content_ids,
    spans,
    whole_chunks,
)
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from tests.engine.driving import Told, answer, ask, plan_for, sort_out
from tests.tiny_architectures import write_tiny_qwen2vl
from tests.tiny_models import speak_signs_only, write_tiny_model
from tests.tiny_projector import png, wav, write_tiny_ears, write_tiny_eyes

RED, BLUE = png(112, 112), png(112, 112, (20, 40, 220))


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_eyes(tmp_path_factory.mktemp("eyes") / "mmproj.gguf")


@pytest.fixture(scope="module")
def wide_eyes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model with M-RoPE and its projector, which takes pictures of any size."""
    folder = tmp_path_factory.mktemp("wide")
    model = write_tiny_qwen2vl(folder / "qwen2vl.gguf", change=speak_signs_only)
    return model, write_tiny_eyes(folder / "mmproj.gguf", kind="qwen2vl_merger")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "model.gguf"
    return write_tiny_model(path, seed=3, change=speak_signs_only)


@pytest.fixture
def seeing(model: Path, eyes: Path) -> Iterator[Loaded]:
    with closing(Loaded(model, plan_for(), extras=Extras(projector=eyes))) as loaded:
        yield loaded


@pytest.fixture
def wide(wide_eyes: tuple[Path, Path]) -> Iterator[Loaded]:
    model, projector = wide_eyes
    plan = plan_for(context=2048, ubatch=32)
    with closing(Loaded(model, plan, extras=Extras(projector=projector))) as loaded:
        yield loaded


def read(loaded: Loaded, data: bytes, kind: Any = "image") -> MediaTokens:
    assert loaded.media is not None
    return loaded.media.read(Media(kind, data))


def show(loaded: Loaded, request: Request, *parts: str | bytes) -> Prepared:
    """Texts and pictures in turn, as a prompt."""
    tokens: list[int] = []
    chunks: list[MediaChunk] = []
    for part in parts:
        if isinstance(part, str):
            tokens += loaded.vocabulary.tokenize(part)
        else:
            found = read(loaded, part)
            tokens += found.tokens
            chunks += found.chunks
    return Prepared(request, tokens, media=tuple(chunks))


def drive_all(loaded: Loaded, *wanted: Prepared | Request) -> dict[str, Told]:
    """Not `drive`: right behind a picture M-RoPE's highest position is not the last one."""
    events: list[Event] = []
    for one in wanted:
        events += loaded.batcher.add(one)
    for _ in range(20_000):
        if not loaded.batcher.busy:
            return sort_out(events)
        events += loaded.batcher.step()
    raise AssertionError("still busy")


def test_what_a_picture_shows_changes_the_answer(seeing: Loaded) -> None:
    texts = {
        name: drive_all(seeing, show(seeing, ask(name, "", 16), "Look: ", picture, " What?"))
        for name, picture in (("red", RED), ("blue", BLUE), ("again", RED))
    }
    red, blue, again = (texts[name][name] for name in ("red", "blue", "again"))
    assert red.text == again.text
    assert red.text != blue.text


def test_the_same_picture_is_not_read_again_and_another_is(seeing: Loaded) -> None:
    first = drive_all(seeing, show(seeing, ask("a", ""), "Look: ", RED, " What is it?"))["a"]
    again = drive_all(seeing, show(seeing, ask("b", ""), "Look: ", RED, " What is it?"))["b"]
    other = drive_all(seeing, show(seeing, ask("c", ""), "Look: ", BLUE, " What is it?"))["c"]
    (picture,) = spans(read(seeing, RED).tokens, read(seeing, RED).chunks)
    before = len(seeing.vocabulary.tokenize("Look: ")) + picture.start
    assert first.cached_tokens == 0
    assert again.cached_tokens > before + len(picture.chunk.ids)
    assert other.cached_tokens == before


def test_a_prefix_never_ends_inside_a_picture(seeing: Loaded) -> None:
    """Its cells are there all or none."""
    drive_all(seeing, show(seeing, ask("a", ""), RED, " first"))
    found = read(seeing, RED)
    parts = spans(found.tokens, found.chunks)
    start, end = parts[0].start, parts[0].end
    assert [whole_chunks(kept, parts) for kept in (start, start + 1, end - 1, end)] == [
        start,
        start,
        start,
        end,
    ]
    with pytest.raises(ValueError, match="other media"):
        spans([*found.tokens[: end - 1], 5, 6, 7], found.chunks)


@pytest.mark.parametrize("name", ["seeing", "wide"])
def test_in_steps_a_picture_is_read_as_llama_cpp_reads_it(
    name: str, request: pytest.FixtureRequest
) -> None:
    """mtmd_helper_eval_chunks, libmtmd's own way, gives the same logits."""
    loaded: Loaded = request.getfixturevalue(name)
    picture = png(336, 196)
    ours = drive_all(loaded, show(loaded, ask("a", "", 12), "Look: ", picture, " What?"))["a"]
    assert ours.text == _by_libmtmd(loaded, "Look: ", 336, 196, " What?", 12)


def _by_libmtmd(
    loaded: Loaded, before: str, width: int, height: int, after: str, count: int
) -> str:
    from desktop.engine.llama import mtmd_bindings
    from desktop.engine.media.pictures import Pictures

    lib, llama = mtmd_bindings(), loaded.model.llama.lib
    assert loaded.media is not None
    handle = loaded.media._mtmd.handle
    with closing(Pictures()) as pictures:
        pixels = pictures.decode(png(width, height)).pixels
    data = (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels)
    bitmap = lib.mtmd_bitmap_init(width, height, data)
    chunks = lib.mtmd_input_chunks_init()
    raw = f"{before}<__media__>{after}".encode()
    text = lib.mtmd_input_text(raw, len(raw), 1, 1)
    bitmaps = (ctypes.c_void_p * 1)(bitmap)
    assert lib.mtmd_tokenize(handle, chunks, ctypes.byref(text), bitmaps, 1) == 0
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = 2048
    context = llama.llama_init_from_model(loaded.model.handle, parameters)
    past = llama.llama_pos(0)
    code = lib.mtmd_helper_eval_chunks(handle, context, chunks, 0, 0, 512, 1, ctypes.byref(past))
    assert code == 0
    written = b""
    position = past.value
    for _ in range(count):
        logits = np.ctypeslib.as_array(
            llama.llama_get_logits_ith(context, -1), (loaded.vocabulary.size,)
        )
        token = int(logits.argmax())
        written += loaded.vocabulary.piece(token)[0]
        kept = (llama.llama_token * 1)(token)
        batch = llama.llama_batch_get_one(kept, 1)
        place = (llama.llama_pos * 1)(position)
        batch.pos = ctypes.cast(place, type(batch.pos))
        assert llama.llama_decode(context, batch) == 0
        position += 1
    llama.llama_free(context)
    lib.mtmd_input_chunks_free(chunks)
    lib.mtmd_bitmap_free(bitmap)
    return written.decode()


def test_others_write_on_while_a_picture_is_made(wide: Loaded) -> None:
    told = drive_all(
        wide,
        ask("writer", "Once", 60),
        show(wide, ask("viewer", "", 8), "Look: ", png(560, 560), " What?"),
    )
    assert told["writer"].end.reason == told["viewer"].end.reason == "length"
    alone = drive_all(wide, ask("alone", "Once", 60))["alone"]
    assert told["writer"].text == alone.text


def test_positions_and_cells_of_a_wide_model(wide: Loaded) -> None:
    found = read(wide, png(336, 196))
    (chunk,) = found.chunks
    assert chunk.cells == 12 * 7
    assert len(chunk.ids) == 12
    parts = spans(found.tokens, found.chunks)
    end = parts[0].end
    assert cells(end, parts) == end + chunk.cells - 12
    assert cells(parts[0].start, parts) == parts[0].start


def test_large_pictures_leave_half_of_the_context_free(wide_eyes: tuple[Path, Path]) -> None:
    model, projector = wide_eyes
    plan = plan_for(context=512, parallel=1)
    with closing(Loaded(model, plan, extras=Extras(projector=projector))) as loaded:
        assert read(loaded, png(2800, 2800)).chunks[0].cells <= 256


def test_the_processor_sees_large_pictures_smaller(wide_eyes: tuple[Path, Path]) -> None:
    """Else a photo takes it minutes."""
    model, projector = wide_eyes
    plan = plan_for(context=16_384, parallel=1)
    with closing(Loaded(model, plan, extras=Extras(projector=projector))) as loaded:
        assert 1000 < read(loaded, png(2800, 2800)).chunks[0].cells <= 1280
        assert read(loaded, png(280, 280)).chunks[0].cells == 100


def test_a_picture_that_must_be_read_at_once_wants_a_step_as_large(model: Path, eyes: Path) -> None:
    """llama.cpp ends the process."""
    plan = plan_for(ubatch=8, parallel=1)
    with (
        closing(Loaded(model, plan, extras=Extras(projector=eyes))) as loaded,
        pytest.raises(RequestError, match="media_step"),
    ):
        read(loaded, RED)


def test_a_prompt_may_end_with_a_picture(seeing: Loaded) -> None:
    told = drive_all(seeing, show(seeing, ask("a", "", 8), "Look: ", RED))["a"]
    assert told.end.reason == "length"
    assert told.end.stats.completion_tokens == 8


def test_a_damaged_picture_fails_its_own_request_alone(seeing: Loaded) -> None:
    broken = RED[:60] + bytes(20) + RED[80:]
    told = drive_all(
        seeing,
        show(seeing, ask("broken", ""), "Look: ", broken, " What?"),
        show(seeing, ask("whole", ""), "Look: ", RED, " What?"),
    )
    assert told["broken"].failed is not None
    assert told["broken"].failed.kind == "bad_media"
    assert told["whole"].end.reason == "length"


def test_a_cancelled_picture_leaves_nothing(wide: Loaded) -> None:
    batcher = wide.batcher
    events = batcher.add(show(wide, ask("a", ""), "Look: ", png(560, 560), " What?"))
    while batcher.busy and not any(slot.media_cells for slot in batcher.slots):
        events += batcher.step()
    events += batcher.cancel("a")
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    assert [type(end) for end in ends] == [Finished]
    answers = []
    for name in ("after", "anew"):
        prepared = show(wide, ask(name, "", 12), "Look: ", png(560, 560), " What?")
        answers.append(drive_all(wide, prepared)[name])
        batcher.cache.evict_idle()
        batcher.cache.evict_idle()
    after, anew = answers
    assert after.text == anew.text
    assert after.cached_tokens > 0 == anew.cached_tokens


def test_a_text_s_marks_are_no_pictures(seeing: Loaded) -> None:
    assert all(token >= 0 for token in seeing.vocabulary.tokenize("<__media__>"))
    assert answer(seeing.batcher, ask("a", "Look: <__media__>")).end.reason == "length"


def test_a_blind_model_and_a_deaf_one_say_so(seeing: Loaded, model: Path) -> None:
    with pytest.raises(RequestError, match="no_audio"):
        read(seeing, wav(1.0), "audio")
    with closing(Loaded(model, plan_for())) as blind:
        assert blind.media is None


@pytest.fixture
def hearing(model: Path, tmp_path: Path) -> Iterator[Loaded]:
    ears = write_tiny_ears(tmp_path / "ears.gguf")
    plan = plan_for(context=2048)
    with closing(Loaded(model, plan, extras=Extras(projector=ears))) as loaded:
        yield loaded


def test_what_is_heard_changes_the_answer(hearing: Loaded) -> None:
    texts = []
    for number, sound in enumerate((wav(1.0), wav(1.0, hertz=2000.0), wav(1.0))):
        found = read(hearing, sound, "audio")
        tokens = hearing.vocabulary.tokenize("Listen: ") + list(found.tokens)
        tokens += hearing.vocabulary.tokenize(" What?")
        request = ask(str(number), "", 16)
        prepared = Prepared(request, tokens, media=found.chunks)
        texts.append(drive_all(hearing, prepared)[str(number)].text)
    assert texts[0] == texts[2]
    assert texts[0] != texts[1]


def test_a_minute_of_sound_comes_in_two_pieces(hearing: Loaded) -> None:
    assert len(read(hearing, wav(40.0), "audio").chunks) == 2
    with pytest.raises(RequestError, match="no_vision"):
        read(hearing, RED)


def test_a_projector_of_another_model_is_refused(model: Path, tmp_path: Path) -> None:
    other = write_tiny_eyes(tmp_path / "other.gguf", language_width=32)
    with pytest.raises(LoadError) as caught:
        Loaded(model, plan_for(), extras=Extras(projector=other))
    assert caught.value.kind == "projector_failed"
    assert "mismatch" in caught.value.detail


def test_ids_are_the_content_s_alone() -> None:
    ids = content_ids(b"key", 9)
    assert ids == content_ids(b"key", 9)
    assert set(ids).isdisjoint(content_ids(b"other", 9))
    assert all(-(2**31) <= number < 0 for number in ids)
