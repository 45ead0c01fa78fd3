/** What is wrong when another process has the folder of an engine open. */
export const folderInUse = (path: string, cause?: unknown): Error =>
  new Error(`The folder ${path} is in use. End the other process, or choose another: LOCAL_DIR=<folder>`, {
    cause,
  });
