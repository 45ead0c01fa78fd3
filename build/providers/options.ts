import { parseArgs } from "node:util";
import { assertStage, findCommand, stageOptions } from "../command-line.ts";

const commands = ["show", "secret", "check"] as const;

/** How `npm run providers` is used. */
export const usage = `Usage: npm run providers -- <command> [options]

  show <issuer>   what to put into IDENTITY_PROVIDERS for an OpenID provider, from its discovery document; or for google, apple,
                  github, microsoft, without asking anybody
                  --id <id>: its name in the routes
  secret <id>     store what the service proves itself with at a provider of that id, read from standard input: its client secret.
                  Of Apple: the .p8 file, with --team-id <id> and --key-id <id>
                  --remove: forget it
  check           ask each provider of IDENTITY_PROVIDERS whether it knows the client and its secret: it gets a code that is none

  --stage <stage>    a deployed stage, with your AWS credentials; without this: npm start (secrets are then in .local/)
  --region <region>  of the stage; as for sls deploy
  --help             this text

The answer is JSON on standard output, of check one object a line; what to look at is on standard error. The exit code is 0 if it
was done, and all is well; 1 if not; 2 if the command line is wrong. Settings are those of the shell: for a stage, . ./prod.env
`;

/** A command line of `npm run providers`. */
export interface Options {
  command: (typeof commands)[number];
  /** An issuer, or the id of a provider; empty where the command names none. */
  target: string;
  id?: string;
  teamId?: string;
  keyId?: string;
  remove: boolean;
  /** Without one: `npm start`. */
  stage?: string;
  region: string;
}

/** Parses a command line. Throws Error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...stageOptions,
      id: { type: "string" },
      "team-id": { type: "string" },
      "key-id": { type: "string" },
      remove: { type: "boolean", default: false },
    },
  });
  const [named, target = "", ...more] = positionals;
  const command = findCommand(commands, named);
  const { stage, region, id, "team-id": teamId, "key-id": keyId, remove } = values;
  if (command === "check" ? target !== "" : target === "" || more.length > 0)
    throw new TypeError(
      { show: "Name one issuer.", secret: "Name one provider by its id.", check: "check names no provider." }[
        command
      ],
    );
  if (command === "secret") assertId(target);
  if (id !== undefined) {
    if (command !== "show") throw new TypeError("--id belongs to show.");
    assertId(id);
  }
  if ((teamId ?? keyId) !== undefined || remove)
    if (command !== "secret") throw new TypeError("--team-id, --key-id and --remove belong to secret.");
  if ((teamId === undefined) !== (keyId === undefined))
    throw new TypeError("--team-id and --key-id belong together.");
  assertStage(stage);
  return {
    ...{ command, target, region, remove },
    ...(id !== undefined && { id }),
    ...(teamId !== undefined && keyId !== undefined && { teamId, keyId }),
    ...(stage !== undefined && { stage }),
  };
}

function assertId(text: string): void {
  if (!/^[a-z0-9-]{1,32}$/.test(text))
    throw new TypeError(`"${text}" is no id of a provider: 1 to 32 of a-z 0-9 -.`);
}
