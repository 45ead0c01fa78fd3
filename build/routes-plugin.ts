/** What this plugin reads and writes of a resolved serverless.yml. */
type Service = {
  functions: Record<string, { events?: { httpApi?: HttpApiEvent }[]; environment?: Record<string, string> }>;
};
type HttpApiEvent = string | { method: string; path: string };

const route = (event: HttpApiEvent) =>
  typeof event === "string" ? event : `${event.method.toUpperCase()} ${event.path}`;

/** The routes of every function but the catch-all one, like `GET /movies,POST /auth/login`. */
export const routes = ({ functions }: Service): string =>
  Object.values(functions)
    .flatMap(({ events = [] }) => events.flatMap(({ httpApi }) => (httpApi ? [route(httpApi)] : [])))
    .filter((line) => line !== "*" && line !== "* *")
    .sort()
    .join(",");

/** Serverless plugin: tells `notFound` which routes there are, so that it can tell a 405 from a 404. */
export default class RoutesPlugin {
  readonly hooks: Record<string, () => void>;

  constructor({ service }: { service: Service }) {
    this.hooks = {
      initialize() {
        const { notFound } = service.functions;
        if (notFound) notFound.environment = { ...notFound.environment, ROUTES: routes(service) };
      },
    };
  }
}
