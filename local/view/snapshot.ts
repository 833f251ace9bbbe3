/** Content of the live view at one instant, as text. */
import type { IncidentStatus, Verdict } from "../../shared/messages/incident-event.ts";
import type { Severity } from "../../shared/messages/severity.ts";

/** State of a component. */
export type ComponentState = "ok" | "degraded" | "failing" | "unknown";

/** State of a delivery. */
export type DeliveryState = "waiting" | "delivered" | "failed" | "suppressed";

/** One component of the watched environment. */
export interface ViewComponent {
  readonly title: string;
  readonly state: ComponentState;
  /** Since when it is in this state, milliseconds since the epoch. */
  readonly since: number;
  /** Its key figure or the reason of its state, such as `12ms` or `503 Service Unavailable`. */
  readonly figure: string;
}

/** The incident that is open, or the last one. */
export interface ViewIncident {
  readonly id: string;
  readonly title: string;
  readonly status: IncidentStatus;
  readonly severity: Severity;
  /** Title of the component that broke, or `unknown`. */
  readonly rootCause: string;
  readonly verdict: Verdict;
  /** From 0 to 1. */
  readonly confidence: number;
  readonly impact: string;
  readonly openedAt: number;
  readonly resolvedAt?: number;
  readonly evidence: readonly string[];
  /** Oldest first. */
  readonly timeline: readonly { readonly at: number; readonly text: string }[];
}

/** One notice to one channel. */
export interface ViewDelivery {
  readonly at: number;
  readonly channel: string;
  readonly incident: string;
  readonly event: string;
  readonly state: DeliveryState;
}

/** All that is shown. */
export interface ViewSnapshot {
  readonly title: string;
  /** IANA zone in which the times are shown. */
  readonly timezone: string;
  /** The instant of the snapshot, milliseconds since the epoch. */
  readonly at: number;
  readonly elapsedMs: number;
  /** Current step of the demo's script; absent if nothing is played. */
  readonly headline?: { readonly text: string; readonly nextInMs: number };
  /** Sentences about what fails on this machine itself, such as a full disk. @default none */
  readonly failures?: readonly string[];
  readonly components: readonly ViewComponent[];
  readonly incident?: ViewIncident;
  /** Oldest first. */
  readonly deliveries: readonly ViewDelivery[];
  readonly traffic: { readonly reports: number; readonly messages: number };
  /** Short texts at the foot, such as where the data is kept and how to stop. */
  readonly hints: readonly string[];
}
