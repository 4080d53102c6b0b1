// Draw labelled pictures with svg-captcha and its defaults: `node draw_svg.cjs COUNT SEED FOLDER`.
// The packages svg-captcha and @resvg/resvg-js, which turns the SVG into pixels, are in the clone's .node-svg-captcha.
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const packages = createRequire(path.join(__dirname, "../../../.node-svg-captcha/node_modules/package.json"));

const [count, seed, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];

// The package draws from Math.random, which has no seed: a generator of 32 bits (mulberry32) takes its place.
let state = seed >>> 0;
Math.random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};

const svgCaptcha = packages("svg-captcha");
const { Resvg } = packages("@resvg/resvg-js");

for (let number = 0; number < count; number++) {
  const { text, data } = svgCaptcha.create();
  const file = `${String(number).padStart(6, "0")}_${text}.png`;
  fs.writeFileSync(path.join(folder, file), new Resvg(data, { background: "#ffffff" }).render().asPng());
}
