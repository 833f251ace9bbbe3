import { expect, it, onTestFinished } from "vitest";
import { encodePush } from "../shared/messages/push.ts";
import type { Report } from "../shared/messages/report.ts";
import { newToken } from "./engine/request-guard.ts";
import { startObserver } from "./observer.ts";

const report: Report = {
  v: 1,
  report: "shop/outside-1m/2025-09-16T12:04:00Z",
  environment: "shop",
  vantage: "outside",
  group: "outside-1m",
  trigger: "schedule",
  started_at: "2025-09-16T12:04:00.000Z",
  finished_at: "2025-09-16T12:04:01.000Z",
  results: [],
};
const push = JSON.stringify(
  encodePush({ messageId: "1", publishedAt: 0, attributes: {}, data: report, subscription: "local-observer" }),
);

it("accepts reports only from its broker", async () => {
  const heard: Report[] = [];
  const observer = await startObserver((one) => heard.push(one), newToken());
  onTestFinished(() => observer.stop());
  const post = async (url: string, type: string): Promise<number> =>
    (await fetch(url, { method: "POST", headers: { "content-type": type }, body: push })).status;
  expect(await post(new URL(observer.url).origin, "application/json")).toBe(401);
  expect(await post(observer.url, "text/plain")).toBe(415);
  expect(heard).toEqual([]);
  expect(await post(observer.url, "application/json")).toBe(204);
  expect(heard).toEqual([report]);
});
