import { expect, test } from "vitest";
import { mayStore, readDirectives } from "../src/caching_rules";
import { Flights } from "../src/flight";
import { readSettings } from "../src/settings";

const grant = {
  tenant: "default",
  key_id: null,
  scopes: ["read"],
  knowledge_base: "手册",
  channel: "live",
  recipe: "r1",
  release: "x",
  generation: 17,
  principals: ["public"],
};
const echo = {
  "x-jargonaut-knowledge-base": "%E6%89%8B%E5%86%8C",
  "x-jargonaut-channel": "live",
  "x-jargonaut-recipe": "r1",
  "x-jargonaut-generation": "17",
  "x-jargonaut-store": "yes",
};
const none = { noStore: false, noCache: false, onlyIfCached: false, maxAgeMs: Infinity };

test.each([
  [null, none],
  ["no-cache", { ...none, noCache: true }],
  ["No-Store , max-age=5", { ...none, noStore: true, maxAgeMs: 5000 }],
  ['max-age="0"', { ...none, noCache: true, maxAgeMs: 0 }],
  ["only-if-cached", { ...none, onlyIfCached: true }],
  ["max-age=soon, x-no-store=1,,=", none],
])("directives %s", (header, expected) => {
  expect(readDirectives(header)).toEqual(expected);
});

test.each([
  [{}, 200, true],
  [{}, 203, false],
  [{ "x-jargonaut-store": "no" }, 200, false],
  [{ "x-jargonaut-generation": "017" }, 200, false],
  [{ "x-jargonaut-generation": "16" }, 200, false],
  [{ "x-jargonaut-knowledge-base": "x" }, 200, false],
  [{ "cache-control": "max-age=5, Private" }, 200, false],
  [{ "cache-control": "max-age=5" }, 200, true],
  [{ vary: "accept-language" }, 200, true],
  [{ vary: "accept-language, *" }, 200, false],
])("may be stored: %o %d %s", (change, status, expected) => {
  expect(mayStore(new Response("{}", { status, headers: { ...echo, ...change } }), grant)).toBe(expected);
});

test("who joins a flight waits for its landing, even if it fails, and no longer than patience", async () => {
  const flights = new Flights();
  expect(flights.join("key", 1)).toBeUndefined();
  let arrive: () => void = () => undefined;
  let crash: (error: Error) => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  flights.track("key", arrived, new Promise((_, reject) => (crash = reject)));
  expect(await flights.join("key", 1)).toBe(true);
  arrive();
  await arrived;
  const joined = flights.join("key", 60_000);
  crash(new Error("down"));
  expect(await joined).toBe(false);
  expect(flights.join("key", 1)).toBeUndefined();
});

test("settings have defaults and refuse nonsense", () => {
  const env = { ORIGINS: '[{"name":"a","url":"http://a:1//"}]', EDGE_SECRET_ID: "k", EDGE_SECRET: "s" };
  expect(readSettings(env)).toMatchObject({ boundMs: 5000, ttlMs: 3_600_000, staleMs: 0, reportHits: "no" });
  expect(readSettings(env).origins).toEqual([{ name: "a", url: "http://a:1", weight: 1, regions: [], body_limit: 0, grants: true }]);
  expect(readSettings({ ...env, STALE_IF_ERROR_S: "9" }).staleMs).toBe(9000);
  expect(readSettings({ ...env, STALE_IF_ERROR_S: "9", BOUND_S: "0" }).staleMs).toBe(0);
  expect(readSettings({ ...env, BOUND_S: "0" }).boundMs).toBe(0);
  expect(() => readSettings({ ...env, TTL_S: "-1" })).toThrow(TypeError);
  expect(() => readSettings({ ...env, TTL_S: "soon" })).toThrow(TypeError);
  expect(() => readSettings({ ...env, REPORT_HITS: "some" })).toThrow(TypeError);
});
