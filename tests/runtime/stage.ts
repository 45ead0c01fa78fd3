import { join } from "node:path";
import type { ApiResponse } from "../../lib/http/response.ts";
import { startDatabase } from "../support/database.ts";
import { tableSettings } from "../support/declared.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import { createHashKey, createKey, keySettings } from "../support/keys.ts";
import { environmentOf, functionsOf, packageStage, unpack } from "../support/packages.ts";
import { createFolder, removeFolder } from "../support/project.ts";
import { startSecretsManager } from "../support/secrets-manager.ts";
import { startWire } from "../support/wire.ts";
import { type Lambda, startLambda } from "./lambda.ts";

/** The stage `prod` as it is packaged with these variables, each function in AWS's runtime client, over an embedded DynamoDB. */
export async function startStage(
  variables: Record<string, string>,
  environment: Record<string, string> = {},
) {
  const key = createKey("EdDSA");
  const database = await startDatabase();
  const wire = await startWire(database);
  const secrets = await startSecretsManager();
  const folder = createFolder();
  const lambdas: Record<string, Lambda> = {};
  secrets.put("serverless-auth-api-prod-signing-keys", JSON.stringify({ keys: [key] }));
  for (const set of ["hash", "code"])
    secrets.put(`serverless-auth-api-prod-${set}-keys`, JSON.stringify({ keys: [createHashKey()] }));
  const packaged = await packageStage("prod", { ...tableSettings, ...variables });

  /** Starts the zip of a function with the packaged environment, as a deployment completes it. */
  async function start(name: string, without: string[] = []): Promise<Lambda> {
    const taskRoot = join(folder, name);
    await unpack(packaged, name, taskRoot);
    const env: Record<string, string> = {
      ...environmentOf(packaged, name),
      ISSUER: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com",
      JWT_PUBLIC_KEYS: keySettings(key).JWT_PUBLIC_KEYS,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test-secret-access-key",
      AWS_SESSION_TOKEN: "test-session-token",
      AWS_ENDPOINT_URL_DYNAMODB: wire.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      ...environment,
    };
    for (const variable of without) delete env[variable];
    return startLambda({ name, taskRoot, handler: functionsOf(packaged)[name].Handler, env });
  }

  return {
    ...{ database, lambdas, start },
    functionNames: Object.keys(functionsOf(packaged)),

    async call(route: RouteName, request?: ClientRequest): Promise<ApiResponse> {
      const lambda = lambdas[route];
      if (!lambda) throw new TypeError(`no function serves ${route}`);
      return lambda.answer(createEvent(route, request));
    },

    async stop(): Promise<void> {
      for (const lambda of Object.values(lambdas)) await lambda.stop();
      await wire.stop();
      await secrets.stop();
      await database.stop();
      removeFolder(packaged.folder);
      removeFolder(folder);
    },
  };
}

/** The answer's status, and what its JSON says. */
export const told = ({ statusCode, body }: ApiResponse) => [statusCode, body && JSON.parse(body)];
