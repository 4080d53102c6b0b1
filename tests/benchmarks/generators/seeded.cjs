// What a script for Node needs: the packages in the clone's .node-svg-captcha, and randomness with a seed.
const path = require("node:path");
const { createRequire } = require("node:module");

const packages = createRequire(path.join(__dirname, "../../../.node-svg-captcha/node_modules/package.json"));
const [count, seed, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];

// Packages draw from Math.random, which has no seed: a generator of 32 bits (mulberry32) takes its place.
let state = seed >>> 0;
Math.random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};

const file = (number, text, suffix) => path.join(folder, `${String(number).padStart(6, "0")}_${text}.${suffix}`);

module.exports = { packages, count, file };
