import { setTimeout } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { type InvariantId, judge } from "../fault-rig/invariants.ts";
import { type Profile, profiles } from "../fault-rig/profiles.ts";
import { run } from "../fault-rig/run.ts";
import type { Item } from "../support/database.ts";
import { loseRequest } from "../support/faults.ts";
import { type Service, startServices } from "../support/service.ts";
import type { WireRequest } from "../support/wire.ts";

// The rig is worth what it finds: each of these services has one mistake, and the rig must say which promise it breaks.

const [aws, embedded] = await startServices();
const seed = process.env.SEED ?? String(performance.timeOrigin);

const isRotation = ({ name, parameters }: WireRequest) =>
  name === "UpdateItem sessions" && String(parameters.UpdateExpression).includes(":salt");

/** The request without a value that nothing refers to any more: DynamoDB would refuse it. */
function without(value: string, { ExpressionAttributeValues, ...parameters }: Item): Item {
  const { [value]: _, ...others } = ExpressionAttributeValues;
  return { ...parameters, ExpressionAttributeValues: others };
}

/** Answers a refused condition with another item than the one that refused it. */
function refusedBy(change: (item: Item, request: WireRequest) => Item | undefined): Profile["fault"] {
  return async (request) => {
    const answer = await request.deliver();
    if (request.name !== "UpdateItem sessions" || answer.status !== 400) return answer;
    const { Item: item, ...body } = JSON.parse(answer.body);
    return { ...answer, body: JSON.stringify({ ...body, Item: item && change(item, request) }) };
  };
}

/** Rotations are sent with another condition. */
function rotatedIf(ConditionExpression: string | undefined): Profile["fault"] {
  return (request) => {
    if (!isRotation(request)) return request.deliver();
    return request.deliver(without(":notRotatedSince", { ...request.parameters, ConditionExpression }));
  };
}

type Mix = NonNullable<Parameters<typeof run>[0]["mix"]>;

const mistakes: {
  mistake: string;
  breaks: InvariantId;
  fault?: Profile["fault"];
  mix?: Mix;
  users?: number;
  /** The service around its functions. */
  change?: (service: Service) => Service;
}[] = [
  {
    mistake: "a refused rotation is taken for a lost session",
    breaks: "I1",
    fault: refusedBy(() => undefined),
  },
  {
    mistake: "every refresh on one of the engines is answered 503",
    breaks: "I1",
    change: (service) =>
      service.engine === "DynamoDB"
        ? service
        : answering((invoke) => async (route, ...given) => {
            const answer = await invoke(route, ...given);
            const body = JSON.stringify({ code: "unavailable" });
            return route === "refresh" ? { ...answer, statusCode: 503, body, cookies: [] } : answer;
          })(service),
  },
  {
    mistake: "the token is checked, but not by the write",
    breaks: "I3",
    fault: rotatedIf("attribute_exists(userId)"),
  },
  {
    mistake: "a rotation has no condition at all",
    breaks: "I4",
    fault: rotatedIf(undefined),
    mix: { logout: 30 },
  },
  {
    mistake: "logout deletes nothing",
    breaks: "I2",
    fault: async (request) =>
      request.name === "DeleteItem sessions" ? { status: 200, body: "{}" } : request.deliver(),
    mix: { logout: 30 },
  },
  {
    mistake: "reads are not strongly consistent",
    breaks: "I2",
    fault(request, { past }) {
      const { ConsistentRead: _, ...parameters } = request.parameters;
      return past.read({ ...request, parameters }) ?? request.deliver();
    },
    mix: { login: 60, endAll: 20, refresh: 40 },
  },
  {
    mistake: "a rotation does not look at the last one's time",
    breaks: "I1",
    async fault(request, scene) {
      if (isRotation(request)) await setTimeout(scene.random.below(400));
      return rotatedIf("tokenHash = :presented AND expiresAt > :now")(request, scene);
    },
    mix: { refresh: 1_000 },
    users: 2,
  },
  {
    mistake: "rotation and end are stored with an unchanged birth",
    breaks: "I5",
    fault(request) {
      if (!isRotation(request)) return request.deliver();
      const { UpdateExpression, ...parameters } = request.parameters;
      return request.deliver({
        ...parameters,
        UpdateExpression: `${UpdateExpression}`.replace("SET ", "SET createdAt = :now, "),
      });
    },
  },
  {
    mistake: "ending all sessions lowers the epoch",
    breaks: "I6",
    fault(request) {
      const { UpdateExpression = "", ...parameters } = request.parameters;
      if (request.name !== "UpdateItem users") return request.deliver();
      return request.deliver({
        ...parameters,
        UpdateExpression: UpdateExpression.replace("sessionEpoch + :one", "sessionEpoch - :one"),
      });
    },
    mix: { endAll: 30 },
  },
  {
    mistake: "a predecessor is good for everybody",
    breaks: "I7",
    fault: refusedBy((item, { parameters }) => {
      const now = parameters.ExpressionAttributeValues[":now"];
      return { ...item, keyed: { BOOL: false }, rotatedAt: now };
    }),
    mix: { steal: 30 },
  },
  {
    mistake: "a 503 clears the cookie",
    breaks: "I8",
    fault: loseRequest,
    change: answering((invoke) => async (...given) => {
      const answer = await invoke(...given);
      return answer.statusCode === 503 ? { ...answer, cookies: ["auth-cookie=; Max-Age=0"] } : answer;
    }),
  },
  {
    mistake: "a JWT alone leads to the table",
    breaks: "I9",
    change: answering((invoke) => async (route, event, ...others) => {
      if (route === "refresh") await invoke("logout", event);
      return invoke(route, event, ...others);
    }),
    mix: { forge: 60 },
  },
  {
    mistake: "what meets trouble is not tried again",
    breaks: "I10",
    fault: (request, { isCallChosen }) => (isCallChosen(0.1) ? loseRequest(request) : request.deliver()),
  },
  {
    mistake: "a request is logged as another one",
    breaks: "I11",
    change: answering((invoke) => (route, event, remainingMs) => invoke(route, event, remainingMs)),
  },
];

test.each(mistakes)("$breaks: $mistake", async ({ breaks, fault, change = (same) => same, ...options }) => {
  const profile: Profile = { ...(profiles.F1 as Profile), ...(fault && { fault }) };
  const found = (outcome: Parameters<typeof judge>[0]) =>
    judge(outcome).filter(({ invariant }) => invariant === breaks);
  const outcome = await run({
    services: [change(aws), change(embedded)],
    profile,
    seed: `${seed} ${breaks}`,
    operations: 1_000,
    ...options,
    isOver: (sofar) => found(sofar).length > 0,
  });
  process.stdout.write(`${breaks}, seed ${seed}: found by ${outcome.calls.length} calls\n`);
  expect(found(outcome).length).toBeGreaterThan(0);
});

/** The functions answer otherwise than they do. */
function answering(change: (invoke: Sandbox["invoke"]) => Sandbox["invoke"]) {
  return (service: Service): Service => ({
    ...service,
    createSandbox(overrides) {
      const sandbox = service.createSandbox(overrides);
      return { ...sandbox, invoke: change(sandbox.invoke) };
    },
  });
}

type Sandbox = ReturnType<Service["createSandbox"]>;
