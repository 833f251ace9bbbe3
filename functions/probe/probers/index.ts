/** Every kind of probe. Configuration, documentation and the contract tests follow from this list. */
import type { AnyProber } from "../prober.ts";
import { http } from "./http.ts";
import { journey } from "./journey.ts";
import { postgres } from "./postgres.ts";
import { tls } from "./tls.ts";
import { websocket } from "./websocket.ts";

/** The registry of probers, by kind. */
export const probers: Readonly<Record<string, AnyProber>> = { http, journey, postgres, tls, websocket };
