// Plain CommonJS for any Node: what comes after it needs TypeScript files and `crypto.argon2` in Node itself.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(`This project needs Node 24.7 or newer, and this is Node ${process.versions.node}.

\`npm ci\` installs its own Node 24, whatever this machine has, unless install scripts are switched off
(\`npm config get ignore-scripts\`). So either run

  npm ci --ignore-scripts=false

or install Node 24 (https://nodejs.org) and try again.`);
  process.exit(1);
}
