import { expect, vi } from "vitest";
import type { EdgeFunction, ListedRoute } from "../../shared/serve.ts";
import { noteAnswer, noteBody, noteRequest } from "./secret-register.ts";

/** A request to a function; GET without a body, POST with one, unless `method` says. */
export interface Question {
  method?: string;
  /** Sent as `Authorization: Bearer`. */
  token?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  raw?: BodyInit;
  headers?: Record<string, string>;
}

/** What came back, the body parsed; `{}` where there was none. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  text: string;
}

/** The Request as a caller on this machine would make it. */
export function requestOf(path: string, question: Question = {}): Request {
  const { token, body, raw, headers = {} } = question;
  const payload = raw ?? (body === undefined ? null : JSON.stringify(body));
  return new Request(`http://127.0.0.1/${path}`, {
    method: question.method ?? (payload === null ? "GET" : "POST"),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: payload,
    ...(payload instanceof ReadableStream ? { duplex: "half" } : {}),
  });
}

function routeOf(fn: EdgeFunction, { method, url }: Request): ListedRoute | undefined {
  const path = new URL(url).pathname.slice(1);
  return fn.routes.find((route) =>
    route.method === method && new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+")}$`).test(path)
  );
}

/**
 * Has a function answer, and notes what passed for the search after the run. Every test that calls one calls it here.
 */
export async function overheard(fn: EdgeFunction, request: Request): Promise<Response> {
  if (!vi.isMockFunction(console.log)) {
    throw new Error("Call keepLog() first: what functions log is searched too.");
  }
  const path = new URL(request.url).pathname.replace(/^\/(functions\/v1\/)?/, "");
  noteRequest(request);
  const response = await fn.fetch(request);
  noteAnswer(path, response.status, await response.clone().text());
  return response;
}

/**
 * Calls a function. An answer with the route's own status must hold exactly what the route's schema documents: no
 * field missing, of another type, or undocumented.
 */
export async function ask(fn: EdgeFunction, path: string, question: Question = {}): Promise<Answer> {
  const request = requestOf(path, question);
  const route = routeOf(fn, request);
  noteBody(path, question.body);
  const response = await overheard(fn, request);
  const text = await response.text();
  const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  if (response.status === route?.status) expect(route.answer.parse(body)).toEqual(body);
  return { status: response.status, headers: response.headers, body, text };
}

/** Status and code of a refusal, and the paths it names, in one value to compare with. */
export function refusal({ status, body }: Answer): [number, unknown, ...string[]] {
  const details = (body.details ?? []) as { path: string }[];
  return [status, body.code, ...details.map(({ path }) => path)];
}

/** The rows of a list's page. */
export function rows({ body }: Answer): Record<string, unknown>[] {
  return body.data as Record<string, unknown>[];
}
