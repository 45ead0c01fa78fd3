import { expect, test } from "@jest/globals";
import { parseOptions } from "./options.ts";

test("an address is read as the service reads it", () => {
  const options = parseOptions(["invite", " Ada@Example.com", "--language", "de", "--stage", "prod"]);
  expect(options).toMatchObject({
    command: "invite",
    target: "ada@example.com",
    language: "de",
    stage: "prod",
  });
});

test.each([
  [[], "Name a command: invite, find,"],
  [["promote"], '"promote" is no command. The commands: invite, find,'],
  [["disable"], "Name one user."],
  [["disable", "ada"], '"ada" is neither an e-mail address nor a user id.'],
  [["find", "a@example.com", "--language", "de"], "--language belongs to invite."],
  [["invite"], "Name one e-mail address."],
  [["invite", "a@example.com", "b@example.com"], "Name one e-mail address."],
  [["invite", "ada"], '"ada" must be an e-mail address of at most 254 bytes'],
  [["invite", "ä@example.com"], "in ASCII before the @"],
  [["invite", "a@example.com", "--role"], "Unknown option '--role'"],
  [["invite", "a@example.com", "--language", "xx"], "--language must be one of en, de."],
  [["invite", "a@example.com", "--stage", "../x"], "--stage must be the name of a stage."],
])("%j is refused, and told why", (args, fault) => {
  expect(() => parseOptions(args)).toThrow(fault);
});
