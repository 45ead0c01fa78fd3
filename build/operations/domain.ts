import type { Options } from "./options.ts";
import type { Resources } from "./resource.ts";

/** The API's own host name. Its DNS record is the owner's to make: an alias to the outputs below. */
export function createDomain({ name, certificateArn }: NonNullable<Options["domain"]>): {
  resources: Resources;
  outputs: Record<string, object>;
} {
  const attribute = (attributeName: string) => ({ "Fn::GetAtt": ["ApiDomain", attributeName] });
  return {
    resources: {
      ApiDomain: {
        Type: "AWS::ApiGatewayV2::DomainName",
        Properties: {
          DomainName: name,
          DomainNameConfigurations: [
            { CertificateArn: certificateArn, EndpointType: "REGIONAL", SecurityPolicy: "TLS_1_2" },
          ],
        },
      },
      ApiDomainMapping: {
        Type: "AWS::ApiGatewayV2::ApiMapping",
        DependsOn: ["ApiDomain", "HttpApiStage"],
        Properties: { ApiId: { Ref: "HttpApi" }, DomainName: name, Stage: "$default" },
      },
    },
    outputs: {
      ApiDomainTarget: {
        Description: "Alias target of the DNS record",
        Value: attribute("RegionalDomainName"),
      },
      ApiDomainHostedZoneId: {
        Description: "Hosted zone of that target",
        Value: attribute("RegionalHostedZoneId"),
      },
    },
  };
}
