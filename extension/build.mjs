// Bundles the workbench's page into the Python package, the harness beside its page, and JupyterLab's side panel.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../src/pressmark/widgets/static");
const lab = here("lab/labextension");
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

// A style sheet that a module imports becomes its text; JupyterLab's own modules come from the page (src/lab/shared.ts).
const forJupyterLab = {
  name: "for JupyterLab",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({
        entryPoints: [path],
        bundle: true,
        minify: true,
        write: false,
      });
      return { contents: outputFiles[0].text, loader: "text" };
    });
    build.onResolve({ filter: /^@(jupyterlab|lumino)\// }, ({ path }) => ({ path, namespace: "shared" }));
    build.onLoad({ filter: /.*/, namespace: "shared" }, ({ path }) => ({
      contents: `module.exports = require("./shared").shared(${JSON.stringify(path)})`,
      resolveDir: here("src/lab"),
    }));
  },
};
const panel = {
  ...bundle,
  format: "iife",
  entryPoints: { remoteEntry: here("src/lab/container.ts") },
  outdir: `${lab}/static`,
  minify: !process.argv.includes("--watch"),
  loader: { ".svg": "text" },
  plugins: [forJupyterLab],
  metafile: true,
};
// JupyterLab takes a folder with this file for an extension; so it is there only when the rest was built.
async function describe() {
  const { version, license } = JSON.parse(await readFile(here("package.json"), "utf8"));
  const described = {
    name: "pressmark",
    version,
    description: "The registry's prompts in JupyterLab's left side bar",
    license,
    jupyterlab: {
      extension: true,
      schemaDir: "schemas",
      _build: { load: "static/remoteEntry.js", extension: "./extension" },
    },
  };
  await writeFile(`${lab}/package.json`, `${JSON.stringify(described, null, 2)}\n`);
}

if (process.argv.includes("--watch")) {
  for (const options of [pages, harness, panel]) await (await esbuild.context(options)).watch();
  await describe();
} else {
  await esbuild.build(harness);
  const built = [await esbuild.build(pages), await esbuild.build(panel)];
  await describe();
  for (const path of built.flatMap(({ metafile }) => Object.keys(metafile.outputs))) {
    const size = gzipSync(await readFile(path)).length;
    console.log(`${path.split("/").pop()}  ${(size / 1024).toFixed(0)} KiB gzipped`);
    if (size > limit) throw new Error(`${path} is over ${limit / 1024} KiB gzipped`);
  }
}
