/** Weights that several patterns share: how well a failure explains each class of symptom, from 0 to 1. */
import type { SymptomClass } from "./classes.ts";

/** How well a failure explains each class of symptom; what is not named it does not explain. */
export type Weights = Readonly<Partial<Record<SymptomClass, number>>>;

/** What services show when something fails that they cannot do without. */
export const starved: Weights = {
  error: 1,
  "bad gateway": 0.7,
  "no answer": 0.9,
  "cut off": 0.6,
  "events missing": 0.7,
  "wrong content": 0.6,
  denied: 0.3,
  throttled: 0.2,
  "not found": 0.1,
  "no connection": 0.15,
  "failed starts": 0.9,
  errors: 0.9,
  slow: 0.9,
  "errors at the edge": 0.8,
  "websockets refused": 0.9,
  journey: 0.9,
  "connector unwell": 0.5,
  connections: 0.6,
  "slow to connect": 0.8,
  other: 0.5,
};

/** What a service shows when the fault is its own. */
export const sick: Weights = {
  error: 1,
  "bad gateway": 0.8,
  "no answer": 0.9,
  "cut off": 0.8,
  "events missing": 0.8,
  "wrong content": 1,
  denied: 0.8,
  throttled: 0.9,
  "not found": 0.8,
  "no connection": 0.5,
  dns: 0.45,
  certificate: 0.4,
  "failed starts": 1,
  errors: 1,
  slow: 0.9,
  "websockets refused": 0.9,
  journey: 0.8,
  "errors at the edge": 0.8,
  configuration: 0.8,
  other: 0.7,
};

/** What other services show when one that they call is sick. */
export const letDown: Weights = {
  error: 0.9,
  "bad gateway": 0.8,
  "no answer": 0.85,
  "cut off": 0.8,
  "events missing": 0.8,
  "wrong content": 0.5,
  denied: 0.3,
  "not found": 0.5,
  "no connection": 0.2,
  errors: 0.8,
  slow: 0.8,
  "websockets refused": 0.9,
  journey: 0.9,
  "errors at the edge": 0.9,
  "failed starts": 0.3,
  other: 0.4,
};

/** What is seen of a private target behind a way that loses connections. */
export const unreached: Weights = {
  ...starved,
  unreachable: 1,
  silent: 0.8,
  "handshakes lost": 1,
  "turned away": 0.3,
  "slow answer": 0.5,
  "slow to connect": 0.8,
  "connector unwell": 1,
  "database load": 0.1,
};

/** What is seen of such a way itself. */
export const lostWay: Weights = {
  ...unreached,
  "turned away": 0.5,
  "connector load": 0.8,
  configuration: 0.6,
  other: 0.7,
};

/** What is seen of a load balancer that fails. */
export const atTheEdge: Weights = {
  "no connection": 1,
  "bad gateway": 1,
  "not found": 0.9,
  error: 0.6,
  "no answer": 0.7,
  "cut off": 0.7,
  denied: 0.5,
  certificate: 0.35,
  "errors at the edge": 0.9,
  slow: 0.7,
  configuration: 0.8,
  other: 0.6,
};

/** What is seen of the services behind it. */
export const behindTheEdge: Weights = {
  "no connection": 1,
  "bad gateway": 1,
  "not found": 0.9,
  error: 0.55,
  "no answer": 0.7,
  "cut off": 0.6,
  "websockets refused": 0.8,
  journey: 0.8,
  "events missing": 0.4,
  "errors at the edge": 0.9,
  slow: 0.5,
  certificate: 0.35,
  denied: 0.2,
};

/** What is seen of a part of the platform of which nothing more is known. */
export const anyTrouble: Weights = {
  ...starved,
  unreachable: 1,
  "turned away": 1,
  silent: 1,
  full: 1,
  restarting: 1,
  "slow answer": 1,
  "login refused": 1,
  "no connection": 1,
  certificate: 0.6,
  dns: 0.6,
  configuration: 0.8,
  other: 1,
};
