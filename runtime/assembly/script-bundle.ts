// model.ts and the files beside it as one JavaScript module. Types are stripped, not checked. What lies in the version directory goes into
// the bundle, so that a version is its files; packages stay where they are.

import { stat } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildFailure, Message, OnResolveArgs, OnResolveResult, PluginBuild } from 'esbuild';
import { InvalidModelConfig } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import type { ScriptBundle } from '../worker/script-protocol.js';

/** What `import … from 'inferd'` is. */
const MODEL_API = new URL('../worker/model-api.js', import.meta.url).href;
/** Below it, or above, are the server's own packages. */
const HERE = dirname(fileURLToPath(import.meta.url));

/** @throws InvalidModelConfig with every problem and its place, "model.ts:3:7: …" */
export async function bundleScript(directory: string, filename: string): Promise<ScriptBundle> {
  const file = join(directory, filename);
  if (!(await stat(file).catch(() => undefined))?.isFile())
    throw new RuntimeError('INVALID_ARGUMENT', `there is no file ${file}`);
  const { code, map } = await bundled(directory, filename);
  return { filename, code, map };
}

// ---- details below; callers need not read ----

/** esbuild works in a process of its own, which is there while anybody needs it. */
let bundling = 0;

const SETTINGS = {
  write: false,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'external',
  sourcesContent: false,
  preserveSymlinks: true,
  // As Node resolves; esbuild would add 'module'.
  conditions: ['node-addons'] as string[],
  tsconfigRaw: '{}',
  logLevel: 'silent',
} as const;

async function bundled(
  directory: string,
  filename: string,
): Promise<Pick<ScriptBundle, 'code' | 'map'>> {
  bundling++;
  const { build, stop } = await import('esbuild');
  const file = join(directory, filename);
  const url = pathToFileURL(file).href;
  try {
    const { outputFiles } = await build({
      ...SETTINGS,
      absWorkingDir: directory,
      entryPoints: [file],
      outfile: join(directory, 'bundle.js'),
      banner: { js: requireBanner(url) },
      define: {
        'import.meta.url': JSON.stringify(url),
        'import.meta.filename': JSON.stringify(file),
        'import.meta.dirname': JSON.stringify(directory),
      },
      plugins: [{ name: 'inferd', setup: (plugin) => resolveImports(plugin, directory) }],
    });
    const text = (ending: string): string =>
      outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
    return { code: text('bundle.js'), map: text('.map') };
  } catch (thrown) {
    throw problemsOf(thrown);
  } finally {
    if (--bundling === 0) await stop();
  }
}

/** For files in the manner of CommonJS. */
function requireBanner(url: string): string {
  const create = `import { createRequire as inferdCreateRequire } from 'node:module';`;
  return `${create} const require = inferdCreateRequire(${JSON.stringify(url)});`;
}

function problemsOf(thrown: unknown): RuntimeError {
  const { errors } = thrown as Partial<BuildFailure>;
  if (!errors?.length) return RuntimeError.from(thrown);
  return new InvalidModelConfig(errors.map((error) => ({ path: '', message: textOf(error) })));
}

function textOf({ location, text }: Message): string {
  if (!location) return text;
  return `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

function resolveImports(build: PluginBuild, directory: string): void {
  build.onResolve({ filter: /.*/ }, (asked) => {
    if (asked.kind === 'entry-point' || asked.pluginData === RESOLVING) return undefined;
    if (asked.path === 'inferd' && asked.kind === 'require-call')
      return { path: 'inferd', namespace: REQUIRED };
    if (asked.path === 'inferd') return { path: MODEL_API, external: true };
    if (isBuiltin(asked.path) || /^(?:file|data|node):/.test(asked.path))
      return { path: asked.path, external: true };
    if (/^[./]/.test(asked.path)) return ownFile(build, asked, directory);
    return packageFile(build, asked);
  });
  build.onLoad({ filter: /.*/, namespace: REQUIRED }, () => ({ contents: REQUIRED_API }));
}

/** A module cannot be required from all that Node 20 is: the bundle imports it, and gives that to whoever requires it. */
const REQUIRED = 'required';
const REQUIRED_API = `export * from ${JSON.stringify(MODEL_API)};`;

const RESOLVING = Symbol('resolving');

async function ownFile(
  build: PluginBuild,
  asked: OnResolveArgs,
  directory: string,
): Promise<OnResolveResult> {
  const { path, errors } = await resolved(build, asked, asked.resolveDir);
  if (errors.length > 0) return failure(`there is no file '${asked.path}'`);
  if (relative(directory, path).startsWith('..')) {
    const text = `'${asked.path}' is outside of the version directory, where changes would not be seen`;
    return failure(`${text}: put it beside the model, or into a package`);
  }
  return path.endsWith('.node') ? { path, external: true } : { path };
}

async function packageFile(build: PluginBuild, asked: OnResolveArgs): Promise<OnResolveResult> {
  for (const from of [asked.resolveDir, HERE]) {
    const { path, errors } = await resolved(build, asked, from);
    if (errors.length > 0) continue;
    const isRequired = asked.kind === 'require-call';
    return { path: isRequired ? path : pathToFileURL(path).href, external: true };
  }
  const text = `cannot find package '${asked.path}', neither from ${asked.resolveDir} nor among the server's own`;
  return failure(text);
}

function resolved(
  build: PluginBuild,
  { path, kind, importer }: OnResolveArgs,
  resolveDir: string,
): ReturnType<PluginBuild['resolve']> {
  return build.resolve(path, { kind, importer, resolveDir, pluginData: RESOLVING });
}

function failure(text: string): OnResolveResult {
  return { errors: [{ text }] };
}
