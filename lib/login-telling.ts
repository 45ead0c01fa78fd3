import { createTellFactorRefused } from "./auth/tell-factor-refused.ts";
import { createTellNewDevice } from "./auth/tell-new-device.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { DynamoDB } from "./dynamodb.ts";
import { note } from "./log.ts";
import { createOutbox } from "./mail/outbox.ts";
import { ifSet, mailLanguages, mailsTable, newDeviceNotice } from "./settings.ts";

/** What a login reads to tell its user of it by mail. */
export const loginTellingSettings = { mailsTable: ifSet(mailsTable), mailLanguages, newDeviceNotice };

/** Makes, once per sandbox, what tells of logins; where mail is off nobody is told. */
export function createLoginTelling(
  config: Config<"mailLanguages" | "newDeviceNotice"> & { mailsTable: string | undefined },
  { dynamodb, clock }: { dynamodb: DynamoDB; clock: Clock },
) {
  const { mailsTable, mailLanguages: languages, newDeviceNotice } = config;
  if (mailsTable === undefined) return { tellNewDevice: undefined, tellFactorRefused: undefined };
  const telling = {
    ...{ mails: createOutbox(dynamodb, mailsTable), languages, clock },
    noteFailure: (error: unknown) => note({ error }),
  };
  return {
    tellNewDevice: newDeviceNotice === "on" ? createTellNewDevice(telling) : undefined,
    tellFactorRefused: createTellFactorRefused(telling),
  };
}
