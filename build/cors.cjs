/**
 * CORS at the gateway: only for the exact origins in ALLOWED_ORIGINS, none if there are none.
 * (A `.cjs` because serverless.yml's `${file(...)}` reads nothing newer.)
 */
module.exports = async ({ resolveVariable }) => {
  const origins = await resolveVariable("self:provider.environment.ALLOWED_ORIGINS, ''");
  if (!origins) return null;
  return {
    allowedOrigins: origins.split(",").map((origin) => origin.trim()),
    allowedHeaders: ["content-type", "authorization", "auth-mode", "idempotency-key"],
    allowedMethods: ["GET", "POST", "DELETE"],
    exposedResponseHeaders: ["retry-after"], // at 429 and 503; scripts of other origins could not read it
    allowCredentials: true,
  };
};
