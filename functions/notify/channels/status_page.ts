/** A public status page: static pages in a bucket, or in a folder on one machine. docs/status-page.md */
import { z } from "zod";
import { told } from "../../../shared/config/fields.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import { unfilledMark, urlMistake } from "../../../shared/net/written-address.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import type { ChannelKind, Notice, OutgoingPage } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { updateText } from "../pages/page-text.ts";

const settings = lazily(() =>
  z.strictObject({
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, "must be a bucket name: 3 to 63 characters of a-z, 0-9, - _ and .")
      .describe("The Cloud Storage bucket that the page is written to. On a single machine, a folder of this name."),
    title: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe("The title of the page. Default: the title of the environment."),
    components: z
      .array(z.string())
      .min(1, "must name at least one component")
      .optional()
      .describe("Names of the components that the page shows, in this order. Default: all of them."),
    url: z
      .string()
      .superRefine(told((url) => urlMistake(url, ["https", "http"]) ?? unfilledMark(url)))
      .optional()
      .describe("The public URL of the page, for links to it. Default: its address in Cloud Storage."),
    impact: z
      .boolean()
      .default(false)
      .describe("Whether the page shows the `impact` sentences of components, which are written for colleagues."),
  }),
);

/** Settings of a status page. */
export type StatusPageSettings = z.output<ReturnType<typeof settings>>;

const advice: Readonly<Record<number, string>> = {
  401: "the notifier has no identity that Cloud Storage accepts",
  403: "grant the account of the notifier roles/storage.objectUser on the bucket, as terraform/ does",
  404: "no such bucket: create it with terraform/, or correct its name",
};

/** The status page. */
export const statusPage: ChannelKind<StatusPageSettings> = {
  kind: "status_page",
  title: "Publishes a public status page to a bucket: static HTML and JSON.",
  get settings() {
    return settings();
  },
  owns: "bucket",
  readerUrl: ({ url, bucket }, folder = "https://storage.googleapis.com") => url ?? `${folder}/${bucket}/index.html`,
  example: `bucket: shop-status
title: Shop
`,
  // The page has fixed texts for the public.
  ownForm: true,
  everyEvent: true,
  public: true,
  incidentForm: "an entry with its updates",
  omitted: {
    reminder: "a status page always shows the current state",
    escalated: "escalations concern only those who must act",
  },
  render: renderNews,
  classify: (reply) => classifyHttp(reply, advice),
};

function renderNews(settings: StatusPageSettings, { event, channel, components }: Notice): OutgoingPage {
  const shown = (settings.components ?? components.map(({ name }) => name)).filter((name) =>
    event.components.includes(name),
  );
  const known = shown.flatMap((name) => components.find((component) => component.name === name) ?? []);
  return {
    transport: "page",
    channel,
    news: {
      incident: event.incident,
      event: event.event,
      sequence: event.sequence,
      at: event.at,
      status: event.status,
      severity: event.severity,
      components: known.map(({ name }) => name),
      text: updateText(
        event,
        known.map(({ title }) => title),
        settings.impact ? impactsOf(known) : [],
      ),
      since: event.first_failure_at,
      ...(event.resolved_at === undefined ? {} : { resolved_at: event.resolved_at }),
      ...(event.good_seconds === undefined ? {} : { good_seconds: event.good_seconds }),
    },
  };
}

/** Returns at most three sentences: nobody reads a fourth. */
function impactsOf(components: Configuration["components"]): string[] {
  return [...new Set(components.flatMap(({ impact }) => impact ?? []))].slice(0, 3);
}
