// What serverless.yml's `${file(./build/variables.cjs):name}` computes. Plain CommonJS: it reads nothing newer.

/** The API's own URL: its domain, if the deployment has one, or else the gateway's. */
exports.apiUrl = async ({ resolveVariable }) => {
  const domain = await resolveVariable("env:DOMAIN_NAME, ''");
  return domain ? `https://${domain}` : resolveVariable("self:custom.gatewayUrl");
};

/** Whether the deployment has a host name of its own. */
exports.hasDomain = async ({ resolveVariable }) => Boolean(await resolveVariable("env:DOMAIN_NAME, ''"));

/** The request headers that the service or its client knows. */
const ownHeaders = [
  ...["content-type", "authorization", "auth-mode"],
  ...["idempotency-key", "idempotency-key-previous", "session-key"],
];

const listOf = (text) => (text ? text.split(",").map((part) => part.trim()) : []);

/** CORS at the gateway: only for the exact origins in ALLOWED_ORIGINS, none if there are none. */
exports.cors = async ({ resolveVariable }) => {
  const origins = listOf(await resolveVariable("env:ALLOWED_ORIGINS, ''"));
  if (origins.length === 0) return null;
  const more = listOf(await resolveVariable("env:ALLOWED_HEADERS, ''"));
  return {
    allowedOrigins: origins,
    allowedHeaders: [...new Set([...ownHeaders, ...more.map((name) => name.toLowerCase())])],
    allowedMethods: [], // those of the routes: build/service-plugin.ts
    exposedResponseHeaders: ["retry-after"], // at 429 and 503; scripts of other origins could not read it
    allowCredentials: true,
  };
};

/** The address that mails come from, without a name before it; empty without MAIL_FROM. */
exports.mailAddress = async ({ resolveVariable }) => {
  const mailbox = await resolveVariable("env:MAIL_FROM, ''");
  return /<(.*)>$/.exec(mailbox)?.[1] ?? mailbox;
};

/**
 * What SES may send as: the address, its domain or one above it, whichever of them has been verified, with the service's own
 * configuration set.
 */
exports.mailSenders = async (variables) => {
  const address = await exports.mailAddress(variables);
  const set = await variables.resolveVariable("self:custom.configurationSet");
  const labels = address.slice(address.indexOf("@") + 1).split(".");
  const domains = labels.slice(0, -1).map((_, index) => labels.slice(index).join("."));
  const arnOf = (resource) => ({
    "Fn::Sub": `arn:\${AWS::Partition}:ses:\${AWS::Region}:\${AWS::AccountId}:${resource}`,
  });
  return [`configuration-set/${set}`, ...[address, ...domains].map((name) => `identity/${name}`)].map(arnOf);
};

/** What fails here is for an operator to mend, and no bug: one line, where the Serverless command line would say more. */
exports.publicKeys = async (variables) => {
  const { resolvePublicKeys } = await import("./keys/public-keys.ts");
  return resolvePublicKeys(variables).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
};
