/** Entry point of the notify function: wiring. The Functions Framework finds the function by its name. */
import type { HttpFunction } from "@google-cloud/functions-framework";
import { connectPages, pagesUrl } from "../../shared/adapters/pages.ts";
import { connect } from "../../shared/adapters/select.ts";
import { incidentLinks } from "../../shared/incident-link.ts";
import { pushFunction } from "../../shared/runtime/shell.ts";
import { answerFunction } from "./answer/serve.ts";
import { channels } from "./channels/index.ts";
import { sender } from "./deliver/send.ts";
import { notifyHandler } from "./handler.ts";
import { pageWriter, refreshPages } from "./pages/writer.ts";

const world = await connect(process.env);

const pages = { ...world, pages: connectPages(process.env, world.google) };

const answersUrl = process.env["PATHKEEPER_ANSWERS_URL"];

// The publicly reachable service does nothing else: it is a separate deployment of the same code.
const isForAnswers = process.env["PATHKEEPER_ANSWERS"] !== undefined;

/** Sends notifications; in the deployment for answers, handles actions on incidents instead. */
export const notify: HttpFunction =
  isForAnswers && answersUrl !== undefined
    ? answerFunction({ ...world, kinds: channels, answersUrl })
    : pushFunction(
        "notify",
        world,
        notifyHandler({
          ...world,
          kinds: channels,
          send: sender(world.secrets, { writePage: pageWriter(pages) }),
          incidentLinks: incidentLinks(world.configuration, process.env),
          answersUrl,
          pagesUrl: pagesUrl(process.env),
          refreshPages: () => refreshPages(pages),
        }),
      );
