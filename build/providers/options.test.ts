import { expect, test } from "@jest/globals";
import { parseOptions } from "./options.ts";

test.each<[string[], string]>([
  [[], "Name a command: show, secret, check."],
  [["chek"], '"chek" is no command. Did you mean check?'],
  [["list"], '"list" is no command. The commands: show, secret, check.'],
  [["show"], "Name one issuer."],
  [["show", "a", "b"], "Name one issuer."],
  [["secret"], "Name one provider by its id."],
  [["secret", "Google"], '"Google" is no id of a provider'],
  [["check", "google"], "check names no provider."],
  [["check", "--id", "x"], "--id belongs to show."],
  [["show", "google", "--id", "a~b"], '"a~b" is no id of a provider'],
  [["show", "google", "--remove"], "--team-id, --key-id and --remove belong to secret."],
  [["secret", "apple", "--key-id", "K"], "--team-id and --key-id belong together."],
  [["check", "--stage", "../x"], "--stage must be the name of a stage."],
  [["check", "--color"], "Unknown option '--color'"],
])("bad usage: %j", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});

test("what a command takes", () => {
  const args = [
    "secret",
    "apple",
    "--team-id",
    "T",
    "--key-id",
    "K",
    "--stage",
    "prod",
    "--region",
    "eu-west-1",
  ];
  expect(parseOptions(args)).toEqual({
    ...{ command: "secret", target: "apple", teamId: "T", keyId: "K", remove: false },
    ...{ stage: "prod", region: "eu-west-1" },
  });
});
