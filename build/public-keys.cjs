// Plain CommonJS because serverless.yml's `${file(...)}` reads nothing newer.
module.exports = async (variables) => (await import("./public-keys.ts")).resolvePublicKeys(variables);
