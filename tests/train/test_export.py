"""One small network of each family goes out and comes back the same."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from mgtag_train.ship.eight_bits import EightBits  # noqa: E402
from mgtag_train.ship.export import export, fold_norms, rounded  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from small_networks import smaller  # noqa: E402

from mgtag.bundle import GRAPH, WEIGHTS  # noqa: E402
from mgtag.models import arguments_of, build  # noqa: E402

FAMILIES = ("kth-attention", "tokens", "mfcc-18", "lyrics-cnn", "queens-vgg16")


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_family_is_exported_and_built_again(architecture: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = smaller(architecture)
    windows = torch.randn(4, 32, 33)
    model(windows)  # so that the norms have seen something
    written = export(model, tmp_path)  # proves parity itself
    again = build(architecture, arguments_of(written.spec)).eval()
    again.load_state_dict(load_file(tmp_path / WEIGHTS))
    with torch.no_grad():
        wanted = model.eval().answer(windows)
        torch.testing.assert_close(again.answer(windows), written.answer(windows))
    session = onnxruntime.InferenceSession(tmp_path / GRAPH)
    assert {put.name for put in session.get_outputs()} == set(wanted)
    answer = session.run(list(wanted), {"windows": windows.numpy()})
    for found, (name, part) in zip(answer, wanted.items(), strict=True):
        torch.testing.assert_close(torch.from_numpy(found), part, atol=0.02, rtol=0.02, msg=name)


@pytest.mark.parametrize("architecture", ["queens-parallel", "kth-attention", "tokens-vae", "mfcc-26"])
def test_norms_fold_away_without_a_trace(architecture: str) -> None:
    torch.manual_seed(0)
    model, windows = smaller(architecture, batch_norm=True), torch.randn(4, 32, 33)
    model(3 * windows + 1)
    folded = fold_norms(model)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded.answer(windows), model.answer(windows), atol=1e-5, rtol=1e-4)


def test_eight_bits_answer_nearly_the_same_alike_in_every_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, windows = smaller("queens-parallel", batch_norm=True), torch.randn(40, 32, 33)
    model(windows)
    exact = rounded(fold_norms(model))
    small = EightBits(exact, windows.numpy(), tmp_path)
    kinds = {i.data_type for i in onnx.load(tmp_path / GRAPH).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    with torch.no_grad():
        found, wanted = small.answer(windows), exact.answer(windows)
        alone = small.answer(windows[7:8])
    assert set(found) == set(wanted)
    for name, part in wanted.items():
        apart = (found[name] - part).abs().max() / part.std()
        assert 0 < apart < 0.2, name
        torch.testing.assert_close(alone[name], found[name][7:8])
