import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import type { Resource } from "../support/packages.ts";

type PropertyType = {
  type: string;
  element?: PropertyType;
  types?: PropertyType[];
  reference?: { $ref: string };
};
type Properties = Record<string, { type: PropertyType; required?: boolean }>;
type Definition = { $id: string; name: string; properties: Properties };

const primitives: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string" || typeof value === "number",
  integer: Number.isSafeInteger,
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  json: () => true,
};

/** CloudFormation's resource specification (https://github.com/aws/aws-cdk, Apache-2.0). */
export async function loadSpecification() {
  const specification = await loadAwsServiceSpec();
  const definitions = new Map(
    specification.all("typeDefinition").map((type) => [type.$id, type as unknown as Definition]),
  );

  function findFaults(value: unknown, type: PropertyType, path: string): string[] {
    if (isIntrinsic(value)) return [];
    const { element, types, reference } = type;
    if (type.type === "union") {
      const faults = (types ?? []).map((one) => findFaults(value, one, path));
      return faults.find((found) => found.length === 0) ?? faults[0] ?? [];
    }
    if (type.type === "array" || type.type === "map") {
      const isRight = type.type === "array" ? Array.isArray(value) : isObject(value);
      if (!isRight || !element) return [`${path} must be a ${type.type}`];
      return Object.entries(value as object).flatMap(([key, item]) =>
        findFaults(item, element, `${path}/${key}`),
      );
    }
    if (type.type === "ref") {
      const definition = definitions.get(reference?.$ref ?? "");
      return definition
        ? findObjectFaults(value, definition.properties, path)
        : [`${path} has an unknown type`];
    }
    // Tags: a list or a map, as the resource has it.
    if (type.type === "tag")
      return isObject(value) && "Key" in value && "Value" in value ? [] : [`${path} must be a tag`];
    const isRight = primitives[type.type];
    return isRight?.(value) ? [] : [`${path} must be ${type.type}, and is ${JSON.stringify(value)}`];
  }

  function findObjectFaults(value: unknown, properties: Properties, path: string): string[] {
    if (!isObject(value)) return [`${path} must be an object`];
    const missing = Object.keys(properties).filter((name) => properties[name]?.required && !(name in value));
    return [
      ...missing.map((name) => `${path}/${name} is missing`),
      ...Object.entries(value).flatMap(([name, member]) => {
        const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
        return property
          ? findFaults(member, property.type, `${path}/${name}`)
          : [`${path}/${name} is unknown`];
      }),
    ];
  }

  return {
    /** Lists what CloudFormation would not take of a resource: unknown or missing properties, wrong types. */
    findFaults(id: string, { Type, Properties = {} }: Resource): string[] {
      const [resource] = specification.lookup("resource", "cloudFormationType", "equals", Type);
      if (!resource) return [`${id} has the unknown type ${Type}`];
      return findObjectFaults(Properties, resource.properties as unknown as Properties, id);
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isIntrinsic(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [name = "", ...others] = Object.keys(value);
  return others.length === 0 && (name === "Ref" || name.startsWith("Fn::"));
}
