/** The fields by which texts of one's own name parts of a notice: in templates, and in the bodies of webhooks. */

/** Every field that a template may use, with what it stands for. */
export const templateFields = {
  title: "what the incident is called",
  what: "what is broken, in one sentence: for engineers with its parts, for everybody else in plain words",
  state: "where the incident stands with this event, such as NEW INCIDENT or RESOLVED",
  severity: "info, warning or critical",
  priority: "P0 to P3",
  impact: "what it costs those who depend on it",
  outlook: "who is at it, and what comes next",
  customers: "what to tell customers",
  cause: "what the likely cause is called",
  team: "who must act on the cause",
  components: "what is affected",
  alerts: "which rules have fired",
  since: "when it began to fail",
  opened: "when the incident was opened",
  resolved: "when it was over",
  lasted: "how long it has lasted, so far or altogether",
  environment: "the title of the environment",
  incident: "the id of the incident",
  link: "the address of the incident",
} as const;

/** The fields that a body of a webhook has besides. */
export const bodyFields = {
  event: "what happened, such as opened or resolved",
  status: "open, acknowledged, recovering or resolved",
  summary: "one sentence for engineers: what is broken and what it blocks",
  evidence: "what was seen, one sentence a line",
  next_steps: "what to do, one step a line",
  key: "an id that is the same for every attempt at this notice, and for nothing else",
} as const;

/** One of the fields of a body. */
export type BodyField = TemplateField | keyof typeof bodyFields;

/** One of the fields. */
export type TemplateField = keyof typeof templateFields;
