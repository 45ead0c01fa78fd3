/** A CloudFormation resource. */
export interface Resource {
  Type: string;
  DependsOn?: string | string[];
  Properties: Record<string, unknown>;
}

/** Resources by their logical id. */
export type Resources = Record<string, Resource>;
