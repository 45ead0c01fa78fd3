/** Requests a second, and how many may come at once. */
export interface Limit {
  rate: number;
  burst: number;
}

/** Limits by route (`POST /auth/login`); `default` holds for each of the others. */
export type Limits = { default: Limit } & Record<string, Limit>;

const toSettings = ({ rate, burst }: Limit) => ({ ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst });

/** The gateway stage's settings of throttling. Throws an Error for a limit of a route that there is not. */
export function createThrottling({ default: others, ...limits }: Limits, routes: string[]) {
  const unknown = Object.keys(limits).filter((route) => !routes.includes(route));
  if (unknown.length > 0) throw new Error(`custom.throttling names no route of ours: ${unknown.join(", ")}`);
  return {
    DefaultRouteSettings: toSettings(others),
    RouteSettings: Object.fromEntries(
      Object.entries(limits).map(([route, limit]) => [route, toSettings(limit)]),
    ),
  };
}
