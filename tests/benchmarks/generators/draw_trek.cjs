// Draw labelled pictures with trek-captcha and its defaults: `node draw_trek.cjs COUNT SEED FOLDER`.
const fs = require("node:fs");
const crypto = require("node:crypto");
const { packages, count, file } = require("./seeded.cjs");

// The package takes its random bytes from there.
crypto.randomBytes = (size, done) => done(null, Buffer.from(Array.from({ length: size }, () => Math.random() * 256)));
const draw = packages("trek-captcha");

(async () => {
  for (let number = 0; number < count; number++) {
    const { token, buffer } = await draw();
    fs.writeFileSync(file(number, token, "gif"), buffer);
  }
})();
