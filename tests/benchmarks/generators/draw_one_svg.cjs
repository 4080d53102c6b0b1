// Draw a picture with svg-captcha and its defaults: `node draw_one_svg.cjs TEXT FILE`.
// The packages svg-captcha and @resvg/resvg-js, which turns the SVG into pixels, are in the clone's .node-svg-captcha.
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const packages = createRequire(path.join(__dirname, "../../../.node-svg-captcha/node_modules/package.json"));
const svgCaptcha = packages("svg-captcha");
const { Resvg } = packages("@resvg/resvg-js");

const [text, file] = process.argv.slice(2);
fs.writeFileSync(file, new Resvg(svgCaptcha(text), { background: "#ffffff" }).render().asPng());
