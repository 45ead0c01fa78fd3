import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { callerOf } from "./caller.ts";
import type { Answer } from "./database.ts";
import { keepSecrets } from "./log.ts";
import { usePermission } from "./permissions.ts";
import { denied, type Fault, type WireRequest } from "./wire.ts";

interface Version {
  id: string;
  text: string;
  stages: Set<string>;
}

/** The versions of one secret, oldest first. */
type Secret = Version[];

/** A server that speaks the wire protocol of AWS Secrets Manager (JSON 1.1), and breaks on demand. */
export type SecretsManager = Awaited<ReturnType<typeof startSecretsManager>>;

/** An error of Secrets Manager. */
class Refusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** Starts a Secrets Manager on loopback. The SDK finds it by AWS_ENDPOINT_URL_SECRETS_MANAGER. */
export async function startSecretsManager() {
  const secrets = new Map<string, Secret>();
  let requests: WireRequest[] = [];
  let rules: { name: string; left: number; fault: Fault }[] = [];

  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const name = String(incoming.headers["x-amz-target"]).replace(/^secretsmanager\./, "");
    const parameters = JSON.parse(Buffer.concat(chunks).toString());
    const request: WireRequest = {
      name,
      path: incoming.url ?? "/",
      parameters,
      attempt: Number(/attempt=(\d+)/.exec(String(incoming.headers["amz-sdk-request"]))?.[1]),
      invocationId: String(incoming.headers["amz-sdk-invocation-id"]),
      isApplied: false,
      async deliver() {
        const answer = answerTo(secrets, name, parameters);
        request.isApplied ||= answer.status === 200;
        return answer;
      },
    };
    requests.push(request);
    const caller = callerOf(incoming);
    if (caller && !usePermission(caller, name)) return void outgoing.writeHead(400).end(denied);
    const rule = rules.find((candidate) => candidate.left > 0 && name.startsWith(candidate.name));
    if (rule) rule.left--;
    const answer = await (rule ? rule.fault(request) : request.deliver());
    if (outgoing.destroyed) return;
    if (!answer) return void outgoing.destroy();
    // With another time than the client's the SDK would correct its clock, and repeat a refused request.
    const date = new Date(Date.now()).toUTCString();
    outgoing
      .writeHead(answer.status, { "content-type": "application/x-amz-json-1.1", date })
      .end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    /** For AWS_ENDPOINT_URL_SECRETS_MANAGER. */
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,

    /** The names of the requests since the last `mend`, in the order in which they arrived. */
    get names(): string[] {
      return requests.map(({ name }) => name);
    },

    /** Stores a text as the current version of a secret, past the protocol. */
    put(secretId: string, text: string): void {
      const secret = secrets.get(secretId) ?? [];
      secrets.set(secretId, secret);
      moveStage(secret, "AWSCURRENT", addVersion(secret, text));
    },

    /** The current text of a secret. */
    find(secretId: string): string | undefined {
      return secrets.get(secretId)?.find(({ stages }) => stages.has("AWSCURRENT"))?.text;
    },

    /** Lets a fault befall the next requests of an operation: one, or as many as `times` says. */
    break(name: string, fault: Fault, { times = 1 } = {}): void {
      rules.push({ name, left: times, fault });
    },

    /** Takes back every fault and forgets the recorded requests. */
    mend(): void {
      rules = [];
      requests = [];
    },

    /** Ends the server. */
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Only an answer with an error of this name. */
export const refuse =
  (type: string): Fault =>
  async () =>
    errorAnswer(new Refusal(type, type));

/** An answer that is not JSON. */
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

function errorAnswer({ type, message }: Refusal): Answer {
  return { status: 400, body: JSON.stringify({ __type: type, Message: message }) };
}

interface Parameters {
  Name: string;
  SecretId: string;
  SecretString: string;
  ClientRequestToken: string;
  VersionId?: string;
  VersionStage?: string;
  VersionStages?: string[];
  MoveToVersionId?: string;
  RemoveFromVersionId?: string;
}

type Operation = (secrets: Map<string, Secret>, parameters: Parameters) => object;

const operations: Record<string, Operation> = {
  CreateSecret(secrets, { Name, SecretString, ClientRequestToken }) {
    if (secrets.has(Name)) {
      throw new Refusal(
        "ResourceExistsException",
        `The operation failed because the secret ${Name} already exists.`,
      );
    }
    const secret: Secret = [];
    secrets.set(Name, secret);
    const version = addVersion(secret, SecretString, ClientRequestToken);
    version.stages.add("AWSCURRENT");
    return { ARN: arnOf(Name), Name, VersionId: version.id };
  },

  GetSecretValue(secrets, { SecretId, VersionId, VersionStage = "AWSCURRENT" }) {
    const { id, text, stages } = findVersion(getSecret(secrets, SecretId), ({ id, stages }) =>
      VersionId === undefined ? stages.has(VersionStage) : id === VersionId,
    );
    const Name = nameOf(SecretId);
    return { ARN: arnOf(Name), Name, VersionId: id, SecretString: text, VersionStages: [...stages] };
  },

  PutSecretValue(secrets, { SecretId, SecretString, ClientRequestToken, VersionStages = ["AWSCURRENT"] }) {
    const secret = getSecret(secrets, SecretId);
    const repeated = secret.find(({ id }) => id === ClientRequestToken);
    if (repeated && repeated.text !== SecretString) {
      throw new Refusal("ResourceExistsException", "A version with this token and another text exists.");
    }
    const version = repeated ?? addVersion(secret, SecretString, ClientRequestToken);
    if (!repeated) for (const stage of VersionStages) moveStage(secret, stage, version);
    return {
      ARN: arnOf(SecretId),
      Name: SecretId,
      VersionId: version.id,
      VersionStages: [...version.stages],
    };
  },

  UpdateSecretVersionStage(secrets, { SecretId, VersionStage = "", MoveToVersionId, RemoveFromVersionId }) {
    const secret = getSecret(secrets, SecretId);
    const holder = secret.find(({ stages }) => stages.has(VersionStage));
    if (holder?.id !== RemoveFromVersionId) {
      throw new Refusal(
        "InvalidParameterException",
        `Staging label ${VersionStage} is currently attached to version ${holder?.id}, so you must explicitly ` +
          "reference that version in RemoveFromVersionId.",
      );
    }
    const target = findVersion(secret, ({ id }) => id === MoveToVersionId);
    moveStage(secret, VersionStage, target);
    return { ARN: arnOf(SecretId), Name: SecretId };
  },
};

function getSecret(secrets: Map<string, Secret>, secretId: string): Secret {
  const secret = secrets.get(nameOf(secretId));
  if (secret) return secret;
  throw new Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
}

function findVersion(secret: Secret, isWanted: (version: Version) => boolean): Version {
  const version = secret.find(isWanted);
  if (version) return version;
  throw new Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.");
}

function addVersion(secret: Secret, text: string, id: string = randomUUID()): Version {
  // Private members of the keys that pass here must not be logged, whatever becomes of them.
  for (const [, member] of text.matchAll(/"(?:d|p|q|dp|dq|qi)":"([\w-]+)/g)) keepSecrets(member);
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
const arnOf = (name: string) => `${arnPrefix}${name}-a1B2c3`;
const nameOf = (secretId: string) => secretId.replace(arnPrefix, "").replace(/-a1B2c3$/, "");
