// Programs of users of inferd-client, or of inferd: compiled against the types that the package is published with, and run against its
// build.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLIENT_TYPES = join(ROOT, 'clients/typescript/tsconfig.types.json');

/** A directory of a user, beside nothing of this repository but its packages. */
export class UserProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'inferd-user-'));

  /** `hasServer`: inferd is among its packages. */
  constructor({ hasServer = false } = {}) {
    if (hasServer) {
      mkdirSync(this.path('node_modules'));
      symlinkSync(ROOT, this.path('node_modules/inferd'));
      for (const name of ['inferd-client', 'pino'])
        symlinkSync(join(ROOT, 'node_modules', name), this.path(`node_modules/${name}`));
    } else symlinkSync(join(ROOT, 'node_modules'), this.path('node_modules'));
    this.write('package.json', '{ "type": "module" }');
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  write(file: string, text: string): void {
    writeFileSync(this.path(file), text);
  }

  /** Returns what is wrong with the programs; those that are not wrong can be run. */
  compile(...files: readonly string[]): string[] {
    const types = this.path('types');
    const config = ts.readConfigFile(CLIENT_TYPES, (path) => readFileSync(path, 'utf8'));
    const published = ts.parseJsonConfigFileContent(config.config, ts.sys, dirname(CLIENT_TYPES));
    return [
      ...problems(ts.createProgram(published.fileNames, { ...published.options, outDir: types })),
      ...problems(
        ts.createProgram(
          files.map((file) => this.path(file)),
          {
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.NodeNext,
            types: ['node'],
            typeRoots: [join(ROOT, 'node_modules/@types')],
            paths: { 'inferd-client': [join(types, 'index.d.ts')] },
            skipLibCheck: true,
          },
        ),
      ),
    ];
  }

  /** What the compiled program prints. */
  run(file: string, ...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [this.path(file), ...args], (error, out, err) =>
        error ? reject(new Error(err)) : resolve(out),
      );
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function problems(program: ts.Program): string[] {
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(
    ({ messageText, file }) =>
      `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}
