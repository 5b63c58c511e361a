import { expect, test } from "vitest";
import { Ledger, Purse } from "../src/budget";
import { HitReports, servedHit } from "../src/hits";

const limits = { requests: 40, tokens: 1000 };
const at = { now: 60_000_000 };

function place(ledger: Ledger, own = limits): { purse: Purse; spend: () => Promise<string | null>; asked: () => number } {
  let asked = 0;
  const purse = new Purse(own, () => at.now);
  const spend = (): Promise<string | null> => purse.spend(async (most, wanted) => (asked++, ledger.lease(most, wanted, at.now)));
  return { purse, spend, asked: () => asked };
}

test("all places together spend what there is, and not one more, and ask once for a batch", async () => {
  const ledger = new Ledger();
  const places = [place(ledger), place(ledger)];
  const said = [];
  for (let turn = 0; turn < 100; turn++) said.push(await places[turn % 2]!.spend());
  expect(said.filter((one) => one === null).length).toBe(40);
  expect(said.filter((one) => one === "requests").length).toBe(60);
  expect(places[0]!.asked() + places[1]!.asked()).toBeLessThanOrEqual(22);
  expect(places[0]!.purse.headers()).toMatchObject({ "x-ratelimit-limit-requests": "40", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "60s" });
  at.now += 60_000;
  expect(await places[0]!.spend()).toBeNull();
  expect(places[0]!.purse.headers()["x-ratelimit-remaining-requests"]).toBe("39");
});

test("tokens are charged afterwards; what was spent too much is owed", async () => {
  at.now += 60_000;
  const { purse, spend } = place(new Ledger(), { requests: 0, tokens: 1000 });
  expect(await spend()).toBeNull();
  purse.charge(700);
  expect(purse.headers()).toMatchObject({ "x-ratelimit-remaining-tokens": "300" });
  expect(purse.headers()).not.toHaveProperty("x-ratelimit-limit-requests");
  expect(await spend()).toBeNull();
  purse.charge(400);
  expect(await spend()).toBe("tokens");
  at.now += 60_000;
  expect(await spend()).toBeNull();
});

test("hits that could not be reported are reported with the next", async () => {
  const reports = new HitReports();
  const grant = { tenant: "t", key_id: null, scopes: [], knowledge_base: "k", channel: "live", recipe: "r", release: "x", generation: 1, principals: [] };
  const sent: string[][] = [];
  let down = true;
  const send = async (hits: readonly { request: string }[]): Promise<void> => {
    if (down) throw new Error("down");
    sent.push(hits.map(({ request }) => request));
  };
  await Promise.all(["a", "b"].map((name) => reports.add(servedHit(grant, "/", name, "m", "hit"), send)));
  down = false;
  await reports.add(servedHit(grant, "/", "c", "m", "hit"), send);
  expect(sent).toEqual([["a", "b", "c"]]);
});
