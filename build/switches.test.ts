import { expect, test } from "@jest/globals";
import { applySwitches, readSwitches } from "./switches.ts";
import type { Resources } from "./template.ts";

const extras = { DEMO_PAGE: "off", SAMPLE: "off", DOCS: "off" };
const off = {
  ...extras,
  MAIL_FROM: "unset",
  REGISTRATION: "open",
  EMAIL_LOGIN: "off",
  PASSKEY_RP_ID: "unset",
  DEVICE_BOUND_SESSIONS: "off",
  IDENTITY_PROVIDERS: "unset",
  EVENT_BUS_NAME: "unset",
  OPERATOR_POLICIES: "off",
  ADMIN_API: "off",
};
const MAIL_FROM = "auth@example.com";
const read = (environment: Record<string, string>) => readSwitches(environment, { extras: "off" });

test.each([
  [{}, {}],
  [{ DEMO_PAGE: "", MAIL_FROM: "", REGISTRATION: "", EMAIL_LOGIN: "" }, {}],
  [
    { DEMO_PAGE: "on", SAMPLE: "on", REGISTRATION: "closed" },
    { DEMO_PAGE: "on", SAMPLE: "on", REGISTRATION: "closed" },
  ],
  [{ PASSKEY_RP_ID: "example.com" }, { PASSKEY_RP_ID: "set" }],
  [{ PASSKEY_RP_ID: "localhost" }, { PASSKEY_RP_ID: "set" }],
  [{ DEVICE_BOUND_SESSIONS: "on" }, { DEVICE_BOUND_SESSIONS: "on" }],
  [{ ADMIN_API: "on" }, { ADMIN_API: "on" }],
  [{ IDENTITY_PROVIDERS: "[]" }, { IDENTITY_PROVIDERS: "set" }],
  [{ MAIL_FROM }, { MAIL_FROM: "set", REGISTRATION: "verified" }],
  [
    { MAIL_FROM, REGISTRATION: "open", EMAIL_LOGIN: "on" },
    { MAIL_FROM: "set", REGISTRATION: "open", EMAIL_LOGIN: "on" },
  ],
])("%j stands for %j", (environment, standing) => {
  expect(read(environment)).toEqual({ ...off, ...standing });
});

test("what cannot be is refused, with all that is wrong", () => {
  expect(() =>
    read({ EVENT_BUS_NAME: "a", DEMO_PAGE: "yes", DOCS: "no", REGISTRATION: "verified", EMAIL_LOGIN: "on" }),
  ).toThrow(
    "DEMO_PAGE must be on or off\nDOCS must be on or off\nREGISTRATION=verified needs MAIL_FROM\nEMAIL_LOGIN=on needs MAIL_FROM\nEVENT_BUS_NAME needs MAIL_FROM",
  );
  expect(() => read({ MAIL_FROM, REGISTRATION: "Open", EMAIL_LOGIN: "1" })).toThrow(
    "REGISTRATION must be open or verified or closed\nEMAIL_LOGIN must be on or off",
  );
});

test.each(["co.uk", "github.io", "execute-api.eu-central-1.amazonaws.com"])(
  "P27 passkeys cannot belong to %s",
  (PASSKEY_RP_ID) => {
    expect(() => read({ PASSKEY_RP_ID })).toThrow("PASSKEY_RP_ID must not be a domain under which anybody");
  },
);

const attributeOf = (id: string, name: string) => ({ "Fn::GetAtt": [id, name] });

/** What is left with these switches, and how it stands there. */
function left(environment: Record<string, string>) {
  const statements = ["Users", "Mails"].map((id) => ({ Resource: attributeOf(id, "Arn") }));
  const functions = {
    login: { iamRoleStatements: statements },
    mail: {
      onlyWith: { MAIL_FROM: "set" } as const,
      events: [{ stream: { arn: attributeOf("Users", "StreamArn") } }],
    },
    loginCode: { onlyWith: { MAIL_FROM: "set", EMAIL_LOGIN: "on" } as const },
  };
  const resources: Resources = {
    Users: { Type: "A", Metadata: {}, Properties: { StreamSpecification: {} } },
    Mails: { Type: "A", Metadata: { onlyWith: { MAIL_FROM: "set" } }, Properties: {} },
  };
  applySwitches({ functions, resources }, read(environment));
  return { functions: Object.keys(functions), resources, statements: functions.login.iamRoleStatements };
}

test("functions and resources are there only with what they need, and the template does not show it", () => {
  const resource = { Type: "A", Properties: {} };
  expect(left({})).toMatchObject({ functions: ["login"], resources: { Users: resource } });
  const { functions, resources } = left({ MAIL_FROM });
  expect(functions).toEqual(["login", "mail"]);
  expect(Object.keys(resources)).toEqual(["Users", "Mails"]);
  expect(resources.Mails).toEqual(resource);
  expect(left({ MAIL_FROM, EMAIL_LOGIN: "on" }).functions).toEqual(["login", "mail", "loginCode"]);
});

test("nothing is allowed on a table that is not there, and no table has a stream that feeds nothing", () => {
  const onUsers = { Resource: attributeOf("Users", "Arn") };
  expect(left({}).statements).toEqual([onUsers]);
  expect(left({}).resources).toEqual({ Users: { Type: "A", Properties: {} } });
  expect(left({ MAIL_FROM }).statements).toEqual([onUsers, { Resource: attributeOf("Mails", "Arn") }]);
  expect(left({ MAIL_FROM }).resources.Users?.Properties).toEqual({ StreamSpecification: {} });
});

test("a word that is misspelt is refused", () => {
  const functions = { mail: { onlyWith: { MAIL_FORM: "set" } } };
  expect(() => applySwitches({ functions: functions as never, resources: {} }, read({}))).toThrow(
    "mail: onlyWith knows no MAIL_FORM",
  );
  const resources = { Mails: { Type: "A", Metadata: { onlyWith: { MAIL_FROM: "on" } }, Properties: {} } };
  expect(() => applySwitches({ functions: {}, resources: resources as never }, read({}))).toThrow(
    "Mails: onlyWith knows no MAIL_FROM: on",
  );
});
