"""What is each report's own: where attention lies, what a loss adds, which weights fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from small_networks import arguments, smaller  # noqa: E402

from mgtag.errors import UsageError  # noqa: E402
from mgtag.models import ARCHITECTURES, Kth, LyricsCnn, Mfcc, Tokens, Vgg, build  # noqa: E402
from mgtag.models.kth import GTZAN_MOODS, AverageAndMax  # noqa: E402
from mgtag.models.mfcc import dct_matrix  # noqa: E402
from mgtag.models.vgg import PUBLISHED  # noqa: E402

nn = torch.nn


# kth


def test_the_fourth_block_ends_in_the_posters_map() -> None:
    model = build("kth-4layer", {"channels": (1, 1, 1, 1)})
    assert isinstance(model, Kth)
    assert model.blocks(torch.zeros(2, 1, 128, 39)).shape == (2, 1, 4, 4)


def test_the_posters_attention_lies_on_the_frames_that_a_cell_covers() -> None:
    """Convolutions that change nothing: a click at frame 30 is in the third column, frames 24 to 35."""
    model = build(
        "kth-attention", {"channels": (1, 1, 1, 1), "batch_norm": False, "n_labels": 2, "moods": ()}
    ).eval()
    click = torch.zeros(1, 128, 39)
    click[0, :, 30] = 1
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.zero_()
                layer.weight[0, 0, layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = 1
                layer.bias.zero_()
        model.scores.weight.mul_(1000)
        attention = model(click).attention[0]
    torch.testing.assert_close(attention[24:36], torch.full((12,), 1 / 12))
    assert attention[:24].sum() + attention[36:].sum() < 1e-6


def test_average_and_maximum_are_averaged() -> None:
    maps = torch.tensor([[[[0.0, 1.0], [2.0, 5.0]]]])
    assert AverageAndMax((2, 2))(maps).item() == pytest.approx((2 + 5) / 2)


def test_mixed_genres_are_mixed_valences() -> None:
    model = smaller("kth-4layer").eval()
    assert isinstance(model, Kth)
    windows, targets = torch.randn(2, 32, 33), torch.zeros(2, 10)
    targets[:, 0], targets[:, 6] = 0.7, 0.3  # blues is happy, metal is sad
    with torch.no_grad():
        answer = model(windows)
        genre = nn.functional.cross_entropy(answer.logits, targets)
        valence = nn.functional.cross_entropy(
            model.valence(answer.embedding), torch.tensor([[0.3, 0, 0.7]] * 2)
        )
        torch.testing.assert_close(model.loss(windows, targets), genre + valence)
    assert GTZAN_MOODS[0] == 2 and GTZAN_MOODS[6] == 0


def test_valence_can_be_left_out_but_not_halved() -> None:
    assert not hasattr(smaller("kth-4layer", moods=()), "mood")
    with pytest.raises(ValueError, match="10 moods for 5 labels"):
        smaller("kth-4layer", n_labels=5)


# mfcc


def test_coefficients_are_the_orthonormal_cosine_transform() -> None:
    fft = pytest.importorskip("scipy.fft")
    levels = np.random.default_rng(0).normal(size=(128, 7))
    wanted = fft.dct(levels, type=2, norm="ortho", axis=0)[:26]
    np.testing.assert_allclose(dct_matrix(26, 128).double().numpy() @ levels, wanted, atol=1e-5)


def test_every_convolution_block_can_be_asked() -> None:
    model = smaller("mfcc-26").eval()
    assert isinstance(model, Mfcc)
    windows = torch.randn(2, 32, 33)
    answers = model.blocks(windows)
    assert [tuple(a.shape) for a in answers] == [(2, 4, 9, 17), (2, 4, 3, 5)]
    torch.testing.assert_close(model.hidden(answers[-1].flatten(1)), model(windows).embedding)


# tokens


def test_a_tokens_weight_lies_on_its_frames() -> None:
    model = smaller("tokens").eval()

    def all_on_the_second(module: object, given: object, scores: torch.Tensor) -> torch.Tensor:
        return 100 * torch.tensor([0.0, 1.0, 0.0]).reshape(1, 3, 1).expand_as(scores)

    model.scores.register_forward_hook(all_on_the_second)
    attention = model(torch.randn(2, 32, 33)).attention
    torch.testing.assert_close(attention[:, 11:22], torch.full((2, 11), 1 / 11))


def test_a_token_is_encoded_by_itself() -> None:
    model = smaller("tokens").eval()
    assert isinstance(model, Tokens)
    windows = torch.randn(2, 32, 33)
    changed = windows.clone()
    changed[:, :, 11:22] += 1
    differs = (model.encode(windows) != model.encode(changed)).any(dim=2)
    assert differs.tolist() == [[False, True, False]] * 2


def test_codes_are_drawn_while_learning_and_certain_afterwards() -> None:
    model, windows = smaller("tokens-vae", dropout=0.0, batch_norm=False), torch.randn(2, 32, 33)
    assert not torch.equal(model(windows).logits, model(windows).logits)
    model.eval()
    torch.testing.assert_close(model(windows).logits, model(windows).logits)


def test_sparse_codes_pay_for_what_they_say() -> None:
    model, targets = smaller("tokens-sparse", dropout=0.0).eval(), torch.full((2, 10), 0.1)
    assert isinstance(model, Tokens)
    windows = torch.randn(2, 32, 33)
    codes = model.encode(windows)
    assert (codes >= 0).all()
    plain = nn.functional.cross_entropy(model(windows).logits, targets)
    torch.testing.assert_close(model.loss(windows, targets), plain + 0.1 * codes.mean())


def test_a_token_is_foretold_from_those_before_it() -> None:
    model, told = smaller("tokens-next").eval(), []
    model.future.register_forward_hook(lambda module, given, answer: told.append(answer))
    windows, targets = torch.randn(2, 32, 33), torch.full((2, 10), 0.1)
    changed = windows.clone()
    changed[:, :, 11:] += 1
    with torch.no_grad():
        model.loss(windows, targets)
        model.loss(changed, targets)
    torch.testing.assert_close(told[0][:, 0], told[1][:, 0])  # of the second token, which changed
    assert not torch.equal(told[0][:, 1], told[1][:, 1])


def test_a_strategy_is_one_changed_value() -> None:
    plain = vars(ARCHITECTURES["tokens"])
    for name in ("tokens-vae", "tokens-sparse", "tokens-next"):
        assert len(vars(ARCHITECTURES[name]).items() - plain.items()) == 1
    with pytest.raises(ValueError, match="20 equal tokens"):
        smaller("tokens", n_tokens=20)


# vgg


def test_imagenets_weights_find_their_places(tmp_path: Path) -> None:
    source = smaller("queens-vgg16")
    assert isinstance(source, Vgg)
    state = {f"features.{key}": value for key, value in source.features.state_dict().items()}
    file = tmp_path / PUBLISHED
    torch.save({**state, "classifier.6.bias": torch.zeros(1000)}, file)
    model = smaller("queens-vgg16", pretrained=True, weights=str(file))
    assert isinstance(model, Vgg)
    torch.testing.assert_close(model.features.state_dict(), source.features.state_dict())
    assert not model.spec.pretrained and not model.spec.weights
    # Where torchvision's file has its thirteen convolutions.
    places = [int(k.split(".")[1]) for k in state if k.endswith("weight")]
    assert places == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]


def test_weights_that_are_not_there_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UsageError, match=rf"{PUBLISHED}: VGG-16's ImageNet weights are not here"):
        smaller("queens-vgg16", pretrained=True)
    for name, content in (("text.pth", None), ("other.pth", {"features.0.weight": torch.zeros(1)})):
        file = tmp_path / name
        file.write_text("no weights") if content is None else torch.save(content, file)
        with pytest.raises(UsageError, match=f"{name}: these"):
            smaller("queens-vgg16", pretrained=True, weights=str(file))


def test_a_picture_has_sides_that_can_be_halved_five_times() -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        build("queens-vgg16", arguments("queens-vgg16", size=(48, 64)))


# lyrics-cnn


def test_kernels_lie_along_time_the_norm_follows_relu_and_no_norm_follows_a_dropout() -> None:
    model = build("lyrics-cnn", {})
    assert isinstance(model, LyricsCnn)
    layers = list(model.cnn)
    assert all(layer.kernel_size[0] == 1 for layer in layers if isinstance(layer, nn.Conv2d))
    kinds = [type(layer) for layer in layers]
    assert kinds == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d, nn.MaxPool2d] * 4 + [nn.Dropout, nn.Flatten]
    assert model.hidden[0].out_features == 500
