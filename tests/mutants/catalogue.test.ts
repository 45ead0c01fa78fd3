import { expect, test } from "@jest/globals";
import { catalogue, notApplicable } from "./catalogue.ts";
import { defineSuite } from "./suite.ts";

defineSuite(catalogue);

test("each of the catalogue's 20 mistakes is planted, or there is a reason why not", () => {
  const ids = new Set([...catalogue.map(({ id }) => id), ...Object.keys(notApplicable)]);
  expect(ids).toEqual(new Set(Array.from({ length: 20 }, (_, index) => `M${index + 1}`)));
});
