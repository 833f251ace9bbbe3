/** A fake of Cloud Logging and Cloud Run for tests, and entries in Google's formats. */
import { createServer } from "node:http";
import { listening } from "../../fixtures.ts";

/** A running fake. */
export interface FakeLogging {
  readonly port: number;
  /** The bodies of the requests for entries. */
  readonly asked: {
    readonly filter: string;
    readonly pageSize: number;
    readonly orderBy: string;
    readonly resourceNames: string[];
  }[];
}

/**
 * Answers `entries:list` with the result of a function of its filter, and `services.get` with services by their names.
 * @param services the services of Cloud Run; any other does not exist
 */
export async function fakeLogging(
  entriesFor: (filter: string) => readonly object[],
  services: Readonly<Record<string, object>> = {},
): Promise<FakeLogging> {
  const asked: FakeLogging["asked"] = [];
  const port = await listening(
    createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? "", "http://fake");
      const answer = (status: number, body: object): void => {
        response
          .writeHead(status, { connection: "close", "content-type": "application/json" })
          .end(JSON.stringify(body));
      };
      if (pathname === "/logging.googleapis.com/v2/entries:list" && request.method === "POST") {
        const body = JSON.parse(Buffer.concat(await request.toArray()).toString("utf8"));
        asked.push(body);
        const all = entriesFor(body.filter);
        const entries = all.slice(0, body.pageSize);
        return answer(200, {
          ...(entries.length > 0 ? { entries } : {}),
          ...(all.length > entries.length ? { nextPageToken: "more" } : {}),
        });
      }
      const service = services[/\/services\/([^/]+)$/.exec(pathname)?.[1] ?? ""];
      return service === undefined
        ? answer(404, { error: { code: 404, status: "NOT_FOUND", message: pathname } })
        : answer(200, service);
    }),
  );
  return { port, asked };
}

/** An entry of an audit log. @param minutesAgo before now */
export function audited(
  minutesAgo: number,
  serviceName: string,
  methodName: string,
  resourceName: string,
  more: { readonly system?: boolean; readonly entry?: object; readonly payload?: object } = {},
): object {
  const log = more.system ? "system_event" : "activity";
  return {
    insertId: `${methodName}-${minutesAgo}`.replaceAll(/[^\w-]/g, ""),
    timestamp: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
    logName: `projects/shop-1/logs/cloudaudit.googleapis.com%2F${log}`,
    severity: "NOTICE",
    ...more.entry,
    protoPayload: {
      "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
      serviceName,
      methodName,
      resourceName,
      authenticationInfo: { principalEmail: "somebody@shop.example" },
      ...more.payload,
    },
  };
}
