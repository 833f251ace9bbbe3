/** The rehearsal of plans whose module has a mistake in one of its files. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PlannedMonitor, readPlan } from "../../cli/rehearse/plan.ts";
import { rehearse } from "../../cli/rehearse/rehearse.ts";
import { moduleVariables } from "./examples.ts";
import { planOf } from "./plan.ts";
import { planMutations } from "./plan-mutations.ts";
import { moduleFolder, openWorkspace, terraformCommand } from "./terraform.ts";

const configuration = new URL("../../examples/netra-staging/monitor.yaml", import.meta.url).pathname;

describe.skipIf(terraformCommand === undefined)("a rehearsal", { timeout: 180_000 }, () => {
  it.each<[string, string, string, string, RegExp]>([
    [
      "an exchanged role",
      "messaging.tf",
      'role    = "roles/pubsub.publisher"\n  member  = google_service_account.function',
      'role    = "roles/pubsub.subscriber"\n  member  = google_service_account.function',
      /roles\/pubsub\.publisher/,
    ],
    [
      "pushes to another function",
      "messaging.tf",
      "google_cloudfunctions2_function.main[each.value.function].service_config[0].uri}",
      'google_cloudfunctions2_function.main["notify"].service_config[0].uri}',
      /push_endpoint/,
    ],
    [
      "another topic",
      "messaging.tf",
      "topic                = google_pubsub_topic.main[each.value.topic].id",
      'topic                = google_pubsub_topic.main["ticks"].id',
      /topic is|topic refers/,
    ],
    [
      "a job that nothing waits for",
      "schedules.tf",
      "    google_pubsub_subscription.push,\n",
      "",
      /does not wait for google_pubsub_subscription/,
    ],
    [
      "a data source that waits",
      "apis.tf",
      "  project_id = var.project_id\n}",
      "  project_id = var.project_id\n  depends_on = [google_project_service.main]\n}",
      /has depends_on/,
    ],
    [
      "protection that is inverted",
      "database.tf",
      '? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"',
      '? "DELETE_PROTECTION_DISABLED" : "DELETE_PROTECTION_ENABLED"',
      /delete_protection_state/,
    ],
  ])("finds %s in the files of the module", async (_what, file, from, to, found) => {
    for (const known of ["before the first apply", "as applied"] as const) {
      const text = await readFile(join(moduleFolder, file), "utf8");
      expect(text).toContain(from);
      const mutated = await openWorkspace({ [file]: text.replace(from, () => to) }, known);
      try {
        const changed = await planOf(mutated, configuration, moduleVariables);
        const [monitor] = readPlan(changed);
        const errors = rehearse(monitor as PlannedMonitor).findings.filter(({ level }) => level === "error");
        expect(errors.map(({ address, says }) => `${address} ${says}`).join("\n")).toMatch(found);
      } finally {
        await mutated.close();
      }
    }
  });

  it("finds mistakes in the files of the module in a first plan", { timeout: 600_000 }, async () => {
    const more = '\nrunbook_url = "https://git.example.com/pathkeeper/docs/alarms.md"\n';
    const mutated = await openWorkspace({}, "before the first apply");
    try {
      const errors = async (): Promise<string> => {
        const made = await planOf(mutated, configuration, `${moduleVariables}${more}`);
        const [monitor] = readPlan(made);
        const { findings } = rehearse(monitor as PlannedMonitor);
        return findings.map(({ level, address, says }) => `${level} ${address} ${says}`).join("\n");
      };
      expect(await errors()).toBe("");
      for (const { what, file, from, to, found } of planMutations) {
        const path = join(mutated.folder, file);
        const text = await readFile(path, "utf8");
        expect(text, what).toContain(from);
        await writeFile(
          path,
          text.replace(from, () => to),
        );
        const said = await errors();
        expect(said, what).toMatch(/^error /m);
        expect(said, what).toMatch(found);
        await writeFile(path, text);
      }
    } finally {
      await mutated.close();
    }
  });
});
