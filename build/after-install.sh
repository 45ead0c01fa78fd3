# `npm ci` runs this at its end. What is missing is said, and fails nothing yet: `npm start` and `npm test` ask again.

# The Node that comes along is built for glibc, which Alpine does not have, and would stand in front of the machine's own.
bundled=node_modules/.bin/node
if [ -f "$bundled" ] && ! "$bundled" --version > /dev/null 2>&1; then
  rm "$bundled"
  echo "The Node that comes with npm ci does not run on this machine: its own is used, which must be Node 24.7 or newer." >&2
fi

if command -v node > /dev/null; then
  node build/check-install.cjs || true
else
  echo "There is no other Node on the PATH. Install Node 24 (https://nodejs.org; on Alpine the image node:24-alpine)." >&2
fi
