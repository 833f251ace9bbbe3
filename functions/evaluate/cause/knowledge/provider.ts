/** Provider of a component, as far as advice depends on it: commands of one provider do not help at another. */
import { metricNamed } from "../../../../shared/metrics/catalogue.ts";
import type { Evidence } from "../evidence.ts";
import { hasMeaning } from "./indicators.ts";

/** Facts about the provider of a component. */
export interface Provider {
  /** It is a part of Google Cloud. */
  readonly google: boolean;
  /** Its traffic goes through a Serverless VPC Access connector, not through Direct VPC egress or something else. */
  readonly serverlessConnector: boolean;
}

/** The provider of a component; of what is no component, that of the environment. */
export function providerOf(evidence: Evidence, component: string): Provider {
  const { google = new Set<string>() } = evidence.seen;
  const isComponent = evidence.graph.names.includes(component);
  return {
    google: isComponent ? google.has(component) : google.size > 0,
    serverlessConnector:
      evidence.seen.indicators.some(
        (one) => one.component === component && metricNamed(one.metric)?.role === "connector",
      ) || evidence.faultsOf(component).some((fault) => hasMeaning(fault, "serverless_connector")),
  };
}
