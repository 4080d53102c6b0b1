"""A tiny network is trained, killed, taken up again, exported and read with; what is wrong is named."""

import dataclasses
import errno
import math
from types import SimpleNamespace

import numpy as np
import pytest

from storage.deep_models import load_deep_model, seal_model
from storage.errors import BadInput, Damaged, NoSpace, NothingLearnt, Unwritable
from storage.files.local_files import LocalFiles
from storage.models import model_digest
from tasks.deep.deep_reader import DeepReader
from tasks.deep.learning import deep_training
from tasks.deep.learning import sources as sources_module
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.deep_training import form_of, train_deep
from tasks.deep.learning.sources import Drawn, Stored, require_drawable
from tasks.deep.learning.stream import Feeder, StreamPlan
from tasks.deep.session import session_of
from tasks.deep.shape import Shape
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import OFF, Grid
from tasks.shipped import STRANGERS

TINY = Shape(24, 48, (4, 6, 8), (0, 0, 0), 12, 1)
PROFILE = Profile("two", length=(1, 2), width=50, shear=OFF, scale=Grid(100, 100), alphabet="ABCDEFGHKL")
SETTINGS = Settings(TINY, steps=50, batch=16, rate=0.01)
SOURCES = (Drawn(PROFILE, 1),)


@pytest.fixture(scope="module")
def learning() -> SimpleNamespace:
    """PyTorch and what imports it: not with this file, which every process of pytest collects."""
    import torch

    from tasks.deep.learning import checkpoint, onnx_network, train_network

    return SimpleNamespace(torch=torch, checkpoint=checkpoint, train=train_network, start=onnx_network)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from tasks.deep.learning import train_network

    folder = tmp_path_factory.mktemp("deep")
    seen: list = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_network, "_LOOK_LATEST", math.inf)
        record = train_deep(
            SOURCES, SETTINGS, folder / "two.onnx", folder / "checkpoint", seen.append, 40,
            weights=folder / "two.weights",
        )  # fmt: skip
    return folder, record, seen


def test_training_writes_a_model_that_reads(trained):
    folder, record, told = trained
    seen = [progress for progress in told if not isinstance(progress, str)]
    assert (told[0], told[-1]) == ("the first pictures are made", "trained; 40 validation pictures measured")
    assert [progress.step for progress in seen] == [25, 50]
    assert seen[-1].loss < seen[0].loss
    assert not (folder / "checkpoint").exists()
    assert record["scores"]["two"]["none"]["n"] == 40
    model = load_deep_model(folder / "two.onnx")
    assert model.record == record
    pictures = np.random.Generator(np.random.Philox(1)).integers(0, 256, (5, 20, 30, 3), np.uint8)
    readings = DeepReader(model, length=(2, 2)).read(pictures)
    assert all(len(text) == 2 for text in readings.reading)
    assert ((readings.confidences[:, 0] > 0) & (readings.confidences[:, 0] < 1)).all()
    assert len(readings.box) == readings.segments.sum() == 10


@pytest.mark.slow
def test_steps_give_the_same_network_also_after_a_kill(learning, tmp_path, monkeypatch):
    settings = dataclasses.replace(SETTINGS, moved=True)
    plan = StreamPlan(SOURCES, form_of(SOURCES, settings), 1, 16, mixed=2)
    feeder = Feeder(plan)
    whole = learning.train.fit_network(feeder, settings).network.state_dict()
    monkeypatch.setattr(learning.train, "_SAVE_SECONDS", 0.0)

    def kill(progress):
        if progress.step == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learning.train.fit_network(feeder, settings, tmp_path / "checkpoint", kill)
    state = learning.checkpoint.load_checkpoint(tmp_path / "checkpoint", _specification(settings, plan))
    assert state["steps"] == 25
    again = learning.train.fit_network(feeder, settings, tmp_path / "checkpoint").network.state_dict()
    feeder.close()
    for name, weights in whole.items():
        learning.torch.testing.assert_close(again[name], weights, rtol=0, atol=0)


