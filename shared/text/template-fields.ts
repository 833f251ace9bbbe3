/** The fields that custom texts may use: in templates, and in the bodies of webhooks. */

/** Every field that a template may use, with the description of its value. */
export const templateFields = {
  title: "the title of the incident",
  what: "what is broken, in one sentence: for engineers with the affected parts, for everyone else in plain words",
  state: "the state of the incident after this event, such as NEW INCIDENT or RESOLVED",
  severity: "info, warning or critical",
  priority: "P0 to P3",
  impact: "the effect on users and the business",
  outlook: "who is working on it, and what happens next",
  customers: "what to tell customers",
  cause: "the title of the likely cause",
  team: "the team that must act on the cause",
  components: "the affected components",
  alerts: "the rules that have fired",
  since: "when it began to fail",
  opened: "when the incident was opened",
  resolved: "when it was over",
  lasted: "how long it has lasted so far, or lasted in total",
  environment: "the title of the environment",
  incident: "the id of the incident",
  link: "the address of the incident",
} as const;

/** The additional fields of a webhook's body. */
export const bodyFields = {
  event: "what happened, such as opened or resolved",
  status: "open, acknowledged, recovering or resolved",
  summary: "one sentence for engineers: what is broken and what it blocks",
  evidence: "the evidence, one sentence per line",
  next_steps: "the next steps, one per line",
  key: "an id that is the same for every attempt to send this notification, and unique to it",
} as const;

/** One of the fields of a body. */
export type BodyField = TemplateField | keyof typeof bodyFields;

/** One of the fields. */
export type TemplateField = keyof typeof templateFields;
