import { expect, test } from "vitest";
import { deserialise } from "../src/local/http";
import { LruStore } from "../src/local/lru";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => deserialise(bytes(text));

test("a response with a length, and one in chunks", () => {
  const whole = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: public, s-maxage=60\r\nX-A: b: c\r\n\r\nhe\r\no");
  expect(whole).toMatchObject({ status: 200, maxAgeS: 60, headers: [["cache-control", "public, s-maxage=60"], ["x-a", "b: c"]] });
  expect(new TextDecoder().decode(whole!.body)).toBe("he\r\no");
  const chunked = read("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n");
  expect(new TextDecoder().decode(chunked!.body)).toBe("hello0123456789");
  expect(chunked!.maxAgeS).toBe(0);
});

test.each([
  "",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/2 200\r\n\r\n",
  "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
  "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nshort",
  ...["", "x\r\n", "5\r\nhel", "-1\r\n\r\n", "5\r\nhello\r\n", "\r\n\r\n", "ffffffffff\r\n", "5 ;x=y\r\nhello\r\n0\r\n\r\n"].map(
    (chunks) => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
  ),
])("what is not a whole response ends, and is none: %j", (text) => {
  expect(read(text)).toBeNull();
});

test("the least recently used goes first, and nothing outlives its time", () => {
  const store = new LruStore<string>(10);
  store.set("a", "1", 4, 100);
  store.set("b", "2", 4, 100);
  expect(store.get("a", 0)).toBe("1");
  store.set("c", "3", 4, 100);
  expect(["a", "b", "c"].map((key) => store.get(key, 0))).toEqual(["1", undefined, "3"]);
  expect(store.set("d", "4", 11, 100)).toBe(false);
  expect(store.get("a", 100)).toBeUndefined();
  store.set("e", "5", 6, 200);
  expect(["c", "e"].map((key) => store.get(key, 0))).toEqual(["3", "5"]);
  store.set("e", "6", 10, 200);
  expect(["c", "e"].map((key) => store.get(key, 0))).toEqual([undefined, "6"]);
  expect([store.delete("e"), store.delete("e")]).toEqual([true, false]);
});
