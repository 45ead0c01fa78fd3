import { expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { startEventBus } from "../support/event-bus.ts";
import { throttle } from "../support/faults.ts";
import { startService } from "../support/service.ts";
import { createTold } from "../support/told.ts";

// What other systems are told of changes of accounts, where a stage has an event bus.

const service = await startService();
const { sandbox, database } = service;
const { rowsOf } = createTold(service);
const bus = await startEventBus();
// The SDK reads it when the first event is put.
process.env.AWS_ENDPOINT_URL_EVENTBRIDGE = bus.endpoint;
const withBus = service.createSandbox({ EVENT_BUS_NAME: "accounts" });
const tell = () => service.feed("events", withBus);
const told = () =>
  bus.events
    .splice(0)
    .map(({ Detail, Time, ...event }) => ({ ...event, at: Time, detail: JSON.parse(Detail) }));

test("a change of an account is an event on the bus, with an id; what is none is not", async () => {
  const account = await service.register();
  const { email, userId, password } = account;
  await tell();
  const detail = { at: clock.now, userId, by: "user" };
  const event = { EventBusName: "accounts", Source: "serverless-auth-api", at: clock.now };
  const id = (type: string) => expect.stringMatching(new RegExp(`^[\\da-f-]{36}/${type}$`));
  expect(told()).toEqual([
    { ...event, DetailType: "user.created", detail: { ...detail, email, id: id("user.created") } },
  ]);
  const { cookies } = await service.logIn({ account });
  await sandbox.changePassword({
    cookies,
    body: { currentPassword: password, newPassword: `${password} anew` },
  });
  await tell();
  const [changed, ...others] = told();
  expect([changed?.DetailType, others]).toEqual(["user.password_changed", []]);
  expect(JSON.stringify(changed)).not.toMatch(/argon2|@/);
});

test.each([
  ["that is throttled", throttle],
  [
    "that takes all but this one",
    async () => ({ status: 200, body: '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure"}]}' }),
  ],
])(
  "W05 a bus %s gets the event later; until then there is no row, and nobody else notices",
  async (_, fault) => {
    const { userId } = await service.register();
    bus.break("PutEvents eventBus", fault, { times: 3 });
    expect(await tell()).toBe(false);
    expect(await rowsOf(userId)).toEqual([]);
    bus.mend();
    expect(await tell()).toBe(true);
    expect(told().filter(({ detail }) => detail.userId === userId)).toHaveLength(1);
    expect(await rowsOf(userId)).toHaveLength(1);
  },
);

test("W03 an event that is told twice has one id", async () => {
  const { userId } = await service.register();
  service.wire.break("PutItem audit", throttle, { times: 3 });
  expect(await tell()).toBe(false);
  await tell();
  const ids = told().flatMap(({ detail }) => (detail.userId === userId ? [detail.id] : []));
  expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
  expect(await database.scan("audit")).toContainEqual(expect.objectContaining({ userId }));
});
