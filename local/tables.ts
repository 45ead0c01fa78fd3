import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
} from "@aws-sdk/client-dynamodb";

/** The `Resources` of a CloudFormation template, as `sls print` and `sls package` resolve them. */
export type Resources = Record<string, { Type: string; Properties?: Record<string, unknown> }>;

/**
 * Creates the DynamoDB tables among `resources` that do not exist yet, and waits until they can be used. What only
 * AWS has (encryption, backups) is left out, and so is the TTL: the service never relies on its deletions.
 */
export async function createTables(client: DynamoDBClient, resources: Resources): Promise<void> {
  const tables = Object.values(resources).filter(({ Type }) => Type === "AWS::DynamoDB::Table");
  await Promise.all(
    tables.map(({ Properties }) => createTable(client, Properties as unknown as CreateTableCommandInput)),
  );
}

async function createTable(client: DynamoDBClient, properties: CreateTableCommandInput): Promise<void> {
  const { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } = properties;
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions,
        KeySchema,
        GlobalSecondaryIndexes,
        BillingMode,
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error; // it exists
  }
  while (!(await isActive(client, TableName))) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function isActive(client: DynamoDBClient, TableName: string | undefined): Promise<boolean> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  return Table?.TableStatus === "ACTIVE";
}
