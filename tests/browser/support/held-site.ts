import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "@jest/globals";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { clock } from "../../support/clock.ts";
import { startMailbox } from "../../support/mailbox.ts";
import type { Environment, Sandbox } from "../../support/sandbox.ts";
import { type Service, startService } from "../../support/service.ts";
import { startLaptop } from "./chromium.ts";
import { forward } from "./names.ts";
import { startNetwork } from "./network.ts";
import { openPage } from "./site.ts";

/**
 * Starts the page and the API in this process, where time passes when a test says so, and a browser; they end with the test file.
 * Settings may depend on where that is.
 */
export async function startHeldSite(
  createSettings: (url: string, service: Service) => Environment | Promise<Environment> = () => ({}),
) {
  const service = await startService();
  const mailbox = await startMailbox(service);
  const server = createServer(async (request, response) => {
    // By this the page counts how long a token is good.
    response.setHeader("date", new Date(clock.now * 1_000).toUTCString());
    const { url: path = "" } = request;
    // One function has several files of the page, and the gateway of the tests knows one route of each.
    const routeKey = path.startsWith("/signed-in/") ? "GET /signed-in/{provider}" : `GET ${path}`;
    if (!/^\/(page\.|signed-in\/)/.test(path)) return forward(sandbox, request, response);
    const file = await sandbox.page({ path, routeKey });
    response.writeHead(file.statusCode, file.headers).end(file.body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const network = await startNetwork(`http://localhost:${(server.address() as AddressInfo).port}`);
  const { url } = network;
  const sandbox: Sandbox = mailbox.createSandbox({
    ...{ STAGE: "dev", ISSUER: url, MAIL_LINK: `${url}/`, REGISTRATION: "open" },
    // Whoever wants to may register, without a mail.
    ROUTES: service.environment.ROUTES?.replace(/POST \/auth\/register\/confirm,?/, "") ?? "",
    ...(await createSettings(url, service)),
  });
  const laptop = await startLaptop();
  afterAll(async () => {
    await laptop.close();
    await network.stop();
    server.closeAllConnections();
    server.close();
  });

  return {
    url,
    network,
    service,
    mailbox,

    /** The page in a browser of its own, which is allowed what `permissions` says. */
    async open(permissions: string[] = []): Promise<Page> {
      const context = await laptop.browser.newContext({ locale: "en-GB", timezoneId: "UTC", permissions });
      // A busy machine may take long, and no time is measured here.
      context.setDefaultTimeout(120_000);
      return openPage(context, url);
    },
  };
}

/** An authenticator that is built into the device, whose user is always there and known to it. */
export async function addAuthenticator(context: BrowserContext, page: Page) {
  const cdp: CDPSession = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      ...{ protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", isUserVerified: true },
      ...{ hasResidentKey: true, hasUserVerification: true, automaticPresenceSimulation: true },
      ...{ defaultBackupEligibility: true, defaultBackupState: true },
    },
  });
  return { cdp, authenticatorId };
}
