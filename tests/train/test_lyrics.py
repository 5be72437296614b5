"""Songs' words, on made-up texts whose genre is told by a word."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from doubles import SHARED  # noqa: E402
from mgtag_train.data import lyrics  # noqa: E402
from mgtag_train.data.lyrics import Song, encode, load_songs, sentences, vocabulary  # noqa: E402
from mgtag_train.data.sources import LYRICS  # noqa: E402
from mgtag_train.data.tracks import SliceDataset, quantise  # noqa: E402
from mgtag_train.lab import commands  # noqa: E402
from mgtag_train.lab.kinds import BaselineExperiment, EnsembleExperiment, NetworkExperiment  # noqa: E402
from mgtag_train.lab.tasks import Inputs, LyricsTask  # noqa: E402
from mgtag_train.learn import fusion  # noqa: E402
from mgtag_train.learn.config import NONE, Augment, TrainConfig  # noqa: E402
from mgtag_train.learn.evaluation import evaluate  # noqa: E402
from mgtag_train.learn.lyrics_batches import Texts, make_texts  # noqa: E402
from mgtag_train.learn.tfidf import STRENGTHS, held_out, tfidf  # noqa: E402
from mgtag_train.learn.trainer import Training, predict  # noqa: E402

from mgtag.errors import UsageError  # noqa: E402
from mgtag.features import MelSpec  # noqa: E402
from mgtag.models import Han, HanSpec, build  # noqa: E402
from mgtag.models.fusion import Fusion, FusionSpec  # noqa: E402
from mgtag.models.fusion import pack as pack_pairs  # noqa: E402
from mgtag.models.han import PADDING, UNKNOWN  # noqa: E402

torch.set_num_threads(1)

TELLING = ("tractor", "thunder", "neon")
TINY = {"n_labels": 3, "n_words": 40, "n_sentences": 6, "sentence": 4, "vector": 12, "units": 5}
SPEC = HanSpec(**TINY)
TABLE = Path("table.csv.gz")


def songs(n: int, seed: int, part: str = "x") -> list[Song]:
    """Lines of filler, one of them with the word that tells the label."""
    rng = np.random.default_rng(seed)
    filler = [f"word{i}" for i in range(20)]
    made = []
    for i in range(n):
        lines = [" ".join(rng.choice(filler, rng.integers(1, 5))) for _ in range(rng.integers(2, 6))]
        lines[rng.integers(len(lines))] += f" {TELLING[i % 3]}"
        made.append(Song(f"{part}{i}", f"Artist {part}{i}", i % 3, "\n".join(lines)))
    return made


def write(path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str] = LYRICS.columns) -> Path:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
    return path


def row(part: str, genre: str, artist: str = "") -> dict[str, str]:
    return {
        "id": f"{part}-{genre}-{artist}",
        "artist": artist,
        "title": "None",
        "genre": genre,
        "split": part,
        "lyrics": "la la\n\nla, la",
    }


ROWS = [row(part, genre, f"{part} {genre}") for part in lyrics.PARTS for genre in ("rock", "pop", "polka")]


# words


def test_a_sung_line_is_a_sentence_and_a_long_one_goes_on_in_the_next() -> None:
    text = "Don\N{RIGHT SINGLE QUOTATION MARK}t STOP, (stop) runnin'\n\n  --  \n" + "one two three four five"
    assert sentences(text, longest=4) == [
        ["don't", "stop", "stop", "runnin"],
        ["one", "two", "three", "four"],
        ["five"],
    ]


def test_the_vocabulary_is_what_several_songs_share_the_most_sung_first() -> None:
    sung = [Song(str(i), "", 0, text) for i, text in enumerate(["b a a a rare rare", "b a", "b a c", "b"])]
    assert vocabulary(sung) == ("b", "a")
    assert vocabulary(sung, n_words=3) == ("b",)


def test_words_that_training_does_not_know_are_unknown_ones() -> None:
    parts = {"train": songs(9, 0), "valid": [Song("v", "", 0, "word1 zither\nzither")]}
    known = vocabulary(parts["train"])
    found = encode(parts["valid"], known, SPEC)
    assert found[0, 0].tolist() == [lyrics.FIRST_WORD + known.index("word1"), UNKNOWN, PADDING, PADDING]
    assert found[0, 1].tolist() == [UNKNOWN, PADDING, PADDING, PADDING]
    assert not found[0, 2:].any()


def test_vocabulary_and_vectors_of_every_part_are_those_of_training() -> None:
    pytest.importorskip("gensim")
    parts = {
        "train": songs(12, 0),
        "test": [*songs(6, 1), *(Song(f"z{i}", "", 0, "zither") for i in range(5))],
    }
    made = make_texts(parts, SPEC)
    assert made["test"].known == made["train"].known
    assert "zither" not in made["test"].known
    assert set(made["test"].vectors) == set(made["train"].known)
    model = Han(SPEC)
    made["train"].initialise(model)
    place = lyrics.FIRST_WORD + made["train"].known.index("tractor")
    np.testing.assert_array_equal(model.vectors.weight[place].detach(), made["train"].vectors["tractor"])
    assert not model.vectors.weight[PADDING].any()


def test_vectors_are_kept_under_what_they_were_learned_from(tmp_path: Path) -> None:
    pytest.importorskip("gensim")
    for times in (1, 2):
        made = make_texts({"train": songs(12, 0)}, SPEC, tmp_path)["train"]
        assert len(list(tmp_path.iterdir())) == 1, times
    again = make_texts({"train": songs(12, 0)}, SPEC)["train"]
    for word, vector in again.vectors.items():
        np.testing.assert_array_equal(made.vectors[word], vector)
    make_texts({"train": songs(13, 0)}, SPEC, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_song_without_words_is_told_of() -> None:
    with pytest.raises(UsageError, match="Song s7 of the lyrics table has no words"):
        encode([Song("s7", "", 0, " - \n ...")], ["la"], SPEC)


# the table


def test_the_table_gives_the_songs_of_the_genres_asked_for(tmp_path: Path) -> None:
    parts = load_songs(write(tmp_path / TABLE, ROWS), ("pop", "rock"))
    assert {part: [song.label for song in found] for part, found in parts.items()} == {
        "train": [1, 0],
        "valid": [1, 0],
        "test": [1, 0],
    }
    assert parts["valid"][0] == Song("valid-rock-valid rock", "valid rock", 1, "la la\n\nla, la")


def test_an_artist_on_two_sides_is_told_of(tmp_path: Path) -> None:
    rows = [*ROWS, row("test", "rock", "Train Pop"), row("valid", "rock"), row("test", "pop")]
    with pytest.raises(UsageError, match="Songs by 'train pop' are in train and in test"):
        load_songs(write(tmp_path / TABLE, rows), ("rock", "pop"))


@pytest.mark.parametrize(
    ("rows", "columns", "told"),
    [
        (ROWS, [c for c in LYRICS.columns if c != "genre"], "has no column 'genre'"),
        ([*ROWS, row("spare", "rock")], LYRICS.columns, "is in split 'spare', not train"),
        ([r for r in ROWS if r["split"] != "valid"], LYRICS.columns, "valid has no song of rock"),
    ],
)
def test_a_table_that_is_none_is_told_of(
    tmp_path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        load_songs(write(tmp_path / TABLE, rows, columns), ("rock", "pop"))


def test_a_file_that_is_no_table_is_told_of(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text("id,artist")
    with pytest.raises(UsageError, match="no gzipped table of lyrics"):
        load_songs(tmp_path / TABLE)
    with pytest.raises(UsageError, match="no gzipped table of lyrics"):
        load_songs(tmp_path / "nowhere.csv.gz")


def test_the_table_at_hand_has_the_counts_its_readme_tells() -> None:
    path = SHARED / "data" / "lyrics" / "genre.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    parts = load_songs(path)
    counts = {part: Counter(song.label for song in found) for part, found in parts.items()}
    assert [counts["train"][label] for label in range(6)] == [3182, 1166, 2406, 1654, 785, 998]
    assert [counts["valid"][label] for label in range(6)] == [417, 190, 311, 211, 122, 148]
    assert [counts["test"][label] for label in range(6)] == [552, 528, 355, 218, 150, 233]


# the network


@pytest.fixture
def words() -> torch.Tensor:
    found = songs(8, 3)
    return encode(found, vocabulary(found), SPEC)


def test_padding_and_neighbours_change_nothing_in_the_answer(words: torch.Tensor) -> None:
    model = Han(SPEC).eval()
    together = model(words)
    wider = torch.nn.functional.pad(words, (0, 3, 0, 2))
    for i in range(len(words)):
        alone = model(wider[i : i + 1])
        torch.testing.assert_close(alone.logits[0], together.logits[i])
        torch.testing.assert_close(alone.attention[0, : SPEC.n_sentences], together.attention[i])


def test_attention_sums_to_one_over_the_real_sentences_only(words: torch.Tensor) -> None:
    attention = Han(SPEC).eval()(words).attention
    real = (words != PADDING).any(dim=2)
    torch.testing.assert_close(attention.sum(dim=1), torch.ones(len(words)))
    assert (attention[real] > 0).all()
    assert not attention[~real].any()
    assert not real.all()


def test_a_sentence_sung_twice_is_heard_in_both_places(words: torch.Tensor) -> None:
    model, once = Han(SPEC).eval(), words[:1].clone()
    once[0, 2:] = 0
    twice = once.clone()
    twice[0, 2] = once[0, 0]
    assert model(twice).attention[0, 2] > 0
    assert not torch.allclose(model(twice).logits, model(once).logits)


def test_a_prior_moves_the_loss_but_not_the_answer(words: torch.Tensor) -> None:
    torch.manual_seed(0)
    even = Han(SPEC).eval()
    biased = Han(replace(SPEC, prior=(8.0, 1.0, 1.0))).eval()
    biased.load_state_dict(even.state_dict())
    torch.testing.assert_close(even(words).logits, biased(words).logits)
    rare = torch.eye(3)[torch.full((len(words),), 2)]
    assert biased.loss(words, rare) > even.loss(words, rare)
    with pytest.raises(ValueError, match="2 shares for 3 labels"):
        Han(replace(SPEC, prior=(0.5, 0.5)))


def test_the_network_learns_the_word_that_tells() -> None:
    learn, check = songs(120, 5, "learn"), songs(30, 6, "check")
    known = vocabulary(learn)
    config = TrainConfig(
        architecture="lyrics-han",
        arguments=TINY | {"dropout": 0.0, "dropout_vector": 0.0, "dropout_word": 0.0},
        augment=NONE,
        epochs=8,
        slices=1,
        batch=10,
        learning_rate=2e-2,
        averaging=0.8,
        smoothing=0.0,
    )
    training = Training(config, Texts(learn, known, SPEC), Texts(check, known, SPEC), seed=0)
    while not training.finished:
        row = training.run_epoch()
    assert row["track_accuracy"] > 0.9


def test_the_baseline_learns_the_word_that_tells() -> None:
    parts = {"train": songs(300, 7), "valid": songs(30, 8), "test": songs(30, 9)}
    said, strength = tfidf(parts)
    assert strength in STRENGTHS
    found = evaluate(said, TELLING, "tracks")
    assert found.measured["test"].tracks.accuracy > 0.9
    assert found.measured["test"].tracks.n == 30


def test_the_baseline_teaches_what_it_says_of_artists_it_has_not_heard() -> None:
    learn = songs(60, 10)
    wrong = replace(learn[0], label=1)  # its words tell that it is of the first genre
    said = held_out([wrong, *learn[1:]])
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    assert said[0].argmax() == 0
    alike = [Song(f"x{i}", "One Artist", i % 3, f"{learn[i].lyrics}\nsame old{i % 3}") for i in range(60)]
    with pytest.raises(UsageError, match="songs of 1 artists to learn from; 5 are needed"):
        held_out(alike)

    known, config = vocabulary(learn), TrainConfig(smoothing=0.0, distillation_weight=0.75)
    texts = Texts(learn, known, SPEC, soft_targets=said)
    _, wanted = texts.batch(torch.arange(60), config, torch.Generator())
    label = torch.eye(3)[texts.labels]
    torch.testing.assert_close(wanted, 0.25 * label + 0.75 * torch.from_numpy(said))


def test_what_the_baseline_says_is_kept_and_is_told_to_training_alone(tmp_path: Path) -> None:
    pytest.importorskip("gensim")
    parts = {"train": songs(60, 10), "valid": songs(6, 11)}
    first, again = (make_texts(parts, SPEC, tmp_path, baseline=True) for _ in range(2))
    assert first["valid"].soft_targets is None
    assert torch.equal(first["train"].soft_targets, again["train"].soft_targets)
    assert len(list(tmp_path.glob("held-out-*.npz"))) == 1
    relabelled = [replace(song, label=(song.label + 1) % 3) for song in parts["train"]]
    make_texts({"train": relabelled}, SPEC, tmp_path, baseline=True)
    assert len(list(tmp_path.glob("held-out-*.npz"))) == 2


def test_baseline_and_taught_networks_are_asked_together(tmp_path: Path) -> None:
    pytest.importorskip("gensim")
    rows = [
        row(part, TELLING[song.label], song.artist) | {"id": song.id, "lyrics": song.lyrics}
        for part, n, seed in (("train", 90, 12), ("valid", 30, 13), ("test", 30, 14))
        for song in songs(n, seed, part)
    ]
    config = TrainConfig("lyrics-han", TINY, NONE, epochs=1, slices=1, batch=10, negatives=0)
    about = {"paper": "mgtag", "description": ""}
    alone = BaselineExperiment(name="alone", task=LyricsTask(TELLING), **about)
    taught = NetworkExperiment(
        name="taught", task=LyricsTask(TELLING, distil_baseline=True), config=config, seeds=2, **about
    )
    both = EnsembleExperiment(
        name="both", task=LyricsTask(TELLING), members=(taught,), baseline=alone, **about
    )
    inputs = Inputs(lyrics=write(tmp_path / TABLE, rows))
    paths = commands.run([both, taught, alone], inputs, tmp_path / "runs")
    found = {path.parts[-3]: json.loads(path.read_text()) for path in paths}
    assert found["both"]["teachers"] == ["taught/artists-0", "taught/artists-1"]
    accuracy = {name: one["measured"]["test"]["tracks"]["accuracy"] for name, one in found.items()}
    # One epoch teaches the networks nothing yet: it is the baseline beside them that knows.
    assert accuracy["taught"] < 0.8 < 0.9 < min(accuracy["both"], accuracy["alone"])


# fusion

MEL = MelSpec(n_mels=32, n_frames=16)
BOTH = FusionSpec(**TINY, n_mels=32, n_frames=16)


@pytest.fixture(scope="module")
def pairs() -> dict[str, fusion.Pairs]:
    rng, made = np.random.default_rng(0), {}
    known = vocabulary(songs(30, 1))
    for part, seed in (("train", 1), ("test", 2)):
        clips = [
            quantise(
                f"{part}.{i}",
                i % 3,
                rng.normal(0, 3, (32, 40)).astype(np.float32) + 30 * (np.arange(40) == i),
            )
            for i in range(6)
        ]
        texts = Texts(songs(30, seed, part), known, SPEC)
        made[part] = fusion.Pairs(texts, SliceDataset(clips, MEL), seed=0, learn=part == "train")
    return made


def test_words_and_sound_of_a_fixed_pair_are_of_one_genre(pairs: dict[str, fusion.Pairs]) -> None:
    test = pairs["test"]
    song, clip = test.pairs.T
    assert torch.equal(test.texts.labels[song], test.windows.labels[clip])
    assert torch.equal(test.labels, test.windows.labels[clip])
    assert Counter(clip.tolist()) == dict.fromkeys(range(6), fusion.SONGS_PER_CLIP)
    again = fusion.Pairs(test.texts, test.windows.dataset, seed=0, learn=False)
    assert torch.equal(again.pairs, test.pairs)


def test_every_window_of_a_clip_votes_with_the_words_of_its_pair(
    pairs: dict[str, fusion.Pairs],
) -> None:
    inputs, owner = pairs["test"].tiles()
    windows, clip = pairs["test"].windows.tiles()
    assert Counter(owner.tolist()) == dict.fromkeys(range(6 * fusion.SONGS_PER_CLIP), 2)
    for i in (0, 7, 31, 59):
        song, of = pairs["test"].pairs[owner[i]]
        words = pairs["test"].texts.words[song]
        expected = pack_pairs(words[None], windows[clip == of][i % 2][None])[0]
        torch.testing.assert_close(inputs[i], expected)


def test_pairs_to_learn_from_meet_anew_each_time_within_their_genre(pairs: dict[str, fusion.Pairs]) -> None:
    train, g = pairs["train"], torch.Generator().manual_seed(0)
    config = TrainConfig(augment=Augment(), smoothing=0.0)
    items = torch.arange(12)
    (first, targets), (second, _) = (train.batch(items, replace(config, augment=NONE), g) for _ in range(2))
    n_words = SPEC.n_sentences * SPEC.sentence
    assert torch.equal(first[:, :n_words], second[:, :n_words])
    assert torch.equal(first[:, :n_words], train.texts.words[items].flatten(1).float())
    assert not torch.equal(first[:, n_words:], second[:, n_words:])
    assert torch.equal(targets.argmax(dim=1), train.texts.labels[items])
    mixing = replace(config, augment=replace(NONE, mixup=1.0))
    assert train.batch(items, mixing, g)[1].max(dim=1).values.eq(1).all(), "a pair's label was mixed"
    drawn = fusion._same_label(train.labels, train.windows.labels, g)
    assert torch.equal(train.windows.labels[drawn], train.labels)


def test_learning_and_measuring_share_no_song_and_no_clip(
    pairs: dict[str, fusion.Pairs],
) -> None:
    shared = (pairs["train"].texts.words[:, None] == pairs["test"].texts.words[None]).all(dim=3).all(dim=2)
    assert not shared.any()
    assert not set(pairs["train"].windows.dataset.names) & set(pairs["test"].windows.dataset.names)
    with pytest.raises(TypeError, match="fixed pairs are to choose and measure on"):
        pairs["test"].batch(torch.arange(2), TrainConfig(), torch.Generator())


def test_fused_words_and_sound_both_reach_the_answer(pairs: dict[str, fusion.Pairs]) -> None:
    model = build("lyrics-fusion", TINY | {"n_mels": 32, "n_frames": 16}).eval()
    assert isinstance(model, Fusion)
    inputs = pairs["test"].tiles()[0][:4]
    said = model(inputs)
    assert said.embedding.shape == (4, 2 * SPEC.units + 500)
    alone = model.words(pairs["test"].texts.words[pairs["test"].pairs[:1, 0]])
    torch.testing.assert_close(said.embedding[0, : 2 * SPEC.units], alone.embedding[0])
    n_words = SPEC.n_sentences * SPEC.sentence
    for change in (
        torch.cat([inputs[:, :n_words], inputs[:, n_words:].flip(1)], dim=1),
        torch.cat([inputs[:, :n_words].roll(1, 0), inputs[:, n_words:]], dim=1),
    ):
        assert not np.allclose(predict(model, change), said.logits.detach().numpy())
    model.train()
    loss = model.loss(inputs, torch.eye(3)[[0, 1, 2, 0]])
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_vectors_that_are_not_to_learn_stay_as_they_were() -> None:
    targets = torch.nn.functional.one_hot(torch.tensor([0, 1]), SPEC.n_labels).float()
    for learned in (True, False):
        model = Han(replace(SPEC, learned=learned))
        before = model.vectors.weight.detach().clone()
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
        model.loss(torch.full((2, SPEC.n_sentences, SPEC.sentence), 3, dtype=torch.int32), targets).backward()
        optimiser.step()
        assert torch.equal(before, model.vectors.weight) is not learned
