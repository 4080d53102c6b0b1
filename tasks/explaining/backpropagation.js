"use strict";
// The same arithmetic as tasks/explaining/backpropagation.py; tests hold the two together.
const data = JSON.parse(document.getElementById("data").textContent);
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HIDDEN = data.networks.first.first_bias.length;

function forward(net, pixels, wanted) {
  const sums = net.first_bias.map((bias, j) => pixels.reduce((sum, pixel, i) => sum + pixel * net.first[i][j], bias));
  const hidden = sums.map((sum) => Math.max(sum, 0));
  const scores = net.second_bias.map((bias, k) => hidden.reduce((sum, own, j) => sum + own * net.second[j][k], bias));
  const outputs = scores.map((score) => 1 / (1 + Math.exp(-score)));
  const losses = scores.map((s) => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s))));
  return { sums, hidden, outputs, loss: losses.reduce((a, b) => a + b, 0) - scores[wanted] };
}

function backward(net, pixels, wanted, activity) {
  const error = activity.outputs.map((output, k) => output - (k === wanted ? 1 : 0));
  const delta = activity.sums.map((sum, j) => (sum > 0 ? error.reduce((all, e, k) => all + net.second[j][k] * e, 0) : 0));
  return {
    error, delta,
    first: pixels.map((pixel) => delta.map((d) => pixel * d)), first_bias: delta,
    second: activity.hidden.map((own) => error.map((e) => own * e)), second_bias: error,
  };
}

function learn(net, gradients, rate) {
  const down = (a, b) => a.map((value, k) => (Array.isArray(value) ? down(value, b[k]) : value - rate * b[k]));
  const made = {};
  for (const part of ["first", "first_bias", "second", "second_bias"]) made[part] = down(net[part], gradients[part]);
  return made;
}

function compute(network, letter, rate, times) {
  const pixels = data.alphabet[letter].map((level) => level / 255);
  let net = data.networks[network];
  for (let k = 0; k < times; k++) net = learn(net, backward(net, pixels, letter, forward(net, pixels, letter)), rate);
  const activity = forward(net, pixels, letter);
  const gradients = backward(net, pixels, letter, activity);
  const next = learn(net, gradients, rate);
  return { net, pixels, activity, gradients, next, after: forward(next, pixels, letter) };
}
window.backpropagation = { compute };

const at = (id) => document.getElementById(id);
const number = (value) => (value !== 0 && Math.abs(value) < 0.0005 ? value.toExponential(1) : value.toFixed(3)).replaceAll("-", "−");
const names = () => Array.from({ length: HIDDEN }, (_, j) => String(j + 1));
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function paint(canvas, values, plain) {
  const context = canvas.getContext("2d");
  const most = Math.max(...values.map(Math.abs), 1e-12);
  context.clearRect(0, 0, 20, 20);
  values.forEach((value, i) => {
    context.globalAlpha = Math.abs(value) / most;
    context.fillStyle = colour(plain ? "--ink" : value > 0 ? "--plus" : "--minus");
    context.fillRect(i % 20, Math.floor(i / 20), 1, 1);
  });
}

function bars(place, labels, values, marks, options) {
  const signed = values.some((value) => value < 0);
  const most = options.most || Math.max(...values.map(Math.abs), ...(options.before || [0]).map(Math.abs), 1e-12);
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...labels.map((label, k) => {
    const row = document.createElement(options.pick ? "button" : "div");
    row.className = "bar" + (marks.own === k ? " own" : "") + (marks.wanted === k ? " wanted" : "");
    if (options.pick) {
      row.type = "button"; row.tabIndex = -1; row.dataset.place = k;
      row.setAttribute("aria-label", `Choose hidden neuron ${label}`);
      row.addEventListener("click", () => { at("neuron").value = k + 1; show(); });
    }
    const name = document.createElement("span"); name.className = "name"; name.textContent = label + (marks.wanted === k ? " ✓" : "");
    const track = document.createElement("span"); track.className = "track";
    const fill = document.createElement("span"); fill.className = "fill " + (values[k] < 0 ? "minus" : "plus");
    const share = 100 * Math.min(Math.abs(values[k]) / most, 1) / (signed ? 2 : 1);
    fill.style.left = (signed ? (values[k] < 0 ? 50 - share : 50) : 0) + "%"; fill.style.width = share + "%";
    track.append(fill);
    if (options.before) {
      const line = document.createElement("span"); line.className = "before";
      line.style.left = 100 * options.before[k] / most + "%"; track.append(line);
    }
    const told = document.createElement("span"); told.className = "number";
    told.textContent = options.hide ? "" : number(values[k]);
    row.append(name, track, told);
    return row;
  }));
  if (focused) at("neuron").focus();
}

