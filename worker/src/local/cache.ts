import { deserialise, type StoredResponse } from "./http";
import { LruStore } from "./lru";

interface CacheEnv {
  CACHE_BYTES: string;
}

let store: LruStore<StoredResponse> | undefined;

/**
 * What workerd asks for behind the Cache API: GET is a look-up, PUT carries a serialised HTTP response, PURGE deletes.
 * In memory, the least recently used goes first. On Cloudflare none of this is needed.
 */
export default {
  async fetch(request: Request, env: CacheEnv): Promise<Response> {
    store ??= new LruStore(Number(env.CACHE_BYTES));
    const key = `${request.headers.get("cf-cache-namespace") ?? ""}\n${request.url}`;
    switch (request.method) {
      case "GET":
        return found(store.get(key, Date.now()));
      case "PUT": {
        const response = deserialise(new Uint8Array(await request.arrayBuffer()));
        if (!response) return new Response(null, { status: 400 });
        const expires = Date.now() + response.maxAgeS * 1000;
        const kept = response.maxAgeS > 0 && store.set(key, response, response.body.length + key.length, expires);
        return new Response(null, { status: kept ? 204 : 413 });
      }
      case "PURGE":
        return new Response(null, { status: store.delete(key) ? 200 : 404 });
      default:
        return new Response(null, { status: 405 });
    }
  },
};

function found(stored: StoredResponse | undefined): Response {
  if (!stored) return new Response(null, { status: 504, headers: { "cf-cache-status": "MISS" } });
  const headers = new Headers(stored.headers);
  headers.set("cf-cache-status", "HIT");
  return new Response(stored.body, { status: stored.status, headers });
}
