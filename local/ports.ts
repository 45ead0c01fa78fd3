import { once } from "node:events";
import { createServer } from "node:net";

/** A TCP port that is needed: what for, and the environment variable that chooses another. */
export type Port = { port: string; variable: string; purpose: string };

/** Says in one line what is wrong with a port, if anything. */
export async function findPortFault({ port, variable, purpose }: Port): Promise<string | undefined> {
  const number = Number(port);
  if (!(Number.isInteger(number) && number > 0 && number < 65536)) return `${variable} must be a port number`;
  for (const host of ["127.0.0.1", "::1"]) {
    const code = await tryPort(number, host);
    if (code === "EADDRINUSE")
      return `Port ${port} (${purpose}) is taken. Choose another: ${variable}=<port> npm start`;
    if (code === "EACCES")
      return `Port ${port} (${purpose}) needs more rights. Choose one above 1023: ${variable}=<port> npm start`;
  }
}

/** The code of the error when listening fails; `undefined` when the port is free, or the machine has no such host. */
async function tryPort(port: number, host: string): Promise<string | undefined> {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  await new Promise((resolve) => server.close(resolve));
}
