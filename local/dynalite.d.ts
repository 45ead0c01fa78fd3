declare module "dynalite" {
  import type { Server } from "node:http";
  /** An embedded DynamoDB: in memory, or on disk in the folder `path`. */
  export default function dynalite(options: { path?: string; createTableMs?: number }): Server;
}