def test_slow_steps_are_told_by_time(learning, monkeypatch):
    """Each step, and each validation batch, comes later than the next look may."""
    monkeypatch.setattr(learning.train, "_LOOK_LATEST", 0.0)
    seen = []
    feeder = Feeder(StreamPlan(SOURCES, form_of(SOURCES, SETTINGS), 1, 16, mixed=2))
    learning.train.fit_network(feeder, dataclasses.replace(SETTINGS, steps=3), None, seen.append)
    feeder.close()
    assert [progress.step for progress in seen[:3]] == [1, 2, 3]
    assert len(seen) > 4
    assert {progress.step for progress in seen[3:]} == {3}


def _specification(settings, plan):
    return {
        "settings": {**settings.as_dict(), "processes": None}, "sources": repr(plan.sources), "form": repr(plan.form)
    }  # fmt: skip


def test_a_kill_before_it_is_measured_leaves_the_model_that_was_there(learning, tmp_path, monkeypatch):
    from tasks.deep.learning import reliability

    def kill(*_):
        raise KeyboardInterrupt

    (tmp_path / "x.onnx").write_bytes(b"the model before")
    monkeypatch.setattr(reliability, "measure", kill)
    with pytest.raises(KeyboardInterrupt):
        train_deep(SOURCES, dataclasses.replace(SETTINGS, steps=2), tmp_path / "x.onnx", tmp_path / "checkpoint")
    assert (tmp_path / "x.onnx").read_bytes() == b"the model before"
    assert (tmp_path / "checkpoint").exists()


@pytest.mark.parametrize("has", [True, False])
def test_a_processor_without_bfloat16_trains_in_float32(learning, monkeypatch, has):
    """As one without AVX-512: autocast would be slower there."""
    kinds = []
    real = learning.train.Network.forward

    def forward(network, pictures):
        scores = real(network, pictures)
        kinds.append(scores.dtype)
        return scores

    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(learning.torch.cpu, name, lambda: has, raising=False)
    monkeypatch.setattr(learning.train.Network, "forward", forward)
    monkeypatch.setattr(learning.train, "device_of", lambda: learning.torch.device("cpu"))
    feeder = Feeder(StreamPlan(SOURCES, form_of(SOURCES, SETTINGS), 1, 16, mixed=2))
    trained = learning.train.fit_network(feeder, dataclasses.replace(SETTINGS, steps=1))
    feeder.close()
    assert kinds[0] == (learning.torch.bfloat16 if has else learning.torch.float32)
    assert trained.steps == 1


def test_a_loss_that_is_no_number_says_what_to_do(learning, monkeypatch):
    monkeypatch.setattr(learning.train, "ctc", lambda logs, *_: logs.mean() * float("nan"))
    feeder = Feeder(StreamPlan(SOURCES, form_of(SOURCES, SETTINGS), 1, 16, mixed=2))
    with pytest.raises(NothingLearnt, match=r"give a lower --rate than 0\.01"):
        learning.train.fit_network(feeder, SETTINGS)
    feeder.close()


def test_a_checkpoint_of_another_training_or_damaged_is_refused(trained, learning, tmp_path):
    path = tmp_path / "checkpoint"
    path.write_bytes(b"PK damaged")
    with pytest.raises(Damaged, match="remove it to begin anew"):
        learning.checkpoint.load_checkpoint(path, {})
    with pytest.raises(Damaged, match="cannot be read"):
        learning.checkpoint.load_weights(path)
    learning.torch.save({"format": 1, "specification": '{"settings": 1}', "place": (0, 0)}, path)
    with pytest.raises(BadInput, match=r"of another training \(other settings\)"):
        learning.checkpoint.load_checkpoint(path, {"settings": 2})


def test_weights_begin_another_training(trained, learning):
    folder, _, _ = trained
    weights = learning.checkpoint.load_weights(folder / "two.weights")
    feeder = Feeder(StreamPlan(SOURCES, form_of(SOURCES, SETTINGS), 1, 16, mixed=2))
    run = learning.train._Run(feeder, SETTINGS, None, lambda _: None, weights)
    learning.torch.testing.assert_close(run._network.state_dict()["scores.weight"], weights["scores.weight"])
    feeder.close()


