/** Requests a second, and how many may come at once. */
export interface Limit {
  rate: number;
  burst: number;
}

const toSettings = ({ rate, burst }: Limit) => ({ ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst });

/** The gateway stage's settings of throttling: limits by route (`POST /auth/login`), and that of each other route. */
export function createThrottling(others: Limit, limits: Record<string, Limit>) {
  const routes = Object.entries(limits).map(([route, limit]) => [route, toSettings(limit)]);
  return { DefaultRouteSettings: toSettings(others), RouteSettings: Object.fromEntries(routes) };
}
