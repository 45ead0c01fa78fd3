import { systemClock } from "../../lib/clock.ts";
import type { KeyLife } from "../../lib/tokens/key-set.ts";
import { toPublicJwk } from "../../lib/tokens/keys.ts";
import type { KeySet } from "./lifecycle.ts";
import { openKeySecret } from "./secret.ts";
import { codeKeys, factorKeys, hashKeys, type KeySetKind, signingKeys } from "./sets.ts";
import { explainFailure, findOrCreateKeySet, type KeyStore } from "./store.ts";

/** What serverless.yml's `${file(...)}` hands to a function. */
interface Variables {
  options: { "aws-profile"?: string };
  resolveVariable: (variable: string) => Promise<string>;
}

/** Stands for JWT_PUBLIC_KEYS in a package; it is no JWK set, and cannot be deployed (build/settings-plugin.ts). */
export const placeholder = "none: packaged without a deployment";

/**
 * Resolves JWT_PUBLIC_KEYS. A deployment makes the secrets that the stage does not have yet, all kinds of keys that it
 * needs, and publishes the public halves of all signing keys. Every other command asks nobody: it takes the environment's keys or, for
 * want of them, a placeholder.
 */
export async function resolvePublicKeys({ options, resolveVariable }: Variables): Promise<string> {
  const command = readCommand();
  if (command !== "deploy" && command !== "deploy function") {
    const { JWT_PUBLIC_KEYS } = process.env;
    if (!JWT_PUBLIC_KEYS && command !== "offline start") sayPlaceholder();
    return JWT_PUBLIC_KEYS || placeholder;
  }
  const region = await resolveVariable("self:provider.region");
  async function findOrCreateIn<Key extends KeyLife>(
    variable: string,
    kind: KeySetKind<Key>,
    sayFirst = () => {},
  ) {
    const secretId = await resolveVariable(variable);
    const store = openKeySecret({ secretId, region, profile: options["aws-profile"] }, kind);
    return findOrCreate({ ...store, create: (set) => store.create(set).then(sayFirst) });
  }
  const hasMail = (await resolveVariable("env:MAIL_FROM, ''")) !== "";
  const [{ keys }] = await Promise.all([
    findOrCreateIn("self:custom.signingKeys.secret", signingKeys, sayWhoReads),
    findOrCreateIn("self:custom.hashKeys.secret", hashKeys),
    findOrCreateIn("self:custom.factorKeys.secret", factorKeys),
    hasMail && findOrCreateIn("self:custom.codeKeys.secret", codeKeys),
  ]);
  return JSON.stringify({ keys: keys.map(toPublicJwk) });
}

/** Throws an Error that says in one line what is wrong with which secret. */
async function findOrCreate<Key extends KeyLife>(store: KeyStore<Key>): Promise<KeySet<Key>> {
  try {
    return await findOrCreateKeySet(store, systemClock());
  } catch (error) {
    throw new Error(explainFailure(store, error as Error), { cause: error });
  }
}

/** Like `deploy` or `offline start`: everything before the first option, as the Serverless command line reads it. */
function readCommand(): string {
  const words = process.argv.slice(2);
  const firstOption = words.findIndex((word) => word.startsWith("-"));
  return words.slice(0, firstOption === -1 ? undefined : firstOption).join(" ");
}

/** Said once in the life of a stage, while nobody has a token yet. */
function sayWhoReads(): void {
  process.stderr.write(`
The stage has its first signing key: Ed25519 (EdDSA). Other services that verify its tokens can read it with
serverless-auth-verify (verify/README.md), jose, aws-jwt-verify or fast-jwt. jsonwebtoken (jwks-rsa, express-jwt, passport-jwt)
and API Gateway's own JWT authorizer cannot. If you need one of those, change the key before the first user arrives:
  npm run keys -- rotate --emergency --alg RS256 --stage <stage>, then deploy again (docs/keys.md, "Which key?")

`);
}

function sayPlaceholder(): void {
  process.stderr.write(
    "JWT_PUBLIC_KEYS is a placeholder here, with which no function starts: only `deploy` reads the stage's keys.\n",
  );
}
