import { describe, expect, test } from "vitest";
import complete from "../../contract/complete.json";
import errors from "../../contract/errors.json";
import grants from "../../contract/grants.json";
import keys from "../../contract/keys.json";
import signatures from "../../contract/signatures.json";
import { cacheKey, canonicalBody, canonicalJson, type JsonObject } from "../src/canonical";
import { isComplete } from "../src/complete";
import { sha256, utf8 } from "../src/digest";
import { EdgeError, type ErrorType } from "../src/errors";
import { type Grant, Grants } from "../src/grant";
import { encodeIdentity, Signer } from "../src/identity";

describe("signatures", () => {
  test.each(signatures.signatures)("$name", async ({ secret_id, secret, time, nonce, request, who, identity, signature }) => {
    const rest = { recipe: "", release: "", generation: 0 };
    expect(who ? encodeIdentity({ ...who, ...rest }) : "").toBe(identity);
    const signable = { ...request, body: utf8(request.body), identity };
    expect(await new Signer(secret_id, secret).signature(signable, time, nonce)).toBe(signature);
  });
});

describe("canonical bodies and keys", () => {
  test.each(keys.bodies)("$name", async ({ bodies, canonical, sha256: digest, key }) => {
    for (const body of bodies) {
      expect(canonicalBody(JSON.parse(body) as JsonObject, keys.grant)).toBe(canonical);
    }
    expect(await sha256(canonical)).toBe(digest);
    expect(await cacheKey(keys.grant, keys.path, canonical)).toBe(key);
  });

  test.each(keys.refused)("refused: %s", (body) => {
    expect(() => canonicalJson(JSON.parse(body) as JsonObject)).toThrow(EdgeError);
  });

  test("whatever an answer depends on gives another key", async () => {
    const seen = new Set<string>();
    for (const { change, path, key } of keys.other_keys) {
      const grant = { ...keys.grant, ...change } as Grant;
      expect(await cacheKey(grant, path, '{"model":"handbook@live"}')).toBe(key);
      seen.add(key);
    }
    expect(seen.size).toBe(keys.other_keys.length);
  });

  test("the order of principals is none of them", async () => {
    const turned = { ...keys.grant, principals: [...keys.grant.principals].reverse() };
    expect(await cacheKey(turned, keys.path, "{}")).toBe(await cacheKey(keys.grant, keys.path, "{}"));
  });
});

describe("grants", () => {
  test.each(grants.granted)("$query", async ({ query, answer }) => {
    expect(await new Grants(5000).get(query, async () => Response.json(answer))).toEqual({ grant: answer, confirmed: true });
  });

  test.each(grants.malformed)("malformed: %o", async (answer) => {
    const asked = new Grants(5000).get({ key_sha256: null, model: null }, async () => Response.json(answer));
    await expect(asked).rejects.toMatchObject({ status: 503, code: "grant_unavailable" });
  });
});

test.each(errors.errors)("error $status $body.error.code", async ({ status, body }) => {
  const { type, code, message, param } = body.error;
  const response = new EdgeError(status, type as ErrorType, code, message, param).toResponse();
  expect([response.status, await response.text()]).toEqual([status, JSON.stringify(body)]);
});

describe("complete answers", () => {
  test.each(complete.answers)("$name: $complete", ({ route, content_type, body, complete: whole }) => {
    expect(isComplete(route as "chat" | "search", content_type, utf8(body))).toBe(whole);
  });

  test("bytes that are not UTF-8 are none", () => {
    expect(isComplete("search", "application/json", new Uint8Array([0x7b, 0xff, 0x7d]))).toBe(false);
  });
});
