/** A thread for `sqlite.test.ts`: opens a file named by a message, at the moment at which its twin does, and answers with what came of it. */
import { parentPort, workerData } from "node:worker_threads";
import { SqliteStore } from "../sqlite.ts";

const ready = new Int32Array(workerData.ready as SharedArrayBuffer);

parentPort?.on("message", async ({ file, all }: { file: string; all: number }) => {
  Atomics.add(ready, 0, 1);
  // Without a wait between this and the opening: threads that are woken open one after the other.
  while (Atomics.load(ready, 0) < all);
  try {
    await new SqliteStore(file).close();
    parentPort?.postMessage("opened");
  } catch (error) {
    parentPort?.postMessage(String(error));
  }
});
