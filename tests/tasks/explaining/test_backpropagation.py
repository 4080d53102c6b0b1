"""The gradients are right, by finite differences and by scikit-learn's own step, and the page computes the same."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from tasks.explaining.backpropagation import (
    HIDDEN,
    Weights,
    backward,
    drawn_alphabet,
    forward,
    learn,
    trained,
    weights_of,
)
from tasks.explaining.backpropagation_page import page, page_data, write_page
from tasks.profiles.fonts import find_face

FACE = find_face("Inter Black")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PARTS = ("first", "first_bias", "second", "second_bias")


@pytest.fixture(scope="module")
def alphabet() -> np.ndarray:
    return drawn_alphabet(FACE.path)


@pytest.fixture(scope="module")
def networks() -> dict[str, Weights]:
    return dict(zip(("first", "halfway"), trained(FACE.path, 14), strict=True))


def test_gradients_agree_with_finite_differences(alphabet, networks):
    weights, wanted, tiny = networks["halfway"], 13, 1e-5
    pixels = alphabet[wanted]
    gradients = backward(weights, pixels, wanted, forward(weights, pixels, wanted))
    assert np.abs(gradients.delta).max() > 0.01
    rng = np.random.default_rng(1)
    for part in PARTS:
        own, slope = getattr(weights, part), getattr(gradients.weights, part)
        for place in rng.choice(own.size, min(own.size, 60), replace=False):
            losses = []
            for by in (tiny, -tiny):
                moved = own.copy()
                moved.flat[place] += by
                losses.append(forward(Weights(**vars(weights) | {part: moved}), pixels, wanted).loss)
            assert slope.flat[place] == pytest.approx((losses[0] - losses[1]) / (2 * tiny), abs=1e-6), (part, place)


def test_a_step_is_scikit_learns_own(alphabet):
    for wanted, rate in ((0, 0.01), (13, 0.3)):
        network = MLPClassifier((HIDDEN,), solver="sgd", momentum=0.0, nesterovs_momentum=False, alpha=0.0,
                                learning_rate_init=rate, random_state=3)  # fmt: skip
        rows, hot, classes = alphabet[wanted][None], np.eye(26, dtype=int)[[wanted]], np.arange(26)
        network.partial_fit(alphabet, np.eye(26, dtype=int), classes=classes)
        before = Weights(
            *(part.copy() for pair in zip(network.coefs_, network.intercepts_, strict=True) for part in pair)
        )
        network.partial_fit(rows, hot)
        activity = forward(before, rows[0], wanted)
        ours = learn(before, backward(before, rows[0], wanted, activity), rate)
        assert network.loss_ == pytest.approx(activity.loss, abs=1e-6)
        for ours_, theirs in zip(
            (ours.first, ours.second, ours.first_bias, ours.second_bias), (*network.coefs_, *network.intercepts_),
            strict=True,
        ):  # fmt: skip
            np.testing.assert_allclose(ours_, theirs, rtol=0, atol=1e-6)
        assert np.abs(ours.first - before.first).max() > 1e-4
        np.testing.assert_allclose(weights_of(network).second, ours.second, rtol=0, atol=2e-6)


def test_a_silent_neuron_learns_nothing_and_a_letter_less_wrong(alphabet, networks):
    weights, wanted = networks["halfway"], 13
    activity = forward(weights, alphabet[wanted], wanted)
    gradients = backward(weights, alphabet[wanted], wanted, activity)
    silent = activity.sums <= 0
    assert silent.any()
    assert not silent.all()
    assert not gradients.weights.first[:, silent].any()
    assert not gradients.weights.second[silent].any()
    after = forward(learn(weights, gradients, 0.01), alphabet[wanted], wanted)
    assert after.loss < activity.loss


def test_the_page_asks_for_nothing(tmp_path, networks):
    report = write_page(FACE, 14, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "default-src 'none'" in text
    assert "unsafe" not in text
    assert not re.search(r"""(?i)\b(src|href|action|srcset)\s*=|url\(|@import|https?://|\bfetch\b|XMLHttp""", text)
    assert not re.search(r"\sstyle=|\son\w+=", text)  # the policy would refuse them
    assert len(text) < 300_000
    assert report["loss_after_one_step"] < report["loss"]
    assert report["letter"] != report["read_as"]
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    for name, own in networks.items():  # which were made by another call: equal seeds, equal pages
        for part, values in vars(own).items():
            assert data["networks"][name][part] == values.tolist()


LOOK = """
const told = { numbers: {} };
for (const [name, letter, rate, times] of %s) {
  const { activity, gradients, after, next } = window.backpropagation.compute(name, letter, rate, times);
  told.numbers[[name, letter, rate, times]] = { outputs: activity.outputs, loss: activity.loss, delta: gradients.delta,
    second: next.second, second_bias: next.second_bias, first: next.first.slice(200, 210), after: after.loss };
}
const set = (id, value) => { at(id).value = value; at(id).dispatchEvent(new Event("input", { bubbles: true })); };
const seen = () => ["title", "formula", "outputs", "hidden"].map((id) => at(id).textContent);
told.shown = [];
for (const step of [1, 4, 7, 9, 10]) { set("step", step); told.shown.push(seen()); }
set("rate", 0); told.shown.push(seen());
set("step", 3); set("neuron", 2); told.shown.push(seen());
document.querySelectorAll("#hidden .bar")[8].click(); told.neuron = at("neuron").value;
at("on").click(); told.step = at("step").value;
const out = document.createElement("pre");
out.id = "told"; out.textContent = JSON.stringify(told); document.body.append(out);
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_in_a_browser_the_numbers_are_pythons_and_sliders_change_them(tmp_path, alphabet, networks):
    cases = [("halfway", 13, 0.01, 0), ("halfway", 0, 0.5, 3), ("first", 25, 0.05, 1)]
    text = page(page_data(networks, alphabet, 13, 4), "test", LOOK % json.dumps(cases))
    (tmp_path / "page.html").write_text(text)
    run = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
         (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in run.stderr, run.stderr
    found = re.search(r'<pre id="told">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found, run.stderr[-2000:]
    told = json.loads(html.unescape(found[1]))
    for name, letter, rate, times in cases:
        ours, pixels = networks[name], alphabet[letter]
        for _ in range(times):
            ours = learn(ours, backward(ours, pixels, letter, forward(ours, pixels, letter)), rate)
        activity = forward(ours, pixels, letter)
        gradients = backward(ours, pixels, letter, activity)
        after = learn(ours, gradients, rate)
        theirs = told["numbers"][",".join(map(str, (name, letter, f"{rate:g}", times)))]
        for mine, its in (
            (activity.outputs, theirs["outputs"]), (activity.loss, theirs["loss"]), (gradients.delta, theirs["delta"]),
            (after.second, theirs["second"]), (after.second_bias, theirs["second_bias"]),
            (after.first[200:210], theirs["first"]), (forward(after, pixels, letter).loss, theirs["after"]),
        ):  # fmt: skip
            np.testing.assert_allclose(its, mine, rtol=0, atol=1e-9)
    shown = [tuple(each) for each in told["shown"]]
    assert len(set(shown)) == len(shown)  # each slider changed what is seen
    assert shown[0][0].startswith("1. ")
    assert (told["neuron"], told["step"]) == ("9", "4")


def test_the_parts_of_the_page_are_in_the_package():
    folder = Path(__file__).parents[3] / "tasks" / "explaining"
    assert {path.suffix for path in folder.glob("backpropagation.*")} == {".py", ".html", ".css", ".js"}
