// What `npm run build` does: every file of runtime/ to JavaScript in dist/, and proto/ beside them, so that each module finds
// `../../proto/` from its own place, compiled or not. Types are checked by `npm run check`; esbuild only strips them, which
// takes a fraction of a second. dist/ is exchanged as a whole: files of deleted sources go, and a failed build changes nothing.
// The TypeScript client is a package of its own and goes to clients/typescript/dist in the same way. What the two packages export
// has its declarations beside it, made file by file without the checker.
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
import { join } from 'node:path';
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
  if (!BENCH) await declare(['runtime/index'], { from: '.', to: next });
});
if (!BENCH)
  await exchange(`${CLIENT}/dist`, async (next) => {
    await compile(sources(`${CLIENT}/src`, /^testing\b/), {
      outdir: next,
      outbase: `${CLIENT}/src`,
    });
    await declare(['index', 'wire'], { from: `${CLIENT}/src`, to: next });
  });

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

/** Declarations of these files and of those that the declarations import. */
async function declare(files, { from, to }) {
  const { default: ts } = await import('typescript');
  const wanted = new Set(files);
  // A set goes on with what is added to it meanwhile.
  for (const file of wanted) {
    const fileName = join(from, `${file}.ts`);
    const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(fileName, 'utf8'), {
      fileName,
      reportDiagnostics: true,
      compilerOptions: { stripInternal: true },
    });
    for (const { messageText } of diagnostics)
      throw new Error(`${fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    writeFileSync(join(to, `${file}.d.ts`), outputText);
    for (const [, path] of outputText.matchAll(/from '(\.[^']+)\.js'/g))
      wanted.add(join(file, '..', path));
  }
}

/** Everything but tests and what `except` names. */
function sources(folder, except = /^$/) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !except.test(path))
    .map((path) => `${folder}/${path}`);
}
