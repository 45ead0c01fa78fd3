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

test("roles are a list, each once, or none of any", () => {
  const rolesOf = (text: string) => parseOptions(["set-roles", "a@example.com", "--roles", text]).roles;
  expect(rolesOf("admin, acme:editor,admin")).toEqual(["admin", "acme:editor"]);
  expect(rolesOf("none")).toEqual([]);
});

test.each([
  [[], "Name a command: find, list,"],
  [["promote"], '"promote" is no command. The commands: find, list,'],
  [["dissable"], '"dissable" is no command. Did you mean disable?'],
  [["set-role", "a@example.com"], '"set-role" is no command. Did you mean set-roles?'],
  [["ls"], '"ls" is no command. The commands: find, list,'],
  [["disable"], "Name one user."],
  [["disable", "ada"], '"ada" is neither an e-mail address nor a user id.'],
  [["find", "a@example.com", "--language", "de"], "--language belongs to invite."],
  [["invite"], "Name one e-mail address."],
  [["invite", "a@example.com", "b@example.com"], "Name one e-mail address."],
  [["invite", "ada"], '"ada" must be an e-mail address of at most 254 bytes'],
  [["invite", "ä@example.com"], "in ASCII before the @"],
  [["invite", "a@example.com", "--color"], "Unknown option '--color'"],
  [["invite", "a@example.com", "--role", "admin"], "--role belongs to list."],
  [["import"], "Name one file."],
  [["import", "a.csv", "--from", "ldap"], "--from must be one of canonical, cognito,"],
  [["import", "a.csv", "--rate", "0"], "--rate must be a whole number of 1 or more."],
  [["list", "a@example.com"], "This command names no user."],
  [["mails", "a@example.com", "b@example.com"], "Name one user."],
  [["disable", "a@example.com", "--yes"], "--yes belongs to reset, remove-factor, delete."],
  [["set-roles", "a@example.com"], "Name the roles: --roles <a,b>, or --roles none."],
  [["set-roles", "a@example.com", "--roles", ""], '--roles: "" is no role'],
  [["set-roles", "a@example.com", "--roles", "none,admin"], '--roles: "none" is no role'],
  [["set-roles", "a@example.com", "--roles", "a b"], '--roles: "a b" is no role'],
  [["invite", "a@example.com", "--language", "xx"], "--language must be one of en, de."],
  [["invite", "a@example.com", "--stage", "../x"], "--stage must be the name of a stage."],
])("%j is refused, and told why", (args, fault) => {
  expect(() => parseOptions(args)).toThrow(fault);
});
