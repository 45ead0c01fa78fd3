import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/** Errors of operations that no function calls: backups, exports, global tables, indexes, policies, PartiQL; of secrets all but reading. */
const unusedError =
  /Backup|Export|Import|GlobalTable|Index|Replica|Replicated|Restore|Policy|PointInTime|DuplicateItem|Table(?:AlreadyExists|InUse|NotFound)|EncryptionFailure|NextToken|PreconditionNotMet|ResourceExists/;

/** Modules in whose place an empty one does: what they are for is never asked of our clients. */
export const stubs: [path: RegExp, contents: string][] = [
  // A file by which operations stream events; neither DynamoDB, nor Secrets Manager, nor SES has any. It is loaded by `import()`.
  [/[\\/]submodules[\\/]event-streams[\\/]index\.js$/, "export {};"],
  // Signs their headers
  [/[\\/]signature-v4[\\/]dist-es[\\/]HeaderFormatter\.js$/, "export class HeaderFormatter {}"],
  // Asks a machine of EC2 where it is
  [
    /[\\/]regionConfig[\\/]getInstanceMetadataRegion\.js$/,
    "export const getInstanceMetadataRegion = async () => undefined;",
  ],
  // Keeps what belongs to a call of the function; Lambda's own does, where there is one
  [
    /[\\/]lambda-invoke-store[\\/]dist-es[\\/]invoke-store\.js$/,
    "export const InvokeStore = { getInstanceAsync: async () => globalThis.awslambda?.InvokeStore };",
  ],
  // The retry mode that slows a client down: nobody asks for it, and a sandbox serves one request at a time
  [
    /[\\/]util-retry[\\/]AdaptiveRetryStrategy\.js$/,
    `import { StandardRetryStrategy } from "./StandardRetryStrategy";
export class AdaptiveRetryStrategy extends StandardRetryStrategy { constructor(_, options) { super(options); } }`,
  ],
  // For a Node without SHA-256
  [/[\\/]checksum[\\/]sha256[\\/]Sha256Js\.js$/, "export class Sha256Js {}"],
];

/** Leaves out of the bundles parts of the AWS SDK that esbuild cannot know to be unused (about 40 KiB in each bundle with a database). */
export const sdkParts: Plugin = {
  name: "sdk-parts",
  setup({ onLoad }) {
    for (const [filter, contents] of stubs) onLoad({ filter }, () => ({ contents }));
    // Of a client's package.json its version alone is read
    onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, "utf8")) as { version: string };
      return { contents: JSON.stringify({ version }), loader: "json" };
    });
  },
};

/** Takes the registration of those errors out of a client's schemas: whatever is answered nevertheless is an error with that name. */
export const withoutUnusedErrors = (source: string): string =>
  source.replace(/^\w+\.registerError\((\w+)\$, \1\);$/gm, (line, name: string) =>
    unusedError.test(name) ? "" : line,
  );
