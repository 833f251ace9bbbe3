/** Recipients of alarms and of the budget. */
import type { Names } from "../../../shared/deployment/names.ts";
import { type Requirement, such } from "../../../shared/deployment/need.ts";

/** The requirement that a list of notification channels names all recipients of alarms and nobody else. */
export function recipients(names: Names): Omit<Requirement, "why"> {
  const { emails, channel_ids } = names.inputs.alarms;
  const count = emails.length + channel_ids.length;
  const ids = [
    ...channel_ids,
    ...emails.flatMap(
      (email) => names.given("google_monitoring_notification_channel", { "labels.email_address": email }, "id") ?? [],
    ),
  ];
  return {
    is: such(
      `all ${count} recipients of alarms`,
      (value) =>
        Array.isArray(value) &&
        new Set(value).size === count &&
        ids.every((id) => value.includes(id)) &&
        // The ids of channels that the apply creates are not known, and then neither is the list.
        (ids.length === count || value.length === ids.length),
    ),
    ...(count === 0 ? { usual: [] } : {}),
    size: count,
    write: "local.alarm_channels",
  };
}
