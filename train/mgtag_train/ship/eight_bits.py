"""Convolutions in integers of eight bits: half the time of a network, and a quarter of their size.

Weights and activations are quantised by ONNX Runtime, after training, each activation over the range that it
has on some training windows (arXiv:1712.05877; https://onnxruntime.ai/docs/performance/model-optimizations/
quantization.html). The first convolution, which reads the mel, and all that is no convolution keep floats.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime
import torch
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from mgtag.arrays import F32
from mgtag.bundle import GRAPH
from mgtag.card import GENRE
from mgtag.models import ModelOutput, Network
from mgtag_train.ship.export import INPUT, check_parity, halved, to_onnx

BATCH = 20  # the same for all, or a percentile cannot be taken
PERCENTILE = 99.99  # of an activation's values, which its range spans: the rest would make every step coarser


class EightBits(Network):
    """A network as ONNX Runtime answers for it, its convolutions in eight bits.

    Parameters
    ----------
    model : Network
        As it will be shipped otherwise: norms folded away, weights rounded.
    windows : F32
        Shape ``(n, n_mels, n_frames)``, training windows, over which activations are measured; at least
        `BATCH`.
    folder : Path
        Where the graph is written, as a bundle's.

    Raises
    ------
    ParityError
        If the graph was wrong before it was quantised.
    """

    def __init__(self, model: Network, windows: F32, folder: Path) -> None:
        super().__init__(model.spec)
        folder.mkdir(parents=True, exist_ok=True)
        self.graph = folder / GRAPH
        proto = to_onnx(model)
        onnx.save(halved(proto), self.graph)
        check_parity(model, self.graph)
        onnx.save(halved(quantised(proto, windows)), self.graph)
        self._nowhere = torch.nn.Parameter(torch.zeros(0))  # what asks a network for its device finds one
        self._session = onnxruntime.InferenceSession(self.graph, providers=["CPUExecutionProvider"])

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer as the bundle will."""
        names = [put.name for put in self._session.get_outputs()]
        answers = self._session.run(names, {INPUT: windows.float().numpy()})
        found = {name: torch.from_numpy(answer) for name, answer in zip(names, answers, strict=True)}
        logits, embedding = found.pop(GENRE), found.pop("embedding")
        return ModelOutput(logits, found.pop("attention", None), embedding, heads=found)


def quantised(proto: ModelProto, windows: F32) -> ModelProto:
    """Quantise every convolution of a graph but the first.

    The weights take seven of the eight bits: a processor without VNNI adds products in pairs to 16 bits,
    which would overflow.
    """
    logging.getLogger().setLevel(logging.ERROR)  # its advice is for those who call it from a shell
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # it prints what nobody asked for
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
        onnx.save(proto, plain)
        quant_pre_process(plain, plain, skip_symbolic_shape=True)
        first = next(node.name for node in onnx.load(plain).graph.node if node.op_type == "Conv")
        quantize_static(
            plain,
            small,
            _Windows(windows),
            op_types_to_quantize=["Conv", "MaxPool"],
            nodes_to_exclude=[first],
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": PERCENTILE},
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(small)


class _Windows(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, windows: F32) -> None:
        self._batches: Iterator[dict[str, F32]] = (
            {INPUT: windows[at : at + BATCH]} for at in range(0, len(windows) - BATCH + 1, BATCH)
        )

    def get_next(self) -> dict[str, F32] | None:
        return next(self._batches, None)