def test_a_model_begins_another_training_over_other_letters(learning, trained, tmp_path):
    """The network computes what the file does; a letter that is new begins as its twin, or as a rare letter."""
    folder, record, _ = trained
    model = load_deep_model(folder / "two.onnx")
    noise = np.random.Generator(np.random.Philox(3)).integers(0, 256, (8, 3, 24, 48), np.uint8)
    scores = session_of(model).scores(noise)
    letters = record["classes"] + "a?"
    network = learning.start.started(folder / "two.onnx", letters, noise)
    for mode in (network.eval(), network.train()):
        with learning.torch.no_grad():
            found = mode(learning.torch.from_numpy(noise)).numpy()
        np.testing.assert_allclose(found[..., : scores.shape[2]], scores, atol=1e-3)
        np.testing.assert_allclose(found[..., -2], scores[..., 1 + record["classes"].index("A")], atol=1e-3)
        assert (found[..., -1] < scores[..., 1:].mean(axis=2)).all()
    source = Drawn(dataclasses.replace(PROFILE, alphabet="ABCDa?", length=(1, 2)), 1)
    settings = dataclasses.replace(SETTINGS, steps=25)
    told = train_deep([source], settings, tmp_path / "x.onnx", checked=20, begin_with=folder / "two.onnx")
    assert told["from"] == learning.start.told_start(folder / "two.onnx")
    assert told["from"]["name"] == "two"
    assert told["from"]["classes"] == record["classes"]
    assert load_deep_model(tmp_path / "x.onnx").record["classes"] == "?ABCDa"
    with pytest.raises(BadInput, match="not of the shape that its record says"):
        wrong = Shape(24, 48, (4, 6, 8), (0, 0, 0), 12, 2)
        data = seal_model(model.network, model.record | {"shape": wrong.as_dict()})
        (tmp_path / "wrong.onnx").write_bytes(data)
        learning.start.started(tmp_path / "wrong.onnx", letters, noise)


def test_a_model_whose_equal_arrays_are_kept_once_begins_another_training(learning, tmp_path):
    """All biases of a network that learnt nothing are 0."""
    learning.torch.manual_seed(1)
    network = learning.start.Network(TINY, 2)
    record = {"format": 1, "classes": "AB", "shape": TINY.as_dict()}
    data = seal_model(learning.start.onnx_bytes(network, TINY), record)
    (tmp_path / "x.onnx").write_bytes(data)
    noise = np.random.Generator(np.random.Philox(3)).integers(0, 256, (8, 3, 24, 48), np.uint8)
    again = learning.start.started(tmp_path / "x.onnx", "AB", noise)
    found = again.eval()(learning.torch.from_numpy(noise)).detach().numpy()
    np.testing.assert_allclose(found, session_of(load_deep_model(tmp_path / "x.onnx")).scores(noise), atol=1e-3)
    graph = learning.start.onnx.load_model_from_string(data)
    assert "Identity" in {node.op_type for node in graph.graph.node}
    del graph.graph.node[[node.op_type for node in graph.graph.node].index("Conv")].input[2]
    (tmp_path / "x.onnx").write_bytes(seal_model(graph.SerializeToString(), record))
    with pytest.raises(BadInput, match="has a convolution without weights of its own"):
        learning.start.started(tmp_path / "x.onnx", "AB", noise)


def test_the_average_of_two_models_is_half_way_between_their_weights(learning, trained, tmp_path):
    folder, _, _ = trained
    first, out = folder / "two.onnx", tmp_path / "half.onnx"
    model = load_deep_model(first)
    graph = learning.start.onnx.load_model_from_string(model.network)
    doubled = learning.start.onnx.ModelProto()
    doubled.CopyFrom(graph)
    for array in doubled.graph.initializer:
        if (values := learning.start.onnx.numpy_helper.to_array(array)).dtype == np.float32:
            array.CopyFrom(learning.start.onnx.numpy_helper.from_array(values * 3, array.name))
    (tmp_path / "x.onnx").write_bytes(seal_model(doubled.SerializeToString(), model.record))
    record = learning.start.average_models(first, tmp_path / "x.onnx", out)
    assert record == load_deep_model(out).record
    assert record == model.record | {"averaged_with": [{"name": "two", "sha256": model_digest(first)}]}
    for (once, _), (twice, _) in zip(
        learning.start._convolutions(model), learning.start._convolutions(load_deep_model(out)), strict=True
    ):
        learning.torch.testing.assert_close(2 * once, twice)
    with pytest.raises(BadInput, match="equal shapes and letters"):
        learning.start.average_models(first, STRANGERS, out)


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, NoSpace), (errno.EROFS, Unwritable)])
def test_a_folder_that_takes_no_checkpoint_ends_the_training_before_it_begins(
    learning, tmp_path, monkeypatch, number, error
):
    def refuse(*_):
        raise OSError(number, "no")

    feeder = Feeder(StreamPlan(SOURCES, form_of(SOURCES, SETTINGS), 1, 16, mixed=2))
    monkeypatch.setattr(LocalFiles, "sync_folder", refuse)
    with pytest.raises(error, match="checkpoint"):
        learning.train.fit_network(feeder, SETTINGS, tmp_path / "checkpoint")
    feeder.close()


