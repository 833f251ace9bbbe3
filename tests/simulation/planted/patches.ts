/** Bugs to plant, as data. The simulation alone must detect them; `npm run simulate:planted` plants one after the other. */

/** One bug: a text that occurs once in a file, and its replacement. */
export interface Patch {
  readonly name: string;
  /** Description of the defect. */
  readonly description: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
  /** Further replacements in the file, where a second check would mask the bug. @default none */
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
    description: "A commit drops its outbox, so messages that are not published immediately are lost.",
    file: incidents,
    find: "encodeEnvironment(environment, now)",
    put: "encodeEnvironment({ ...environment, outbox: [] }, now)",
  },
  {
    name: "published-too-soon",
    description: "Messages are marked as published before they are.",
    file: evaluate,
    find: "    const byTopic = Map.groupBy(outbox, ({ topic }) => topic);\n",
    put: "    for (const { id } of outbox) published.add(id);\n    const byTopic = Map.groupBy(outbox, ({ topic }) => topic);\n",
  },
  {
    name: "busy-store-acknowledged",
    description: "A message is acknowledged although the store was busy.",
    file: evaluate,
    find: "if (error instanceof StoreError && error.retryable) throw new TryAgain(`the store is busy: ${error.message}`);",
    put: "if (error instanceof StoreError && error.retryable) return;",
  },
  {
    name: "report-twice",
    description: "A duplicate report is evaluated twice.",
    file: fold,
    find: "if (isKnown(state.reports, report.report)) return",
    put: "if (state.reports.length > 1_000 && isKnown(state.reports, report.report)) return",
  },
  {
    name: "late-report-not-rejudged",
    description: "A late report is evaluated without re-evaluating the later instants that it changes.",
    file: fold,
    find: ".filter((instant) => instant >= at));",
    put: ".filter((instant) => instant === at));",
  },
  {
    name: "window-too-short",
    description: "Every report older than the newest one counts as too late.",
    file: fold,
    find: "if (at < horizonOf(state, plan)) return",
    put: "if (at < state.watermark) return",
  },
  {
    name: "newest-only",
    description: "A late result overwrites the newer state of a probe.",
    file: fold,
    find: "  if (at < known.at) {\n",
    put: "  if (at < known.at - 3_600_000) {\n",
  },
  {
    name: "late-good-result-forgotten",
    description: "A late judgement is appended after newer ones.",
    file: "functions/evaluate/rules/alert.ts",
    find: "recent: [...byInstant].sort(([a], [b]) => a - b) };",
    put: "recent: [...byInstant] };",
  },
  {
    name: "trusted-cache",
    description: "An instance trusts its cached copy of a partition.",
    file: "functions/evaluate/partition/cache.ts",
    find: "const state = readPartition(stored, this.#known.get(partition));",
    put: "const state = this.#known.get(partition)?.state ?? readPartition(stored);",
  },
  {
    name: "split-transaction",
    description: "The state of a partition is written in a separate transaction before the incidents.",
    file: step,
    find: '      if (changes.length > 0 && !environmentToo) return "environment too";\n',
    put: '      if (changes.length > 0 && !environmentToo) {\n        const { how, fields } = document.write(state, stored, now);\n        transaction[how](stateCollection, document.id, fields);\n        return "environment too";\n      }\n',
  },
  {
    name: "unread-environment",
    description: "The environment is read outside the transaction that writes it.",
    file: incidents,
    find: "  const stored = await readEnvironment(transaction);\n",
    put: "  const stored = await readEnvironment(context.store);\n",
  },
  {
    name: "resolved-without-a-stage",
    description: "An incident is resolved without the first stage of its recovery.",
    file: lifecycle,
    find: "  if (next >= 0) {\n",
    put: "  if (next > 0) {\n",
  },
  {
    name: "any-validation",
    description: "A report of any validation completes the current attempt.",
    file: lifecycle,
    find: "if (recovery === undefined || report.request !== attemptId(id, recovery)) return;",
    put: "if (recovery === undefined || !report.request?.startsWith(id)) return;",
  },
  {
    name: "one-answer-is-enough",
    description: "Results from one vantage point replace those from another.",
    file: "functions/evaluate/incident/recovery/recovery.ts",
    find: "results: { ...recovery.results, ...Object.fromEntries(judged) }",
    put: "results: Object.fromEntries(judged)",
  },
  {
    name: "recovering-is-over",
    description: "A failure during recovery validation opens a separate incident.",
    file: "functions/evaluate/incident/membership/correlate.ts",
    find: 'incident.status !== "resolved" && mayShare',
    put: 'incident.status === "open" && mayShare',
  },
  {
    name: "no-relapse",
    description: "A relapse never reopens its incident.",
    file: "functions/evaluate/incident/membership/relapse.ts",
    find: "firedAt - resolvedAt <= windowMs &&",
    put: "firedAt - resolvedAt < 0 &&",
  },
  {
    name: "event-ids-repeat",
    description: "The second event of a kind reuses the id of the first.",
    file: "functions/evaluate/incident/draft.ts",
    find: "id: `${this.incident.id}:${kind}-${rest.occurrence}`",
    put: "id: `${this.incident.id}:${kind}`",
  },
  {
    name: "news-after-the-end",
    description: "Findings made when an incident ends are announced after its end.",
    file: "functions/evaluate/incident/draft.ts",
    find: 'if (this.#events.at(-1)?.kind !== "resolved") this.#events.push(',
    put: "this.#events.push(",
  },
  {
    name: "removed-rule-stays",
    description: "An alert outlives its rule.",
    file: "functions/evaluate/rules/configuration-edits.ts",
    find: '    return ended("its rule was removed from the configuration");',
    put: '    return { what: "same" };',
  },
  {
    name: "removed-group-stays",
    description: "A probe group removed from the configuration is no longer evaluated.",
    file: "functions/evaluate/commit/tick.ts",
    find: "[...new Set([...plan.groups, ...strays])]",
    put: "[...new Set([...plan.groups])]",
    also: [{ find: "!plan.groups.includes(partition) &&", put: "plan.groups.includes(partition) &&" }],
  },
  {
    name: "report-not-published",
    description: "A report that cannot be published is dropped.",
    file: "functions/probe/handler.ts",
    find: "  if (unpublished.length > 0) throw refusal;\n",
    put: "  if (unpublished.length > 100) throw refusal;\n",
  },
  {
    name: "record-before-sending",
    description: "A delivery is recorded before it is sent.",
    file: delivery,
    find: '      status: "sending",\n      lease_until: new Date(now + leaseMs),',
    put: '      status: "delivered",\n      delivered_at: new Date(now),\n      lease_until: new Date(now + leaseMs),',
  },
  {
    name: "lease-compared-wrongly",
    description: "A claim counts as held after it expires, and not before.",
    file: order,
    find: "lease_until.getTime() > now;",
    put: "lease_until.getTime() < now;",
  },
  {
    name: "lease-for-ever",
    description: "A claim never expires after its instance dies.",
    file: order,
    find: 'return status === "sending" && lease_until !== undefined && lease_until.getTime() > now;',
    put: 'return status === "sending" && lease_until !== undefined && now > 0;',
  },
  {
    name: "lease-not-renewed",
    description: "A claim expires during its attempt.",
    file: delivery,
    find: "    cancel = timers.after(renewEveryMs, () => {",
    put: "    cancel = timers.after(100 * renewEveryMs, () => {",
  },
  {
    name: "late-owner-ignored",
    description: "An instance that lost its claim does not record a successful delivery.",
    file: delivery,
    find: 'if (!ours && (current.status === "delivered" || attempt.outcome !== "delivered")) return current;',
    put: "if (!ours) return current;",
  },
  {
    name: "claim-of-a-copy",
    description: "A claim uses the delivery as it was read before the transaction.",
    file: delivery,
    find: "    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;\n    const older",
    put: "    const delivery = (await transaction.get(deliveries, id)) === undefined ? seen : seen;\n    const older",
  },
  {
    name: "claimed-twice",
    description: "A claim takes a delivery that another instance is sending.",
    file: delivery,
    find: "if (isFinal(delivery) || blocked || (!lastChance",
    put: "if (isFinal(delivery) || (blocked && lastChance) || (!lastChance",
  },
  {
    name: "words-changed",
    description: "A notice that may have arrived is sent again with a different text.",
    file: delivery,
    find: "if (mayHaveArrived(delivery) || (!replacesOpening",
    put: "if (false || (!replacesOpening",
  },
  {
    name: "suppressed-while-sent",
    description: "A delivery is suppressed while it is being sent.",
    file: delivery,
    find: "if (isFinal(delivery) || isLeased(delivery, now)) return delivery;",
    put: "if (isFinal(delivery)) return delivery;",
  },
  {
    name: "lost-is-not-heard",
    description: "A notice without a response counts as not delivered.",
    file: ledger,
    find: 'return attempts.some(({ outcome }) => outcome === unsure) && attempts.at(-1)?.outcome !== "rejected";',
    put: "return attempts.length < 0;",
  },
  {
    name: "end-for-the-delivered",
    description: "The end is announced only to readers with a recorded delivery.",
    file: "functions/notify/plan/plan.ts",
    find: "delivery.sequence < sequence && mayReachReader(delivery)",
    put: 'delivery.sequence < sequence && delivery.status === "delivered"',
  },
  {
    name: "no-waiting-for-the-earlier",
    description: "An event does not wait for earlier ones.",
    file: order,
    find: 'if (unfinished.length > overtaken.length) return { action: "wait" };',
    put: 'if (unfinished.length > overtaken.length + 10) return { action: "wait" };',
  },
  {
    name: "no-waiting-for-the-opening",
    description: "An event whose message overtakes that of the opening does not wait for it.",
    file: notify,
    find: "if (!isBegun(event, ledger) && world.clock.now() - publishedAt < patienceForOpeningMs) {",
    put: "if (!isBegun(event, ledger) && now - publishedAt < 0) {",
  },
  {
    name: "planned-again",
    description: "A redelivered message plans its deliveries again.",
    file: writePlan,
    find: "        if (known[index] !== undefined) continue;\n        transaction.create(",
    put: "        if (known[index] !== undefined && index > 10) continue;\n        transaction.set(",
  },
  {
    name: "planned-together",
    description: "A change is announced after a later one that another instance planned concurrently.",
    file: order,
    find: " || (isDeliveredOrPending(later) && later.follows?.includes(sequence) === false)",
    put: "",
  },
  {
    name: "not-tried-again",
    description: "A notice that fails at first is not retried.",
    file: notify,
    find: "    if (waiting.length === 0) return;\n",
    put: "    if (waiting.length < 100) return;\n",
  },
  {
    name: "given-up-early",
    description: "An unfinished retry is acknowledged.",
    file: notify,
    find: "  if (waiting.length > 0)\n    throw new TryAgain(",
    put: "  if (waiting.length > 100)\n    throw new TryAgain(",
  },
  {
    name: "old-summary",
    description: "The delivery summary is older than the incident document it is written to.",
    file: "functions/notify/deliver/summary.ts",
    find: '  const found = await store.transaction(async (transaction) => {\n    const document = await transaction.get("incidents", incident);\n    if (document === undefined) return false;\n    const ledger = await readLedger(store, incident, logger);\n',
    put: '  const ledger = await readLedger(store, incident, logger);\n  const found = await store.transaction(async (transaction) => {\n    const document = await transaction.get("incidents", incident);\n    if (document === undefined) return false;\n',
  },
];
