import type { OnlyWith } from "./switches.ts";

/** A CloudFormation resource. */
export interface Resource {
  Type: string;
  DependsOn?: string | string[];
  /** `onlyWith` as in functions.yml (build/switches.ts): what is left out where the switches stand otherwise. */
  Metadata?: { onlyWith?: OnlyWith };
  Properties: Record<string, unknown>;
}

/** Resources by their logical id. */
export type Resources = Record<string, Resource>;

/** What plugins read of a service whose CloudFormation template is compiled, or read back (`deploy --package`). */
export type CompiledService = {
  provider: { compiledCloudFormationTemplate: { Resources: Record<string, Partial<Resource>> } };
};

/** The environments of the functions; a value that AWS resolves at the deployment is an object. */
export function environmentsOf({ provider }: CompiledService): Record<string, string>[] {
  return Object.values(provider.compiledCloudFormationTemplate.Resources).flatMap(({ Properties }) => {
    const { Variables } = (Properties?.Environment ?? {}) as { Variables?: Record<string, string> };
    return Variables ? [Variables] : [];
  });
}
