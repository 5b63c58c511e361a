// Bundles the Worker and the local cache service into the Python package. `--check` compares instead of writing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const target = new URL("../src/jargonaut/deployment/worker/", import.meta.url);
const bundles = { "index.js": "src/index.ts", "cache.js": "src/local/cache.ts", "rate_limit.js": "src/local/rate_limit.ts" };
const largest = 40 * 1024;
let stale = false;

mkdirSync(target, { recursive: true });
for (const [name, entry] of Object.entries(bundles)) {
  const { outputFiles } = await build({
    absWorkingDir: new URL(".", import.meta.url).pathname,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    external: ["cloudflare:*"],
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  const built = Buffer.from(outputFiles[0].contents);
  const file = new URL(name, target);
  if (built.length > largest) throw new Error(`${name} has ${built.length} bytes, more than ${largest}.`);
  if (!process.argv.includes("--check")) writeFileSync(file, built);
  else if (!built.equals(readFileSync(file))) {
    console.error(`${file.pathname} is not what the sources build. Run: npm run build`);
    stale = true;
  }
  console.log(`${name}: ${built.length} bytes`);
}
process.exit(stale ? 1 : 0);
