/** Defines one reading of a project: the API to call, the required permission, and the fields kept from the response. */
import { z } from "zod";
import { listAt, nameIn, textAt } from "../../../functions/probe/google/configuration/json.ts";
import { requestFields } from "../../../functions/probe/http/settings.ts";
import { googleRegion, googleResource } from "../../../shared/config/fields.ts";
import type { GoogleRequest } from "../../../shared/ports.ts";

/** Project and region of a request. */
export interface Place {
  readonly project: string;
  readonly region: string;
}

/** One list of resources. All reading; nothing is ever changed. */
export interface Reading<T> {
  /** Plural name for messages, such as `Cloud SQL instances`. */
  readonly what: string;
  /** Name of the API, as it is enabled in a project. */
  readonly api: string;
  readonly permission: string;
  /** The narrowest predefined role that has the permission. */
  readonly role: string;
  /** Scope of the request: sent once, or once per region. */
  readonly scope: "project" | "region";
  request(place: Place): Pick<GoogleRequest, "method" | "url" | "body">;
  /** The entries of one page of the answer. */
  entries(answer: unknown): readonly unknown[];
  /** Converts an entry. Returns `undefined` for one that a configuration could not name. */
  take(entry: unknown, place: Place): T | undefined;
}

/** The name of a resource as a configuration writes it; `undefined` for what it would refuse. */
export function resourceName(text: string | undefined): string | undefined {
  // A colon stands in names of instances that say where they are, and in no plain name.
  return text === undefined || nameIn(text).includes(":") ? undefined : accepted(googleResource(), nameIn(text));
}

/** A region as a configuration writes it. */
export function regionName(text: string | undefined): string | undefined {
  return text === undefined ? undefined : accepted(googleRegion(), nameIn(text));
}

/** The address of a service account as a configuration writes it. */
export function accountName(text: string | undefined): string | undefined {
  return text === undefined ? undefined : accepted(z.email(), text);
}

/** The name of a host: letters, digits and hyphens between dots, and no wildcard. */
export function hostName(text: string | undefined): string | undefined {
  const host = text?.replace(/\.$/, "").toLowerCase() ?? "";
  return host.length < 254 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/.test(host)
    ? host
    : undefined;
}

/** The host of a URL, with its port where it has one. */
export function hostOf(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed === null || parsed.host === "" ? undefined : parsed.host.toLowerCase();
}

/** Returns true if a probe accepts the URL. */
export function isProbed(url: string | undefined): boolean {
  return url !== undefined && requestFields().url.safeParse(url).success;
}

/** The entries of an aggregated list of Compute Engine, of all regions and of none. Source: Compute API v1, `aggregatedList`. */
export function aggregated(answer: unknown, key: string): readonly unknown[] {
  const scopes: unknown = typeof answer === "object" && answer !== null && "items" in answer ? answer.items : undefined;
  return typeof scopes === "object" && scopes !== null
    ? Object.values(scopes).flatMap((scope) => listAt(scope, key))
    : [];
}

/** The part of the path of a resource of Compute Engine behind its project: `global/urlMaps/shop`. */
export function computePath(url: string | undefined): string | undefined {
  return /\/projects\/[^/]+\/((?:global|regions\/[a-z0-9-]+)\/[A-Za-z]+\/[a-z0-9.-]+)$/.exec(url ?? "")?.[1];
}

/** Returns the common fields of a Compute Engine resource; `undefined` for one that a configuration could not name. */
export function computePart(
  entry: unknown,
  collection: string,
): { readonly path: string; readonly name: string; readonly region: string | undefined } | undefined {
  const name = resourceName(textAt(entry, "name"));
  const region = regionName(textAt(entry, "region"));
  if (name === undefined) return undefined;
  return { path: `${region === undefined ? "global" : `regions/${region}`}/${collection}/${name}`, name, region };
}

function accepted(schema: z.ZodType<string, unknown>, text: string): string | undefined {
  const read = schema.safeParse(text);
  return read.success ? read.data : undefined;
}
