declare module "serverless-offline/lambda" {
  /** What hands out the threads that run functions: local/reload.ts. */
  export default class Lambda {
    get(functionKey: string): import("./reload.ts").Runner;
  }
}
