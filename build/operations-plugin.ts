import { createAlarms } from "./operations/alarms.ts";
import { createDashboard } from "./operations/dashboard.ts";
import { createDomain, createThrottling, type Limit } from "./operations/gateway.ts";
import { type Options, readOptions } from "./operations/options.ts";
import { type HttpApiEvent, listFed, listRoutes } from "./service-plugin.ts";
import type { Resource, Resources } from "./template.ts";

type Statement = { Effect: string; Action: string | string[]; Resource: unknown; Condition?: object };
type FunctionDefinition = Omit<Parameters<typeof listRoutes>[0][string], "events"> & {
  events?: { httpApi?: HttpApiEvent; stream?: { destinations?: object } }[];
  iamRoleStatements?: Statement[];
  reservedConcurrency?: number;
  throttling?: Limit;
};

/** What this plugin reads and writes of a Serverless. */
type Serverless = {
  service: {
    service: string;
    functions: Record<string, FunctionDefinition>;
    resources: { Resources: Resources };
    custom: { throttling: Limit; isWatched: boolean };
    provider: {
      stage: string;
      tracing?: object;
      compiledCloudFormationTemplate: { Resources: Resources; Outputs: Record<string, object> };
    };
  };
  processedInput: { commands: string[] };
  classes: { Error: new (message: string, code?: string) => Error };
};

/**
 * Serverless plugin: what a deployment needs beside its functions – throttling by route, alarms, a dashboard – and what
 * can be switched on for it (build/operations/options.ts). `npm start` has none of it.
 */
export default class OperationsPlugin {
  readonly hooks: Record<string, () => void>;

  constructor({ service, classes, processedInput }: Serverless) {
    const isLocal = processedInput.commands[0] === "offline";
    const options = (): Options => {
      try {
        return isLocal ? { isTraced: false } : readOptions(process.env);
      } catch (error) {
        throw new classes.Error((error as Error).message, "INVALID_OPTIONS");
      }
    };

    this.hooks = {
      initialize() {
        const { alarmTopicArn, kmsKeyArn, loginReservedConcurrency, isTraced } = options();
        if (alarmTopicArn) tellOfLost(service, alarmTopicArn);
        if (kmsKeyArn) encryptTables(service, kmsKeyArn);
        const { login } = service.functions;
        if (login && loginReservedConcurrency) login.reservedConcurrency = loginReservedConcurrency;
        if (isTraced) trace(service);
      },

      "after:package:compileEvents"() {
        const { alarmTopicArn: topicArn, domain, kmsKeyArn, mailAlarmPerHour = 500 } = options();
        const { stage, compiledCloudFormationTemplate: template } = service.provider;
        const tables = Object.keys(service.resources.Resources).filter(
          (id) => service.resources.Resources[id]?.Type === "AWS::DynamoDB::Table",
        );
        const hasMail = "mail" in service.functions;
        const hasProviders = "finishExternal" in service.functions;
        const scope = {
          ...{ service: service.service, stage, topicArn, tables, fed: listFed(service.functions) },
          ...{ hasMail, hasProviders },
          ...(hasMail && { mailsPerHour: mailAlarmPerHour }),
        };
        const added = domain ? createDomain(domain) : { resources: {}, outputs: {} };
        throttle(template.Resources, service);
        if (kmsKeyArn) encryptLogs(template.Resources, kmsKeyArn);
        Object.assign(template.Resources, added.resources);
        if (service.custom.isWatched)
          Object.assign(template.Resources, createAlarms(scope), createDashboard(scope));
        Object.assign(template.Outputs, added.outputs);
      },

      // By then each function has a role of its own, which was copied from the shared one
      "before:aws:package:finalize:saveServiceState"() {
        removeUnusedRoles(service.provider.compiledCloudFormationTemplate.Resources);
      },
    };
  }
}

function removeUnusedRoles(resources: Resources): void {
  for (const [id, { Type }] of Object.entries(resources)) {
    if (Type !== "AWS::IAM::Role") continue;
    const isReferredTo = new RegExp(`"${id}"(?!:)`).test(JSON.stringify(resources));
    if (!isReferredTo) delete resources[id];
  }
}

/** Where a function that a stream feeds gives a record up, the topic gets its place in the stream, and nothing of it. */
function tellOfLost({ functions }: Serverless["service"], topicArn: string): void {
  for (const { events = [], iamRoleStatements } of Object.values(functions)) {
    const streams = events.flatMap(({ stream }) => (stream ? [stream] : []));
    for (const stream of streams) stream.destinations = { onFailure: topicArn };
    if (streams.length > 0)
      iamRoleStatements?.push({ Effect: "Allow", Action: "sns:Publish", Resource: topicArn });
  }
}

/** The framework would grant it to the shared role alone, which no function has. X-Ray knows no narrower resource. */
function trace({ provider, functions }: Serverless["service"]): void {
  provider.tracing = { lambda: true };
  const Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
  for (const { iamRoleStatements } of Object.values(functions)) {
    iamRoleStatements?.push({ Effect: "Allow", Action, Resource: "*" });
  }
}

/** CloudFormation makes routes and stage in any order, but a stage may only have settings of routes that are there. */
function throttle(resources: Resources, { functions, custom }: Serverless["service"]): void {
  const { HttpApiStage: stage } = resources;
  if (!stage) return;
  const limits = Object.values(functions).flatMap((definition) => {
    const { throttling } = definition;
    if (!throttling) return [];
    const [route = "$default", ...others] = listRoutes({ definition });
    return [route, ...others].map((each) => [each, throttling] as const);
  });
  Object.assign(stage.Properties, createThrottling(custom.throttling, Object.fromEntries(limits)));
  const routes = Object.keys(resources).filter((id) => resources[id]?.Type === "AWS::ApiGatewayV2::Route");
  stage.DependsOn = [...[stage.DependsOn ?? []].flat(), ...routes];
}

const ofType = (resources: Resources, type: string): Resource[] =>
  Object.values(resources).filter(({ Type }) => Type === type);

/** Whoever reads or writes an item of a table with a key of one's own needs that key, through DynamoDB alone. */
function encryptTables({ resources, functions }: Serverless["service"], kmsKeyArn: string): void {
  for (const { Properties } of ofType(resources.Resources, "AWS::DynamoDB::Table")) {
    Properties.SSESpecification = { SSEEnabled: true, SSEType: "KMS", KMSMasterKeyId: kmsKeyArn };
  }
  const isOfDynamoDB = ({ Action }: Statement) =>
    [Action].flat().some((name) => name.startsWith("dynamodb:"));
  const ofPeople = ofType(resources.Resources, "AWS::IAM::ManagedPolicy").map(
    ({ Properties }) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
  );
  const ofFunctions = Object.values(functions).map(({ iamRoleStatements = [] }) => iamRoleStatements);
  for (const statements of [...ofFunctions, ...ofPeople]) {
    if (!statements.some(isOfDynamoDB)) continue;
    statements.push({
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:DescribeKey"],
      Resource: kmsKeyArn,
      Condition: {
        StringEquals: { "kms:ViaService": { "Fn::Sub": `dynamodb.\${AWS::Region}.\${AWS::URLSuffix}` } },
      },
    });
  }
}

function encryptLogs(resources: Resources, kmsKeyArn: string): void {
  for (const { Properties } of ofType(resources, "AWS::Logs::LogGroup")) Properties.KmsKeyId = kmsKeyArn;
}
