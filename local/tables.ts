import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  type StreamSpecification,
  type TableDescription,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";

/** The `Resources` of a CloudFormation template, as `sls print` and `sls package` resolve them. */
export type Resources = Record<string, { Type: string; Properties?: Record<string, unknown> }>;

/** A table as CloudFormation has it: a stream is on if it is specified. */
type Properties = CreateTableCommandInput & {
  StreamSpecification?: Omit<StreamSpecification, "StreamEnabled">;
};

/**
 * Creates the DynamoDB tables among `resources` that do not exist yet, and waits until they can be used. What only
 * AWS has (encryption, backups) is left out, and so is the TTL: the service never relies on its deletions.
 */
export async function createTables(client: DynamoDBClient, resources: Resources): Promise<void> {
  const tables = Object.values(resources).filter(({ Type }) => Type === "AWS::DynamoDB::Table");
  await Promise.all(tables.map(({ Properties }) => createTable(client, Properties as unknown as Properties)));
}

async function createTable(client: DynamoDBClient, properties: Properties): Promise<void> {
  const { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } = properties;
  const StreamSpecification = properties.StreamSpecification && {
    ...properties.StreamSpecification,
    StreamEnabled: true,
  };
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions,
        KeySchema,
        GlobalSecondaryIndexes,
        BillingMode,
        StreamSpecification,
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error; // it exists
  }
  const table = await waitUntilActive(client, TableName);
  // It may be older than its stream, and the streams of dynalite are gone with every start. An engine may have none at all:
  // whoever reads it will find that.
  if (StreamSpecification && !table.StreamSpecification?.StreamEnabled) {
    const update = new UpdateTableCommand({ TableName, StreamSpecification });
    await client.send(update).catch(() => undefined);
    await waitUntilActive(client, TableName);
  }
}

async function waitUntilActive(
  client: DynamoDBClient,
  TableName: string | undefined,
): Promise<TableDescription> {
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    if (Table?.TableStatus === "ACTIVE") return Table;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
