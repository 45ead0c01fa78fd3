import { AppError } from "../errors.ts";
import type { ApiEvent } from "./event.ts";

/**
 * Gives the query of a list, which may have these members. Throws AppError `invalid_query` for any other: the first page in answer
 * to a name that is mistyped would be taken for what was asked for.
 */
export function parseQuery<Name extends string>(
  names: Name[],
  { queryStringParameters: query }: Pick<ApiEvent, "queryStringParameters">,
): { [name in Name]?: string | undefined } {
  if (!Object.keys(query).every((name) => (names as string[]).includes(name)))
    throw new AppError("invalid_query", {
      detail: `The query may have ${names.join(" or ")}, and nothing else.`,
    });
  return query as { [name in Name]?: string | undefined };
}
