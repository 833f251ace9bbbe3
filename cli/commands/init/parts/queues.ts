/** Pub/Sub subscriptions that push to a service: how old the oldest message is that it has not taken. */
import { hostsOf, type Relations } from "../relations.ts";
import { type Context, serviceComponent } from "./keys.ts";

/** Adds the subscriptions that push to services which were found. */
export function draftQueues({ found, draft }: Context, { balancers }: Relations): void {
  for (const { kind, name, host } of found.callers) {
    const service = found.services.find((one) => hostsOf(one, balancers).includes(host));
    if (kind !== "push_subscription" || service === undefined) continue;
    const component = draft.component(`queue/${name}`, name, `${name}-queue`);
    draft.addComponent(component, { title: `Subscription ${name}`, layer: "platform", role: "queue" });
    draft.depend(component, serviceComponent(service, draft));
    draft.addProbe(`${name}-age`, {
      kind: "cloud_monitoring",
      component,
      alert: "off",
      metric_type: "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
      resource_type: "pubsub_subscription",
      filter: `resource.labels.subscription_id = "${name}"`,
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_MAX",
      metric: "cloud_monitoring_seconds",
      labels: { name: "oldest_message_age" },
      empty: "ignore",
    });
    draft.addRule("Messages Wait", {
      condition: 'cloud_monitoring_seconds{name="oldest_message_age"} > 10m',
      alert_duration: "2m",
      severity: "warning",
    });
  }
}
