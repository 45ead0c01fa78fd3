/** A route as serverless.yml names it: `GET /auth/sessions/{sessionId}`. */
export interface RouteName {
  method: string;
  path: string;
}

/** Lists the methods that a path takes; none if there is no such path. */
export function findMethods(routes: RouteName[], rawPath: string): string[] {
  const segments = rawPath.split("/");
  const isMatch = ({ path }: RouteName) => {
    const pattern = path.split("/");
    return (
      pattern.length === segments.length &&
      pattern.every((part, index) =>
        part.startsWith("{") ? segments[index] !== "" : part === segments[index],
      )
    );
  };
  return routes.filter(isMatch).map(({ method }) => method);
}
