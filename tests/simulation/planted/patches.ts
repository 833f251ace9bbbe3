/** Bugs to plant, as data. The simulation alone must detect them; `npm run simulate:planted` plants one after the other. */

/** One bug: a text that occurs once in a file, and its replacement. */
export interface Patch {
  readonly name: string;
  /** Description of the defect. */
  readonly words: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
  /** Further replacements in the file, where a second check would hide the bug. @default none */
  readonly also?: readonly { readonly find: string; readonly put: string }[];
}

const step = "functions/evaluate/commit/step.ts";
const incidents = "functions/evaluate/commit/incidents.ts";
const evaluate = "functions/evaluate/handler.ts";
const fold = "functions/evaluate/partition/fold.ts";
const lifecycle = "functions/evaluate/incident/lifecycle.ts";
const notify = "functions/notify/handler.ts";
const delivery = "functions/notify/deliver/delivery.ts";
const order = "functions/notify/deliver/order.ts";
const ledger = "functions/notify/deliver/ledger.ts";
const writePlan = "functions/notify/plan/write-plan.ts";

/** All of them. */
export const patches: readonly Patch[] = [
  {
    name: "outbox-forgotten",
    words: "A commit forgets its outbox, so what is not published at once is lost.",
    file: incidents,
    find: "encodeEnvironment(environment, now)",
    put: "encodeEnvironment({ ...environment, outbox: [] }, now)",
  },
  {
    name: "published-too-soon",
    words: "Messages count as published before they are.",
    file: evaluate,
    find: "    const byTopic = Map.groupBy(outbox, ({ topic }) => topic);\n",
    put: "    for (const { id } of outbox) published.add(id);\n    const byTopic = Map.groupBy(outbox, ({ topic }) => topic);\n",
  },
  {
    name: "busy-store-acknowledged",
    words: "A message that met a busy store is acknowledged.",
    file: evaluate,
    find: "if (error instanceof StoreError && error.retryable) throw new TryAgain(`the store is busy: ${error.message}`);",
    put: "if (error instanceof StoreError && error.retryable) return;",
  },
  {
    name: "report-twice",
    words: "A report that comes twice is judged twice.",
    file: fold,
    find: "if (isKnown(state.reports, report.report)) return",
    put: "if (state.reports.length > 1_000 && isKnown(state.reports, report.report)) return",
  },
  {
    name: "late-report-not-rejudged",
    words: "A late report is judged, and the later instants that it changes are not.",
    file: fold,
    find: ".filter((instant) => instant >= at));",
    put: ".filter((instant) => instant === at));",
  },
  {
    name: "window-too-short",
    words: "Whatever is older than the newest report counts as too late.",
    file: fold,
    find: "if (at < horizonOf(state, plan)) return",
    put: "if (at < state.watermark) return",
  },
  {
    name: "newest-only",
    words: "A late result moves what is known of a probe back in time.",
    file: fold,
    find: "  if (at < known.at) {\n",
    put: "  if (at < known.at - 3_600_000) {\n",
  },
  {
    name: "late-good-result-forgotten",
    words: "A late judgement is put behind the newer ones.",
    file: "functions/evaluate/rules/alert.ts",
    find: "recent: [...byInstant].sort(([a], [b]) => a - b) };",
    put: "recent: [...byInstant] };",
  },
  {
    name: "trusted-cache",
    words: "An instance trusts what it remembers of a partition.",
    file: "functions/evaluate/partition/cache.ts",
    find: "const state = readPartition(stored, this.#known.get(partition));",
    put: "const state = this.#known.get(partition)?.state ?? readPartition(stored);",
  },
  {
    name: "split-transaction",
    words: "The state of a partition is written in a transaction of its own, before the incidents.",
    file: step,
    find: '      if (changes.length > 0 && !environmentToo) return "environment too";\n',
    put: '      if (changes.length > 0 && !environmentToo) {\n        const { how, fields } = document.write(state, stored, now);\n        transaction[how](stateCollection, document.id, fields);\n        return "environment too";\n      }\n',
  },
  {
    name: "unread-environment",
    words: "The environment is read outside the transaction that writes it.",
    file: incidents,
    find: "  const stored = await readEnvironment(transaction);\n",
    put: "  const stored = await readEnvironment(context.store);\n",
  },
  {
    name: "resolved-without-a-stage",
    words: "An incident is resolved without the first stage of its recovery.",
    file: lifecycle,
    find: "  if (next >= 0) {\n",
    put: "  if (next > 0) {\n",
  },
  {
    name: "any-validation",
    words: "Any report of a validation answers the present attempt.",
    file: lifecycle,
    find: "if (recovery === undefined || report.request !== attemptId(id, recovery)) return;",
    put: "if (recovery === undefined || !report.request?.startsWith(id)) return;",
  },
  {
    name: "one-answer-is-enough",
    words: "The answers of one vantage point replace those of another.",
    file: "functions/evaluate/incident/recovery/recovery.ts",
    find: "results: { ...recovery.results, ...Object.fromEntries(judged) }",
    put: "results: Object.fromEntries(judged)",
  },
  {
    name: "recovering-is-over",
    words: "What fails again while its recovery is validated opens an incident of its own.",
    file: "functions/evaluate/incident/membership/correlate.ts",
    find: 'incident.status !== "resolved" && mayShare',
    put: 'incident.status === "open" && mayShare',
  },
  {
    name: "no-relapse",
    words: "What comes back is never the same incident.",
    file: "functions/evaluate/incident/membership/relapse.ts",
    find: "firedAt - resolvedAt <= windowMs &&",
    put: "firedAt - resolvedAt < 0 &&",
  },
  {
    name: "event-ids-repeat",
    words: "The second event of a kind has the id of the first.",
    file: "functions/evaluate/incident/draft.ts",
    find: "id: `${this.incident.id}:${kind}-${rest.occurrence}`",
    put: "id: `${this.incident.id}:${kind}`",
  },
  {
    name: "news-after-the-end",
    words: "What is found out with the end of an incident is told after it.",
    file: "functions/evaluate/incident/draft.ts",
    find: 'if (this.#events.at(-1)?.kind !== "resolved") this.#events.push(',
    put: "this.#events.push(",
  },
  {
    name: "removed-rule-stays",
    words: "An alert outlives its rule.",
    file: "functions/evaluate/rules/configuration-edits.ts",
    find: '    return ended("its rule was removed from the configuration");',
    put: '    return { what: "same" };',
  },
  {
    name: "removed-group-stays",
    words: "Nobody looks at a group of probes that has left the configuration.",
    file: "functions/evaluate/commit/tick.ts",
    find: "[...new Set([...plan.groups, ...strays])]",
    put: "[...new Set([...plan.groups])]",
    also: [{ find: "!plan.groups.includes(partition) &&", put: "plan.groups.includes(partition) &&" }],
  },
  {
    name: "report-not-published",
    words: "A report that cannot be published is dropped.",
    file: "functions/probe/handler.ts",
    find: "  if (unpublished.length > 0) throw refusal;\n",
    put: "  if (unpublished.length > 100) throw refusal;\n",
  },
  {
    name: "record-before-sending",
    words: "A delivery is recorded before it is sent.",
    file: delivery,
    find: '      status: "sending",\n      lease_until: new Date(now + leaseMs),',
    put: '      status: "delivered",\n      delivered_at: new Date(now),\n      lease_until: new Date(now + leaseMs),',
  },
  {
    name: "lease-compared-wrongly",
    words: "A claim is held when it is over, and not while it lasts.",
    file: order,
    find: "lease_until.getTime() > now;",
    put: "lease_until.getTime() < now;",
  },
  {
    name: "lease-for-ever",
    words: "A claim outlives its instance.",
    file: order,
    find: 'return status === "sending" && lease_until !== undefined && lease_until.getTime() > now;',
    put: 'return status === "sending" && lease_until !== undefined && now > 0;',
  },
  {
    name: "lease-not-renewed",
    words: "A claim ends while its attempt goes on.",
    file: delivery,
    find: "    cancel = timers.after(renewEveryMs, () => {",
    put: "    cancel = timers.after(100 * renewEveryMs, () => {",
  },
  {
    name: "late-owner-ignored",
    words: "An instance that has lost its claim does not record what was delivered.",
    file: delivery,
    find: 'if (!ours && (current.status === "delivered" || attempt.outcome !== "delivered")) return current;',
    put: "if (!ours) return current;",
  },
  {
    name: "claim-of-a-copy",
    words: "A claim is made on the delivery as it was read before the transaction.",
    file: delivery,
    find: "    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;\n    const older",
    put: "    const delivery = (await transaction.get(deliveries, id)) === undefined ? seen : seen;\n    const older",
  },
  {
    name: "claimed-twice",
    words: "A claim takes what another instance is sending.",
    file: delivery,
    find: "if (isFinal(delivery) || blocked || (!lastChance",
    put: "if (isFinal(delivery) || (blocked && lastChance) || (!lastChance",
  },
  {
    name: "words-changed",
    words: "What may have arrived is sent again in other words.",
    file: delivery,
    find: "if (mayHaveArrived(delivery) || (!replacesOpening",
    put: "if (false || (!replacesOpening",
  },
  {
    name: "suppressed-while-sent",
    words: "A delivery is suppressed while it is being sent.",
    file: delivery,
    find: "if (isFinal(delivery) || isLeased(delivery, now)) return delivery;",
    put: "if (isFinal(delivery)) return delivery;",
  },
  {
    name: "lost-is-not-heard",
    words: "What was sent and not answered counts as not heard.",
    file: ledger,
    find: 'return attempts.some(({ outcome }) => outcome === unsure) && attempts.at(-1)?.outcome !== "rejected";',
    put: "return attempts.length < 0;",
  },
  {
    name: "end-for-the-delivered",
    words: "The end is told only to those of whom it is recorded that they have heard.",
    file: "functions/notify/plan/plan.ts",
    find: "delivery.sequence < sequence && mayReachReader(delivery)",
    put: 'delivery.sequence < sequence && delivery.status === "delivered"',
  },
  {
    name: "no-waiting-for-the-earlier",
    words: "News do not wait for what comes before them.",
    file: order,
    find: 'if (unfinished.length > overtaken.length) return { action: "wait" };',
    put: 'if (unfinished.length > overtaken.length + 10) return { action: "wait" };',
  },
  {
    name: "no-waiting-for-the-opening",
    words: "News that come before the message of the opening do not wait for it.",
    file: notify,
    find: "if (!isBegun(event, ledger) && now - publishedAt < patienceForOpeningMs) {",
    put: "if (!isBegun(event, ledger) && now - publishedAt < 0) {",
  },
  {
    name: "planned-again",
    words: "A message that comes again plans its deliveries again.",
    file: writePlan,
    find: "        if (known[index] !== undefined) continue;\n        transaction.create(",
    put: "        if (known[index] !== undefined && index > 10) continue;\n        transaction.set(",
  },
  {
    name: "planned-together",
    words: "A change is told after a later one that another instance planned at the same moment.",
    file: order,
    find: " || (isDeliveredOrPending(later) && later.follows?.includes(sequence) === false)",
    put: "",
  },
  {
    name: "not-tried-again",
    words: "What a channel does not take at once is not tried again.",
    file: notify,
    find: "    if (waiting.length === 0) return;\n",
    put: "    if (waiting.length < 100) return;\n",
  },
  {
    name: "given-up-early",
    words: "A retry that is not done is acknowledged.",
    file: notify,
    find: "  if (waiting.length > 0)\n    throw new TryAgain(",
    put: "  if (waiting.length > 100)\n    throw new TryAgain(",
  },
  {
    name: "old-summary",
    words: "The summary of the ledger is older than the incident on which it is written.",
    file: "functions/notify/deliver/summary.ts",
    find: '  const found = await store.transaction(async (transaction) => {\n    const document = await transaction.get("incidents", incident);\n    if (document === undefined) return false;\n    const ledger = await readLedger(store, incident, logger);\n',
    put: '  const ledger = await readLedger(store, incident, logger);\n  const found = await store.transaction(async (transaction) => {\n    const document = await transaction.get("incidents", incident);\n    if (document === undefined) return false;\n',
  },
];
