import type { Resources } from "../template.ts";
import type { Options } from "./options.ts";

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
