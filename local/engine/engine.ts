/** The engine under the local system: where documents are kept and messages go. */
import type { Publisher, Store } from "../../shared/ports.ts";
import type { PushSubscription } from "../../shared/topology.ts";

/** A subscription with the endpoint that it pushes to. */
export interface Endpoint {
  readonly subscription: PushSubscription;
  /** `http://HOST:PORT`, to which the path of the subscription is added, with the token of the run in its query. */
  readonly url: string;
}

/** A running engine. */
export interface Engine {
  readonly store: Store;
  readonly publisher: Publisher;
  /** Environment variables that the functions need to connect to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Creates the topics and begins to push. */
  subscribe(endpoints: readonly Endpoint[]): Promise<void>;
  /** Messages that were delivered so far, where that is known. */
  delivered(): number | undefined;
  /** Stops it. Its data is already stored. */
  stop(): Promise<void>;
}
