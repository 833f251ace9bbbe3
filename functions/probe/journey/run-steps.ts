/** Runs the steps of a journey: in sequence, over fresh connections and an open WebSocket, with the captured values. */
import type { Cookies } from "../http/cookies.ts";
import { type JsonScalar, meets, observedResponse, parseJson, unmet } from "../http/expect.ts";
import { firstRequest, type SendingSettings, tlsSecrets, withCookies } from "../http/outgoing.ts";
import { sendRequest } from "../http/request.ts";
import type { FormValue, RequestSettings } from "../http/settings.ts";
import { errorText, failureOfFault, Overrun, ProbeFault, type SeenFailure } from "../net/faults.ts";
import { type Stages, stages } from "../net/stages.ts";
import type { ProbeWorld } from "../prober.ts";
import { listening, openStream, streamHeaders } from "../stream/session.ts";
import type { StreamSettings } from "../stream/settings.ts";
import { jsonText } from "../text/json-text.ts";
import { isWrittenAsPattern, quoted } from "../text/pattern.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";
import {
  fillHeader,
  fillJson,
  fillText,
  fillUrl,
  type Json,
  marksIn,
  plainText,
  type Variables,
} from "../text/template.ts";
import { actions, type ExpectedMessage, perform, type ScriptAction } from "../websocket/script.ts";
import { type Conversation, openWebSocket, Refusal } from "../websocket/session.ts";
import { socketTarget } from "../websocket/settings.ts";
import { capture, withoutSecretFields } from "./capture.ts";
import { fillable, type JourneyStep } from "./steps.ts";

/** The result of the steps. */
export interface StepResults {
  /** Seconds that each completed step took. */
  readonly completed: readonly { readonly name: string; readonly seconds: number }[];
  /** The failures of steps, in order; at most one if a failure ends the journey. */
  readonly failed: readonly { readonly name: string; readonly failure: SeenFailure }[];
  /** Seconds from the beginning of the first step to the end of the last. */
  readonly seconds: number;
}

/** Options for running steps. */
export interface StepOptions {
  /** The variables known at the beginning; captured values are added. */
  readonly variables: Map<string, Json>;
  readonly world: ProbeWorld;
  /** Cookies are shared: one step sends the cookies that an earlier one received. */
  readonly cookies: Cookies;
  /** Continues after a failed step, and skips those that need a missing variable or WebSocket. */
  readonly continueOnFailure: boolean;
}

/** Runs the steps. */
export async function runSteps(
  steps: readonly JourneyStep[],
  { variables, world, cookies, continueOnFailure }: StepOptions,
): Promise<StepResults> {
  const runner = new StepRunner(variables, world, cookies);
  const completed: { name: string; seconds: number }[] = [];
  const failed: { name: string; failure: SeenFailure }[] = [];
  const started = world.clock();
  for (const step of steps) {
    if (continueOnFailure && runner.lacks(step)) continue;
    const since = world.clock();
    const failure = await runner.take(step);
    if (failure === undefined) completed.push({ name: step.name, seconds: (world.clock() - since) / 1000 });
    else failed.push({ name: step.name, failure: careful(failure) });
    if (failure !== undefined && !continueOnFailure) break;
  }
  runner.leave();
  return { completed, failed, seconds: (world.clock() - started) / 1000 };
}

/** Returns a failure that also conceals fields with secret names: responses to a login are full of them. */
function careful(failure: SeenFailure): SeenFailure {
  return { ...failure, message: cite`${failure.message}`.masked(withoutSecretFields) };
}

/** Returns a world that ends earlier than the given one. @param part what times out then, for the message of a failure: `the step` */
export function within(world: ProbeWorld, limitMs: number, part: string): { world: ProbeWorld; clear(): void } {
  const overrun = new AbortController();
  const alarm = setTimeout(() => overrun.abort(new Overrun(part, limitMs)), limitMs);
  const clear = (): void => clearTimeout(alarm);
  world.onClose(clear);
  return {
    world: { ...world, signal: AbortSignal.any([world.signal, overrun.signal]) },
    clear,
  };
}

class StepRunner {
  readonly #variables: Map<string, Json>;
  readonly #world: ProbeWorld;
  readonly #cookies: Cookies;
  #open: { readonly conversation: Conversation; readonly stages: Stages } | undefined;

  constructor(variables: Map<string, Json>, world: ProbeWorld, cookies: Cookies) {
    this.#cookies = cookies;
    this.#variables = variables;
    this.#world = world;
  }

