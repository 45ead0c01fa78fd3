import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

const stack = {
  name: "serverless-auth-api-qa",
  id: "arn:aws:cloudformation:eu-central-1:123456789012:stack/qa/1",
};
const bucket = "deployment-bucket";
const changeSet = `<Id>arn:change-set</Id><StackId>${stack.id}</StackId>`;

/** What CloudFormation (and STS) answers where a stack exists and every update of it succeeds at once (query protocol). */
const answers: Record<string, (now: string) => string> = {
  GetCallerIdentity: () => "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/test</Arn>",
  DescribeStacks: (now) =>
    `<Stacks><member><StackId>${stack.id}</StackId><StackName>${stack.name}</StackName>` +
    `<CreationTime>${now}</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs/></member></Stacks>`,
  DescribeStackResource: () =>
    `<StackResourceDetail><PhysicalResourceId>${bucket}</PhysicalResourceId></StackResourceDetail>`,
  ListStackResources: () => "<StackResourceSummaries/>",
  ValidateTemplate: () => "<Parameters/>",
  DeleteChangeSet: () => "",
  CreateChangeSet: () => changeSet,
  DescribeChangeSet: () =>
    `${changeSet}<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus>`,
  ExecuteChangeSet: () => "",
  DescribeStackEvents: (now) =>
    `<StackEvents><member><EventId>1</EventId><StackName>${stack.name}</StackName><StackId>${stack.id}</StackId>` +
    `<LogicalResourceId>${stack.name}</LogicalResourceId><PhysicalResourceId>${stack.id}</PhysicalResourceId>` +
    `<ResourceType>AWS::CloudFormation::Stack</ResourceType><Timestamp>${now}</Timestamp>` +
    "<ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member></StackEvents>",
};

/**
 * Starts an AWS on loopback that has just enough of CloudFormation and S3 for `sls deploy` to come to its end, stage
 * `qa`. The SDK finds it by AWS_ENDPOINT_URL; everything else is denied.
 */
export async function startCloudFormation() {
  const actions: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { method, url = "" } = incoming;
    const action = new URLSearchParams(await text(incoming)).get("Action") ?? "";
    const answer = answers[action];
    if (answer) {
      actions.push(action);
      // Events that are older than the update are not looked at.
      const result = answer(new Date(Date.now() + 60_000).toISOString());
      outgoing.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
    } else if (url.includes("list-type=")) {
      outgoing.end(`<ListBucketResult><Name>${bucket}</Name><KeyCount>0</KeyCount></ListBucketResult>`);
    } else {
      outgoing.writeHead(url.startsWith(`/${bucket}`) && method !== "GET" ? 200 : 403, { etag: '"1"' }).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    /** For AWS_ENDPOINT_URL. */
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What CloudFormation was asked, in the order of arrival. */
    actions,
    /** Ends the server. */
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
