"""Text to tokens: any text, and texts that break llama.cpp's regular expressions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.engine.loaded import Loaded
from desktop.engine.long_runs import LONGEST_RUN, cut_long_runs
from desktop.engine.vocabulary import Vocabulary
from tests.engine.conftest import LoadModel
from tests.engine.driving import plan_for
from tests.tiny_models import write_tiny_model

# A stack of 1 MB, as threads have on Windows: 2,700 characters in a row overflowed it.
_IN_A_SMALL_STACK = """
import sys, threading
from pathlib import Path
from desktop.engine.loaded import Loaded
from tests.engine.driving import plan_for
loaded = Loaded(Path(sys.argv[1]), plan_for())
def split():
    for sign in "a ä1!漢\\n":
        text = sign * 30_000 + "<|im_end|>"
        tokens = loaded.vocabulary.tokenize(text)
        assert tokens[-1] == loaded.vocabulary.single_token("<|im_end|>")
    print("alive")
threading.stack_size(1 << 20)
thread = threading.Thread(target=split)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("pre", ["tekken", "deepseek-v3", "gpt-4o", "llama4", "bloom"])
def test_long_runs_do_not_overflow_the_stack(tmp_path: Path, pre: str) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", metadata={"tokenizer.ggml.pre": pre})
    done = subprocess.run(
        [sys.executable, "-c", _IN_A_SMALL_STACK, str(path)],
        check=False,
        cwd=Path.cwd(),
        capture_output=True,
    )
    assert done.stdout.strip() == b"alive", done.stderr


@given(st.text(st.sampled_from("ab1 \n.,<|>ä漢"), max_size=3000), st.integers(1, 4))
def test_cutting_loses_nothing_and_leaves_short_words_alone(text: str, times: int) -> None:
    pieces = cut_long_runs(text * times)
    assert "".join(pieces) == text * times
    assert all(pieces) or not text
    usual = " ".join("x" * 20 for _ in range(500))
    assert cut_long_runs(usual) == [usual]


@pytest.mark.parametrize("sign", ["a", " ", "漢", "!"])
def test_no_piece_runs_on_for_too_long(sign: str) -> None:
    pieces = cut_long_runs("kurz " + sign * 10 * LONGEST_RUN + " kurz")
    assert max(map(len, pieces)) <= LONGEST_RUN + len(" kurz")


def test_a_cut_does_not_break_a_special_token(load_model: LoadModel) -> None:
    vocabulary = load_model().vocabulary
    end = vocabulary.single_token("<|im_end|>")
    for before in range(LONGEST_RUN - 15, LONGEST_RUN + 5):
        tokens = vocabulary.tokenize("x" * before + "<|im_end|>" + "y" * 1000)
        assert tokens.count(end or -1) == 1, before


@pytest.fixture(scope="module")
def vocabulary(plain_model: Path) -> Iterator[Vocabulary]:
    with closing(Loaded(plain_model, plan_for())) as loaded:
        yield loaded.vocabulary


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_back_from_its_tokens(vocabulary: Vocabulary, text: str) -> None:
    pieces = [vocabulary.piece(token)[0] for token in vocabulary.tokenize(text)]
    assert b"".join(pieces) == text.encode()


def test_beginning_and_special_tokens(load_model: LoadModel, tmp_path: Path) -> None:
    vocabulary = load_model(write_tiny_model(tmp_path / "bos.gguf", add_bos=True)).vocabulary
    assert vocabulary.adds_bos
    assert vocabulary.bos_text == "<|endoftext|>"
    bos = vocabulary.single_token("<|endoftext|>")
    assert vocabulary.tokenize("a")[0] == bos
    assert vocabulary.tokenize("a" * 2000)[0] == bos
    assert vocabulary.tokenize("a", add_special=False)[0] != bos
    assert vocabulary.single_token("ab") is None
    assert vocabulary.single_token("a") is None
    assert vocabulary.special_text(-1) == ""
