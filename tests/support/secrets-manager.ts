import { randomUUID } from "node:crypto";
import type { Answer } from "../../local/wire.ts";
import { type Fault, startAwsServer } from "./aws-server.ts";
import { keepSecrets } from "./log.ts";

interface Version {
  id: string;
  text: string;
  stages: Set<string>;
}

type Secret = Version[];

class Refusal extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Starts a Secrets Manager on loopback; it names requests `GetSecretValue signing-keys`. The SDK finds it by AWS_ENDPOINT_URL_SECRETS_MANAGER. */
export async function startSecretsManager() {
  const secrets = new Map<string, Secret>();
  const server = await startAwsServer("application/x-amz-json-1.1", (target, text) => {
    const [, name = ""] = target.split(".");
    const parameters = JSON.parse(text);
    const [set] =
      /(?:signing|hash|code|factor|provider)-keys$/.exec(parameters.SecretId ?? parameters.Name) ?? [];
    return {
      name: [name, set].filter(Boolean).join(" "),
      parameters,
      deliver: async () => answerTo(secrets, name, parameters),
    };
  });
  const { mend } = server;

  return Object.assign(server, {
    /** Stores a text as the current version of a secret, past the protocol. */
    put(secretId: string, text: string): void {
      const secret = secrets.get(secretId) ?? [];
      secrets.set(secretId, secret);
      moveStage(secret, "AWSCURRENT", addVersion(secret, text));
    },

    find: (secretId: string): string | undefined =>
      secrets.get(secretId)?.find(({ stages }) => stages.has("AWSCURRENT"))?.text,

    mend(): void {
      mend();
      server.forget();
    },
  });
}

export const refuse =
  (type: string, message = type): Fault =>
  async () =>
    errorAnswer(new Refusal(type, message));

/** What a secret answers from its deletion on until it is gone, a week to a month later. */
export const markedForDeletion = refuse(
  "InvalidRequestException",
  "You can't perform this operation on the secret because it was marked for deletion.",
);

export const garble: Fault = async () => ({ status: 200, body: '{"SecretString": "{' });

function answerTo(secrets: Map<string, Secret>, name: string, parameters: Parameters): Answer {
  try {
    const operation = operations[name];
    if (!operation) throw new Refusal("UnknownOperationException", name);
    return { status: 200, body: JSON.stringify(operation(secrets, parameters)) };
  } catch (error) {
    if (error instanceof Refusal) return errorAnswer(error);
    throw error;
  }
}

const errorAnswer = ({ name, message }: Refusal): Answer => ({
  status: 400,
  body: JSON.stringify({ __type: name, Message: message }),
});

type Parameters = Record<
  "Name" | "SecretId" | "SecretString" | "ClientRequestToken" | "MoveToVersionId" | "RemoveFromVersionId",
  string
> & { VersionId?: string; VersionStage?: string; VersionStages?: string[] };

const operations: Record<string, (secrets: Map<string, Secret>, parameters: Parameters) => object> = {
  CreateSecret(secrets, { Name, SecretString, ClientRequestToken }) {
    if (secrets.has(Name)) throw new Refusal("ResourceExistsException", `The secret ${Name} already exists.`);
    const secret: Secret = [];
    secrets.set(Name, secret);
    const version = addVersion(secret, SecretString, ClientRequestToken);
    moveStage(secret, "AWSCURRENT", version);
    return { ...describe(Name), VersionId: version.id };
  },

  GetSecretValue(secrets, { SecretId, VersionId, VersionStage = "AWSCURRENT" }) {
    const isWanted = ({ id, stages }: Version) =>
      VersionId === undefined ? stages.has(VersionStage) : id === VersionId;
    const { id, text, stages } = assertFound(getSecret(secrets, SecretId).find(isWanted));
    return { ...describe(SecretId), VersionId: id, SecretString: text, VersionStages: [...stages] };
  },

  PutSecretValue(secrets, { SecretId, SecretString, ClientRequestToken, VersionStages = ["AWSCURRENT"] }) {
    const secret = getSecret(secrets, SecretId);
    const repeated = secret.find(({ id }) => id === ClientRequestToken);
    if (repeated && repeated.text !== SecretString) {
      throw new Refusal("ResourceExistsException", "A version with this token and another text exists.");
    }
    const version = repeated ?? addVersion(secret, SecretString, ClientRequestToken);
    if (!repeated) for (const stage of VersionStages) moveStage(secret, stage, version);
    return { ...describe(SecretId), VersionId: version.id, VersionStages: [...version.stages] };
  },

  UpdateSecretVersionStage(secrets, { SecretId, VersionStage = "", MoveToVersionId, RemoveFromVersionId }) {
    const secret = getSecret(secrets, SecretId);
    const holder = secret.find(({ stages }) => stages.has(VersionStage));
    if (holder?.id !== RemoveFromVersionId)
      throw new Refusal("InvalidParameterException", `${VersionStage} is attached to version ${holder?.id}.`);
    moveStage(secret, VersionStage, assertFound(secret.find(({ id }) => id === MoveToVersionId)));
    return describe(SecretId);
  },
};

/** Throws what Secrets Manager says where there is no such secret, or no such version of it. */
function assertFound<T>(found: T | undefined): T {
  if (found) return found;
  throw new Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.");
}

const getSecret = (secrets: Map<string, Secret>, secretId: string): Secret =>
  assertFound(secrets.get(describe(secretId).Name));

function addVersion(secret: Secret, text: string, id: string = randomUUID()): Version {
  // Private members of the keys that pass here must not be logged, whatever becomes of them.
  for (const [, member] of text.matchAll(/"(?:d|p|q|dp|dq|qi|k)":"([\w-]+)/g)) keepSecrets(member);
  const version = { id, text, stages: new Set<string>() };
  secret.push(version);
  return version;
}

/** A label is on one version at a time; what was current becomes the previous one. */
function moveStage(secret: Secret, stage: string, target: Version): void {
  const holder = secret.find(({ stages }) => stages.has(stage));
  if (holder === target) return;
  holder?.stages.delete(stage);
  target.stages.add(stage);
  if (stage === "AWSCURRENT" && holder) moveStage(secret, "AWSPREVIOUS", holder);
}

const arnPrefix = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:";

/** The two names of a secret, from either. */
function describe(secretId: string) {
  const Name = secretId.replace(arnPrefix, "").replace(/-a1B2c3$/, "");
  return { ARN: `${arnPrefix}${Name}-a1B2c3`, Name };
}
