/** The configuration of a stream of server-sent events. */
import { z } from "zod";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { requestFields } from "../http/settings.ts";

/** The fields of the settings that define the request. */
export const streamFields = lazily(() => {
  const { url, method, headers, id_token, oauth2, body, json, form, ip_version, tls } = requestFields();
  return {
    url,
    method,
    headers,
    id_token,
    oauth2,
    body,
    json,
    form,
    ip_version,
    max_event: z
      .int()
      .min(1)
      .max(16 * 2 ** 20)
      .default(2 ** 20)
      .describe("The maximum size of an event, in bytes."),
    tls,
  };
});

/** The request of a stream. */
export type StreamSettings = z.output<z.ZodObject<ReturnType<typeof streamFields>>>;
