import { type Consumer, createConsumer, createStreamReader, listFeeds } from "../local/stream-consumer.ts";
import type { StreamRecord } from "../local/streams.ts";
import { deliverTo } from "../local/wire.ts";
import { declared } from "../tests/support/declared.ts";
import { bundleOf } from "./bundle-paths.ts";
import { loadHandler } from "./call.ts";

/** What streams feed, in the order in which the one puts what the next is fed with. */
export const fedNames = ["events", "mail"] as const;

export type FedName = (typeof fedNames)[number];

const consumers: Partial<Record<FedName, Consumer>> = {};

/** What the stream of a function has for it since the last look. */
function openConsumer(name: FedName): Consumer {
  const [feed] = listFeeds(declared.functions, declared.resources.Resources).filter(
    ({ functionName }) => functionName === name,
  );
  if (!feed) throw new Error(`no stream feeds ${name}`);
  const { AWS_ENDPOINT_URL_DYNAMODB = "" } = process.env;
  return createConsumer(createStreamReader(deliverTo(AWS_ENDPOINT_URL_DYNAMODB), feed), feed.event);
}

async function consume(name: FedName, take: (event: { Records: StreamRecord[] }) => Promise<unknown>) {
  consumers[name] ??= openConsumer(name);
  await consumers[name](take);
}

/** What Lambda hands to a function when this is done: its first record. */
export async function recordOf(name: FedName, act: () => Promise<unknown>) {
  const records: StreamRecord[] = [];
  await consume(name, async () => undefined);
  await act();
  await consume(name, async ({ Records }) => void records.push(...Records));
  return { Records: records.slice(0, 1) };
}

/** Has all that was put sent, and gives the code, or the token, in the last mail to an address. */
export async function receive(email: string): Promise<string> {
  for (const name of fedNames) await consume(name, await loadHandler(bundleOf(name)));
  const text = await (await fetch(`${process.env.SES_ENDPOINT}/${encodeURIComponent(email)}`)).text();
  const [, proof] = /#kind=\w+&(?:code|token)=(\S+)/.exec(text) ?? [];
  if (proof === undefined) throw new Error(`no code was mailed to ${email}`);
  return proof;
}