function stages(state, j, letter, rate) {
  const { net, pixels, activity, gradients, next, after } = state;
  const own = (matrix) => matrix.map((row) => row[j]);
  const weights = own(net.first), slope = own(gradients.first), L = LETTERS[letter], N = j + 1;
  const best = activity.outputs.indexOf(Math.max(...activity.outputs));
  const rival = gradients.error.map((e, k) => (k === letter ? -1 : Math.abs(e))).reduce((b, e, k, all) => (e > all[b] ? k : b), 0);
  const product = { values: weights.map((w, i) => w * pixels[i]), says: "weight × pixel" };
  const off = activity.sums[j] <= 0;
  const sums = { values: activity.sums, says: "sum of weighted pixels" };
  const active = { values: activity.hidden, says: "activation" };
  const outputs = { values: activity.outputs, most: 1, says: "output, 0 to 1" };
  const error = { values: gradients.error, says: "error: output − wanted" };
  const delta = { values: gradients.delta, says: "δ: what the error asks of each" };
  const none = (says) => ({ values: [], says });
  return [
    { title: "The letter", at: [1], arrow: "", picture: { values: pixels, says: "the pixels again", plain: true },
      says: `${L} is drawn on 20 × 20 pixels. Each of the 400 pixels is a number from 0 (ground) to 1 (ink). These numbers are all that the network sees.`,
      formula: `${pixels.filter((p) => p > 0).length} of 400 pixels have ink`, hidden: none("nothing yet"), outputs: none("nothing yet") },
    { title: "Each hidden neuron adds up weighted pixels", at: [1, 2], arrow: "1+", picture: product, hidden: sums, outputs: none("nothing yet"),
      says: `Neuron ${N} multiplies each pixel by its own weight and adds everything up, with its bias. Ink on red weights raises the sum, ink on blue weights lowers it.`,
      formula: `sum of neuron ${N} = Σ weight × pixel + bias = ${number(activity.sums[j] - net.first_bias[j])} + ${number(net.first_bias[j])} = ${number(activity.sums[j])}` },
    { title: "A neuron passes on its sum, or nothing", at: [2], arrow: "1+", picture: product, hidden: active, outputs: none("nothing yet"),
      says: off ? `The sum of neuron ${N} is not above 0, so it is silent for this letter: its activation is 0 (ReLU).` : `The sum of neuron ${N} is above 0, so it is its activation. A sum below 0 would become 0 (ReLU).`,
      formula: `activation of neuron ${N} = max(${number(activity.sums[j])}, 0) = ${number(activity.hidden[j])}` },
    { title: "The outputs", at: [2, 3], arrow: "2+", picture: product, hidden: active, outputs,
      says: `Each of 26 outputs adds up the ${HIDDEN} activations with weights of its own, and squeezes the sum between 0 and 1. The largest output is the answer: ${LETTERS[best]}${best === letter ? ", which is right" : `, though the letter is ${L}`}.`,
      formula: `output of ${L} = 1 / (1 + e^−sum) = ${number(activity.outputs[letter])};  loss of the letter = ${number(activity.loss)}` },
    { title: "The error at 26 outputs", at: [3], arrow: "", picture: product, hidden: active, outputs: error,
      says: `The output of ${L} should be 1, all others 0. The error is the output less what is wanted. Below 0 (blue): should be larger. Above 0 (red): should be smaller.`,
      formula: `error of ${L} = ${number(activity.outputs[letter])} − 1 = ${number(gradients.error[letter])};  error of ${LETTERS[rival]} = ${number(gradients.error[rival])}` },
    { title: "Gradients of the last weights", at: [2, 3], arrow: "2-", picture: product, hidden: active,
      outputs: { values: gradients.second[j], says: `gradient of the weights from neuron ${N}` },
      says: off ? `Neuron ${N} is silent, so its weights had no part in the error: their gradients are 0.` : `The more active a neuron is, the larger is the part of its weights in an error. So the gradient of a weight is the product of activation and error: it tells how fast the loss grows with this weight.`,
      formula: `gradient of the weight ${N} → ${L} = activation × error = ${number(activity.hidden[j])} × ${number(gradients.error[letter])} = ${number(gradients.second[j][letter])}` },
    { title: "The error flows back to the hidden neurons", at: [2, 3], arrow: "2-", picture: product, hidden: delta,
      outputs: { values: net.second[j].map((w, k) => w * gradients.error[k]), says: `weight × error, for neuron ${N}` },
      says: off ? `Neuron ${N} is silent: a small change of its sum would change nothing, so no error reaches it (δ = 0).` : `Each output sends its error back along the same weight. Neuron ${N} adds up what comes from all 26: its δ. Above 0: the neuron should have been less active.`,
      formula: `δ of neuron ${N} = ${off ? "0, since its sum is not above 0" : `Σ weight × error over 26 outputs = ${number(gradients.delta[j])}`}` },
    { title: "Gradients of the first weights", at: [1, 2], arrow: "1-", picture: { values: slope, says: "gradient: pixel × δ" }, hidden: delta, outputs: error,
      says: off ? `With δ = 0, all 400 gradients of neuron ${N} are 0: this letter teaches it nothing.` : `Again a product: the pixel before the weight times the δ behind it. So the gradients of neuron ${N} look like the letter itself, all of one colour. Where there is no ink, nothing changes.`,
      formula: `gradient of a weight of neuron ${N} = pixel × ${number(gradients.delta[j])}; the largest is ${number(slope.reduce((b, v) => (Math.abs(v) > Math.abs(b) ? v : b), 0))}` },
    { title: "Every weight takes a step down", at: [1, 2, 3], arrow: "", picture: { values: slope.map((g) => -rate * g), says: "change: −rate × gradient" },
      hidden: { values: gradients.delta.map((d) => -rate * d), says: "change of each bias" },
      outputs: { values: gradients.second[j].map((g) => -rate * g), says: `change of the weights from neuron ${N}` },
      says: "Each weight moves against its gradient, by the learning rate times the gradient. A small rate needs many steps. A large rate jumps past the valley: try the slider.",
      formula: `weight ${N} → ${L}: ${number(net.second[j][letter])} − ${number(rate)} × ${number(gradients.second[j][letter])} = ${number(next.second[j][letter])}` },
    { title: "The same letter again", at: [1, 2, 3], arrow: "1+2+", picture: { values: own(next.first), says: "weights after the step" },
      hidden: { values: after.hidden, says: "activation now" },
      outputs: { values: after.outputs, most: 1, before: activity.outputs, says: "output now (line: before)" },
      says: `With the new weights the output of ${L} is ${number(after.outputs[letter])} instead of ${number(activity.outputs[letter])}, and the loss ${after.loss < activity.loss ? "is smaller" : "has grown: the learning rate is too large"}. Training is this, thousands of times, with many letters. “Learnt before” repeats the step.`,
      formula: `loss before ${number(activity.loss)}, now ${number(after.loss)}` },
  ];
}

