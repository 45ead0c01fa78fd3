/** What this plugin reads and writes of a Serverless. */
type Serverless = {
  service: { functions: Record<string, unknown>; custom: { demoPage: string } };
  classes: { Error: new (message: string, code?: string) => Error };
};

/** Serverless plugin: leaves the demo page and its routes out where it is not wanted. */
export default class DemoPagePlugin {
  readonly hooks: Record<string, () => void>;

  constructor({ service, classes }: Serverless) {
    this.hooks = {
      // Before build/routes-plugin.ts lists the routes
      initialize() {
        // Empty is unset here, as it is everywhere.
        const demoPage = process.env.DEMO_PAGE || service.custom.demoPage;
        if (!["on", "off"].includes(demoPage))
          throw new classes.Error("DEMO_PAGE must be on or off", "INVALID_OPTIONS");
        if (demoPage === "off") delete service.functions.page;
      },
    };
  }
}
