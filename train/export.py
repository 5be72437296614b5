"""A trained network to a bundle's files: an ONNX graph and a torch state dict, half the size.

Weights are rounded to float16 once, before anything is written, so that both files hold the
same numbers. The graph stores them as float16 and casts them back to float32; ONNX Runtime
folds the casts when it loads the graph, so no answer pays for it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn

from mgtag.bundle import GRAPH, WEIGHTS
from mgtag.models import Queens

OPSET = 20
INPUT, OUTPUTS = "windows", ("logits", "attention", "embedding")
TOLERANCE = 1e-4  # largest difference between torch and ONNX Runtime
BATCHES = (1, 2, 7)  # one exporter release was right at the batch it had seen, and only there
SMALL = 256  # elements; shapes and biases under this are not worth a cast


class ParityError(RuntimeError):
    """The exported graph answers differently from the network."""


def export(model: Queens, folder: Path) -> Queens:
    """Write ``model.onnx`` and ``weights.pt``, proved equal.

    Returns
    -------
    Queens
        The network as it was written: norms folded away, weights rounded to float16.

    Raises
    ------
    ParityError
        If ONNX Runtime's answers differ from torch's by more than `TOLERANCE`.
    """
    written = rounded(fold_norms(model))
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({key: value.half() for key, value in written.state_dict().items()}, folder / WEIGHTS)
    onnx.save(halved(to_onnx(written)), folder / GRAPH)
    check_parity(written, folder / GRAPH)
    return written


def fold_norms(model: Queens) -> Queens:
    """Fold every batch norm into the layer beside it: the same answers from the report's plain network."""
    model = model.eval()
    if not model.spec.batch_norm:
        return model
    plain = Queens(replace(model.spec, batch_norm=False)).eval()
    state = {k: v for k, v in model.state_dict().items() if not k.startswith(("cnn", "bands"))}
    if hasattr(model, "cnn"):
        state |= {f"cnn.{key}": value for key, value in _fold_cnn(model.cnn, plain.cnn).items()}
    if isinstance(bands := getattr(model, "bands", None), nn.BatchNorm1d):
        scale, offset = _affine(bands)
        for way in ("", "_reverse"):
            weight = state[f"gru.weight_ih_l0{way}"]
            state[f"gru.bias_ih_l0{way}"] = state[f"gru.bias_ih_l0{way}"] + weight @ offset
            state[f"gru.weight_ih_l0{way}"] = weight * scale
    plain.load_state_dict(state)
    return plain


def rounded(model: Queens) -> Queens:
    """Round every weight to the nearest float16, kept as float32."""
    copy = Queens(model.spec).eval()
    copy.load_state_dict({key: value.half().float() for key, value in model.state_dict().items()})
    return copy


def to_onnx(model: Queens) -> ModelProto:
    """Trace a network with any batch size; opset 20, three named outputs."""
    example = torch.zeros(2, model.spec.n_mels, model.spec.n_frames)
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch exported no graph")
    proto: ModelProto = program.model_proto
    return proto


def halved(proto: ModelProto) -> ModelProto:
    """Store every large float32 initialiser as float16 with a cast before its use."""
    half = ModelProto()
    half.CopyFrom(proto)
    casts, kept = [], []
    for tensor in half.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALL:
            kept.append(tensor)
            continue
        small = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_f16"
        )
        kept.append(small)
        casts.append(helper.make_node("Cast", [small.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *half.graph.node]
    del half.graph.initializer[:], half.graph.node[:], half.graph.value_info[:]
    half.graph.initializer.extend(kept)
    half.graph.node.extend(nodes)
    onnx.checker.check_model(half)
    return half


def check_parity(model: Queens, graph: Path) -> float:
    """Compare torch and ONNX Runtime at several batch sizes.

    Returns
    -------
    float
        The largest difference found.

    Raises
    ------
    ParityError
        If it is over `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    random, worst = torch.Generator().manual_seed(0), 0.0
    for batch in BATCHES:
        windows = torch.randn(batch, model.spec.n_mels, model.spec.n_frames, generator=random)
        with torch.inference_mode():
            wanted = [part.numpy() for part in model(windows) if part is not None]
        found = session.run(None, {INPUT: windows.numpy()})
        for name, a, b in zip(OUTPUTS, wanted, found, strict=True):
            if a.shape != b.shape:
                raise ParityError(f"{graph}: {name} has shape {b.shape} at batch {batch}, not {a.shape}.")
            worst = max(worst, float(np.abs(a - b).max()))
    if not worst <= TOLERANCE:
        raise ParityError(f"{graph}: ONNX Runtime and torch differ by {worst:.2g}, more than {TOLERANCE:g}.")
    return worst


def _affine(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the scale and offset that a batch norm applies once trained."""
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias.detach() - scale * norm.running_mean


def _fold_cnn(normed: nn.Sequential, plain: nn.Sequential) -> dict[str, torch.Tensor]:
    """State of the plain CNN whose convolutions do what convolution and norm did."""
    norms = [layer for layer in normed if isinstance(layer, nn.BatchNorm2d)]
    convs = [layer for layer in normed if isinstance(layer, nn.Conv2d)]
    places = [i for i, layer in enumerate(plain) if isinstance(layer, nn.Conv2d)]
    state = {}
    for place, conv, norm in zip(places, convs, norms, strict=True):
        scale, offset = _affine(norm)
        state[f"{place}.weight"] = conv.weight.detach() * scale[:, None, None, None]
        state[f"{place}.bias"] = offset
    return state
