import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

/** Makes the reader of one secret: its current text. Throws what the SDK throws, within 3 s. */
export function createSecretReader(secretId: string): () => Promise<string> {
  const client = new SecretsManagerClient({
    maxAttempts: 2,
    // See lib/dynamodb.ts: without `throwOnRequestTimeout` the timeout only warns.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true },
  });
  return async function readSecret() {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    if (SecretString === undefined) throw new TypeError("the secret holds no text");
    return SecretString;
  };
}
