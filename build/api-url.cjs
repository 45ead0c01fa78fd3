/** The API's own URL: its domain, if the deployment has one, or else the gateway's. */
module.exports = async ({ resolveVariable }) => {
  const domain = await resolveVariable("env:DOMAIN_NAME, ''");
  return domain ? `https://${domain}` : resolveVariable("self:custom.gatewayUrl");
};
