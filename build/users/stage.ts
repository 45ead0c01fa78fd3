import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { systemClock } from "../../lib/clock.ts";
import { createDynamoDB, type DynamoDB } from "../../lib/dynamodb.ts";
import { type HashKeys, parseHashKeySet } from "../../lib/tokens/hash-keys.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";
import { hashKeys } from "../keys/sets.ts";

type TableSetting = `${"users" | "identities" | "sessions" | "attempts" | "mails" | "audit"}Table`;

/** A stage as an operator reaches it. */
export interface Stage {
  /** What people know it by. */
  name: string;
  dynamodb: DynamoDB;
  tables: Record<TableSetting, string>;
  /** Opens the keys that attempts are counted under. */
  openHashKeys(): Promise<HashKeys>;
  /** Who the operator is, for the record: an ARN, or a user of this machine. */
  findOperator(): Promise<string>;
}

/** Opens a deployed stage with the caller's AWS credentials or, without a name, the running `npm start`. */
export function openStage({ stage, region }: { stage?: string; region: string }): Stage {
  const [, service] = /^service: (\S+)$/m.exec(readFileSync("serverless.yml", "utf8")) ?? [];
  const table = (noun: string) =>
    process.env[`${noun.toUpperCase()}_TABLE`] || `${service}-${stage ?? "dev"}-${noun}`;
  const tables = {
    usersTable: table("users"),
    identitiesTable: table("identities"),
    sessionsTable: table("sessions"),
    attemptsTable: table("attempts"),
    mailsTable: table("mails"),
    auditTable: table("audit"),
  };
  process.env.AWS_REGION = region;
  if (stage !== undefined) {
    const dynamodb = createDynamoDB(
      { dynamodbEndpoint: undefined, dynamodbTimeoutMs: 3_000 },
      { isCommand: true },
    );
    const hashKeysSecret = `${service}-${stage}-${hashKeys.secret}`;
    return {
      ...{ name: `Stage ${stage} in ${region}`, dynamodb, tables },
      findOperator: () => findCaller(region),
      openHashKeys: () => openHashKeys({ hashKeys: undefined, hashKeysSecret }, systemClock),
    };
  }
  const { DYNAMODB_ENDPOINT, DYNAMODB_PORT = "8000" } = process.env;
  const dynamodbEndpoint = DYNAMODB_ENDPOINT || `http://localhost:${DYNAMODB_PORT}`;
  // An engine that is not AWS takes any credentials, but the SDK wants some.
  process.env.AWS_ACCESS_KEY_ID ||= "local";
  process.env.AWS_SECRET_ACCESS_KEY ||= "local";
  return {
    name: `npm start (${dynamodbEndpoint})`,
    dynamodb: createDynamoDB({ dynamodbEndpoint, dynamodbTimeoutMs: 3_000 }, { isCommand: true }),
    tables,
    findOperator: async () => `${userInfo().username} on this machine`,
    openHashKeys: () =>
      openHashKeys({ hashKeys: readLocalHashKeys(), hashKeysSecret: undefined }, systemClock),
  };
}

/** Those that `npm start` made, or was given. */
function readLocalHashKeys() {
  const { HASH_KEYS, LOCAL_DIR = ".local" } = process.env;
  return parseHashKeySet(HASH_KEYS || readFileSync(join(LOCAL_DIR, hashKeys.file), "utf8"));
}

async function findCaller(region: string): Promise<string> {
  const client = new STSClient({
    region,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  const { Arn } = await client.send(new GetCallerIdentityCommand());
  if (Arn === undefined) throw new Error("AWS did not say who you are.");
  return Arn;
}
