/**
 * Mistakes in the files of the Terraform module, each planned by Terraform, and all mistakes that are generated from a planned graph: the
 * rehearsal must find every one, and none where there is none.
 */
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PlannedMonitor, readPlan } from "../../cli/rehearse/plan.ts";
import { rehearse } from "../../cli/rehearse/rehearse.ts";
import { moduleVariables } from "./examples.ts";
import { graphMutations } from "./graph-mutations.ts";
import { type PlanMutation, planMutations } from "./plan-mutations.ts";
import { errorsOfMutated, examples, exchangedRole, expectValid, missedOf, planOf, variants } from "./rehearsal.ts";
import { openWorkspace, terraformCommand } from "./terraform.ts";

const mistakes: readonly PlanMutation[] = [
  exchangedRole,
  {
    what: "pushes to another function",
    file: "messaging.tf",
    from: "google_cloudfunctions2_function.main[each.value.function].service_config[0].uri}",
    to: 'google_cloudfunctions2_function.main["notify"].service_config[0].uri}',
    found: /push_endpoint/,
  },
  {
    what: "another topic",
    file: "messaging.tf",
    from: "topic                = google_pubsub_topic.main[each.value.topic].id",
    to: 'topic                = google_pubsub_topic.main["ticks"].id',
    found: /topic is|topic refers/,
  },
  {
    what: "a job that nothing waits for",
    file: "schedules.tf",
    from: "    google_pubsub_subscription.push,\n",
    to: "",
    found: /does not wait for google_pubsub_subscription/,
  },
  {
    what: "a data source that waits",
    file: "apis.tf",
    from: "  project_id = var.project_id\n}",
    to: "  project_id = var.project_id\n  depends_on = [google_project_service.main]\n}",
    found: /has depends_on/,
  },
  {
    what: "protection that is inverted",
    file: "database.tf",
    from: '? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"',
    to: '? "DELETE_PROTECTION_DISABLED" : "DELETE_PROTECTION_ENABLED"',
    found: /delete_protection_state/,
  },
];

describe.skipIf(terraformCommand === undefined)("a rehearsal of mistakes", { timeout: 180_000 }, () => {
  it.each(mistakes)("finds $what in the files of the module", async (mistake) => {
    for (const known of ["before the first apply", "as applied"] as const) {
      expect(await errorsOfMutated(mistake, known)).toMatch(mistake.found);
    }
  });

  it("finds mistakes in the files of the module in a first plan", { timeout: 600_000 }, async () => {
    const more = '\nrunbook_url = "https://git.example.com/pathkeeper/docs/alarms.md"\n';
    const mutated = await openWorkspace({}, "before the first apply");
    try {
      const errors = async (): Promise<string> => {
        const made = await planOf(
          mutated,
          join(examples, "netra-staging", "monitor.yaml"),
          `${moduleVariables}${more}`,
        );
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

  it("finds each mistake that is generated from the graph", async () => {
    const workspace = await openWorkspace();
    try {
      const [monitor] = readPlan(
        await planOf(workspace, join(examples, "netra-staging", "monitor.yaml"), moduleVariables),
      );
      const mutations = graphMutations(monitor as PlannedMonitor);
      expect(mutations.length).toBeGreaterThan(400);
      // Any deadline does for a subscription that people pull.
      expect(missedOf(mutations)).toEqual([
        "google_pubsub_subscription.dead_letters_kept: ack_deadline_seconds exchanged with that of another",
      ]);
    } finally {
      await workspace.close();
    }
  });

  it("finds nothing wrong with an applied example, in whatever way it runs", async () => {
    const workspace = await openWorkspace({}, "as applied");
    try {
      for (const example of readdirSync(examples))
        for (const variant of Object.keys(variants)) await expectValid(workspace, example, variant);
    } finally {
      await workspace.close();
    }
  });
});
