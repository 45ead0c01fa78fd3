/** What plugins read of a service whose CloudFormation template is compiled, or read back (`deploy --package`). */
export type CompiledService = {
  provider: { compiledCloudFormationTemplate: { Resources: Record<string, Resource> } };
};
type Resource = { Properties?: { Environment?: { Variables?: Record<string, string> } } };

/** The environments of the functions; a value that AWS resolves at the deployment is an object. */
export function environmentsOf({ provider }: CompiledService): Record<string, string>[] {
  return Object.values(provider.compiledCloudFormationTemplate.Resources).flatMap(({ Properties }) => {
    const variables = Properties?.Environment?.Variables;
    return variables ? [variables] : [];
  });
}
