import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { KeyLife } from "../../lib/tokens/key-set.ts";
import type { KeySetKind } from "./sets.ts";
import { KeySetMovedError, type KeyStore } from "./store.ts";
import { openKeySet, type TextStore } from "./text-store.ts";

/** Which secret, and as whom; without a profile the SDK's own chain decides. */
export interface SecretAddress {
  secretId: string;
  region: string;
  profile?: string | undefined;
}

/** Marks a version that is written but not yet current; what a broken-off attempt left is overwritten by the next. */
const pendingStage = "KEYS_PENDING";

/** Opens the secret that holds a key set of a stage, in AWS Secrets Manager. */
export const openKeySecret = <Key extends KeyLife>(
  address: SecretAddress,
  kind: KeySetKind<Key>,
): KeyStore<Key> =>
  openKeySet(openSecret(address, { ...kind, remake: "npx sls deploy makes new keys" }), kind);

/** Opens a secret of a stage, in AWS Secrets Manager; `remake` says how one that was deleted is made again. */
export function openSecret(
  { secretId, region, profile }: SecretAddress,
  { description, remake }: { description: string; remake: string },
): TextStore {
  const client = new SecretsManagerClient({
    region,
    ...(profile !== undefined && { profile }),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });

  async function find() {
    const answer = await client
      .send(new GetSecretValueCommand({ SecretId: secretId }))
      .catch(unless("ResourceNotFoundException"))
      .catch(nameDeletion);
    return answer && { text: answer.SecretString ?? "", version: answer.VersionId ?? "" };
  }

  /** Keys that somebody has deleted are brought back by nobody but an operator. */
  function nameDeletion(error: Error): never {
    if (error.name !== "InvalidRequestException" || !error.message.includes("deletion")) throw error;
    const target = `--secret-id ${secretId} --region ${region}`;
    throw new Error(`The secret ${secretId} in ${region} is scheduled for deletion, and its name taken until then. One of:
  aws secretsmanager restore-secret ${target}
    (its keys again)
  aws secretsmanager delete-secret ${target} --force-delete-without-recovery
    (then, a minute later, ${remake})`);
  }

  return {
    name: `The secret ${secretId} in ${region}`,
    find,

    async create(text) {
      const command = new CreateSecretCommand({
        Name: secretId,
        Description: description,
        SecretString: text,
      });
      await client.send(command).catch(unless("ResourceExistsException"));
    },

    /** Two steps, since writing alone would replace whatever is current: write beside it, then move the label. */
    async replace(version, text) {
      const { VersionId } = await client.send(
        new PutSecretValueCommand({
          SecretId: secretId,
          SecretString: text,
          VersionStages: [pendingStage],
        }),
      );
      const move = new UpdateSecretVersionStageCommand({
        SecretId: secretId,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: VersionId,
        RemoveFromVersionId: version,
      });
      await client.send(move).catch(async (error: unknown) => {
        const current = (await find())?.version;
        // The SDK's own retry of a move that did succeed is refused, too.
        if (current === VersionId) return;
        throw current === version ? error : new KeySetMovedError("changed meanwhile", { cause: error });
      });
    },
  };
}

/** Swallows one error of Secrets Manager, by its name. */
function unless(name: string) {
  return (error: unknown): undefined => {
    if (!(error instanceof Error && error.name === name)) throw error;
  };
}
