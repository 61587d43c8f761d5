// What `npm run build` does: every file of runtime/ to JavaScript in dist/, and proto/ beside them, so that each module finds
// `../../proto/` from its own place, compiled or not. Types are checked by `npm run check`; esbuild only strips them, which
// takes a fraction of a second. dist/ is exchanged as a whole: files of deleted sources go, and a failed build changes nothing.
import { chmodSync, cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const NEXT = 'dist.next';

rmSync(NEXT, { recursive: true, force: true });
await build({
  entryPoints: sources(),
  outdir: `${NEXT}/runtime`,
  outbase: 'runtime',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});
cpSync('proto', `${NEXT}/proto`, { recursive: true });
chmodSync(`${NEXT}/runtime/main.js`, 0o755);
rmSync('dist', { recursive: true, force: true });
renameSync(NEXT, 'dist');

/** Everything but tests and what only they use. */
function sources() {
  return readdirSync('runtime', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .filter((path) => !path.endsWith('.test.ts') && !/^(testing|e2e)\b/.test(path))
    .map((path) => `runtime/${path}`);
}