function show() {
  const step = Number(at("step").value), j = Number(at("neuron").value) - 1, letter = Number(at("letter").value);
  const rate = 10 ** Number(at("rate").value), times = Number(at("times").value);
  const state = compute(at("network").value, letter, rate, times);
  const now = stages(state, j, letter, rate)[step - 1];
  at("step-value").textContent = `${step} of 10`; at("neuron-value").textContent = j + 1;
  at("rate-value").textContent = number(rate); at("times-value").textContent = times === 1 ? "once" : `${times} times`;
  at("step").setAttribute("aria-valuetext", `${step}: ${now.title}`);
  at("rate").setAttribute("aria-valuetext", number(rate));
  at("back").disabled = step === 1; at("on").disabled = step === 10;
  at("title").textContent = `${step}. ${now.title}`; at("says").textContent = now.says; at("formula").textContent = now.formula;
  document.querySelectorAll(".own").forEach((part) => { if (part.tagName === "SPAN") part.textContent = j + 1; });
  ["panel-letter", "panel-hidden", "panel-outputs"].forEach((id, k) => at(id).classList.toggle("now", now.at.includes(k + 1)));
  [1, 2].forEach((k) => {
    const back = now.arrow.includes(`${k}-`), on = now.arrow.includes(`${k}+`);
    at(`arrow-${k}`).textContent = back ? "←" : "→"; at(`arrow-${k}`).classList.toggle("now", back || on);
  });
  paint(at("pixels"), state.pixels, true);
  paint(at("weights"), state.net.first.map((row) => row[j]), false);
  paint(at("change"), now.picture.values, now.picture.plain); at("change-says").textContent = now.picture.says;
  const blank = (part, count) => (part.values.length ? part : { ...part, values: Array(count).fill(0), hide: true });
  at("hidden-says").textContent = now.hidden.says; at("outputs-says").textContent = now.outputs.says;
  bars(at("hidden"), names(), blank(now.hidden, HIDDEN).values, { own: j }, { ...blank(now.hidden, HIDDEN), pick: true });
  bars(at("outputs"), [...LETTERS], blank(now.outputs, 26).values, { wanted: letter }, blank(now.outputs, 26));
}

for (const [k, letter] of [...LETTERS].entries()) at("letter").append(new Option(letter, k));
at("letter").value = data.letter;
at("neuron").value = data.neuron + 1;
at("rate").value = Math.log10(data.rate);
for (const id of ["step", "neuron", "rate", "times", "letter", "network"]) at(id).addEventListener("input", show);
const move = (by) => { at("step").value = Number(at("step").value) + by; show(); };
at("back").addEventListener("click", () => move(-1));
at("on").addEventListener("click", () => move(1));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
show();
