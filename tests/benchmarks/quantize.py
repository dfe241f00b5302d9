"""How long making a smaller version takes, what it holds of memory, how soon a cancel works.

    python tests/benchmarks/quantize.py [MEGABYTES] [TYPE]

Random weights in 16 bits, as a maker publishes them. Prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import gguf
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.common.errors import CancelledError
from desktop.engine.cancel import CancelToken
from desktop.library.library import Library
from desktop.services.quantize import QuantizationProgress, Quantizer

WIDTH, VOCAB = 2048, 32_000


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    quantization = sys.argv[2] if len(sys.argv) > 2 else "Q4_K_M"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _write(folder / "source-F16.gguf", megabytes)
        library = Library.in_memory(folder / "no-guide.gguf")
        quantizer = Quantizer(library, lambda: folder / "models")
        plan = quantizer.plan(source, quantization)
        began_s = time.perf_counter()
        choices = quantizer.choices(source)
        choices_s = time.perf_counter() - began_s
        told: list[float] = []
        watch = _Peak()
        began_s = time.perf_counter()
        made = quantizer.make(plan, progress=lambda _: told.append(time.perf_counter()))
        took_s = time.perf_counter() - began_s
        document = {
            "source_bytes": source.stat().st_size,
            "type": quantization,
            "seconds": round(took_s, 2),
            "mb_per_s": round(source.stat().st_size / 1e6 / took_s, 1),
            "predicted_minus_real_bytes": plan.file_bytes - made.file_bytes,
            "child_peak_bytes": watch.stop(),
            "longest_silence_s": round(max(np.diff(told), default=0.0), 3),
            "cancel_s": round(_cancel(quantizer, source), 3),
            "choices": len(choices),
            "choices_s": round(choices_s, 3),
        }
        library.close()
    print(json.dumps(document))


class _Peak(threading.Thread):
    """The most that a child holds of memory of its own (a mapped file's pages are the system's)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()
        self._peak = 0
        self.start()

    def run(self) -> None:
        while not self._done.wait(0.05):
            for child in psutil.Process().children(recursive=True):
                try:
                    memory = child.memory_info()
                except psutil.Error:
                    continue
                self._peak = max(self._peak, memory.rss - getattr(memory, "shared", 0))

    def stop(self) -> int:
        self._done.set()
        self.join()
        return self._peak


def _cancel(quantizer: Quantizer, source: Path) -> float:
    """From the wish to the end, in the middle of it."""
    cancel = CancelToken()
    at: list[float] = []

    def stop(progress: QuantizationProgress) -> None:
        if progress.fraction > 0.1 and not at:
            at.append(time.perf_counter())
            cancel.cancel()

    try:
        quantizer.make(quantizer.plan(source, "Q8_0"), progress=stop, cancel=cancel)
    except CancelledError:
        return time.perf_counter() - at[0]
    return -1.0


def _write(path: Path, megabytes: int) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    random = np.random.default_rng(0)
    layer_bytes = 2 * (4 * WIDTH * WIDTH + 3 * WIDTH * 4 * WIDTH)
    layers = max(1, round((megabytes * 1e6 - 4 * WIDTH * VOCAB) / layer_bytes))
    writer.add_name("Benchmark")
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(4 * WIDTH)
    writer.add_head_count(16)
    writer.add_head_count_kv(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns), dtype=np.float32) * 0.02).astype(np.float16)

    writer.add_tensor("token_embd.weight", matrix(VOCAB, WIDTH))
    writer.add_tensor("output.weight", matrix(VOCAB, WIDTH))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    for layer in range(layers):
        block = f"blk.{layer}."
        writer.add_tensor(block + "attn_norm.weight", np.ones(WIDTH, dtype=np.float32))
        writer.add_tensor(block + "ffn_norm.weight", np.ones(WIDTH, dtype=np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{block}{name}.weight", matrix(WIDTH, WIDTH))
        writer.add_tensor(block + "ffn_gate.weight", matrix(4 * WIDTH, WIDTH))
        writer.add_tensor(block + "ffn_up.weight", matrix(4 * WIDTH, WIDTH))
        writer.add_tensor(block + "ffn_down.weight", matrix(WIDTH, 4 * WIDTH))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


if __name__ == "__main__":
    main()
