/** A process of its own for `sqlite.test.ts`: `increment FILE` counts to 100 and ends, `acknowledge FILE` writes until it is killed. */
import { writeSync } from "node:fs";
import { SqliteStore } from "../sqlite.ts";

const [task, file = ""] = process.argv.slice(2);
const store = new SqliteStore(file);

if (task === "increment") {
  for (let times = 0; times < 100; times++) {
    await store.transaction(async (transaction) => {
      const counter = await transaction.get("state", "counter");
      transaction.set("state", "counter", { n: Number(counter?.["n"] ?? 0) + 1 });
    });
  }
} else {
  for (let n = 1; ; n++) {
    await store.transaction(async (transaction) => {
      transaction.create("writes", `${n}`, { n });
      transaction.create("pairs", `${n}`, { n });
    });
    writeSync(1, `${n}\n`);
  }
}
await store.close();
