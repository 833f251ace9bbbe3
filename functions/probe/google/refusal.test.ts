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
      "access to Cloud Monitoring in the project shop-staging was denied: grant the probe's identity monitoring.timeSeries.list, for example with roles/monitoring.viewer",
    ],
    [
      new GoogleApiError("Cloud Monitoring API has not been used in project 1 before", 403, "SERVICE_DISABLED"),
      "unavailable",
      "Cloud Monitoring is not enabled in the project shop-staging: run gcloud services enable monitoring.googleapis.com --project shop-staging",
    ],
    [
      new GoogleApiError("Quota exceeded", 429, "RATE_LIMIT_EXCEEDED"),
      "http_status",
      "the quota of Cloud Monitoring in the project shop-staging is exhausted (429): read less often, or request a higher quota for monitoring.googleapis.com",
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
      new GoogleApiError("no identity for requests to Google", 0, "NO_IDENTITY"),
      "auth",
      "no identity for requests to Google",
    ],
    [
      new GoogleApiError("monitoring.googleapis.com gave no answer: connect ECONNREFUSED", 0, "UNREACHABLE"),
      "unavailable",
      "Cloud Monitoring was not read: monitoring.googleapis.com gave no answer: connect ECONNREFUSED",
    ],
    [
      new GoogleApiError("Unrecognized metric label", 400, "INVALID_ARGUMENT"),
      "protocol",
      "Cloud Monitoring rejected the request as invalid: Unrecognized metric label",
    ],
    [
      new GoogleApiError("The service is currently unavailable.", 503, "UNAVAILABLE"),
      "unavailable",
      "Cloud Monitoring failed with a server error: The service is currently unavailable.",
    ],
    [
      new GoogleApiError("gone", 410, "GONE"),
      "http_status",
      "Cloud Monitoring answered 410 for the project shop-staging: gone",
    ],
    [new Error("odd"), "internal", "unexpected error while reading from Cloud Monitoring: odd"],
  ])("%s", (error, kind, message) => {
    expect(openFailure(refusalOf(error, access, new AbortController().signal))).toEqual({
      kind,
      phase: readingPhase,
      message,
    });
  });

  it("is not reported when the probe timed out", () => {
    expect(refusalOf(new Error("aborted"), access, AbortSignal.abort())).toEqual({
      kind: "timeout",
      phase: readingPhase,
      message: "the probe timed out while waiting for a response from Cloud Monitoring",
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
