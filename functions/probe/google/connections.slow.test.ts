/** Connections of Google's client, which all of Google's probers share. */
import { it } from "vitest";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import { closedPort, tcpServer } from "../fixtures.ts";
import { leavesNothingOpen } from "../prober.contract.ts";

it("are closed by the client itself after requests that were aborted, and after refused ones", async () => {
  const silent = await tcpServer((socket) => socket.resume().on("end", () => socket.end()));
  const closed = await closedPort();
  const targets = [silent, silent, closed, silent, closed];
  await leavesNothingOpen(async (run) => {
    const api = googleApi(`http://127.0.0.1:${targets[run % targets.length]}`);
    const url = "https://run.googleapis.com/v2/projects/shop/locations/us-central1/services/backend";
    await api.request({ url, signal: AbortSignal.timeout(200) }).catch(() => undefined);
  }, 100);
}, 60_000);