  /** Returns whether the step needs a variable or a WebSocket that does not exist. */
  lacks(step: JourneyStep): boolean {
    const speaks = actions.some((action) => step[action] !== undefined);
    const asked = [...marksIn(fillable(step)), ...Object.keys(step.check ?? {})];
    return (speaks && this.#open === undefined) || asked.some((name) => !this.#variables.has(name));
  }

  /** Runs one step. @returns the failure */
  async take(step: JourneyStep): Promise<SeenFailure | undefined> {
    if (step.http) return await this.#ask(step, step.http);
    if (step.websocket) return await this.#openSocket(step, step.websocket);
    if (step.stream) return await this.#openStream(step, step.stream);
    if (step.check) return this.#check(step.check);
    return await this.#speak(step);
  }

  leave(): void {
    this.#open?.conversation.leave();
    this.#open = undefined;
  }

  async #ask(step: JourneyStep, settings: RequestSettings): Promise<SeenFailure | undefined> {
    const time = within(this.#world, step.within, "the step");
    try {
      const confidential = Object.entries(settings.headers).flatMap(([name, value]) =>
        marksIn(value).length > 0 ? [name] : [],
      );
      const { response: answer, failure } = await sendRequest(
        filledRequest(settings, this.#variables),
        time.world,
        confidential,
        this.#cookies,
      );
      if (!answer || failure) return failure;
      const seen = observedResponse(answer);
      const json = seen.body.judge(parseJson);
      const problem = this.#keep(step, [json], seen.headers);
      const unexpected = unmet(filledExpectations(settings.expect, this.#variables), seen, json);
      if (unexpected) return unexpected;
      if (answer.truncated) return bodyFailure(`the body is longer than max_body, ${settings.max_body} bytes`);
      return problem === undefined ? undefined : bodyFailure(cite`${problem}; the body is: ${seen.body.first(120)}`);
    } catch (error) {
      return failureOf(error, "request");
    } finally {
      time.clear();
    }
  }

  async #openSocket(
    step: JourneyStep,
    settings: NonNullable<JourneyStep["websocket"]>,
  ): Promise<SeenFailure | undefined> {
    this.leave();
    const time = within(this.#world, step.within, "the step");
    let opening: Stages | undefined;
    try {
      const url = fillUrl(settings.url, this.#variables);
      const target = await socketTarget(settings, url, (text) => fillHeader(text, this.#variables), time.world);
      const cookie = this.#cookies.headerFor(target.url, target.headers["cookie"]);
      const headers = cookie === undefined ? target.headers : { ...target.headers, cookie };
      opening = stages(time.world, {}, target.url.host);
      this.#open = { conversation: await openWebSocket({ ...target, headers }, opening), stages: opening };
      return undefined;
    } catch (error) {
      if (opening === undefined || error instanceof Refusal) return failureOf(error, opening?.phase ?? "request");
      return opening.failureOf(error);
    } finally {
      // From here on, the open WebSocket lives as long as the journey.
      time.clear();
    }
  }

  async #openStream(step: JourneyStep, settings: StreamSettings): Promise<SeenFailure | undefined> {
    this.leave();
    const time = within(this.#world, step.within, "the step");
    let opening: Stages | undefined;
    try {
      const filled = { ...settings, ...filledSending(settings, this.#variables) };
      const outgoing = withCookies(await firstRequest(filled, time.world, [], streamHeaders), this.#cookies);
      const secrets = await tlsSecrets(filled, time.world);
      opening = stages(time.world, {}, outgoing.url.host);
      const stream = await openStream(outgoing, filled, secrets, settings.max_event, opening);
      this.#open = { conversation: listening(stream), stages: opening };
      return undefined;
    } catch (error) {
      if (opening === undefined || error instanceof Refusal) return failureOf(error, opening?.phase ?? "request");
      return opening.failureOf(error);
    } finally {
      // From here on the open stream lives as long as the journey.
      time.clear();
    }
  }

  async #speak(step: JourneyStep): Promise<SeenFailure | undefined> {
    const action = actions.find((one) => step[one] !== undefined) ?? "expect";
    if (!this.#open) return { kind: "internal", phase: action, message: "no WebSocket is open" };
    const { conversation, stages } = this.#open;
    try {
      const filled = filledAction(step, this.#variables);
      const came = await perform(filled, action, conversation, stages, plainText);
      stages.stop();
      if (action === "close") this.#open = undefined;
      const problem = this.#keep(
        step,
        came.map((text) => text.judge(parseJson)),
      );
      return problem === undefined ? undefined : bodyFailure(problem, action);
    } catch (error) {
      return stages.failureOf(error);
    }
  }

  #check(wanted: Readonly<Record<string, JsonScalar>>): SeenFailure | undefined {
    for (const [name, expected] of Object.entries(wanted)) {
      const value = this.#variables.get(name) ?? null;
      const filled = filledScalar(expected, this.#variables);
      if (meets(value, filled)) continue;
      const seen = TargetText.of(jsonText(value)).first(120);
      return bodyFailure(cite`${name} is ${seen}, expected ${plainText(filled)}`, "check");
    }
    return undefined;
  }

  /** Captures the step's values, and registers secrets before any part of the response is reported. @returns what is missing */
  #keep(step: JourneyStep, documents: readonly unknown[], headers = {}): string | undefined {
    const { values, problem } = capture(step.capture, documents, headers);
    for (const [name, value, secret] of values) {
      this.#variables.set(name, value);
      if (secret) this.#world.conceal(plainText(value));
    }
    return problem;
  }
}

function filledRequest(settings: RequestSettings, variables: Variables): RequestSettings {
  return { ...settings, ...filledSending(settings, variables) };
}

/** Returns the request with its variables filled in. */
function filledSending(
  { url, headers, body, json, form }: SendingSettings,
  variables: Variables,
): Pick<SendingSettings, "url" | "headers" | "body" | "json" | "form"> {
  return {
    url: typeof url === "string" ? fillUrl(url, variables) : url,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        typeof value === "string" ? fillHeader(value, variables) : value,
      ]),
    ),
    body: typeof body === "string" ? fillText(body, variables) : body,
    ...(json === undefined ? {} : { json: fillJson(json as Json, variables) }),
    form: form && mapped(form, (value) => filledField(value, variables)),
  };
}

function filledField(value: FormValue | FormValue[], variables: Variables): FormValue | FormValue[] {
  const filled = (one: FormValue): FormValue => (typeof one === "string" ? fillText(one, variables) : one);
  return Array.isArray(value) ? value.map(filled) : filled(value);
}

function filledExpectations(expected: RequestSettings["expect"], variables: Variables): RequestSettings["expect"] {
  const { body_contains, json, headers } = expected;
  return {
    ...expected,
    body_contains: body_contains === undefined ? undefined : fillText(body_contains, variables),
    json: json && filledValues(json, variables),
    headers: headers && mapped(headers, (text) => fillExpected(text, variables)),
  };
}

function filledAction(step: ScriptAction, variables: Variables): ScriptAction {
  return {
    ...step,
    send: step.send === undefined ? undefined : fillJson(step.send, variables),
    expect: step.expect?.map((one) => filledMessage(one, variables)),
    fail_on: step.fail_on?.map((one) => filledMessage(one, variables)),
  };
}

function filledMessage({ json, contains, ...rest }: ExpectedMessage, variables: Variables): ExpectedMessage {
  return {
    ...rest,
    json: json && filledValues(json, variables),
    contains: contains === undefined ? undefined : fillText(contains, variables),
  };
}

function filledValues(
  values: Readonly<Record<string, JsonScalar>>,
  variables: Variables,
): Readonly<Record<string, JsonScalar>> {
  return mapped(values, (value) => filledScalar(value, variables));
}

/** A captured text is compared literally, even if it looks like a comparison or a pattern. */
function filledScalar(expected: JsonScalar, variables: Variables): JsonScalar {
  if (typeof expected === "string" && isWrittenAsPattern(expected)) return fillExpected(expected, variables);
  const filled = fillJson(expected, variables);
  if (typeof filled === "object") return filled === null ? null : JSON.stringify(filled);
  return typeof filled === "string" && /^\$\{[^{}]*\}$/.test(String(expected)) ? `== ${filled}` : filled;
}

/** Returns an expected text. In a pattern, a captured text is escaped. */
function fillExpected(text: string, variables: Variables): string {
  return isWrittenAsPattern(text) ? fillText(text, variables, quoted) : fillText(text, variables);
}

function mapped<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function failureOf(error: unknown, phase: string): SeenFailure {
  if (error instanceof ProbeFault) return failureOfFault(error, phase);
  return { kind: "internal", phase, message: errorText(error) };
}

function bodyFailure(message: ReportText, phase = "body"): SeenFailure {
  return { kind: "body", phase, message };
}
