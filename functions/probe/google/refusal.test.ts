import { describe, expect, it } from "vitest";
import { readingPhase } from "../../../shared/messages/report.ts";
import { GoogleApiError } from "../../../shared/ports.ts";
import { openFailure } from "../fixtures.ts";
import { monitoringAccess } from "./readings.ts";
import { ask, refusalOf } from "./refusal.ts";

const access = monitoringAccess("shop-staging");

describe("a refusal by a Google API", () => {
  it.each([
    [
      new GoogleApiError("Permission monitoring.timeSeries.list denied", 403, "IAM_PERMISSION_DENIED"),
      "auth",
      "Cloud Monitoring of the project shop-staging may not be read: the probe's identity lacks monitoring.timeSeries.list, which roles/monitoring.viewer has",
    ],
    [
      new GoogleApiError("Cloud Monitoring API has not been used in project 1 before", 403, "SERVICE_DISABLED"),
      "unavailable",
      "Cloud Monitoring is not enabled in the project shop-staging: run gcloud services enable monitoring.googleapis.com --project shop-staging",
    ],
    [
      new GoogleApiError("Quota exceeded", 429, "RATE_LIMIT_EXCEEDED"),
      "http_status",
      "the quota of Cloud Monitoring in the project shop-staging is used up (429): read less often, or ask for more of monitoring.googleapis.com",
    ],
    [
      new GoogleApiError("Quota exceeded", 403, "RATE_LIMIT_EXCEEDED"),
      "http_status",
      expect.stringMatching(/^the quota of Cloud Monitoring/),
    ],
    [
      new GoogleApiError("Request had invalid authentication credentials.", 401, "UNAUTHENTICATED"),
      "auth",
      "Cloud Monitoring does not accept the probe's identity: Request had invalid authentication credentials.",
    ],
    [
      new GoogleApiError("there is no identity to ask Google with", 0, "NO_IDENTITY"),
      "auth",
      "there is no identity to ask Google with",
    ],
    [
      new GoogleApiError("monitoring.googleapis.com gave no answer: connect ECONNREFUSED", 0, "UNREACHABLE"),
      "unavailable",
      "Cloud Monitoring is not read: monitoring.googleapis.com gave no answer: connect ECONNREFUSED",
    ],
    [
      new GoogleApiError("Unrecognized metric label", 400, "INVALID_ARGUMENT"),
      "protocol",
      "Cloud Monitoring does not understand what it is asked for: Unrecognized metric label",
    ],
    [
      new GoogleApiError("The service is currently unavailable.", 503, "UNAVAILABLE"),
      "unavailable",
      "Cloud Monitoring itself has trouble: The service is currently unavailable.",
    ],
    [
      new GoogleApiError("gone", 410, "GONE"),
      "http_status",
      "Cloud Monitoring of the project shop-staging answered 410: gone",
    ],
    [new Error("odd"), "internal", "unexpected fault while reading Cloud Monitoring: odd"],
  ])("%s", (error, kind, message) => {
    expect(openFailure(refusalOf(error, access, new AbortController().signal))).toEqual({
      kind,
      phase: readingPhase,
      message,
    });
  });

  it("is not reported when the time of the probe ran out", () => {
    expect(refusalOf(new Error("aborted"), access, AbortSignal.abort())).toEqual({
      kind: "timeout",
      phase: readingPhase,
      message: "the time of the probe ran out while waiting for the answer of Cloud Monitoring",
    });
  });

  it("stops waiting for a token at the deadline of the probe", async () => {
    const controller = new AbortController();
    const reason = new Error("the time ran out");
    const google = {
      accessToken: () => new Promise<string>(() => {}),
      idToken: async () => "",
      request: async () => ({}),
    };
    const answer = ask({ url: "https://a.example" }, { google, signal: controller.signal, conceal: () => {} });
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });
});
