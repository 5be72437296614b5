"""A trained network to a bundle's files: an ONNX graph and a torch state dict, half the size.

Weights are rounded to float16 once, before anything is written, so that both files hold the
same numbers. The graph stores them as float16 and casts them back to float32; ONNX Runtime
folds the casts when it loads the graph, so no answer pays for it.
"""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mgtag.bundle import GRAPH, WEIGHTS
from mgtag.models import Network

OPSET = 20
INPUT = "windows"
TOLERANCE = 1e-4  # largest difference between torch and ONNX Runtime
BATCHES = (1, 2, 7)  # one exporter release was right at the batch it had seen, and only there
# Elements; what is smaller, or has one dimension (biases, scales of integers), is not worth a cast.
SMALL = 256


class ParityError(RuntimeError):
    """The exported graph answers differently from the network."""


def export(model: Network, folder: Path) -> Network:
    """Write ``model.onnx`` and ``weights.safetensors``, proved equal.

    Returns
    -------
    Network
        The network as it was written: norms folded away, weights rounded to float16.

    Raises
    ------
    ParityError
        If ONNX Runtime's answers differ from torch's by more than `TOLERANCE`.
    """
    written = rounded(fold_norms(model))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: _half(value).contiguous() for key, value in written.state_dict().items()}, folder / WEIGHTS
    )
    onnx.save(halved(to_onnx(written)), folder / GRAPH)
    check_parity(written, folder / GRAPH)
    return written


def fold_norms(model: Network) -> Network:
    """Fold every batch norm into the layer before it: the same answers from a network without.

    A norm that follows no convolution, in a network that has no ``batch_norm`` to switch off, stays.
    """
    model = model.eval()
    if not getattr(model.spec, "batch_norm", False):
        return model
    folded = copy.deepcopy(model)
    _fold(folded)
    if isinstance(getattr(folded, "bands", None), nn.BatchNorm1d):
        _fold_bands(folded)
    plain = type(model)(type(model.spec)(**{**vars(model.spec), "batch_norm": False})).eval()
    plain.load_state_dict(folded.state_dict())
    return plain


def rounded(model: Network) -> Network:
    """Round every weight to the nearest float16, kept as float32."""
    twin = type(model)(model.spec).eval()
    twin.load_state_dict({key: _half(value) for key, value in model.state_dict().items()})
    return twin


def to_onnx(model: Network) -> ModelProto:
    """Trace a network with any batch size; opset 20, an output a head, embedding, perhaps attention."""
    example = torch.zeros(2, model.spec.n_mels, model.spec.n_frames)
    with torch.inference_mode():
        outputs = list(model.eval().answer(example))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, which nobody needs here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of what torch does to itself
        warnings.filterwarnings("ignore", "The tensor attributes .*_flat_weights", UserWarning)
        program = torch.onnx.export(
            _Answering(model).eval(),
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=outputs,
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
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALL or len(tensor.dims) < 2:
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


def check_parity(model: Network, graph: Path) -> float:
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
            wanted = {name: part.numpy() for name, part in model.answer(windows).items()}
        found = session.run(list(wanted), {INPUT: windows.numpy()})
        for (name, a), b in zip(wanted.items(), found, strict=True):
            if a.shape != b.shape:
                raise ParityError(f"{graph}: {name} has shape {b.shape} at batch {batch}, not {a.shape}.")
            worst = max(worst, float(np.abs(a - b).max()))
    if not worst <= TOLERANCE:
        raise ParityError(f"{graph}: ONNX Runtime and torch differ by {worst:.2g}, more than {TOLERANCE:g}.")
    return worst


class _Answering(nn.Module):
    """A network as the runtime knows it: outputs with names."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(self, windows: Tensor) -> dict[str, Tensor]:
        return self.model.answer(windows)


def _half(value: Tensor) -> Tensor:
    """Weights in float16; counts, such as a norm's batches, as they are."""
    return value.half() if value.is_floating_point() else value


def _fold(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        kept = nn.Sequential(*_fused(child)) if isinstance(child, nn.Sequential) else child
        setattr(module, name, kept)
        _fold(kept)


def _fused(layers: nn.Sequential) -> list[nn.Module]:
    kept: list[nn.Module] = []
    for layer in layers:
        before = kept[-1] if kept else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            kept[-1] = fuse_conv_bn_eval(before, layer)
        else:
            kept.append(layer)
    return kept


@torch.no_grad()
def _fold_bands(queens: nn.Module) -> None:
    """Fold the norm of the bands into the GRU that reads them."""
    norm, gru = queens.bands, queens.gru
    assert isinstance(norm, nn.BatchNorm1d) and norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    offset = norm.bias - scale * norm.running_mean
    for way in ("", "_reverse"):
        weight = getattr(gru, f"weight_ih_l0{way}")
        getattr(gru, f"bias_ih_l0{way}").add_(weight @ offset)
        weight.mul_(scale)
    queens.bands = nn.Identity()
