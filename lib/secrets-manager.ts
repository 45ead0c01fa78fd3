import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

let client: SecretsManagerClient | undefined;

/** Made for the first secret; a sandbox that reads several has one client. */
function openClient(): SecretsManagerClient {
  client ??= new SecretsManagerClient({
    maxAttempts: 2,
    // See lib/dynamodb.ts: without `throwOnRequestTimeout` the timeout only warns.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true },
  });
  return client;
}

/** Makes the reader of one secret: its current text. Throws what the SDK throws, within 3 s. */
export function createSecretReader(secretId: string): () => Promise<string> {
  return async function readSecret() {
    const { SecretString } = await openClient().send(new GetSecretValueCommand({ SecretId: secretId }));
    if (SecretString === undefined) throw new TypeError("the secret holds no text");
    return SecretString;
  };
}
