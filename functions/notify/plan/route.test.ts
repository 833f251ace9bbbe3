import { expect, it } from "vitest";
import type { Route } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { routesTo } from "../../../shared/routes.ts";
import { incidentEvent } from "../fixtures.ts";

const unknown: Partial<IncidentEvent> = { root_cause: "unknown", verdict: "unknown" };

it.each<[Partial<Route>, Partial<IncidentEvent>, boolean]>([
  [{}, {}, true],
  [{ layers: ["platform"] }, { verdict: "platform" }, true],
  [{ layers: ["application"] }, { verdict: "platform" }, false],
  [{ layers: ["platform"] }, { verdict: "application" }, false],
  [{ layers: ["platform", "application"] }, { verdict: "application" }, true],
  [{ layers: ["application"] }, unknown, true],
  [{ layers: ["application"] }, { verdict: "monitor" }, true],
  [{ teams: ["infrastructure"] }, { team: "infrastructure" }, true],
  [{ teams: ["development"] }, { team: "infrastructure" }, false],
  [{ teams: ["development"] }, {}, false],
  [{ teams: ["development"] }, unknown, true],
  [{ environments: ["netra-staging"] }, {}, true],
  [{ environments: ["netra-production"] }, {}, false],
  [{ teams: ["infrastructure"], layers: ["application"] }, { team: "infrastructure" }, false],
])("a route with %j matches an event with %j: %s", (conditions, changes, brought) => {
  const route: Route = { channels: ["ops"], ...conditions };
  expect(routesTo("ops", incidentEvent(changes), [route])).toEqual(brought ? [route] : []);
});
