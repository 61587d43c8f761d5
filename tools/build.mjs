// Compiles runtime/ into dist/ and puts proto/ beside it, so that every module finds `../../proto/` from its own place,
// compiled or not. Removing dist/ first keeps files of deleted sources from living on.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
cpSync('proto', 'dist/proto', { recursive: true });
chmodSync('dist/runtime/main.js', 0o755);
