// Bundles the workbench's page into the Python package, and the harness beside its page.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../src/pressmark/widgets/static");
const limit = 300 * 1024;
await mkdir(out, { recursive: true });

const bundle = {
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
};
const pages = {
  ...bundle,
  entryPoints: { workbench: here("src/workbench.tsx") },
  outdir: out,
  minify: !process.argv.includes("--watch"),
  write: true,
  metafile: true,
};
const harness = { ...bundle, entryPoints: [here("harness/harness.ts")], outdir: here("harness/dist") };

if (process.argv.includes("--watch")) {
  for (const options of [pages, harness]) await (await esbuild.context(options)).watch();
} else {
  await esbuild.build(harness);
  const { metafile } = await esbuild.build(pages);
  const { readFile } = await import("node:fs/promises");
  for (const path of Object.keys(metafile.outputs)) {
    const size = gzipSync(await readFile(path)).length;
    console.log(`${path.split("/").pop()}  ${(size / 1024).toFixed(0)} KiB gzipped`);
    if (size > limit) throw new Error(`${path} is over ${limit / 1024} KiB gzipped`);
  }
}
