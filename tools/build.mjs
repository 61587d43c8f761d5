// What `npm run build` does: every file of runtime/ to JavaScript in dist/, and proto/ beside them, so that each module finds
// `../../proto/` from its own place, compiled or not. Types are checked by `npm run check`; esbuild only strips them, which
// takes a fraction of a second. dist/ is exchanged as a whole: files of deleted sources go, and a failed build changes nothing.
// The TypeScript client is a package of its own and goes to clients/typescript/dist in the same way.
// `node tools/build.mjs bench` makes dist-bench/ instead: the same, and benchmarks/ with what they take from the tests' tools.
import {
  chmodSync,
  cpSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { build } from 'esbuild';

const BENCH = process.argv[2] === 'bench';
const OUT = BENCH ? 'dist-bench' : 'dist';
const CLIENT = 'clients/typescript';

await exchange(OUT, async (next) => {
  const server = BENCH
    ? [...sources('runtime', /^e2e.(?!harness)/), ...sources('benchmarks')]
    : sources('runtime', /^(testing|e2e)\b/);
  await compile(server, { outdir: next, outbase: '.' });
  chmodSync(`${next}/runtime/main.js`, 0o755);
  if (!BENCH) await declare('runtime/worker/model-api.ts', next);
});
if (!BENCH)
  await exchange(`${CLIENT}/dist`, (next) =>
    compile(sources(`${CLIENT}/src`, /^testing\b/), { outdir: next, outbase: `${CLIENT}/src` }),
  );

/** What `make` puts into the directory that it is given, and proto/, become `out`. */
async function exchange(out, make) {
  const next = `${out}.next`;
  rmSync(next, { recursive: true, force: true });
  await make(next);
  cpSync('proto', `${next}/proto`, { recursive: true });
  rmSync(out, { recursive: true, force: true });
  renameSync(next, out);
}

function compile(entryPoints, places) {
  return build({
    ...places,
    entryPoints,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  });
}

/** The types of a file that imports nothing, for those who write models. */
async function declare(file, out) {
  const { default: ts } = await import('typescript');
  const { outputText } = ts.transpileDeclaration(readFileSync(file, 'utf8'), { fileName: file });
  writeFileSync(`${out}/${file.replace(/\.ts$/, '.d.ts')}`, outputText);
}

/** Everything but tests and what `except` names. */
function sources(folder, except = /^$/) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !except.test(path))
    .map((path) => `${folder}/${path}`);
}
