import { expect, test } from "vitest";
import { Origins } from "../src/origins";
import type { OriginSettings } from "../src/settings";

const origin = (name: string, more: Partial<OriginSettings> = {}): OriginSettings => ({ name, url: `http://${name}`, weight: 1, regions: [], body_limit: 0, grants: true, ...more });
const [a, b, c] = [origin("a"), origin("b", { regions: ["CN"] }), origin("c", { grants: false, body_limit: 100 })];
const someone = { tenant: "acme", places: [], bodyBytes: 10 };

const at = { now: 1_000_000 };
function origins(all: OriginSettings[], residency = {}, random = () => 0.5): Origins {
  return new Origins(all, residency, () => at.now, random);
}
const names = (order: OriginSettings[]): string => order.map(({ name }) => name).join("");

test("the weights decide who is first", () => {
  const seed = { value: 1 };
  const random = (): number => (seed.value = (seed.value * 16807) % 2147483647) / 2147483647;
  const all = origins([origin("x", { weight: 3 }), origin("y", { weight: 1 }), origin("z", { weight: 0 })], {}, random);
  const first = { x: 0, y: 0, z: 0 };
  for (let turn = 0; turn < 4000; turn++) first[all.order(someone)[0]!.name as "x"]++;
  expect(first.z).toBe(0);
  expect(Math.abs(first.x / 4000 - 0.75)).toBeLessThan(0.03);
});

test("those near come first, whatever their weight", () => {
  expect(names(origins([a!, b!]).order({ ...someone, places: ["CN", "AS"] }))).toBe("ba");
});

test("a tenant goes to the origins of its residency, and nowhere if there are none", () => {
  const all = origins([a!, b!], { acme: ["b"], globex: ["gone"] });
  expect(names(all.order(someone))).toBe("b");
  expect(names(all.order({ ...someone, tenant: "globex" }))).toBe("");
  expect(all.allows({ ...someone, tenant: "globex" })).toBe(false);
  expect(names(all.order({ ...someone, tenant: "toString" }))).toBe("ab");
});

test("grants are asked only where they may be, and large bodies go where they are taken", () => {
  const all = origins([a!, c!]);
  expect(names(all.order({ ...someone, tenant: null }))).toBe("a");
  expect(names(all.order({ ...someone, bodyBytes: 101 }))).toBe("a");
  expect(names(origins([c!]).order({ ...someone, bodyBytes: 101 }))).toBe("");
  expect(origins([c!]).allows({ ...someone, bodyBytes: 101 })).toBe(true);
});

test("after three failures it rests, then one request tries it; each rest is longer, up to a minute", () => {
  const all = origins([a!, b!]);
  const order = (): string => names(all.order(someone));
  for (let failures = 0; failures < 2; failures++) all.failed(a!);
  expect(order()).toBe("ab");
  for (const rest of [10_000, 20_000, 40_000, 60_000, 60_000]) {
    all.failed(a!);
    expect(order()).toBe("ba");
    at.now += rest - 1;
    expect(order()).toBe("ba");
    at.now += 1;
    expect(order()).toBe("ab");
    all.trying(a!);
    expect(order()).toBe("ba");
  }
  all.succeeded(a!);
  expect(order()).toBe("ab");
});
