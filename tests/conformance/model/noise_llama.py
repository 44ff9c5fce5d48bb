"""A real llama.cpp with a model of random weights: its answers are noise, and everything around them is real.

`python -m tests.conformance.model.noise_llama 18080` writes the model (0.4 MB) into a folder of its own and serves it
until it is ended; in another terminal `MODEL_TEST_BASE_URL=http://127.0.0.1:18080/v1` goes with the tests. It needs
`pip install xllamacpp gguf` somewhere, which no other part of this repository does.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

_WIDTH, _HEADS, _INNER, _CONTEXT = 64, 4, 128, 4096
_PRINTABLE = range(32, 127)
_TEMPLATE = "{% for one in messages %}[{{ one.role }}] {{ one.content }}\n{% endfor %}[assistant] "


def write(path: Path) -> None:
    """A llama of one layer over single characters."""
    import numpy
    from gguf import GGUFWriter, TokenType

    texts = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256]
    # The tokenizer's own sign for a blank.
    texts += [bytes([code]) if code != 32 else "\u2581".encode() for code in _PRINTABLE]
    kinds += [TokenType.NORMAL] * len(_PRINTABLE)
    random = numpy.random.default_rng(7)

    def noise(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.05).astype(numpy.float32)

    ones = numpy.ones(_WIDTH, numpy.float32)
    # The first dimension is the same for all: it keeps raw bytes, which alone are no UTF-8, from ever being said.
    heard, said = noise(len(texts), _WIDTH), noise(len(texts), _WIDTH) * 4
    heard[:, 0], said[:, 0] = 4, 0
    said[[0, 1, *range(3, 259)], 0] = -10

    writer = GGUFWriter(path, "llama")
    writer.add_name("noise")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(texts))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores([0.0] * len(texts))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(_TEMPLATE)
    writer.add_tensor("token_embd.weight", heard)
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", ones)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{name}.weight", noise(_WIDTH, _WIDTH))
    writer.add_tensor("blk.0.ffn_gate.weight", noise(_INNER, _WIDTH))
    writer.add_tensor("blk.0.ffn_up.weight", noise(_INNER, _WIDTH))
    writer.add_tensor("blk.0.ffn_down.weight", noise(_WIDTH, _INNER))
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", said)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(path: Path, port: int) -> None:
    import xllamacpp

    about = xllamacpp.CommonParams()
    about.model.path = str(path)
    about.n_ctx, about.n_parallel, about.warmup, about.use_jinja = _CONTEXT, 1, False, True
    about.cpuparams.n_threads = about.cpuparams_batch.n_threads = 1
    about.hostnames, about.port = ["127.0.0.1"], port
    server = xllamacpp.Server(about)
    print(f"{server.listening_address}/v1", flush=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nomad-operator-noise-") as folder:
        path = Path(folder) / "noise.gguf"
        write(path)
        serve(path, int(sys.argv[1]))


if __name__ == "__main__":
    main()
