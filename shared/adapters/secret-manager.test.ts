import { describe, expect, it } from "vitest";
import { type GoogleApi, GoogleApiError } from "../ports.ts";
import { secretManager } from "./secret-manager.ts";

const minute = 60_000;

/** Secret Manager with these responses, one per request; it records the requests. */
function stand(...answers: (string | Error)[]): { google: GoogleApi; asked: string[] } {
  const asked: string[] = [];
  const request = async ({ url }: { url: string }): Promise<unknown> => {
    asked.push(url);
    const answer = answers.shift() ?? new Error("asked too often");
    if (answer instanceof Error) throw answer;
    return { payload: { data: Buffer.from(answer).toString("base64") } };
  };
  return { google: { request, accessToken: async () => "", idToken: async () => "" }, asked };
}

function open(google: GoogleApi): { read: (name: string) => Promise<string>; pass: (milliseconds: number) => void } {
  let now = 0;
  const { read } = secretManager({ google, projectId: "shop", prefix: "watch", clock: { now: () => now } });
  return {
    read,
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

describe("secrets in Secret Manager", () => {
  it("are read by their newest version, below the prefix, without a final line break", async () => {
    const { google, asked } = stand("open sesame\n");
    expect(await open(google).read("ops-hook-url")).toBe("open sesame");
    expect(asked).toEqual([
      "https://secretmanager.googleapis.com/v1/projects/shop/secrets/watch-ops-hook-url/versions/latest:access",
    ]);
  });

  it("are read once in five minutes for all readers, so that a new version is found", async () => {
    const { google, asked } = stand("old", "new");
    const { read, pass } = open(google);
    expect(await Promise.all([read("key"), read("key")])).toEqual(["old", "old"]);
    pass(4 * minute);
    expect(await read("key")).toBe("old");
    pass(minute);
    expect(await read("key")).toBe("new");
    expect(asked).toHaveLength(2);
  });

  it("stay in use while Secret Manager does not respond", async () => {
    const { google } = stand("old", new GoogleApiError("gave no answer", 0, "UNREACHABLE"), "new");
    const { read, pass } = open(google);
    await read("key");
    pass(6 * minute);
    expect(await read("key")).toBe("old");
    expect(await read("key")).toBe("new");
  });

  it.each([
    [404, /gcloud secrets versions add watch-key --data-file=-/],
    [403, /needs roles\/secretmanager.secretAccessor/],
    [500, /refused watch-key: broken/],
  ])("that cannot be read explain what to do: status %i", async (status, advice) => {
    const { google } = stand(new GoogleApiError("broken", status, "X"), "there now");
    const { read } = open(google);
    await expect(read("key")).rejects.toThrow(advice);
    expect(await read("key")).toBe("there now");
  });
});
