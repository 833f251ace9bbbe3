/** For any incident, every service accepts the message, and the message contains the most important parts. */

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { incidentEvent, noticeOf } from "../../fixtures.ts";
import { channels } from "../index.ts";
import { hostileNotices } from "./hostile.fixtures.ts";
import { mostNeeded, overLimits } from "./service.contract.ts";

const kinds = Object.values(channels);
const sending = kinds.filter(
  (kind) => kind.render(kind.settings.parse(parse(kind.example)), noticeOf(incidentEvent())).transport !== "page",
);

describe.each(sending.map((kind) => [kind.kind, kind] as const))("%s", (_, kind) => {
  it("publishes its limits", () => {
    expect(kind.limits?.length).toBeGreaterThan(0);
  });

  it.each(hostileNotices)("stays within its limits with %s", (_name, notice) => {
    const outgoing = kind.render(kind.settings.parse(parse(kind.example)), notice);
    expect(overLimits(kind, outgoing)).toEqual([]);
    expect(JSON.stringify(outgoing)).not.toMatch(/\\ud[89a-f]/);
  });

  mostNeeded(kind);
});
