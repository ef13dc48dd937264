// Builds web/src into web/dist: a script, the parts of it that are fetched when
// they are needed, one style sheet, the fonts, and, for pages that are a file of
// their own, a script and a style sheet that need nothing else; all with a hash
// of their content in the name, and manifest.json, which maps "main.js" to
// "main-ABCDEFGH.js". The result is committed, so that building
// the Go program needs no Node.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const dist = join(web, "dist");

const options = {
  absWorkingDir: dirname(web), // paths inside the result must not depend on where the repository lies
  entryPoints: { main: "web/src/main.ts", theme: "web/src/theme.ts", present: "web/src/present.ts" },
  outdir: "web/dist",
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16"],
  minify: true,
  legalComments: "none",
  entryNames: "[name]-[hash]",
  assetNames: "fonts/[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "file" },
  metafile: true,
  logLevel: "warning",
};

// In one piece: nothing is left to be fetched.
const alone = {
  ...options,
  entryPoints: { alone: "web/src/alone.ts" },
  splitting: false,
  chunkNames: undefined,
  format: "iife",
  loader: { ".woff2": "dataurl", ".svg": "dataurl" },
};

// Offered to browsers in place of the plain file when it is there.
async function compress(file) {
  const text = await readFile(join(dist, file));
  const small = gzipSync(text, { level: 9 });
  small[9] = 255; // the operating system, which must not change the result
  await writeFile(join(dist, `${file}.gz`), small);
}

async function build() {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const manifest = {};
  for (const built of [options, alone]) {
    const { metafile } = await esbuild.build(built);
    for (const [out, { entryPoint }] of Object.entries(metafile.outputs)) {
      const file = out.slice("web/dist/".length);
      if (file.endsWith(".css")) manifest[`${Object.keys(built.entryPoints)[0]}.css`] = file;
      else if (entryPoint && !file.startsWith("chunks/")) manifest[`${basename(entryPoint, ".ts")}.js`] = file;
      if (built === options && /\.(css|js)$/.test(file)) await compress(file);
    }
  }
  const icon = await readFile(join(web, "icon.svg"));
  manifest["icon.svg"] = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8).toUpperCase()}.svg`;
  await writeFile(join(dist, manifest["icon.svg"]), icon);
  await writeFile(join(dist, "manifest.json"), `${JSON.stringify(manifest, Object.keys(manifest).sort(), 2)}\n`);
}

await build();
if (process.argv.includes("--watch")) {
  console.log("watching web/src and web/styles");
  let last = 0;
  for (;;) {
    let newest = 0;
    for (const dir of ["src", "styles"]) {
      for (const f of await readdir(join(web, dir), { recursive: true })) {
        newest = Math.max(newest, (await stat(join(web, dir, f))).mtimeMs);
      }
    }
    if (last && newest > last) await build().catch((e) => console.error(e.message));
    last = newest;
    await new Promise((r) => setTimeout(r, 300));
  }
}
