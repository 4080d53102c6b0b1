// Draw labelled pictures with captchapng as its documentation shows it: `node draw_captchapng.cjs COUNT SEED FOLDER`.
const fs = require("node:fs");
const { packages, count, file } = require("./seeded.cjs");

const CaptchaPng = packages("captchapng");

for (let number = 0; number < count; number++) {
  const text = parseInt(Math.random() * 9000 + 1000);
  const picture = new CaptchaPng(80, 30, text);
  picture.color(0, 0, 0, 0);
  picture.color(80, 80, 80, 255);
  fs.writeFileSync(file(number, text, "png"), Buffer.from(picture.getBase64(), "base64"));
}
