// Draw labelled pictures with svg-captcha and its defaults: `node draw_svg.cjs COUNT SEED FOLDER`.
// The package @resvg/resvg-js turns the SVG into pixels.
const fs = require("node:fs");
const { packages, count, file } = require("./seeded.cjs");

const svgCaptcha = packages("svg-captcha");
const { Resvg } = packages("@resvg/resvg-js");

for (let number = 0; number < count; number++) {
  const { text, data } = svgCaptcha.create();
  fs.writeFileSync(file(number, text, "png"), new Resvg(data, { background: "#ffffff" }).render().asPng());
}
