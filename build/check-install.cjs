// Plain CommonJS for any Node: what comes after it needs packages, TypeScript files and `crypto.argon2` in Node itself.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const [major, minor] = process.versions.node.split(".").map(Number);
if (!existsSync(join(__dirname, "../node_modules/serverless"))) {
  fail(`The packages that build and run this project are not installed. Run

  npm ci --include=dev

(With NODE_ENV=production or --omit=dev \`npm ci\` leaves them out. What is deployed is bundled here, and holds none of them.)`);
}
if (major < 24 || (major === 24 && minor < 7)) {
  fail(`This project needs Node 24.7 or newer, and this is Node ${process.versions.node}.

\`npm ci\` installs its own Node 24, whatever this machine has, unless install scripts are switched off
(\`npm config get ignore-scripts\`), or the machine is one where it does not run, such as Alpine. So either run

  npm ci --ignore-scripts=false

or install Node 24 (https://nodejs.org; on Alpine the image node:24-alpine) and try again.`);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
