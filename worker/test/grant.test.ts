import { expect, test } from "vitest";
import contract from "../../contract/grants.json";
import { Grants } from "../src/grant";

const [first] = contract.granted;
const query = first!.query;

function origin(status = 200, body: unknown = first!.answer) {
  const asked = { times: 0, now: 1_000_000, ask: async () => (asked.times++, Response.json(body, { status })) };
  return asked;
}

const refusal = (code: string) => ({ error: { message: "no", type: "authentication_error", param: null, code } });

test("a grant is believed for the bound, counted from when it was asked for", async () => {
  const at = origin();
  const grants = new Grants(5000, 0, () => at.now);
  const slow = async () => {
    at.now += 3000;
    return at.ask();
  };
  await grants.get(query, slow);
  at.now += 1999;
  await grants.get(query, slow);
  expect(at.times).toBe(1);
  at.now += 1;
  await grants.get(query, slow);
  expect(at.times).toBe(2);
});

test("a clock that goes back makes no grant older than it is", async () => {
  const at = origin();
  const grants = new Grants(5000, 0, () => at.now);
  await grants.get(query, at.ask);
  at.now -= 1;
  await grants.get(query, at.ask);
  expect(at.times).toBe(2);
});

test("equal questions at the same time are asked once, others apart", async () => {
  const at = origin();
  const grants = new Grants(5000, 0, () => at.now);
  await Promise.all([...Array(9).keys()].map(() => grants.get(query, at.ask)));
  expect(at.times).toBe(1);
  await grants.get({ ...query, model: "other" }, at.ask);
  await grants.get({ ...query, key_sha256: null }, at.ask);
  expect(at.times).toBe(3);
});

test("with a bound of 0 every request asks", async () => {
  const at = origin();
  const grants = new Grants(0, 0, () => at.now);
  await Promise.all([grants.get(query, at.ask), grants.get(query, at.ask)]);
  expect(at.times).toBe(2);
});

test("a refusal is held for a second at most", async () => {
  const at = origin(401, refusal("invalid_api_key"));
  const grants = new Grants(5000, 0, () => at.now);
  for (const [later, times] of [[0, 1], [999, 1], [1, 2]] as const) {
    at.now += later;
    await expect(grants.get(query, at.ask)).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(at.times).toBe(times);
  }
});

test.each([
  [503, refusal("unavailable"), { status: 503, code: "grant_unavailable" }],
  [200, "nonsense", { status: 503, code: "grant_unavailable" }],
  [401, {}, { status: 503, code: "grant_unavailable" }],
  [401, refusal("invalid_signature"), { status: 502, code: "invalid_signature" }],
])("a failure of the origin is not held: %s %o", async (status, body, expected) => {
  const at = origin(status, body);
  const grants = new Grants(5000, 0, () => at.now);
  await expect(grants.get(query, at.ask)).rejects.toMatchObject(expected);
  await expect(grants.get(query, at.ask)).rejects.toMatchObject({ headers: { "retry-after": "1" } });
  expect(at.times).toBe(2);
});

test("a grant after a refusal is believed at once when asked for, and memory is bounded", async () => {
  const at = origin();
  const grants = new Grants(5000, 0, () => at.now);
  for (let number = 0; number < 2001; number++) await grants.get({ key_sha256: String(number), model: null }, at.ask);
  await grants.get({ key_sha256: "2000", model: null }, at.ask);
  expect(at.times).toBe(2001);
  await grants.get({ key_sha256: "0", model: null }, at.ask);
  expect(at.times).toBe(2002);
});

test("while the origin fails, the last grant serves beyond the bound, unconfirmed, and no longer than stated", async () => {
  const at = origin();
  const grants = new Grants(5000, 10_000, () => at.now);
  const failing = async () => (at.times++, new Response("", { status: 503 }));
  expect(await grants.get(query, at.ask)).toEqual({ grant: first!.answer, confirmed: true });
  at.now += 5000;
  expect(await grants.get(query, failing)).toEqual({ grant: first!.answer, confirmed: false });
  await grants.get(query, failing);
  expect(at.times).toBe(2); // it just failed, so it is not asked again at once
  at.now += 9999;
  expect((await grants.get(query, failing)).confirmed).toBe(false);
  at.now += 1;
  await expect(grants.get(query, failing)).rejects.toMatchObject({ status: 503 });
});

test("who is refused loses the last grant too", async () => {
  const at = origin();
  const grants = new Grants(5000, 10_000, () => at.now);
  await grants.get(query, at.ask);
  at.now += 5000;
  await expect(grants.get(query, async () => Response.json(refusal("invalid_api_key"), { status: 401 }))).rejects.toMatchObject({ status: 401 });
  at.now += 1000;
  await expect(grants.get(query, async () => new Response("", { status: 503 }))).rejects.toMatchObject({ status: 503 });
});
