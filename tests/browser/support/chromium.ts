import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"];

/** A browser on a laptop that can fall asleep. */
export type Laptop = Awaited<ReturnType<typeof startLaptop>>;

/** Starts a Chromium that is installed here. Throws an Error that says how to get one. */
export async function startLaptop() {
  const server = await chromium.launchServer({ executablePath: findChromium(), args });
  const browser = await chromium.connect(server.wsEndpoint());
  const group = -(server.process().pid as number);
  return {
    browser,
    /** Stops all that runs in it, in the middle of whatever it does; time goes on elsewhere. */
    sleep: () => void process.kill(group, "SIGSTOP"),
    wake: () => void process.kill(group, "SIGCONT"),
    close: () => server.kill(),
  };
}

/** Where Chromium is. Throws an Error that says how to get one. */
export function findChromium(): string {
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (!found) throw new Error("These tests need Chromium on the PATH. On Debian: apt-get install chromium");
  return found;
}