def test_too_few_pictures_say_how_many_would_do(monkeypatch):
    there = SimpleNamespace(statistics={"splits": {"train": 49}}, profile={"name": "few", "length": [4, 4]})
    monkeypatch.setattr(sources_module, "_opened", lambda _: SimpleNamespace(manifest=there))
    with pytest.raises(BadInput, match=r"has 49 pictures to learn from; .* 2,000 with --from strangers"):
        require_drawable([Stored("few")])


def test_the_rate_rises_then_falls(learning):
    rates = [learning.train.rate_at(share) for share in (0, 0.02, 0.3, 0.6, 1)]
    assert rates[1] == 1
    assert rates[0] < rates[4] * 100
    assert sorted(rates[1:], reverse=True) == rates[1:]


def test_without_pytorch_the_command_to_type_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(BadInput, match=r"pip install 'beating-captchas\[deep\]'"):
        deep_training.require_torch()


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ((), "must have a dataset, or a profile to draw"),
        ((Drawn(dataclasses.replace(PROFILE, alphabet="A"), 1),), "two letters or more"),
        ((Drawn(PROFILE, 1, weight=0.0),), "weight must be above 0"),
        ((Drawn(dataclasses.replace(PROFILE, length=(14, 15), width=400), 1),), "at most 12"),
        ((Stored("nowhere/at-all"),), "nowhere/at-all"),
        ((Drawn(dataclasses.replace(PROFILE, alphabet="AB", length=(1, 1)), 1),), "no picture of the validation split"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(tmp_path, sources, said):
    with pytest.raises((BadInput, FileNotFoundError), match=said):
        train_deep(sources, SETTINGS, tmp_path / "x.onnx")


@pytest.mark.parametrize(
    "wrong", [{"steps": None}, {"minutes": 1.0}, {"steps": 0}, {"batch": 1}, {"rate": 2.0}, {"smoothing": 0.9}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(BadInput, match="train"):
        dataclasses.replace(SETTINGS, **wrong)


def test_texts_of_one_length_and_of_two_letters_are_learnt(tmp_path):
    profile = dataclasses.replace(PROFILE, alphabet="AB", length=(6, 6), width=150)
    record = train_deep([Drawn(profile, 1)], dataclasses.replace(SETTINGS, steps=2), tmp_path / "x.onnx", checked=20)
    assert (record["classes"], record["texts"][0]["length"]) == ("AB", [6, 6])
    readings = DeepReader(load_deep_model(tmp_path / "x.onnx"), length=(6, 6)).read(np.zeros((1, 30, 90), np.uint8))
    assert len(readings.reading[0]) == 6


def test_letters_of_both_cases_are_learnt_as_capitals(tmp_path):
    profile = dataclasses.replace(PROFILE, alphabet="AaBbc", length=(6, 6), width=150)
    settings = dataclasses.replace(SETTINGS, steps=2, folded=True)
    record = train_deep([Drawn(profile, 1)], settings, tmp_path / "x.onnx", checked=20)
    assert (record["classes"], record["folded"], record["texts"][0]["alphabet"]) == ("ABC", True, "ABC")
    reader = DeepReader(load_deep_model(tmp_path / "x.onnx"), length=(6, 6), alphabet="ab")
    readings = reader.read(np.zeros((1, 30, 90), np.uint8))
    assert set(readings.reading[0]) <= {"A", "B"}


@pytest.mark.parametrize(
    "wrong", [{"height": 33}, {"widest": 50}, {"channels": (1, 2)}, {"blocks": (0, 1, 99)}, {"depth": 0}]
)
def test_shapes_are_checked(wrong):
    with pytest.raises(BadInput, match="shape, "):
        dataclasses.replace(TINY, **wrong)
